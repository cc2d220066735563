//! What was run, as the cells of a notebook that gives the same results.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use datafusion::sql::sqlparser::tokenizer::Token;
use nines_engine::{Parameter, Parameters, tokens};
use nines_notebook::{Block, Cell, Notebook, ParameterKind};

use super::clause::wants_table;
use super::keywords::is_keyword;

/// Statements that change something: a notebook is read by whoever runs it.
const CHANGING: [&str; 4] = ["insert", "copy", "update", "delete"];

/// A statement that succeeded.
#[derive(Debug, Clone)]
struct Ran {
    cell: Cell,
    /// The number of its result, if it had one.
    result: Option<usize>,
    /// The number of the result that `_` meant to it.
    last: usize,
    /// The parameters as they were, as SQL.
    literals: BTreeMap<String, String>,
}

#[derive(Debug, Default)]
pub(super) struct Cells {
    all: Vec<Ran>,
    /// Statements that are left out.
    pub left_out: usize,
}

/// A value of `$name`: as it was typed, and what it was taken for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub name: String,
    pub typed: String,
    pub value: Parameter,
}

impl Cells {
    /// Remembers a statement or a notebook's cell. `last` is the number of the result before.
    pub fn ran(&mut self, cell: Cell, result: Option<usize>, last: usize, parameters: &Parameters) {
        if changes(&cell.sql) {
            self.left_out += 1;
            return;
        }
        let literals = parameters.iter().map(|(name, value)| (name.to_string(), value.to_sql())).collect();
        self.all.push(Ran { cell, result, last, literals });
    }

    /// The cell that had this result.
    pub fn of_result(&mut self, number: usize) -> Option<&mut Cell> {
        self.all.iter_mut().find(|ran| ran.result == Some(number)).map(|ran| &mut ran.cell)
    }

    /// A notebook of all of them. Parameters keep their names where they are what they were; else their value stands there.
    pub fn notebook(&self, title: &str, settings: &[Setting]) -> Notebook {
        let names = self.names();
        let of_result = |number| self.all.iter().position(|ran| ran.result == Some(number));
        let (mut used, mut read) = (Vec::new(), Vec::new());
        let mut sql = Vec::new();
        // What the name of a cell means by now, where it had to take another one.
        let mut renamed: BTreeMap<String, String> = BTreeMap::new();
        for (ran, name) in self.all.iter().zip(&names) {
            sql.push(rewritten(&ran.cell.sql, |tokens, at| match &tokens[at].0 {
                Token::Word(word) if word.quote_style.is_none() => {
                    let number = match word.value.as_str() {
                        "_" => Some(ran.last),
                        name => name.strip_prefix('_').and_then(|digits| digits.parse().ok()),
                    };
                    match number.and_then(of_result) {
                        Some(cell) => {
                            read.push(cell);
                            Some(names[cell].clone())
                        }
                        None => instead(tokens, at, renamed.get(&word.value.to_ascii_lowercase())?),
                    }
                }
                Token::Placeholder(name) => {
                    let name = name.trim_start_matches('$');
                    let now = settings.iter().find(|setting| setting.name == name);
                    let then = ran.literals.get(name)?;
                    match now.is_some_and(|now| now.value.to_sql() == *then) {
                        true => {
                            used.push(name.to_string());
                            None
                        }
                        false => Some(then.clone()),
                    }
                }
                _ => None,
            }));
            if let Some(own) = &ran.cell.name {
                renamed.insert(own.to_ascii_lowercase(), name.clone());
                renamed.retain(|own, name| !own.eq_ignore_ascii_case(name));
            }
        }
        let cell = |(at, sql): (usize, String)| {
            let ran = &self.all[at];
            let name = (ran.cell.name.is_some() || read.contains(&at)).then(|| names[at].clone());
            Block::Cell(Box::new(Cell { sql, name, ..ran.cell.clone() }))
        };
        let blocks = sql.into_iter().enumerate().map(cell).collect();
        let used = settings.iter().filter(|setting| used.contains(&setting.name));
        let parameter = |setting: &Setting| nines_notebook::Parameter {
            name: setting.name.clone(),
            label: None,
            kind: ParameterKind::Plain { default: Some(setting.typed.clone()) },
        };
        Notebook {
            title: Some(title.to_string()),
            description: None,
            parameters: used.map(parameter).collect(),
            blocks,
            ..Notebook::default()
        }
    }

    /// A table's name for each cell, no two of them the same: its own, else one that is no result of the session that runs
    /// the notebook.
    fn names(&self) -> Vec<String> {
        let own = |ran: &Ran| ran.cell.name.as_ref().map(|name| name.to_ascii_lowercase());
        let taken: BTreeSet<String> = self.all.iter().filter_map(own).collect();
        let mut given = BTreeSet::new();
        let name = |(at, ran): (usize, &Ran)| {
            let first = ran.cell.name.clone();
            let (stem, mut number) = match &first {
                Some(own) => (own.clone(), 2),
                None => ("result".to_string(), ran.result.unwrap_or(at + 1)),
            };
            let mut name = first.clone().unwrap_or_else(|| format!("{stem}_{number}"));
            let is_free = |name: &str, given: &BTreeSet<String>| {
                let lower = name.to_ascii_lowercase();
                !given.contains(&lower) && (!taken.contains(&lower) || first.as_deref() == Some(name))
            };
            while !is_free(&name, &given) {
                name = format!("{stem}_{number}");
                number += 1;
            }
            given.insert(name.to_ascii_lowercase());
            name
        };
        self.all.iter().enumerate().map(name).collect()
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }
}

