//! Markdown in a terminal: wrapped, headings bold, lists and quotes set in.

use pulldown_cmark::{Event, Parser, Tag, TagEnd};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::look::{BOLD, Look};
use super::table;
use crate::table::Table;

/// How text is set in: what stands before its first line and before all others.
struct Inset {
    first: String,
    rest: String,
}

#[derive(Default)]
struct Writer {
    out: Vec<String>,
    line: String,
    insets: Vec<Inset>,
    /// The number of the next item of each open list.
    lists: Vec<Option<u64>>,
    code: bool,
    bold: bool,
    link: Option<String>,
    table: Option<Table>,
    head: bool,
}

/// A text as lines, without a line break at the end.
pub(crate) fn draw(markdown: &str, look: Look) -> String {
    let mut writer = Writer::default();
    for event in Parser::new_ext(markdown, crate::text::options()) {
        writer.event(event, look);
    }
    writer.flush(look);
    while writer.out.last().is_some_and(String::is_empty) {
        writer.out.pop();
    }
    writer.out.join("\n")
}

impl Writer {
    fn event(&mut self, event: Event<'_>, look: Look) {
        match event {
            Event::Text(text) if self.code => {
                for line in text.trim_end_matches('\n').split('\n') {
                    let prefix = self.prefix();
                    self.out.push(format!("{prefix}    {line}"));
                }
            }
            Event::Text(text) | Event::Code(text) | Event::Html(text) | Event::InlineHtml(text) => {
                // A terminal obeys control letters.
                self.line.extend(text.chars().filter(|c| !c.is_control()));
            }
            Event::FootnoteReference(name) => self.line += &format!("[{name}]"),
            Event::TaskListMarker(done) => self.line += if done { "[x] " } else { "[ ] " },
            Event::SoftBreak => self.line.push(' '),
            Event::HardBreak => self.flush(look),
            Event::Rule => {
                self.out.push("─".repeat(look.width.min(40)));
                self.gap();
            }
            Event::Start(tag) => self.start(tag, look),
            Event::End(tag) => self.end(tag, look),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, look: Look) {
        match tag {
            Tag::Heading { .. } => self.bold = true,
            Tag::CodeBlock(_) => {
                self.flush(look);
                self.code = true;
            }
            Tag::BlockQuote(_) => self.insets.push(Inset { first: "│ ".into(), rest: "│ ".into() }),
            Tag::List(first) => {
                self.flush(look);
                self.lists.push(first);
            }
            Tag::Item => {
                let mark = match self.lists.last_mut() {
                    Some(Some(number)) => {
                        *number += 1;
                        format!("{}. ", *number - 1)
                    }
                    _ => "• ".to_string(),
                };
                self.insets.push(Inset { rest: " ".repeat(mark.width()), first: mark });
            }
            Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. } => self.link = Some(dest_url.into_string()),
            Tag::Table(_) => self.table = Some(Table::default()),
            Tag::TableHead => self.head = true,
            Tag::TableRow => self.table.iter_mut().for_each(|table| table.rows.push(Vec::new())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, look: Look) {
        match tag {
            TagEnd::Paragraph => {
                self.flush(look);
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Heading(_) => {
                self.flush(look);
                self.bold = false;
                self.gap();
            }
            TagEnd::CodeBlock => {
                self.code = false;
                self.gap();
            }
            TagEnd::BlockQuote(_) => {
                self.flush(look);
                self.insets.pop();
                self.gap();
            }
            TagEnd::List(_) => {
                self.lists.pop();
                if self.lists.is_empty() {
                    self.gap();
                }
            }
            TagEnd::Item => {
                self.flush(look);
                self.insets.pop();
            }
            TagEnd::Link | TagEnd::Image => {
                let link = self.link.take().filter(|link| !self.line.ends_with(link.as_str()));
                self.line.extend(link.map(|link| format!(" <{link}>")));
            }
            TagEnd::TableCell => {
                let text = std::mem::take(&mut self.line);
                if let Some(table) = &mut self.table {
                    match (self.head, table.rows.last_mut()) {
                        (false, Some(row)) => row.push(text),
                        _ => table.columns.push((text, false)),
                    }
                }
            }
            TagEnd::TableHead => self.head = false,
            TagEnd::Table => {
                let drawn = self.table.take().map(|table| table::draw(&table, look));
                self.out.extend(drawn.iter().flat_map(|drawn| drawn.lines()).map(str::to_string));
                self.gap();
            }
            _ => {}
        }
    }

    fn prefix(&mut self) -> String {
        let prefix = self.insets.iter().map(|inset| inset.first.as_str()).collect();
        self.insets.iter_mut().for_each(|inset| inset.first.clone_from(&inset.rest));
        prefix
    }

    fn gap(&mut self) {
        if self.out.last().is_some_and(|line| !line.is_empty()) {
            self.out.push(String::new());
        }
    }

    fn flush(&mut self, look: Look) {
        let text = std::mem::take(&mut self.line);
        if text.trim().is_empty() {
            return;
        }
        let inset: usize = self.insets.iter().map(|inset| inset.rest.width()).sum();
        for line in wrap(text.trim(), look.width.min(100).saturating_sub(inset).max(20)) {
            let prefix = self.prefix();
            let line = if self.bold { look.paint(&line, BOLD) } else { line };
            self.out.push(prefix + &line);
        }
    }
}

/// Lines of so many columns, broken at spaces and, where letters are double-width, anywhere.
fn wrap(text: &str, columns: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > columns {
            let cut = line.rfind(' ').filter(|_| c != ' ' && wide < 2);
            let rest = cut.map(|at| line.split_off(at + 1)).unwrap_or_default();
            lines.push(line.trim_end().to_string());
            line = rest;
            used = line.width();
            if c == ' ' {
                continue;
            }
        }
        line.push(c);
        used += wide;
    }
    lines.push(line);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_is_set_for_the_terminal() {
        let markdown = "# Login 登录\n\nOne *two* three four five six.\n\n1. first\n2. second\n   - inner\n\n> said\n\n    code\n\n| a | b |\n|---|---|\n| 业务 | 2 |\n";
        let drawn = draw(markdown, Look { width: 20, colour: false });
        let expected = "\
Login 登录

One two three four
five six.

1. first
2. second
   • inner

│ said

    code

a     b
────  ─
业务  2";
        assert_eq!(drawn, expected);
    }

    #[test]
    fn double_width_letters_are_wrapped_anywhere() {
        assert_eq!(wrap("登录认证服务", 5), ["登录", "认证", "服务"]);
        assert_eq!(wrap("a bc defg", 5), ["a bc", "defg"]);
    }
}
