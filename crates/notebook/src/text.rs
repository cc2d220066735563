//! The text of a notebook: `{{name}}` in it, and how Markdown is read.
//!
//! `{{name}}`, not `$name` as in SQL: pages about service levels speak of money. It stands for a value wherever text stands,
//! headings and tables among it, but not in code, nor in addresses of links.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd, TextMergeWithOffset};

use crate::parameter::{Values, is_name};

/// The Markdown that notebooks are written in.
pub(crate) fn options() -> Options {
    Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS | Options::ENABLE_FOOTNOTES
}

/// Each `{{name}}` of a text: where it begins and the name.
pub(crate) fn references(markdown: &str) -> Vec<(usize, String)> {
    found(markdown).into_iter().map(|(at, _, name)| (at, name)).collect()
}

/// Begin, end and name.
fn found(markdown: &str) -> Vec<(usize, usize, String)> {
    let mut found = Vec::new();
    let mut code = false;
    let parser = Parser::new_ext(markdown, options()).into_offset_iter();
    for (event, range) in TextMergeWithOffset::new(parser) {
        match event {
            Event::Start(Tag::CodeBlock(_)) => code = true,
            Event::End(TagEnd::CodeBlock) => code = false,
            Event::Text(_) if !code => {
                let mut at = range.start;
                while let Some(open) = markdown[at..range.end].find("{{").map(|open| at + open) {
                    let Some(close) = markdown[open..range.end].find("}}").map(|close| open + close) else { break };
                    let name = markdown[open + 2..close].trim();
                    at = if is_name(name) {
                        found.push((open, close + 2, name.to_string()));
                        close + 2
                    } else {
                        open + 2
                    };
                }
            }
            _ => {}
        }
    }
    found
}

/// Markdown with the values in the places of their names. A value is text, never Markdown.
pub fn substitute(markdown: &str, values: &Values) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut done = 0;
    for (from, to, name) in found(markdown) {
        let Some(shown) = values.shown(&name) else { continue };
        out += &markdown[done..from];
        out += &escape(&shown);
        done = to;
    }
    out + &markdown[done..]
}

/// The same in text that is no Markdown, such as a title.
pub(crate) fn fill(text: &str, values: &Values) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(open) = rest.find("{{")
        && let Some(close) = rest[open..].find("}}").map(|close| open + close)
    {
        out += &rest[..open];
        match values.shown(rest[open + 2..close].trim()) {
            Some(shown) => out += &shown,
            None => out += &rest[open..close + 2],
        }
        rest = &rest[close + 2..];
    }
    out + rest
}

/// Text as Markdown that means just this text.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '&' | '~' | '!' => {
                out.extend(['\\', c]);
            }
            '\n' | '\r' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// The text of the first heading.
pub(crate) fn first_heading(markdown: &str) -> Option<String> {
    let mut text: Option<String> = None;
    for event in Parser::new_ext(markdown, options()) {
        match (event, &mut text) {
            (Event::Start(Tag::Heading { .. }), _) => text = Some(String::new()),
            (Event::End(TagEnd::Heading(_)), _) => return text,
            (Event::Text(part) | Event::Code(part), Some(text)) => text.push_str(&part),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::moment::Moment;
    use crate::parameter::Value;

    #[test]
    fn values_stand_in_text_but_not_in_code() {
        let mut values = Values::new(Moment { now: 0, zone: chrono_tz::Tz::UTC });
        values.extend(vec![("the_name".to_string(), Value::Text("<b>*业务*_".to_string()))]);
        let text =
            "# {{the_name}}\n\n| a |\n|---|\n| {{ the_name }} |\n\n`{{the_name}}` {{other}} {{\n\n    {{the_name}}\n";
        let shown = "\\<b\\>\\*业务\\*\\_";
        let expected = format!(
            "# {shown}\n\n| a |\n|---|\n| {shown} |\n\n`{{{{the_name}}}}` {{{{other}}}} {{{{\n\n    {{{{the_name}}}}\n"
        );
        assert_eq!(substitute(text, &values), expected);
        let names: Vec<String> = references(text).into_iter().map(|(_, name)| name).collect();
        assert_eq!(names, ["the_name", "the_name", "other"]);
    }
}