/// The other name of a table where one stands. Under its old name its columns are still found.
fn instead(tokens: &[(Token, Range<usize>)], at: usize, other: &str) -> Option<String> {
    let is_meant = |token: &&Token| !matches!(token, Token::Whitespace(_));
    let before: Vec<&Token> = tokens[..at].iter().map(|(token, _)| token).filter(is_meant).collect();
    if !wants_table(&before) {
        return None;
    }
    let next = tokens[at + 1..].iter().map(|(token, _)| token).find(is_meant);
    match next {
        Some(Token::Word(word)) if !is_keyword(&word.value) || word.value.eq_ignore_ascii_case("as") => {
            Some(other.to_string())
        }
        _ => Some(format!("{other} AS {}", tokens[at].0)),
    }
}

/// Whether a statement writes a stored table or a file, told from first words.
pub(super) fn changes(sql: &str) -> bool {
    let mut begins = true;
    tokens(sql).all.into_iter().any(|(token, _)| match token {
        Token::Whitespace(_) => false,
        Token::SemiColon => {
            begins = true;
            false
        }
        token => {
            let first = std::mem::replace(&mut begins, false);
            matches!(token, Token::Word(word) if first && CHANGING.contains(&word.value.to_lowercase().as_str()))
        }
    })
}

/// The statement with other texts in the place of some tokens.
fn rewritten(sql: &str, mut other: impl FnMut(&[(Token, Range<usize>)], usize) -> Option<String>) -> String {
    let tokens = tokens(sql);
    let mut text = String::with_capacity(sql.len());
    for (at, (_, bytes)) in tokens.all.iter().enumerate() {
        match other(&tokens.all, at) {
            Some(other) => text.push_str(&other),
            None => text.push_str(&sql[bytes.clone()]),
        }
    }
    text.push_str(&sql[tokens.open..]);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(sql: &str) -> Cell {
        Cell { sql: sql.to_string(), ..Cell::default() }
    }

    fn setting(typed: &str) -> Setting {
        Setting { name: "from".to_string(), typed: typed.to_string(), value: Parameter::from_text(typed) }
    }

    fn bound(typed: &str) -> Parameters {
        [("from".to_string(), Parameter::from_text(typed))].into_iter().collect()
    }

    #[test]
    fn a_notebook_reads_what_the_session_read() {
        let mut cells = Cells::default();
        cells.ran(cell("SELECT $from AS a"), Some(1), 0, &bound("2026-10-01"));
        cells.ran(cell("INSERT INTO fees SELECT * FROM _"), None, 1, &Parameters::default());
        cells.ran(cell("SELECT '_', a FROM _"), Some(2), 1, &Parameters::default());
        cells.ran(cell("SELECT $from, $from + 1 FROM _, _1 WHERE _.a = 1"), Some(3), 2, &bound("2026-11-01"));
        let notebook = cells.notebook("a day", &[setting("2026-11-01")]);
        let expected = "---\ntitle: a day\nparameters:\n  from: 2026-11-01\n---\n\n\
            ```sql name=result_1\nSELECT '2026-10-01' AS a\n```\n\n\
            ```sql name=result_2\nSELECT '_', a FROM result_1\n```\n\n\
            ```sql\nSELECT $from, $from + 1 FROM result_2, result_1 WHERE result_2.a = 1\n```\n";
        assert_eq!(notebook.to_markdown(), expected);
        assert_eq!(cells.left_out, 1);
    }

    #[test]
    fn a_negative_number_is_not_a_comment() {
        let mut cells = Cells::default();
        cells.ran(cell("SELECT 5-$from"), Some(1), 0, &bound("-1"));
        assert!(cells.notebook("a", &[]).to_markdown().contains("SELECT 5-(-1)"));
    }

    #[test]
    fn what_was_run_twice_has_two_names() {
        let mut cells = Cells::default();
        let named = |sql: &str, name: &str| Cell { name: Some(name.to_string()), ..cell(sql) };
        for (run, day) in ["2026-10-01", "2026-11-01"].into_iter().enumerate() {
            let sql = "SELECT $from AS total";
            cells.ran(named(sql, "Total"), Some(run * 2 + 1), run * 2, &bound(day));
            let sql = "SELECT total, Total.total FROM total; SELECT count(*) FROM (SELECT 1) AS x, total t";
            cells.ran(cell(sql), Some(run * 2 + 2), run * 2 + 1, &bound(day));
        }
        cells.ran(cell("SELECT 1; INSERT INTO fees SELECT 1"), None, 4, &Parameters::default());
        cells.ran(cell("SELECT * FROM _1, _3, _"), Some(5), 4, &Parameters::default());
        let text = cells.notebook("twice", &[setting("2026-11-01")]).to_markdown();
        for expected in [
            "name=Total\nSELECT '2026-10-01' AS total\n",
            "\nSELECT total, Total.total FROM total; SELECT count(*) FROM (SELECT 1) AS x, total t\n",
            "name=Total_2\nSELECT $from AS total\n",
            "name=result_4\nSELECT total, Total.total FROM Total_2 AS total; SELECT count(*) FROM (SELECT 1) AS x, Total_2 t\n",
            "\nSELECT * FROM Total, Total_2, result_4\n",
        ] {
            assert!(text.contains(expected), "{expected} is not in {text}");
        }
        Notebook::parse("twice.md", &text).unwrap();
        assert_eq!(cells.left_out, 1);
    }
}
