//! Formats of Apache: `LogFormat "%h %l %u %t \"%r\" %>s %b %D" timed`.
//!
//! Directives: <https://httpd.apache.org/docs/current/mod/mod_log_config.html#formats>.

use super::field::{Field, Role, refused};
use super::text::{Piece, TextLayout, push_field, push_literal};
use super::time::TimeForm;
use crate::{LatencyUnit, Result};

/// The layout of a format; backslashes before quotes may stand or not.
pub(super) fn read(text: &str) -> Result<TextLayout> {
    let text = unescaped(text);
    let mut pieces = Vec::new();
    let mut rest = text.as_str();
    while let Some((before, directive)) = rest.split_once('%') {
        push_literal(&mut pieces, before.as_bytes());
        rest = match directive.strip_prefix('%') {
            Some(after) => {
                push_literal(&mut pieces, b"%");
                after
            }
            None => push_directive(&mut pieces, directive)?,
        };
    }
    push_literal(&mut pieces, rest.as_bytes());
    TextLayout::of(pieces)
}

fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        out.push(match letter {
            '\\' => match letters.next() {
                Some('t') => '\t',
                Some('n') => '\n',
                Some(other) => other,
                None => '\\',
            },
            letter => letter,
        });
    }
    out
}

/// Adds a directive without its percent sign, and gives what follows.
fn push_directive<'a>(pieces: &mut Vec<Piece>, text: &'a str) -> Result<&'a str> {
    let wrong = || {
        let shown: String = text.chars().take(20).collect();
        refused(format!("'%{shown}' begins with no directive of a LogFormat")).expected("such as %t, %>s or %{ms}T")
    };
    // Statuses for which it is logged, and which of several requests is meant.
    let modified = text.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '!' | ',' | '<' | '>'));
    let (argument, rest) = match modified.strip_prefix('{') {
        Some(braced) => {
            let (argument, rest) = braced.split_once('}').ok_or_else(wrong)?;
            (Some(argument), rest)
        }
        None => (None, modified),
    };
    let rest = rest.strip_prefix('^').unwrap_or(rest);
    let trailer = modified.len() - rest.len() > argument.map_or(0, |argument| argument.len() + 2);
    let length = if trailer { 2 } else { 1 };
    let directive =
        rest.get(..length).filter(|name| name.bytes().all(|b| b.is_ascii_alphabetic())).ok_or_else(wrong)?;
    let after = &rest[length..];
    let name = format!("%{}", &text[..text.len() - after.len()]);
    let field = |role| Field { name: name.clone(), role, is_list: false };
    let role = match (directive, argument) {
        ("t", None) => {
            push_literal(pieces, b"[");
            push_field(pieces, field(Role::Time(TimeForm::Clf)));
            push_literal(pieces, b"]");
            return Ok(after);
        }
        ("t", Some(format)) => time(format),
        ("r", _) => Role::Request,
        ("U", _) => Role::Target,
        ("q", _) => Role::Query,
        ("v" | "V" | "p", _) => Role::Host,
        ("s", _) => Role::Status,
        ("D", _) => Role::Taken(LatencyUnit::Microseconds),
        ("T", None | Some("s")) => Role::Taken(LatencyUnit::Seconds),
        ("T", Some("ms")) => Role::Taken(LatencyUnit::Milliseconds),
        ("T", Some("us")) => Role::Taken(LatencyUnit::Microseconds),
        ("T", Some(_)) => return Err(wrong()),
        _ => Role::Skip,
    };
    push_field(pieces, field(role));
    Ok(after)
}

/// Of `%{format}t`: of the request's beginning or end, which `begin:` and `end:` say.
fn time(format: &str) -> Role {
    let format = ["begin:", "end:"].into_iter().find_map(|when| format.strip_prefix(when)).unwrap_or(format);
    match format {
        "sec" | "msec" | "usec" => Role::Time(TimeForm::Written),
        // Digits behind a time that another directive writes.
        "msec_frac" | "usec_frac" => Role::Skip,
        pattern => Role::Time(TimeForm::Pattern(pattern.to_string())),
    }
}
