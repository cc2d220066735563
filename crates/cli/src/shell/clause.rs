//! Clauses of a statement, told from its tokens.

use datafusion::sql::sqlparser::tokenizer::Token;

/// Whether a table is to come: after FROM, or after a comma in it.
pub(super) fn wants_table(before: &[&Token]) -> bool {
    let keyword = |token: &&Token| word_of(token).map(str::to_ascii_uppercase);
    match before.last() {
        Some(Token::Comma) => {
            let clauses = ["SELECT", "FROM", "WHERE", "BY", "ON", "USING", "HAVING", "VALUES"];
            let mut depth = 0;
            for token in before.iter().rev() {
                match token {
                    Token::RParen => depth += 1,
                    // Of a call, or of a list.
                    Token::LParen if depth == 0 => return false,
                    Token::LParen => depth -= 1,
                    token if depth == 0 => {
                        let clause = keyword(token).filter(|word| clauses.contains(&word.as_str()));
                        if let Some(clause) = clause {
                            return clause == "FROM";
                        }
                    }
                    _ => {}
                }
            }
            false
        }
        Some(token) => {
            keyword(token).is_some_and(|word| ["FROM", "JOIN", "INTO", "TABLE", "DESCRIBE"].contains(&word.as_str()))
        }
        None => false,
    }
}

/// The text of a word.
pub(super) fn word_of(token: &Token) -> Option<&str> {
    match token {
        Token::Word(word) => Some(&word.value),
        _ => None,
    }
}
