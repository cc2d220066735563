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
    whole_times(&mut pieces)?;
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
        ("t", Some(format)) => {
            push_time(pieces, name, format);
            return Ok(after);
        }
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

/// Adds `%{format}t`, which is of the request's beginning or end, as `begin:` and `end:` say. What stands apart of a time, such as its
/// fraction or its offset, is one field with it and the text between them.
fn push_time(pieces: &mut Vec<Piece>, name: String, format: &str) {
    let is_end = format.starts_with("end:");
    let format = ["begin:", "end:"].into_iter().find_map(|when| format.strip_prefix(when)).unwrap_or(format);
    let pattern = match format {
        "sec" | "msec" | "usec" => {
            push_field(pieces, Field { name, role: Role::Time(TimeForm::Written), is_list: false });
            return;
        }
        "msec_frac" => "%3f",
        "usec_frac" => "%6f",
        pattern => pattern,
    };
    let text = match pieces.as_slice() {
        [.., Piece::Field(_), Piece::Literal(text)] => String::from_utf8_lossy(text).into_owned(),
        _ => String::new(),
    };
    let before = pieces.len().checked_sub(1 + usize::from(!text.is_empty()));
    if let Some(Piece::Field(Field { name: known, role: Role::Time(TimeForm::Pattern(whole)), .. })) =
        before.and_then(|before| pieces.get_mut(before))
        && known.contains("{end:") == is_end
        && Parts::of(whole).lack(Parts::of(pattern))
    {
        known.push_str(&text);
        known.push_str(&name);
        whole.push_str(&text.replace('%', "%%"));
        whole.push_str(pattern);
        if !text.is_empty() {
            pieces.pop();
        }
        return;
    }
    push_field(pieces, Field { name, role: Role::Time(TimeForm::Pattern(pattern.to_string())), is_list: false });
}

/// Leaves out what is no whole time, and refuses an offset that stands apart from a time that has none.
fn whole_times(pieces: &mut [Piece]) -> Result<()> {
    let (mut apart, mut without) = (None, None);
    for piece in pieces {
        let Piece::Field(Field { name, role, .. }) = piece else { continue };
        let Role::Time(TimeForm::Pattern(pattern)) = role else { continue };
        let parts = Parts::of(pattern);
        match parts.date && parts.time_of_day {
            true if !parts.offset => without = Some(name.clone()),
            true => {}
            false => {
                apart = apart.or_else(|| parts.offset.then(|| name.clone()));
                *role = Role::Skip;
            }
        }
    }
    match (apart, without) {
        (Some(apart), Some(time)) => Err(refused(format!("the offset {apart} stands apart from its time {time}"))
            .expected("both in one, such as %{%d/%b/%Y:%T %z}t, or behind each other")),
        _ => Ok(()),
    }
}

/// What of a time a pattern writes.
#[derive(Default)]
struct Parts {
    date: bool,
    time_of_day: bool,
    fraction: bool,
    offset: bool,
}

impl Parts {
    fn of(pattern: &str) -> Parts {
        let mut parts = Parts::default();
        let mut letters = pattern.chars();
        while let Some(letter) = letters.next() {
            if letter != '%' {
                continue;
            }
            // Padding, colons and digits may stand before the letter.
            let conversion = letters.find(|c| c.is_ascii_alphabetic() || matches!(c, '%' | '+'));
            match conversion {
                Some('s' | 'c' | '+') => (parts.date, parts.time_of_day) = (true, true),
                Some('d' | 'e' | 'D' | 'F' | 'x' | 'j') => parts.date = true,
                Some('H' | 'I' | 'k' | 'l' | 'T' | 'R' | 'r' | 'X') => parts.time_of_day = true,
                Some('f') => parts.fraction = true,
                Some('z') => parts.offset = true,
                _ => {}
            }
        }
        parts
    }

    /// Whether it has none of what the others are, which are something.
    fn lack(&self, other: Parts) -> bool {
        let pairs = [
            (self.date, other.date),
            (self.time_of_day, other.time_of_day),
            (self.fraction, other.fraction),
            (self.offset, other.offset),
        ];
        pairs.iter().any(|(_, is)| *is) && !pairs.iter().any(|(has, is)| *has && *is)
    }
}
