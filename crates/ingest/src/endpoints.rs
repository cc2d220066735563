//! How endpoints are called: by templates, and with what differs from request to request left out.

use std::borrow::Cow;
use std::str::FromStr;

use crate::{ErrorKind, IngestError, Result};

/// How endpoints are called.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EndpointNames {
    /// The first that matches gives the name.
    pub templates: Vec<Template>,
    /// Whether paths of access logs stay as they are logged where no template matches; else numbers, UUIDs and hashes are `{id}`.
    pub as_logged: bool,
    /// Of how many different ones names are kept; the others are [`OTHER`]. `None`: of 10,000 where they are paths of access logs,
    /// else of all.
    pub most: Option<usize>,
}

/// What endpoints and values of labels are called that are too many.
pub const OTHER: &str = "other";

/// Different endpoints of access logs whose names are kept.
pub const MOST: usize = 10_000;

/// Paths that have one name: `/users/{id}`, `static=/assets/**,*.css,*.js`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// As it was written.
    text: String,
    name: String,
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Pattern {
    parts: Vec<Part>,
    /// Whether it is matched against the last segment alone.
    is_file: bool,
}

/// A segment of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    /// This text, in which each `*` stands for any text.
    Text(String),
    /// Any one segment: `{id}` or `*`.
    Any,
    /// Whatever follows: `**`.
    Rest,
}

impl FromStr for Template {
    type Err = IngestError;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |why: &str| {
            let expected = "such as /users/{id}, /assets/**, or a name and its paths: static=*.css,*.js";
            Err(IngestError::new(ErrorKind::Options, format!("{text:?} {why}")).expected(expected))
        };
        let (name, patterns) = match text.split_once('=') {
            Some((name, patterns)) => (name, patterns.split(',').collect()),
            None => (text, vec![text]),
        };
        if name.is_empty() || patterns.iter().any(|pattern| pattern.is_empty()) {
            return refused("names no path");
        }
        let mut read = Vec::new();
        for pattern in patterns {
            let is_file = !pattern.contains('/');
            if is_file && !pattern.contains('*') {
                return refused("is no path");
            }
            let parts: Vec<Part> = segments(pattern).map(Part::of).collect();
            if parts.iter().any(|part| matches!(part, Part::Text(text) if text.contains(['{', '}']))) {
                return refused("has braces around a part of a segment");
            }
            if parts.iter().rev().skip(1).any(|part| *part == Part::Rest) {
                return refused("has ** before its end");
            }
            read.push(Pattern { parts, is_file });
        }
        Ok(Template { text: text.to_string(), name: name.to_string(), patterns: read })
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.strip_prefix('/').unwrap_or(path).split('/')
}

impl Part {
    fn of(text: &str) -> Part {
        match text {
            "**" => Part::Rest,
            "*" => Part::Any,
            _ if text.starts_with('{') && text.ends_with('}') => Part::Any,
            text => Part::Text(text.to_string()),
        }
    }
}

impl Pattern {
    fn matches(&self, path: &str) -> bool {
        if self.is_file {
            let file = path.rsplit('/').next().unwrap_or_default();
            return matches!(self.parts.as_slice(), [part] if part.is(file));
        }
        let mut left = segments(path);
        for part in &self.parts {
            match (part, left.next()) {
                (Part::Rest, Some(_)) => return true,
                (part, Some(segment)) if part.is(segment) => {}
                _ => return false,
            }
        }
        left.next().is_none()
    }
}

impl Part {
    fn is(&self, segment: &str) -> bool {
        match self {
            Part::Text(text) => like(text, segment),
            Part::Any | Part::Rest => !segment.is_empty(),
        }
    }
}

/// Whether a text is like a pattern with `*`.
fn like(pattern: &str, text: &str) -> bool {
    let Some((head, rest)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut left) = text.strip_prefix(head) else { return false };
    let mut parts = rest.split('*').peekable();
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return left.ends_with(part);
        }
        match left.find(part) {
            Some(at) => left = &left[at + part.len()..],
            None => return false,
        }
    }
    true
}

impl EndpointNames {
    /// The options of the command line that say it; none where nothing was said.
    pub fn options(&self) -> Vec<String> {
        let templates = self.templates.iter().map(|template| format!("--endpoint {}", template.text));
        let as_logged = self.as_logged.then(|| "--endpoints-as-logged".to_string());
        let most = self.most.map(|most| format!("--most-endpoints {most}"));
        templates.chain(as_logged).chain(most).collect()
    }

    /// Whether endpoints of an input keep their names.
    pub(crate) fn are_as_given(&self) -> bool {
        self.templates.is_empty()
    }

    /// The name of an endpoint that is given.
    pub(crate) fn of<'a>(&'a self, endpoint: &'a str) -> &'a str {
        let matches = |template: &&Template| template.patterns.iter().any(|pattern| pattern.matches(endpoint));
        self.templates.iter().find(matches).map_or(endpoint, |template| &template.name)
    }

