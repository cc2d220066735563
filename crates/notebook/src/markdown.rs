//! Notebooks as Markdown with front matter and SQL cells, read and written.
//!
//! A cell is a fence at the top level whose info line begins with `sql`. Fences inside lists and quotes, and those of other
//! languages, are text. What is written reads as the same notebook, but not always as the same letters: options come in a
//! fixed order, one blank line stands between blocks, and comments of the front matter are gone.

use pulldown_cmark::{CodeBlockKind, Event, Parser, Tag};

use crate::cell;
use crate::front;
use crate::mistake::{self, Mistake, Notes, Place};
use crate::notebook::{Block, Notebook};
use crate::parameter::Parameter;
use crate::text;

impl Notebook {
    /// Reads a notebook; `name` is the file in messages.
    pub fn parse(name: &str, text: &str) -> Result<Notebook, Vec<Mistake>> {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
        let mut notes = Notes { path: name, mistakes: Vec::new() };
        let mut notebook = Notebook::default();
        let body = match front_matter(&text, &mut notes) {
            Some((front, body)) => {
                front::read(front, &mut notebook, &mut notes);
                body
            }
            None => 0,
        };
        let lines = text[..body].matches('\n').count();
        notebook.body(&text[body..], lines, &mut notes);
        notes.mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
        if notes.mistakes.is_empty() { Ok(notebook) } else { Err(notes.mistakes) }
    }

    /// Reads blocks from a text before which the file has so many lines.
    fn body(&mut self, text: &str, lines: usize, notes: &mut Notes<'_>) {
        let place = |at: usize| {
            let begin = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
            let line = lines + text[..at].matches('\n').count() + 1;
            Place { line, column: text[begin..at].chars().count() + 1 }
        };
        let (mut depth, mut done) = (0, 0);
        let mut names: Vec<String> = Vec::new();
        let mut prose: Vec<(usize, usize)> = Vec::new();
        for (event, range) in Parser::new_ext(text, text::options()).into_offset_iter() {
            match &event {
                Event::Start(Tag::CodeBlock(CodeBlockKind::Fenced(info)))
                    if depth == 0 && info.split_whitespace().next() == Some("sql") =>
                {
                    let fence = Fence::read(&text[range.clone()]);
                    let at = place(range.start);
                    if !fence.closed {
                        let hint = format!("end it with a line of {}", fence.marks);
                        notes.note(at, "the cell is not closed", Some(hint));
                    }
                    let column = at.column + fence.options;
                    let options = &text[range.start + fence.before_options..range.start + fence.line];
                    let mut cell = cell::options(options, Place { column, ..at }, notes);
                    cell.sql = fence.sql.trim_matches('\n').trim_end().to_string();
                    if cell.sql.trim().is_empty() {
                        notes.note(at, "the cell has no SQL", None);
                    }
                    if let Some(name) = &cell.name {
                        // To SQL capitals are the same letters.
                        if names.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                            notes.note(at, format!("there are two cells of the name {name}"), None);
                        }
                        names.push(name.clone());
                    }
                    prose.push((done, range.start));
                    self.text(&text[done..range.start]);
                    self.blocks.push(Block::Cell(Box::new(cell)));
                    done = range.end;
                    depth += 1;
                }
                Event::Start(_) => depth += 1,
                Event::End(_) => depth -= 1,
                _ => {}
            }
        }
        prose.push((done, text.len()));
        self.text(&text[done..]);
        let known: Vec<&str> = self.parameters.iter().flat_map(Parameter::names).collect();
        for (from, to) in prose {
            for (at, name) in text::references(&text[from..to]) {
                if !known.contains(&name.as_str()) {
                    let hint = match known.is_empty() {
                        true => "the front matter declares none".to_string(),
                        false => mistake::hint(&name, &known),
                    };
                    notes.note(place(from + at), format!("there is no parameter {name}"), Some(hint));
                }
            }
        }
    }

    fn text(&mut self, text: &str) {
        // Leading spaces of the first line may make it code, so only whole blank lines go.
        let mut rest = text.trim_end();
        while let Some((line, after)) = rest.split_once('\n')
            && line.trim().is_empty()
        {
            rest = after;
        }
        if !rest.is_empty() {
            self.blocks.push(Block::Text(rest.to_string()));
        }
    }

    /// The notebook as Markdown.
    pub fn to_markdown(&self) -> String {
        let mut parts: Vec<String> = vec![front::write(self)];
        parts.extend(self.blocks.iter().map(|block| match block {
            Block::Text(text) => format!("{text}\n"),
            Block::Cell(cell) => {
                let info = cell::info(cell);
                // An info line behind backticks must not hold one.
                let mark = if info.contains('`') { '~' } else { '`' };
                let longest = cell.sql.split(|c| c != mark).map(str::len).max().unwrap_or(0);
                let fence = mark.to_string().repeat(longest.max(2) + 1);
                format!("{fence}{info}\n{}\n{fence}\n", cell.sql)
            }
        }));
        parts.retain(|part| !part.is_empty());
        parts.join("\n")
    }
}

