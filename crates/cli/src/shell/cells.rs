//! What was run, as the cells of a notebook that gives the same results.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::tokenizer::Token;
use nines_engine::{Parameter, tokens};
use nines_notebook::{Block, Cell, Notebook, ParameterKind};

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

/// A value of `$name`: as it was typed, and as SQL reads it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Setting {
    pub name: String,
    pub typed: String,
    pub value: String,
}

impl Cells {
    /// Remembers a statement. `last` is the number of the result before.
    pub fn ran(&mut self, cell: Cell, result: Option<usize>, last: usize, settings: &[Setting]) {
        if changes(&cell.sql) {
            self.left_out += 1;
            return;
        }
        let literals = settings.iter().map(|setting| (setting.name.clone(), literal(&setting.value))).collect();
        self.all.push(Ran { cell, result, last, literals });
    }

    /// The cell that had this result.
    pub fn of_result(&mut self, number: usize) -> Option<&mut Cell> {
        self.all.iter_mut().find(|ran| ran.result == Some(number)).map(|ran| &mut ran.cell)
    }

    /// A notebook of all of them. Parameters keep their names where they are what they were; else their value stands there.
    pub fn notebook(&self, title: &str, settings: &[Setting]) -> Notebook {
        let mut used = Vec::new();
        let mut read = Vec::new();
        let mut cells: Vec<(Option<usize>, Cell)> = Vec::new();
        for ran in &self.all {
            let sql = rewritten(&ran.cell.sql, |token| match token {
                Token::Word(word) if word.quote_style.is_none() => {
                    let number = match word.value.as_str() {
                        "_" => Some(ran.last),
                        name => name.strip_prefix('_').and_then(|digits| digits.parse().ok()),
                    };
                    let number = number.filter(|number| self.all.iter().any(|ran| ran.result == Some(*number)))?;
                    read.push(number);
                    Some(self.name_of(number))
                }
                Token::Placeholder(name) => {
                    let name = name.trim_start_matches('$');
                    let now = settings.iter().find(|setting| setting.name == name);
                    let then = ran.literals.get(name)?;
                    match now.is_some_and(|now| literal(&now.value) == *then) {
                        true => {
                            used.push(name.to_string());
                            None
                        }
                        false => Some(then.clone()),
                    }
                }
                _ => None,
            });
            cells.push((ran.result, Cell { sql, ..ran.cell.clone() }));
        }
        for (result, cell) in &mut cells {
            if let Some(number) = result.filter(|number| read.contains(number)) {
                cell.name = Some(self.name_of(number));
            }
        }
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
            blocks: cells.into_iter().map(|(_, cell)| Block::Cell(cell)).collect(),
            ..Notebook::default()
        }
    }

    /// A table's name in the notebook: its own, else one that is no result of the session that runs it.
    fn name_of(&self, number: usize) -> String {
        let cell = self.all.iter().find(|ran| ran.result == Some(number));
        cell.and_then(|ran| ran.cell.name.clone()).unwrap_or_else(|| format!("result_{number}"))
    }

    pub fn count(&self) -> usize {
        self.all.len()
    }
}

/// Whether a statement writes a stored table or a file, told from its first word.
pub(super) fn changes(sql: &str) -> bool {
    let first = tokens(sql).all.into_iter().find_map(|(token, _)| match token {
        Token::Word(word) => Some(word.value.to_lowercase()),
        _ => None,
    });
    first.is_some_and(|word| CHANGING.contains(&word.as_str()))
}

/// The statement with other texts in the place of some tokens.
fn rewritten(sql: &str, mut other: impl FnMut(&Token) -> Option<String>) -> String {
    let tokens = tokens(sql);
    let mut text = String::with_capacity(sql.len());
    for (token, bytes) in &tokens.all {
        match other(token) {
            Some(other) => text.push_str(&other),
            None => text.push_str(&sql[bytes.clone()]),
        }
    }
    text.push_str(&sql[tokens.open..]);
    text
}

/// A value as a constant in SQL.
fn literal(value: &str) -> String {
    match Parameter::from_text(value) {
        Parameter::Text(text) => format!("'{}'", text.replace('\'', "''")),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(sql: &str) -> Cell {
        Cell { sql: sql.to_string(), ..Cell::default() }
    }

    fn setting(typed: &str) -> Setting {
        Setting { name: "from".to_string(), typed: typed.to_string(), value: typed.to_string() }
    }

    #[test]
    fn a_notebook_reads_what_the_session_read() {
        let mut cells = Cells::default();
        cells.ran(cell("SELECT $from AS a"), Some(1), 0, &[setting("2026-10-01")]);
        cells.ran(cell("INSERT INTO fees SELECT * FROM _"), None, 1, &[]);
        cells.ran(cell("SELECT '_', a FROM _"), Some(2), 1, &[]);
        cells.ran(cell("SELECT $from, $from + 1 FROM _, _1 WHERE _.a = 1"), Some(3), 2, &[setting("2026-11-01")]);
        let notebook = cells.notebook("a day", &[setting("2026-11-01")]);
        let expected = "---\ntitle: a day\nparameters:\n  from: 2026-11-01\n---\n\n\
            ```sql name=result_1\nSELECT '2026-10-01' AS a\n```\n\n\
            ```sql name=result_2\nSELECT '_', a FROM result_1\n```\n\n\
            ```sql\nSELECT $from, $from + 1 FROM result_2, result_1 WHERE result_2.a = 1\n```\n";
        assert_eq!(notebook.to_markdown(), expected);
        assert_eq!(cells.left_out, 1);
    }
}
