//! Fields of a layout that fill columns by the names that people give.

use std::borrow::Cow;

use super::field::{Field, Role, refused};
use crate::Result;
use crate::formats::log_line::{percent_escaped, target_of};
use crate::from_field::{bare, is_meant};

/// What a person calls the host of a request, however a log calls it.
pub(super) const HOST: &str = "host";

/// What logs call it, besides fields that may stand before a path.
const HOSTS: [&str; 7] = [
    // CloudFront calls its own name `cs(Host)`.
    "x_host_header",
    "host",
    "http_host",
    "cs_host",
    "authority",
    ":authority",
    "server_name",
];

/// What fields say that fill columns, by the places of these.
pub(crate) type Filled<'a> = Vec<Option<Cow<'a, [u8]>>>;

/// Which fields fill columns.
#[derive(Default)]
pub(super) struct Filling {
    /// By place, as people call them.
    names: Vec<String>,
    /// For each part of a line, the places of what it fills.
    of: Vec<Vec<usize>>,
}

impl Filling {
    /// Of the parts of a line that are fields. A log in which every line has the same fields must have those that are asked for.
    pub fn of<'f>(names: &[String], parts: impl Iterator<Item = Option<&'f Field>> + Clone) -> Result<Filling> {
        let filling = Filling::perhaps(names, parts.clone());
        let says_host = || parts.clone().flatten().any(|field| matches!(field.role, Role::Request | Role::Target));
        let missing = |(place, name): &(usize, &String)| {
            !(filling.of.iter().flatten().any(|other| other == place) || *name == HOST && says_host())
        };
        if let Some((_, name)) = names.iter().enumerate().find(missing) {
            let fields: Vec<&str> = parts.flatten().map(|field| field.name.as_str()).collect();
            let problem = format!("the log's format has no field {name:?}");
            return Err(refused(problem).expected(format!("one of {}", fields.join(", "))));
        }
        Ok(filling)
    }

    /// The same of lines that have some of them. The host is in the first of its fields that says something.
    pub fn of_some(names: &[String], fields: &[Field]) -> Filling {
        let places = |field: &Field| {
            let fills = |name: &str| if name == HOST { field.role == Role::Host } else { is_meant(name, &field.name) };
            (0..names.len()).filter(|place| fills(&names[*place])).collect()
        };
        Filling { names: names.to_vec(), of: fields.iter().map(places).collect() }
    }

    /// The same where a log may lack some.
    pub fn perhaps<'f>(names: &[String], parts: impl Iterator<Item = Option<&'f Field>>) -> Filling {
        let parts: Vec<Option<&Field>> = parts.collect();
        // The name that a client asked for comes before that of the server that answered.
        let rank = |field: &Field| {
            let name = bare(&field.name);
            let rank = HOSTS.iter().position(|host| *host == name);
            rank.or((field.role == Role::Host).then_some(HOSTS.len()))
        };
        let host = parts.iter().flatten().filter_map(|field| rank(field)).min();
        let places = |field: &Field| {
            let is_host = host.is_some() && rank(field) == host;
            let fills = |name: &str| if name == HOST { is_host } else { is_meant(name, &field.name) };
            (0..names.len()).filter(|place| fills(&names[*place])).collect()
        };
        let of = parts.into_iter().map(|field| field.map(places).unwrap_or_default()).collect();
        Filling { names: names.to_vec(), of }
    }

    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Takes what a part of a line says. Of several that mean the same the first counts that says something.
    #[inline]
    pub fn take<'a>(&self, part: usize, value: impl FnOnce() -> Cow<'a, [u8]>, filled: &mut Filled<'a>) {
        let Some(places) = self.of.get(part).filter(|places| !places.is_empty()) else { return };
        let value = value();
        if value.is_empty() || *value == *b"-" {
            return;
        }
        filled.resize(self.names.len(), None);
        for place in places {
            filled[*place].get_or_insert_with(|| value.clone());
        }
    }

    /// The texts of a line; the host is that of its request where no field of its own says it.
    pub fn texts<'a>(
        &self,
        mut filled: Filled<'a>,
        request: Option<&Cow<'a, [u8]>>,
        target: Option<&Cow<'a, [u8]>>,
    ) -> Vec<Option<Cow<'a, str>>> {
        filled.resize(self.names.len(), None);
        let texts = filled.into_iter().zip(&self.names).map(|(value, name)| match value {
            Some(value) if name == HOST => host(&value).map(Cow::Owned),
            Some(value) => text(value),
            None if name == HOST => {
                let of_request = request.and_then(|request| target_of(request)).filter(|target| is_url(target));
                let of_target = target.map(|target| &**target).filter(|target| begins_with_host(target));
                of_request.or(of_target).and_then(host).map(Cow::Owned)
            }
            None => None,
        });
        texts.collect()
    }
}

/// What is given.
fn text(value: Cow<'_, [u8]>) -> Option<Cow<'_, str>> {
    if value.trim_ascii().is_empty() || *value == *b"-" {
        return None;
    }
    Some(match value {
        Cow::Borrowed(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) => Cow::Owned(percent_escaped(bytes)),
        },
        Cow::Owned(bytes) => {
            String::from_utf8(bytes).map_or_else(|error| Cow::Owned(percent_escaped(error.as_bytes())), Cow::Owned)
        }
    })
}

/// Whether the target of a request names its host: not `/path`, `*` of OPTIONS, nor `host:port` of CONNECT, which is another one.
fn is_url(target: &[u8]) -> bool {
    let scheme = target.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    scheme > 0 && target[scheme..].starts_with(b"://")
}

/// The same of a field that may be a URL, a path, or a path behind a host.
fn begins_with_host(target: &[u8]) -> bool {
    let is_tunnel = !target.contains(&b'/') && target.contains(&b':');
    is_url(target) || !(target.starts_with(b"/") || target == b"*" || is_tunnel)
}

/// The host of a URL or authority, in small letters, without its port.
fn host(value: &[u8]) -> Option<String> {
    let start = value.windows(3).position(|part| part == b"://").map_or(0, |at| at + 3);
    let authority = value[start..].split(|byte| matches!(byte, b'/' | b'?' | b'#')).next()?;
    let name = match authority.strip_prefix(b"[") {
        // An address of IPv6.
        Some(_) => authority.split_inclusive(|byte| *byte == b']').next()?,
        None => authority.split(|byte| *byte == b':').next()?,
    };
    text(Cow::Borrowed(name)).map(|name| name.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::{begins_with_host, host, is_url};

    #[test]
    fn hosts_are_without_ports() {
        for (value, name) in [
            ("Shop.example:443", Some("shop.example")),
            ("https://a.example:443/x", Some("a.example")),
            ("http://b.example?x", Some("b.example")),
            ("shop.example/cart", Some("shop.example")),
            ("[::1]:80", Some("[::1]")),
            ("-", None),
            ("", None),
        ] {
            assert_eq!(host(value.as_bytes()).as_deref(), name, "{value}");
        }
    }

    #[test]
    fn a_target_may_name_no_host() {
        for target in ["/a?u=https://b.example", "*", "a.example:443", ""] {
            assert!(!is_url(target.as_bytes()), "{target}");
        }
        assert!(is_url(b"https://a.example:443/x") && !is_url(b"shop.example/cart"));
        for target in ["/a", "*", "a.example:443", "[::1]:443"] {
            assert!(!begins_with_host(target.as_bytes()), "{target}");
        }
        assert!(begins_with_host(b"shop.example/cart") && begins_with_host(b"http://a.example?x"));
    }
}
