//! SQL text as tokens with their places, also while it is being typed: for editors, which colour, complete, and ask whether
//! a statement has ended.

use std::ops::Range;

use datafusion::sql::sqlparser::dialect::PostgreSqlDialect;
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

/// The dialect that statements are written in.
pub(crate) const DIALECT: PostgreSqlDialect = PostgreSqlDialect {};

/// A text cut into tokens.
#[derive(Debug)]
pub struct Tokens {
    /// Token and its bytes, in order and without gaps, white space and comments too.
    pub all: Vec<(Token, Range<usize>)>,
    /// Where a token begins that does not end: an open string, quoted name or comment. The text's length if there is none.
    pub open: usize,
}

/// Cuts a text into tokens, as far as it goes.
pub fn tokens(sql: &str) -> Tokens {
    let mut found: Vec<TokenWithSpan> = Vec::new();
    let whole = Tokenizer::new(&DIALECT, sql).tokenize_with_location_into_buf(&mut found).is_ok();
    let mut place = TokenAt { rest: sql.chars(), line: 1, column: 1 };
    let mut at = 0;
    let mut all = Vec::with_capacity(found.len());
    for TokenWithSpan { token, span } in found {
        place.advance(span.end);
        let end = sql.len() - place.rest.as_str().len();
        all.push((token, at..end));
        at = end;
    }
    Tokens { all, open: if whole { sql.len() } else { at } }
}

/// Follows the tokenizer, which counts lines and characters, in bytes.
struct TokenAt<'a> {
    rest: std::str::Chars<'a>,
    line: u64,
    column: u64,
}

impl TokenAt<'_> {
    fn advance(&mut self, to: Location) {
        while (self.line, self.column) < (to.line, to.column) {
            match self.rest.next() {
                Some('\n') => (self.line, self.column) = (self.line + 1, 1),
                Some(_) => self.column += 1,
                None => break,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_know_their_bytes() {
        let sql = "SELECT '业务\nx' AS a, -- why\n $from";
        let Tokens { all, open } = tokens(sql);
        let texts: Vec<&str> = all.iter().map(|(_, bytes)| &sql[bytes.clone()]).collect();
        assert_eq!(texts.concat(), sql);
        assert!(texts.contains(&"'业务\nx'") && texts.contains(&"$from"), "{texts:?}");
        assert_eq!(open, sql.len());
    }

    #[test]
    fn what_is_not_closed_is_open() {
        for (sql, open) in [("SELECT 'abc", 7), ("SELECT \"abc", 7), ("SELECT /* abc", 7), ("SELECT $$ abc", 7)] {
            assert_eq!(tokens(sql).open, open, "{sql}");
        }
    }
}