/// The front matter and where the text after it begins.
fn front_matter<'t>(text: &'t str, notes: &mut Notes<'_>) -> Option<(&'t str, usize)> {
    let rest = text.strip_prefix("---\n")?;
    let mut at = 4;
    for line in rest.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return Some((&text[4..at], at + line.len()));
        }
        at += line.len();
    }
    let hint = "end it with a line of ---".to_string();
    notes.note(Place { line: 1, column: 1 }, "the front matter is not closed", Some(hint));
    None
}

/// A fenced block, taken apart.
struct Fence<'t> {
    sql: String,
    marks: &'t str,
    closed: bool,
    /// Letters of the first line before the options, and bytes.
    options: usize,
    before_options: usize,
    /// Bytes of the first line.
    line: usize,
}

impl<'t> Fence<'t> {
    fn read(text: &'t str) -> Self {
        let first = text.split('\n').next().unwrap_or_default();
        let indent = first.len() - first.trim_start_matches(' ').len();
        let mark = first.as_bytes().get(indent).map_or('`', |mark| char::from(*mark));
        let marks = first.trim_start().len() - first.trim_start().trim_start_matches(mark).len();
        let before = first.find("sql").map_or(first.len(), |at| at + 3);
        let body = text.get(first.len() + 1..).unwrap_or_default().trim_end_matches('\n');
        let (lines, last) = body.rsplit_once('\n').unwrap_or(("", body));
        let end = last.trim();
        let closed = end.len() >= marks && end.chars().all(|c| c == mark);
        let sql = if closed { lines } else { body };
        // Spaces as far as the fence itself is set in belong to the fence.
        let out = |line: &str| {
            let spaces = line.len() - line.trim_start_matches(' ').len();
            line[spaces.min(indent)..].to_string()
        };
        Fence {
            sql: sql.split('\n').map(out).collect::<Vec<_>>().join("\n"),
            marks: &first[indent..indent + marks],
            closed,
            options: first[..before].chars().count(),
            before_options: before,
            line: first.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cell::Cell;
    use crate::chart::ChartKind;
    use crate::parameter::{Choices, ParameterKind};
    use crate::unit::{Unit, Units};

    const SAMPLE: &str = r#"---
title: 登录 in depth
description: "One scenario: login"
now: SELECT max(time) FROM requests
parameters:
  period: {label: Period, range: last month}
  before: {range: month before last, from: before_from, to: before_to}
  service: {query: "SELECT name, 1 FROM slos", default: login}
  stage: {choices: [production, "a, b"]}
  target: 0.9990
  customer:
---

# Login, {{period}}

- a fence in a list is text:

  ```sql
  SELECT 1
  ```

```sql chart=line x=time series=objective y=slo,availability target=0.999 unit=%,mttr:seconds name=curve title="SLO of \"login\", 业务" empty="Nothing failed." stack table hide
SELECT *
  FROM slices($from, $to)

 WHERE service = $service
```

```json
{}
```

````sql
SELECT '
```
'
````
"#;

    #[test]
    fn what_is_written_reads_as_it_was() {
        let notebook = Notebook::parse("login.md", SAMPLE).unwrap();
        assert_eq!(notebook.to_markdown(), SAMPLE);
        assert_eq!(notebook.blocks.len(), 4);
        let Block::Cell(cell) = &notebook.blocks[1] else { panic!("no cell") };
        let chart = cell.chart.as_ref().unwrap();
        assert_eq!(chart.kind, ChartKind::Line);
        assert_eq!(chart.y, ["slo", "availability"]);
        assert_eq!(cell.title.as_deref(), Some("SLO of \"login\", 业务"));
        assert_eq!(cell.units, Units { all: Unit::Percent, columns: vec![("mttr".to_string(), Unit::Duration(1.0))] });
        assert_eq!(cell.empty.as_deref(), Some("Nothing failed."));
        assert!(cell.hide && cell.table && chart.stack && !cell.text && !cell.quiet);
        let choices = Choices::List(vec!["production".to_string(), "a, b".to_string()]);
        assert_eq!(notebook.parameters[3].kind, ParameterKind::Choice { choices, default: None });
        assert_eq!(notebook.parameters[4].kind, ParameterKind::Plain { default: Some("0.9990".to_string()) });
    }

    fn mistakes(text: &str) -> Vec<String> {
        Notebook::parse("n.md", text).unwrap_err().iter().map(ToString::to_string).collect()
    }

    #[test]
    fn mistakes_say_where_and_what_to_do() {
        let text = "---\ntitel: x\nparameters:\n  a: {range: last moon}\n  a-b: 1\n---\nSee 业务 {{fro}}, `{{any}}`.\n\n```sql chart=lien colour=b name=1 hide=yes\nSELECT 1\n```\n\n```sql y=a\n```\n";
        assert_eq!(
            mistakes(text),
            [
                "n.md:2:1: the front matter has no 'titel'; did you mean 'title'?",
                "n.md:4:14: 'last moon' is no range of time; write such as 'last month', 'last 7 days' or \
                 '2026-10-01 to 2026-10-08'",
                "n.md:5:3: 'a-b' cannot be the name of a parameter; use letters, digits and _, beginning with a letter",
                "n.md:7:8: there is no parameter fro; did you mean 'from'?",
                "n.md:9:8: there is no chart 'lien'; did you mean 'line'?",
                "n.md:9:19: a cell has no option 'colour'; did you mean 'color'?",
                "n.md:9:28: '1' cannot be the name of a table; use letters, digits and _, beginning with a letter",
                "n.md:9:35: the option 'hide' takes no value",
                "n.md:13:1: the cell has no SQL",
                "n.md:13:8: 'y' is an option of charts; add such as chart=line",
            ]
        );
        assert_eq!(mistakes("```sql\nSELECT 1\n"), ["n.md:1:1: the cell is not closed; end it with a line of ```"]);
        assert_eq!(
            mistakes("---\ntitle: x\n"),
            ["n.md:1:1: the front matter is not closed; end it with a line of ---"]
        );
        assert_eq!(
            mistakes("---\nparameters: {a: {range: today}, b: {range: today}}\n---\n"),
            ["n.md:2:33: there are two values of the name from; name the ends of a range with from: and to:"]
        );
        assert!(mistakes("---\na: [\n---\n")[0].starts_with("n.md:"));
        let twice = "```sql name=Week\nSELECT 1\n```\n\n```sql name=week\nSELECT 1\n```\n";
        assert_eq!(mistakes(twice), ["n.md:5:1: there are two cells of the name week"]);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            parts in proptest::collection::vec(proptest::sample::select(vec![
                "---\n", "\n", "```sql", "```", "~~~sql ", " chart=line", "title=\"", "\\", "业", "{{", "}}", "a", "=", ",",
                "parameters:", " ", "- ", "> ", "[", "{", ":", "    ", "|", "\t", "\u{feff}", "é", "*", "range: ", "today",
            ]), 0..40),
        ) {
            let text = parts.concat();
            if let Err(mistakes) = Notebook::parse("n", &text) {
                let lines = text.matches('\n').count() + 2;
                proptest::prop_assert!(mistakes.iter().all(|m| (1..=lines).contains(&m.line) && m.column > 0));
            }
        }

        #[test]
        fn any_notebook_survives_being_written(
            title in proptest::option::of("[ -~业务\n]{1,20}"),
            texts in proptest::collection::vec("[a-z#*业][ -~业\n]{0,40}", 0..4),
            sqls in proptest::collection::vec("[A-Z]([ -~业务\n]{0,30}[a-z])?", 0..4),
            names in "[ -~业务]{1,12}",
        ) {
            let mut notebook = Notebook { title, ..Notebook::default() };
            for (at, sql) in sqls.iter().enumerate() {
                let cell = Cell { sql: sql.clone(), title: Some(names.clone()), hide: at % 2 == 0, ..Cell::default() };
                notebook.blocks.push(Block::Cell(Box::new(cell)));
            }
            // Any text, as long as it is read as text.
            for text in texts {
                if let Ok(read) = Notebook::parse("t", &text) && matches!(read.blocks.as_slice(), [Block::Text(_)]) {
                    notebook.blocks.extend(read.blocks);
                }
            }
            let before = notebook.to_markdown();
            if let Ok(read) = Notebook::parse("n", &before) {
                let again = Notebook::parse("n", &read.to_markdown());
                proptest::prop_assert_eq!(again.as_ref(), Ok(&read));
                proptest::prop_assert_eq!(&read.title, &notebook.title);
                let cells = |notebook: &Notebook| {
                    notebook.blocks.iter().filter(|block| matches!(block, Block::Cell(_))).cloned().collect::<Vec<_>>()
                };
                proptest::prop_assert_eq!(cells(&Notebook { blocks: read.blocks, ..Notebook::default() }), cells(&notebook));
            } else {
                proptest::prop_assert!(false, "not read: {}", before);
            }
        }
    }
}
