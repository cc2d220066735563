//! Colours of what is typed.

use datafusion::sql::sqlparser::tokenizer::{Token, Whitespace};
use nines_engine::tokens;

use super::keywords::is_keyword;
use super::vocabulary::Vocabulary;

const KEYWORD: &str = "\x1b[1;34m";
const FUNCTION: &str = "\x1b[35m";
const TEXT: &str = "\x1b[32m";
const NUMBER: &str = "\x1b[36m";
const PARAMETER: &str = "\x1b[33m";
const COMMENT: &str = "\x1b[90m";
const PLAIN: &str = "\x1b[0m";

/// The text with escape sequences between its tokens, and nothing else changed.
pub(super) fn highlighted(line: &str, vocabulary: &Vocabulary) -> String {
    if line.trim_start().starts_with('\\') {
        let end = line.find(' ').unwrap_or(line.len());
        return format!("{KEYWORD}{}{PLAIN}{}", &line[..end], &line[end..]);
    }
    let tokens = tokens(line);
    let mut text = String::with_capacity(line.len() * 2);
    for (at, (token, bytes)) in tokens.all.iter().enumerate() {
        let is_called = || matches!(tokens.all.get(at + 1), Some((Token::LParen, _)));
        let colour = match token {
            Token::Word(word) if word.quote_style.is_some() => None,
            Token::Word(word) if is_called() && is_function(&word.value, vocabulary) => Some(FUNCTION),
            Token::Word(word) if is_keyword(&word.value) => Some(KEYWORD),
            Token::Number(..) => Some(NUMBER),
            Token::Placeholder(_) => Some(PARAMETER),
            Token::Whitespace(Whitespace::SingleLineComment { .. } | Whitespace::MultiLineComment(_)) => Some(COMMENT),
            Token::SingleQuotedString(_) | Token::DollarQuotedString(_) | Token::EscapedStringLiteral(_) => Some(TEXT),
            _ => None,
        };
        paint(&mut text, colour, &line[bytes.clone()]);
    }
    let open = &line[tokens.open..];
    let colour = match open.as_bytes().first() {
        Some(b'/') => Some(COMMENT),
        Some(b'"') | None => None,
        Some(_) => Some(TEXT),
    };
    paint(&mut text, colour, open);
    text
}

fn is_function(word: &str, vocabulary: &Vocabulary) -> bool {
    let name = word.to_ascii_lowercase();
    vocabulary.functions.binary_search(&name).is_ok() || vocabulary.table(&name).is_some_and(|table| table.is_function)
}

fn paint(text: &mut String, colour: Option<&str>, piece: &str) {
    match colour {
        Some(colour) if !piece.is_empty() => text.extend([colour, piece, PLAIN]),
        _ => text.push_str(piece),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_change_nothing_else() {
        let vocabulary = Vocabulary { functions: vec!["max".to_string()], ..Vocabulary::default() };
        let line = "SELECT max(a), '业务' FROM t -- why\nWHERE b > $from AND c = 'open";
        let text = highlighted(line, &vocabulary);
        assert_eq!(console::strip_ansi_codes(&text), line);
        for coloured in
            ["\x1b[1;34mSELECT\x1b", "\x1b[35mmax\x1b", "\x1b[32m'业务'\x1b", "\x1b[33m$from\x1b", "\x1b[32m'open\x1b"]
        {
            assert!(text.contains(coloured), "{text:?}");
        }
    }
}
