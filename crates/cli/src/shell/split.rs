//! What is typed, cut into statements and commands.
//!
//! A statement ends with `;` or `\g`, wherever the engine's own tokenizer sees one: not in a string, a name or a comment.
//! A command is a line that begins with `\`.

use datafusion::sql::sqlparser::tokenizer::Token;
use nines_engine::tokens;

use crate::error::{CliError, Result};

/// What stands next in a text.
#[derive(Debug, PartialEq)]
pub(super) enum Next<'t> {
    Statement(&'t str),
    /// A command's line, with its backslash.
    Command(&'t str),
    /// A statement without its end. The text is empty where nothing but space and comments are left.
    Unfinished(&'t str),
}

/// The first statement or command of a text, and what follows it.
pub(super) fn next(text: &str) -> Result<(Next<'_>, &str)> {
    let tokens = tokens(text);
    let mut begun = false;
    for (at, (token, bytes)) in tokens.all.iter().enumerate() {
        match token {
            Token::Whitespace(_) => {}
            Token::Backslash if !begun => {
                let line = text[bytes.start..].lines().next().unwrap_or_default();
                return Ok((Next::Command(line.trim_end()), &text[bytes.start + line.len()..]));
            }
            Token::SemiColon if !begun => return next(&text[bytes.end..]),
            Token::SemiColon => return Ok((Next::Statement(text[..bytes.start].trim()), &text[bytes.end..])),
            Token::Backslash => {
                let word = text[bytes.end..].split_whitespace().next().unwrap_or_default();
                if word != "g" || tokens.all.get(at + 1).is_none_or(|(_, next)| &text[next.clone()] != "g") {
                    return Err(CliError::Usage(format!(
                        "a statement stands before \\{word}; end it with ; or \\g before giving a command"
                    )));
                }
                return Ok((Next::Statement(text[..bytes.start].trim()), &text[bytes.end + 1..]));
            }
            _ => begun = true,
        }
    }
    let nothing = !begun && tokens.open == text.len();
    Ok((Next::Unfinished(if nothing { "" } else { text.trim() }), ""))
}

/// Whether Enter ends the input: nothing is left open.
pub(super) fn is_finished(text: &str) -> bool {
    let mut rest = text;
    loop {
        match next(rest) {
            Ok((Next::Unfinished(open), _)) => return open.is_empty() || super::commands::is_spoken(open),
            Ok((_, after)) => rest = after,
            // What is wrong is told when it is run.
            Err(_) => return true,
        }
    }
}

/// Text that comes line by line. A line is looked at only when it may end something, so that a long statement is not
/// read again for each of its lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: String,
    /// The line that the pending text begins at, from 1.
    begun: usize,
    read: usize,
}

/// A statement or command, and the line that it begins at.
#[derive(Debug, PartialEq)]
pub(super) enum Piece {
    Statement(usize, String),
    Command(usize, String),
}

impl Piece {
    /// The line that it begins at, from 1.
    pub fn line(&self) -> usize {
        let (Piece::Statement(line, _) | Piece::Command(line, _)) = self;
        *line
    }
}

impl Lines {
    /// Adds a line with its end; what is complete with it.
    pub fn push(&mut self, line: &str) -> Result<Vec<Piece>> {
        self.read += 1;
        if self.pending.is_empty() {
            self.begun = self.read;
        }
        self.pending.push_str(line);
        if line.contains([';', '\\']) { self.take(false) } else { Ok(Vec::new()) }
    }

    /// What is left at the end of the input, where a last statement needs no semicolon.
    pub fn finish(&mut self) -> Result<Vec<Piece>> {
        self.take(true)
    }

    /// The line that is being read.
    pub fn line(&self) -> usize {
        self.read
    }

    fn take(&mut self, all: bool) -> Result<Vec<Piece>> {
        let mut pieces = Vec::new();
        let text = std::mem::take(&mut self.pending);
        let mut rest = text.as_str();
        loop {
            let before = &text[..text.len() - rest.trim_start().len()];
            let line = self.begun + before.matches('\n').count();
            let (found, after) = next(rest)?;
            match found {
                Next::Statement(sql) => pieces.push(Piece::Statement(line, sql.to_string())),
                Next::Command(command) => pieces.push(Piece::Command(line, command.to_string())),
                Next::Unfinished("") => return Ok(pieces),
                Next::Unfinished(sql) if all => {
                    pieces.push(Piece::Statement(line, sql.to_string()));
                    return Ok(pieces);
                }
                Next::Unfinished(_) => {
                    self.pending = rest.trim_start().to_string();
                    self.begun = line;
                    return Ok(pieces);
                }
            }
            rest = after;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_ends_where_the_tokenizer_says() {
        let cases = [
            ("SELECT 1; SELECT 2;", Next::Statement("SELECT 1"), " SELECT 2;"),
            ("SELECT ';' -- ; \n\n, \";\";\n", Next::Statement("SELECT ';' -- ; \n\n, \";\""), "\n"),
            ("SELECT 1 \\g\n", Next::Statement("SELECT 1"), "\n"),
            (";; \n /* ; */ SELECT 1;", Next::Statement("/* ; */ SELECT 1"), ""),
            ("\n \\d it's \nSELECT", Next::Command("\\d it's"), "\nSELECT"),
            ("-- a comment\n\\q", Next::Command("\\q"), ""),
            ("SELECT 'a;", Next::Unfinished("SELECT 'a;"), ""),
            ("'", Next::Unfinished("'"), ""),
            (" -- nothing", Next::Unfinished(""), ""),
        ];
        for (text, expected, rest) in cases {
            assert_eq!(next(text).unwrap(), (expected, rest), "{text}");
        }
        let error = next("SELECT 1\n\\d requests").unwrap_err().to_string();
        assert!(error.contains("end it with ;") && error.contains("\\d"), "{error}");
    }

    #[test]
    fn input_goes_on_until_nothing_is_open() {
        for text in ["", "SELECT 1;", "SELECT 1; SELECT 2 \\g", "\\d", "SELECT 1;\n\\timing", "-- why", "quit"] {
            assert!(is_finished(text), "{text}");
        }
        for text in ["SELECT 1", "SELECT 1; SELECT 2", "SELECT ';", "SELECT (\n", "SELECT /* ; */"] {
            assert!(!is_finished(text), "{text}");
        }
    }

    #[test]
    fn lines_are_put_together_and_know_where_they_stood() {
        let mut lines = Lines::default();
        let mut pieces = Vec::new();
        for line in "\nSELECT 1,\n2; SELECT\n3; \\timing\n\\d x\n\nSELECT ';\n'\n".split_inclusive('\n') {
            pieces.extend(lines.push(line).unwrap());
        }
        pieces.extend(lines.finish().unwrap());
        let statement = |line, sql: &str| Piece::Statement(line, sql.to_string());
        let command = |line, text: &str| Piece::Command(line, text.to_string());
        assert_eq!(
            pieces,
            [
                statement(2, "SELECT 1,\n2"),
                statement(3, "SELECT\n3"),
                command(4, "\\timing"),
                command(5, "\\d x"),
                statement(7, "SELECT ';\n'"),
            ]
        );
    }
}
