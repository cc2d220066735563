//! What is typed, cut into statements and commands.
//!
//! A statement ends with `;` or `\g`, wherever the engine's own tokenizer sees one: not in a string, a name or a comment.
//! A command is a line that begins with `\`.

use datafusion::sql::sqlparser::tokenizer::Token;
use nines_engine::{Tokens, tokens};

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

/// The statements and commands of a text, one after the other. The text is cut into tokens once, and again only behind a
/// command, whose line is no SQL.
pub(super) struct Cut<'t> {
    text: &'t str,
    tokens: Tokens,
    /// Where the text begins that the tokens are of.
    origin: usize,
    /// The token that is looked at next.
    at: usize,
    /// Where the rest begins.
    done: usize,
}

impl<'t> Cut<'t> {
    pub fn new(text: &'t str) -> Self {
        Cut { text, tokens: tokens(text), origin: 0, at: 0, done: 0 }
    }

    /// What was not yet looked at.
    pub fn rest(&self) -> &'t str {
        &self.text[self.done..]
    }

    /// The next statement or command; `Unfinished` again and again at the end.
    pub fn next(&mut self) -> Result<Next<'t>> {
        let text = self.text;
        let mut begin = self.done;
        let mut begun = false;
        while let Some((token, bytes)) = self.tokens.all.get(self.at) {
            let (from, end) = (self.origin + bytes.start, self.origin + bytes.end);
            self.at += 1;
            match token {
                Token::Whitespace(_) => {}
                Token::Backslash if !begun => {
                    let line = text[from..].lines().next().unwrap_or_default();
                    self.begin_at(from + line.len());
                    return Ok(Next::Command(line.trim_end()));
                }
                Token::SemiColon if !begun => {
                    self.done = end;
                    begin = end;
                }
                Token::SemiColon => {
                    self.done = end;
                    return Ok(Next::Statement(text[begin..from].trim()));
                }
                Token::Backslash => {
                    let word = text[end..].split_whitespace().next().unwrap_or_default();
                    let next = self.tokens.all.get(self.at).map(|(_, next)| &text[self.origin..][next.clone()]);
                    if word != "g" || next != Some("g") {
                        return Err(CliError::Usage(format!(
                            "a statement stands before \\{word}; end it with ; or \\g before giving a command"
                        )));
                    }
                    self.at += 1;
                    self.done = end + 1;
                    return Ok(Next::Statement(text[begin..from].trim()));
                }
                _ => begun = true,
            }
        }
        let nothing = !begun && self.origin + self.tokens.open == text.len();
        Ok(Next::Unfinished(if nothing { "" } else { text[begin..].trim() }))
    }

    fn begin_at(&mut self, at: usize) {
        *self = Cut { tokens: tokens(&self.text[at..]), origin: at, done: at, at: 0, ..*self };
    }
}

/// Whether Enter ends the input: nothing is left open.
pub(super) fn is_finished(text: &str) -> bool {
    let mut cut = Cut::new(text);
    loop {
        match cut.next() {
            Ok(Next::Unfinished(open)) => return open.is_empty() || spoken(open).is_some(),
            Ok(_) => {}
            // What is wrong is told when it is run.
            Err(_) => return true,
        }
    }
}

/// The command that a word means which people type at any prompt, and which would be no SQL.
pub(super) fn spoken(text: &str) -> Option<&'static str> {
    match text {
        "quit" | "exit" => Some("\\q"),
        "help" => Some("\\?"),
        _ => None,
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
        let mut cut = Cut::new(&text);
        let (mut line, mut counted) = (self.begun, 0);
        loop {
            let begin = text.len() - cut.rest().trim_start().len();
            line += text[counted..begin].matches('\n').count();
            counted = begin;
            match cut.next()? {
                Next::Statement(sql) => pieces.push(Piece::Statement(line, sql.to_string())),
                Next::Command(command) => pieces.push(Piece::Command(line, command.to_string())),
                Next::Unfinished("") => return Ok(pieces),
                Next::Unfinished(sql) if all => {
                    pieces.push(Piece::Statement(line, sql.to_string()));
                    return Ok(pieces);
                }
                Next::Unfinished(_) => {
                    self.pending = cut.rest().trim_start().to_string();
                    self.begun = line;
                    return Ok(pieces);
                }
            }
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
            ("SELECT 'a;", Next::Unfinished("SELECT 'a;"), "SELECT 'a;"),
            ("'", Next::Unfinished("'"), "'"),
            (" -- nothing", Next::Unfinished(""), " -- nothing"),
        ];
        for (text, expected, rest) in cases {
            let mut cut = Cut::new(text);
            assert_eq!((cut.next().unwrap(), cut.rest()), (expected, rest), "{text}");
        }
        let error = Cut::new("SELECT 1\n\\d requests").next().unwrap_err().to_string();
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
    fn many_semicolons_in_a_line_take_no_time() {
        let line = format!("{}{}\\d it's\nSELECT 'x;y';", ";".repeat(200_000), "SELECT 1;".repeat(20_000));
        let begun = std::time::Instant::now();
        let pieces = Lines::default().push(&line).unwrap();
        assert_eq!(pieces.len(), 20_002);
        assert_eq!(pieces[20_001], Piece::Statement(2, "SELECT 'x;y'".to_string()));
        assert!(is_finished(&line));
        assert!(begun.elapsed().as_secs() < 20, "cut again for each statement it took minutes");
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
