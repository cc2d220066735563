//! Lines of a log that are no requests.

use std::fmt;
use std::sync::Arc;

use super::field::{Field, Role};
use crate::clf::clf;

/// Why a line of a log is no request: what lines of its kind are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum NoRequest {
    /// It has none of these fields, which say the status.
    Status(Arc<str>),
    /// The program that writes the log says something else with it.
    Message(&'static str),
}

impl fmt::Display for NoRequest {
    /// What follows `3 lines`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoRequest::Status(fields) => write!(f, "without a status ({fields})"),
            NoRequest::Message(what) => f.write_str(what),
        }
    }
}

impl NoRequest {
    /// Of lines that may lack each of these fields.
    pub(super) fn without_status<'f>(fields: impl IntoIterator<Item = &'f Field>) -> NoRequest {
        let of = fields.into_iter().filter(|field| says_status(&field.role));
        let names: Vec<&str> = of.map(|field| field.name.as_str()).collect();
        NoRequest::Status(names.join(" or ").into())
    }
}

/// Whether fields of this role say a status.
pub(super) fn says_status(role: &Role) -> bool {
    matches!(role, Role::Status | Role::UpstreamStatus)
}

/// What a program writes into its log of requests besides these.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Messages {
    /// Nothing that is known.
    #[default]
    Unknown,
    HaProxy,
}

/// How messages of HAProxy begin, and what follows somewhere behind.
///
/// `src/server.c`, `src/server-state.c`, `src/proxy.c` and `src/mworker.c` of <https://github.com/haproxy/haproxy>.
const OF_HAPROXY: [(&str, &str); 19] = [
    ("Proxy ", " started"),
    ("Proxy ", " stopped"),
    ("Proxy ", " paused"),
    ("Stopping proxy ", ""),
    ("Stopping frontend ", ""),
    ("Stopping backend ", ""),
    ("Pausing ", ""),
    ("Server ", " is UP"),
    ("Server ", " is DOWN"),
    ("Server ", " is going DOWN"),
    ("Server ", " is stopping"),
    ("Server ", " was DOWN"),
    ("Server ", " administratively READY"),
    ("Backup Server ", " is "),
    ("Health check for ", "server "),
    ("backend ", " has no server available"),
    ("proxy ", " has no server available"),
    ("Loading success", ""),
    ("New worker ", " forked"),
];

const TAG: &[u8] = b"haproxy[";

impl Messages {
    /// Whether a line that is no request is a message that is known.
    pub fn has(self, line: &[u8]) -> Option<NoRequest> {
        match self {
            Messages::HaProxy if is_of_haproxy(line) => Some(NoRequest::Message("with a message of HAProxy")),
            Messages::HaProxy | Messages::Unknown => None,
        }
    }

    /// Whether it is one, and says itself by whom it is.
    pub fn has_signed(self, line: &[u8]) -> bool {
        self.has(line).is_some() && behind_tag(line).is_some()
    }
}

/// Behind `Oct 14 12:00:01 lb haproxy[14389]: `.
fn behind_tag(line: &[u8]) -> Option<&[u8]> {
    let tag = line.windows(TAG.len()).position(|part| part == TAG)?;
    let rest = &line[tag..];
    let end = rest.windows(3).position(|part| part == b"]: ")?;
    Some(&rest[end + 3..])
}

fn is_of_haproxy(line: &[u8]) -> bool {
    let message = behind_tag(line).unwrap_or(line);
    let text = String::from_utf8_lossy(message);
    let is_known = |(begin, then): &(&str, &str)| text.strip_prefix(begin).is_some_and(|rest| rest.contains(then));
    OF_HAPROXY.iter().any(is_known) || is_failed_connection(message)
}

/// `10.0.1.2:33313 [15/Oct/2026:12:00:01.655] front/1: SSL handshake failure`: a connection that brought no request.
///
/// <https://docs.haproxy.org/2.8/configuration.html#8.2.5>
fn is_failed_connection(message: &[u8]) -> bool {
    let Some(open) = message.iter().position(|byte| *byte == b'[') else { return false };
    let rest = &message[open + 1..];
    let Some((.., length)) = clf(rest) else { return false };
    let Some(rest) = rest[length..].strip_prefix(b"] ") else { return false };
    let name = rest.split(|byte| *byte == b' ').next().unwrap_or_default();
    name.ends_with(b":") && name.contains(&b'/') && rest.len() > name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_haproxy_are_no_requests() {
        let is = |line: &str| Messages::HaProxy.has(line.as_bytes()).is_some();
        for message in [
            "Proxy http-in started.",
            "Server static/srv1 is DOWN, reason: Layer4 connection problem, info: \"Connection refused\", check duration: 0ms.",
            "Backup Server static/srv2 is UP, reason: Layer7 check passed.",
            "backend static has no server available!",
            "10.0.1.2:33313 [15/Oct/2026:12:00:01.655] https/1: SSL handshake failure",
        ] {
            assert!(is(message), "{message}");
            let tagged = format!("Oct 15 12:00:01 lb haproxy[14389]: {message}");
            assert!(is(&tagged) && Messages::HaProxy.has_signed(tagged.as_bytes()), "{tagged}");
            assert!(!Messages::HaProxy.has_signed(message.as_bytes()), "{message}");
            assert!(Messages::Unknown.has(tagged.as_bytes()).is_none());
        }
        for line in [
            "",
            "Oct 15 12:00:01 lb haproxy[14389]: ",
            "Oct 15 12:00:01 lb haproxy[14389]: 10.0.1.2:33317 [15/Oct/2026:12:00:01.655] in static/srv1 10/0/30",
            "10.0.1.2:33317 [15/Oct/2026:12:00:01.655] in static/srv1 1/0/3/6/9 200 5 - - ---- \"GET /Proxy started HTTP/1.1\"",
            "Oct 15 12:00:01 lb sshd[1]: Server listening on :: port 22.",
        ] {
            assert!(!is(line), "{line}");
        }
    }
}
