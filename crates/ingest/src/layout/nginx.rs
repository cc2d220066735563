//! Formats of nginx: `log_format main '$remote_addr [$time_local] "$request" $status $request_time';`.
//!
//! Variables: <https://nginx.org/en/docs/http/ngx_http_log_module.html>, those of upstreams:
//! <https://nginx.org/en/docs/http/ngx_http_upstream_module.html#variables>.

use super::field::{Field, Role, refused};
use super::text::{TextLayout, push_field, push_literal};
use super::time::TimeForm;
use crate::{LatencyUnit, Result};

/// A word of the configuration as nginx takes it: `\t` is a tab, `\"` a quote. Other backslashes stay.
///
/// `ngx_conf_read_token` in <https://github.com/nginx/nginx/blob/master/src/core/ngx_conf_file.c>.
pub(super) fn unescaped(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut letters = word.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('n') => out.push('\n'),
            Some(quote @ ('"' | '\'' | '\\')) => out.push(quote),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

/// The layout of a format.
pub(super) fn read(text: &str) -> Result<TextLayout> {
    // A line ends anyway.
    let text = text.trim_end_matches(['\r', '\n']);
    if text.contains('\n') {
        return Err(refused("the format spreads a request over several lines").expected("one line for each request"));
    }
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some((before, variable)) = rest.split_once('$') {
        push_literal(&mut pieces, before.as_bytes());
        let (name, after) = variable_name(variable).ok_or_else(|| {
            refused(format!("'$' without the name of a variable before {variable:?}")).expected("such as $status")
        })?;
        let is_list = name.starts_with("upstream_");
        push_field(&mut pieces, Field { name: format!("${name}"), role: role(name), is_list });
        rest = after;
    }
    push_literal(&mut pieces, rest.as_bytes());
    TextLayout::of(pieces)
}

/// The name with which a text begins, as `name` or `{name}`, and what follows.
fn variable_name(text: &str) -> Option<(&str, &str)> {
    if let Some(braced) = text.strip_prefix('{') {
        return braced.split_once('}').filter(|(name, _)| !name.is_empty());
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}

fn role(name: &str) -> Role {
    match name {
        "time_local" => Role::Time(TimeForm::Clf),
        "time_iso8601" | "msec" => Role::Time(TimeForm::Written),
        "request" => Role::Request,
        "request_uri" | "uri" | "document_uri" => Role::Target,
        "host" | "http_host" | "server_name" | "server_port" => Role::Host,
        "is_args" | "args" | "query_string" => Role::Query,
        "status" => Role::Status,
        "upstream_status" => Role::UpstreamStatus,
        "request_time" => Role::Taken(LatencyUnit::Seconds),
        "upstream_response_time" => Role::UpstreamTaken(LatencyUnit::Seconds),
        // Not nginx's: formats with a name are written down with it.
        "taken_ms" => Role::Taken(LatencyUnit::Milliseconds),
        _ => Role::Skip,
    }
}
