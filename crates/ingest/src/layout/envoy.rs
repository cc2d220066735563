//! Formats of Envoy: `[%START_TIME%] "%REQ(:METHOD)% %REQ(:PATH)% %PROTOCOL%" %RESPONSE_CODE% %DURATION%`.
//!
//! Commands: <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators>.

use super::field::{Field, Role, refused};
use super::text::{TextLayout, push_field, push_literal};
use super::time::TimeForm;
use crate::{LatencyUnit, Result};

/// Whether a format is Envoy's and not Apache's.
pub(super) fn is_meant(text: &str) -> bool {
    text.contains("%START_TIME") || text.contains("%RESPONSE_CODE%")
}

/// The layout of a format.
pub(super) fn read(text: &str) -> Result<TextLayout> {
    let mut pieces = Vec::new();
    let mut rest = text.strip_suffix('\n').or_else(|| text.strip_suffix("\\n")).unwrap_or(text);
    while let Some((before, command)) = rest.split_once('%') {
        push_literal(&mut pieces, before.as_bytes());
        if let Some(after) = command.strip_prefix('%') {
            push_literal(&mut pieces, b"%");
            rest = after;
            continue;
        }
        // An argument may have percent signs itself: %START_TIME(%Y-%m-%d)%.
        let name = command
            .split(|c: char| !c.is_ascii_uppercase() && !c.is_ascii_digit() && c != '_')
            .next()
            .unwrap_or_default();
        let wrong =
            || refused(format!("'%{command}' begins with no command of Envoy")).expected("such as %RESPONSE_CODE%");
        let mut after = &command[name.len()..];
        let mut argument = None;
        if let Some(opened) = after.strip_prefix('(') {
            let (inside, behind) = opened.split_once(')').ok_or_else(wrong)?;
            (argument, after) = (Some(inside), behind);
        }
        // A length, to which the value is cut.
        let (_, behind) = after
            .split_once('%')
            .filter(|(length, _)| length.is_empty() || length.starts_with(':'))
            .ok_or_else(wrong)?;
        if name.is_empty() {
            return Err(wrong());
        }
        let shown = format!("%{}", &command[..command.len() - behind.len()]);
        push_field(&mut pieces, Field { name: shown, role: role(name, argument), is_list: false });
        rest = behind;
    }
    push_literal(&mut pieces, rest.as_bytes());
    TextLayout::of(pieces)
}

fn role(name: &str, argument: Option<&str>) -> Role {
    let is_path = |header: &str| header.split('?').any(|one| one.eq_ignore_ascii_case(":PATH"));
    match (name, argument) {
        ("START_TIME", None) => Role::Time(TimeForm::Written),
        // %s is seconds, %3f, %6f and %9f are their fractions.
        ("START_TIME", Some(pattern)) if pattern.starts_with("%s") => Role::Time(TimeForm::Written),
        ("START_TIME", Some(pattern)) => Role::Time(TimeForm::Pattern(pattern.to_string())),
        ("RESPONSE_CODE", _) => Role::Status,
        ("DURATION", _) => Role::Taken(LatencyUnit::Milliseconds),
        ("REQ", Some(header)) if is_path(header) => Role::Target,
        ("PATH", _) => Role::Target,
        _ => Role::Skip,
    }
}