    /// The name of a path of an access log.
    pub(crate) fn of_path<'a>(&'a self, path: &'a str) -> Cow<'a, str> {
        if !self.templates.is_empty() {
            let name = self.of(path);
            if !std::ptr::eq(name, path) {
                return Cow::Borrowed(name);
            }
        }
        if self.as_logged { Cow::Borrowed(path) } else { without_ids(path) }
    }
}

/// A path with `{id}` for each segment that is a number, a UUID or a hash.
fn without_ids(path: &str) -> Cow<'_, str> {
    // None of these is without a digit.
    if !path.bytes().any(|byte| byte.is_ascii_digit()) {
        return Cow::Borrowed(path);
    }
    let mut named = String::new();
    let mut copied = 0;
    let mut at = 0;
    for segment in path.split('/') {
        if is_id(segment) {
            named.push_str(&path[copied..at]);
            named.push_str("{id}");
            copied = at + segment.len();
        }
        at += segment.len() + 1;
    }
    if copied == 0 {
        return Cow::Borrowed(path);
    }
    named.push_str(&path[copied..]);
    Cow::Owned(named)
}

/// Shortest text of hexadecimal digits that is a hash: half of an MD5.
const HASH: usize = 16;

fn is_id(text: &str) -> bool {
    let bytes = text.as_bytes();
    if bytes.is_empty() || !bytes.iter().any(u8::is_ascii_digit) {
        return false;
    }
    let is_hex = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
    let is_uuid = || {
        let mut parts = bytes.split(|byte| *byte == b'-');
        [8, 4, 4, 4, 12].iter().all(|length| parts.next().is_some_and(|part| part.len() == *length && is_hex(part)))
            && parts.next().is_none()
    };
    bytes.iter().all(u8::is_ascii_digit) || bytes.len() >= HASH && is_hex(bytes) || bytes.len() == 36 && is_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_from_request_to_request_is_left_out() {
        let names = EndpointNames::default();
        for (path, name) in [
            ("/users/17/orders/4", "/users/{id}/orders/{id}"),
            ("/users/me", "/users/me"),
            ("/api/v2/users", "/api/v2/users"),
            ("/17", "/{id}"),
            ("/", "/"),
            ("", ""),
            ("*", "*"),
            ("/o/3f2504e0-4f89-11d3-9a0c-0305e82c3301/", "/o/{id}/"),
            ("/o/3F2504E0-4F89-11D3-9A0C-0305E82C3301", "/o/{id}"),
            ("/o/3f2504e0-4f89-11d3-9a0c-0305e82c330", "/o/3f2504e0-4f89-11d3-9a0c-0305e82c330"),
            ("/b/d41d8cd98f00b204e9800998ecf8427e", "/b/{id}"),
            ("/b/d41d8cd98f00b20", "/b/d41d8cd98f00b20"),
            ("/b/deadbeefdeadbeef", "/b/deadbeefdeadbeef"),
            ("/invoices/12.pdf", "/invoices/12.pdf"),
            ("/42.html", "/42.html"),
            ("/lib/3.6.0", "/lib/3.6.0"),
            ("/业务/7", "/业务/{id}"),
        ] {
            assert_eq!(names.of_path(path), name, "{path}");
        }
        let as_logged = EndpointNames { as_logged: true, ..EndpointNames::default() };
        assert_eq!(as_logged.of_path("/users/17"), "/users/17");
    }

    #[test]
    fn templates_give_names() {
        let templates = ["/users/{name}", "/users/{name}/orders/*", "static=/assets/**,*.css,app-*.js", "/v*/health"];
        let templates = templates.map(|text| text.parse().unwrap()).to_vec();
        let names = EndpointNames { templates, ..EndpointNames::default() };
        for (path, name) in [
            ("/users/ann", "/users/{name}"),
            ("/users/", "/users/"),
            ("/users/ann/orders/7", "/users/{name}/orders/*"),
            ("/users/ann/orders/7/x", "/users/ann/orders/{id}/x"),
            ("/assets/a/b.png", "static"),
            ("/assets", "/assets"),
            ("/x/y.css", "static"),
            ("/x/app-1f.js", "static"),
            ("/x/app.js", "/x/app.js"),
            ("/v2/health", "/v*/health"),
        ] {
            assert_eq!(names.of_path(path), name, "{path}");
        }
        assert_eq!(names.of("/users/7"), "/users/{name}");
        assert_eq!(names.of("/other/7"), "/other/7");
        assert!(like("a*b*c", "a1b2c") && like("*", "") && !like("a*b*c", "a1c") && !like("ab*b", "ab"));
    }

    #[test]
    fn what_is_no_template_is_refused() {
        let refused = |text: &str| text.parse::<Template>().unwrap_err().to_string();
        assert_eq!(
            refused("users"),
            "\"users\" is no path; expected such as /users/{id}, /assets/**, or a name and its paths: static=*.css,*.js"
        );
        assert!(refused("x=").contains("names no path") && refused("/a/**/b").contains("has ** before its end"));
    }
}
