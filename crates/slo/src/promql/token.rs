//! The tokens of PromQL.

use super::Refused;

/// A token and where it begins, in bytes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub at: usize,
    pub kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind {
    /// A name of a metric, label or function, or a word of the language.
    Name(String),
    /// As it is written.
    Number(String),
    Text(String),
    /// What stands between brackets, as it is written: a duration, or what stands for one in a template.
    Range(String),
    Sign(&'static str),
    End,
}

/// Longer ones first.
const SIGNS: [&str; 20] =
    ["==", "!=", "<=", ">=", "=~", "!~", "(", ")", "{", "}", ",", "+", "-", "*", "/", "%", "^", "=", "<", ">"];

/// All tokens; the last one is the end.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, Refused> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(next) = text[at..].chars().next() {
        let rest = &text[at..];
        let (kind, length) = if next.is_whitespace() {
            at += next.len_utf8();
            continue;
        } else if next == '#' {
            at += rest.find('\n').unwrap_or(rest.len());
            continue;
        } else if is_name_start(next) {
            let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
            (TokenKind::Name(rest[..length].to_string()), length)
        } else if next.is_ascii_digit() || next == '.' {
            let length = number(rest);
            (TokenKind::Number(rest[..length].to_string()), length)
        } else if matches!(next, '"' | '\'' | '`') {
            let (read, length) = quoted(rest).map_err(|reason| Refused::new(at, reason))?;
            (TokenKind::Text(read), length)
        } else if next == '[' {
            let Some(end) = rest.find(']') else { return Err(Refused::new(at, "the bracket is not closed")) };
            (TokenKind::Range(rest[1..end].trim().to_string()), end + 1)
        } else if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            (TokenKind::Sign(sign), sign.len())
        } else {
            return Err(Refused::new(at, format!("unexpected {next:?}")));
        };
        found.push(Token { at, kind });
        at += length;
    }
    found.push(Token { at, kind: TokenKind::End });
    Ok(found)
}

fn is_name_start(c: char) -> bool {
    c.is_ascii_alphabetic() || matches!(c, '_' | ':' | '$')
}

/// Names of OpenTelemetry have dots, which nothing else has behind a name.
fn is_name(c: char) -> bool {
    is_name_start(c) || c.is_ascii_digit() || c == '.'
}

/// Bytes of the number that a text begins with: `0.5`, `1e-3`, `5m` as in `offset 5m`.
fn number(text: &str) -> usize {
    let mut before = ' ';
    let end = text.find(|c: char| {
        let goes_on = c.is_ascii_alphanumeric() || c == '.' || (matches!(c, '+' | '-') && matches!(before, 'e' | 'E'));
        before = c;
        !goes_on
    });
    end.unwrap_or(text.len())
}

/// The text in quotes that a text begins with, escapes resolved as Go does, and the bytes that it takes, quotes included; otherwise
/// what is wrong with it.
pub fn quoted(text: &str) -> Result<(String, usize), &'static str> {
    let mut chars = text.char_indices();
    let Some((_, quote)) = chars.next() else { return Err("expected a quoted text") };
    let mut read = Vec::new();
    while let Some((at, c)) = chars.next() {
        match c {
            _ if c == quote => {
                let read = String::from_utf8(read).map_err(|_| "the text is no UTF-8")?;
                return Ok((read, at + c.len_utf8()));
            }
            '\\' if quote != '`' => {
                let Some((_, escaped)) = chars.next() else { break };
                let mut hex = |digits: usize| {
                    let code: String = chars.by_ref().take(digits).map(|(_, c)| c).collect();
                    u32::from_str_radix(&code, 16).map_err(|_| "a broken escape in the text")
                };
                let plain = match escaped {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'a' => '\x07',
                    'b' => '\x08',
                    'f' => '\x0c',
                    'v' => '\x0b',
                    '\\' | '"' | '\'' => escaped,
                    // A byte, not a character.
                    'x' => {
                        read.push(hex(2)? as u8);
                        continue;
                    }
                    'u' => char::from_u32(hex(4)?).ok_or("a broken escape in the text")?,
                    'U' => char::from_u32(hex(8)?).ok_or("a broken escape in the text")?,
                    _ => return Err("an unknown escape in the text"),
                };
                read.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => read.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err("the text is not closed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_those_of_go() {
        assert_eq!(quoted(r#""a\"\\\n\xc3\xa9\u00e9é" rest"#), Ok(("a\"\\\nééé".to_string(), 25)));
        assert_eq!(quoted(r"`a\d` x"), Ok((r"a\d".to_string(), 5)));
        assert_eq!(quoted(r#""a"#), Err("the text is not closed"));
        assert_eq!(quoted(r#""\q""#), Err("an unknown escape in the text"));
    }

    #[test]
    fn what_stands_for_a_duration_in_a_template_is_kept() {
        let kinds: Vec<_> = tokens("rate(x[{{ .window }}])").unwrap().into_iter().map(|token| token.kind).collect();
        assert!(kinds.contains(&TokenKind::Range("{{ .window }}".to_string())));
        assert_eq!(tokens("a ? b").unwrap_err(), Refused::new(2, "unexpected '?'"));
    }
}
