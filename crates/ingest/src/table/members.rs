//! The members of a JSON object and the elements of an array as they are written, without reading them.
//!
//! Numbers keep all their digits so. Where a text is not JSON, the functions say only that; `serde_json` knows why.

use std::borrow::Cow;

use serde::de::IgnoredAny;

/// Calls with each member's name and value as written, until one is refused. False if the text is not one object.
pub(super) fn members<'a>(text: &'a str, mut each: impl FnMut(Cow<'a, str>, &'a str) -> bool) -> bool {
    let mut rest = Rest { text, at: 0 };
    if !rest.takes(b'{') {
        return false;
    }
    if rest.takes(b'}') {
        return rest.is_over();
    }
    loop {
        let Some(name) = rest.value().filter(|name| name.starts_with('"')) else { return false };
        let Ok(name) = unquoted(name) else { return false };
        if !rest.takes(b':') {
            return false;
        }
        let Some(value) = rest.value() else { return false };
        if !each(name, value) {
            return true;
        }
        if rest.takes(b'}') {
            return rest.is_over();
        }
        if !rest.takes(b',') {
            return false;
        }
    }
}

/// Calls with each element as written. False if the text is not one array.
pub(super) fn elements<'a>(text: &'a str, mut each: impl FnMut(&'a str)) -> bool {
    let mut rest = Rest { text, at: 0 };
    if !rest.takes(b'[') {
        return false;
    }
    if rest.takes(b']') {
        return rest.is_over();
    }
    loop {
        let Some(value) = rest.value() else { return false };
        each(value);
        if rest.takes(b']') {
            return rest.is_over();
        }
        if !rest.takes(b',') {
            return false;
        }
    }
}

/// The text of a JSON string.
pub(super) fn unquoted(quoted: &str) -> Result<Cow<'_, str>, String> {
    let within = quoted.get(1..quoted.len() - 1).unwrap_or_default();
    if !within.contains('\\') {
        return Ok(Cow::Borrowed(within));
    }
    serde_json::from_str(quoted).map(Cow::Owned).map_err(|error| error.to_string())
}

struct Rest<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Rest<'a> {
    fn skip_blanks(&mut self) {
        let blanks = self.text.as_bytes()[self.at..].iter();
        self.at += blanks.take_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n')).count();
    }

    /// Goes past this byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        self.skip_blanks();
        let is_next = self.text.as_bytes().get(self.at) == Some(&byte);
        self.at += usize::from(is_next);
        is_next
    }

    fn is_over(&mut self) -> bool {
        self.skip_blanks();
        self.at == self.text.len()
    }

    /// Goes past a value.
    fn value(&mut self) -> Option<&'a str> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let plain = plain_string(rest.as_bytes()).or_else(|| plain_number(rest.as_bytes()));
        let length = match plain {
            Some(length) => length,
            None => {
                let mut values = serde_json::Deserializer::from_str(rest).into_iter::<IgnoredAny>();
                values.next()?.ok()?;
                values.byte_offset()
            }
        };
        self.at += length;
        rest.get(..length)
    }
}

/// The length of a string without escapes, which most are.
fn plain_string(rest: &[u8]) -> Option<usize> {
    let within = rest.strip_prefix(b"\"")?;
    let end = within.iter().position(|&byte| matches!(byte, b'"' | b'\\') || byte < b' ')?;
    (within[end] == b'"').then_some(end + 2)
}

/// The length of a number without exponent before a comma, brace or bracket, which most are.
fn plain_number(rest: &[u8]) -> Option<usize> {
    let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let start = usize::from(rest.first() == Some(&b'-'));
    let whole = digits(start);
    if whole == 0 || whole > 1 && rest[start] == b'0' {
        return None;
    }
    let mut end = start + whole;
    if rest.get(end) == Some(&b'.') {
        let fraction = digits(end + 1);
        if fraction == 0 {
            return None;
        }
        end += 1 + fraction;
    }
    matches!(rest.get(end), Some(b',' | b'}' | b']')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<Vec<String>> {
        let mut found = Vec::new();
        let ended = members(text, |name, value| {
            found.push(format!("{name}={value}"));
            true
        });
        ended.then_some(found)
    }

    #[test]
    fn values_stay_as_they_are_written() {
        let text =
            r#" {"a": 1.50 ,"b\u0041":"x\"y","c":{"d":[1, 2]},"e":[],"f":null,"g":12345678901234567890, "":"" }"#;
        let expected =
            ["a=1.50", r#"bA="x\"y""#, r#"c={"d":[1, 2]}"#, "e=[]", "f=null", "g=12345678901234567890", r#"="""#];
        assert_eq!(read(text).unwrap(), expected);
        assert_eq!(read("{}").unwrap().len(), 0);
        let mut found = Vec::new();
        assert!(elements(r#"[1, "a,]", [2], {"b": 3}]"#, |value| found.push(value)));
        assert_eq!(found, ["1", r#""a,]""#, "[2]", r#"{"b": 3}"#]);
        assert!(elements("[ ]", |_| panic!()));
    }

    #[test]
    fn what_is_no_object_is_none() {
        for text in [
            "",
            "[1]",
            "1",
            "{",
            "{}x",
            r#"{"a"}"#,
            r#"{"a":1,}"#,
            r#"{"a":01}"#,
            r#"{"a":1 "b":2}"#,
            "{a:1}",
            r#"{"a":"b}"#,
        ] {
            assert_eq!(read(text), None, "{text}");
        }
        for text in ["", "[", "[1,]", "[1 2]", "[1]2"] {
            assert!(!elements(text, |_| ()), "{text}");
        }
    }
}
