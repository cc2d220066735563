//! What the reasons that gateways log are called as causes.

use std::collections::BTreeMap;

use crate::from_field::is_meant;

/// Causes by what a field says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CauseNames {
    /// By the whole text of the field.
    pub given: BTreeMap<String, String>,
}

/// Response flags of Envoy:
/// <https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators>. What is not here says
/// that the service failed, which its status says as well.
const ENVOY: &[(&str, &str)] = &[
    ("UT", "upstream_timeout"),
    ("SI", "upstream_timeout"),
    ("DT", "upstream_timeout"),
    ("NR", "route_misconfigured"),
    ("NC", "route_misconfigured"),
    ("NFCF", "route_misconfigured"),
    ("RL", "rate_limited"),
    ("DC", "client_abort"),
    ("DPE", "client_abort"),
];

/// How a session of HAProxy ended, by its first two letters: <https://docs.haproxy.org/2.8/configuration.html#8.5>.
const HAPROXY: &[(&str, &str)] = &[
    ("C", "client_abort"),
    ("c", "client_abort"),
    ("sC", "upstream_timeout"),
    ("sH", "upstream_timeout"),
    ("sD", "upstream_timeout"),
];

/// Whose reasons a field has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reasons {
    Envoy,
    Haproxy,
    Unknown,
}

impl Reasons {
    /// Of a field of this name.
    pub(crate) fn of(field: &str) -> Reasons {
        let is = |names: &[&str]| names.iter().any(|name| is_meant(name, field));
        if is(&["response_flags"]) {
            Reasons::Envoy
        } else if is(&["termination", "termination_state", "tsc"]) {
            Reasons::Haproxy
        } else {
            Reasons::Unknown
        }
    }

    fn cause(self, text: &str) -> Option<&'static str> {
        let of = |table: &[(&str, &'static str)], flag: &str| {
            table.iter().find(|(known, _)| *known == flag).map(|(_, cause)| *cause)
        };
        match self {
            Reasons::Envoy => text.split(',').find_map(|flag| of(ENVOY, flag)),
            // How cookies were used is no reason.
            Reasons::Haproxy if text.starts_with("--") => Some(""),
            Reasons::Haproxy => of(HAPROXY, text.get(..2)?).or_else(|| of(HAPROXY, text.get(..1)?)),
            Reasons::Unknown => None,
        }
    }
}

impl CauseNames {
    /// The cause that a field with these reasons says; what nobody knows stays as it is.
    pub(crate) fn of<'a>(&'a self, reasons: Reasons, text: &'a str) -> &'a str {
        match self.given.get(text) {
            Some(cause) => cause,
            // How a request that went well, or a field that has nothing to say, is logged.
            None if text.bytes().all(|byte| byte == b'-') => "",
            None => reasons.cause(text).unwrap_or(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gateways_log_is_named() {
        let names = CauseNames { given: [("UF".to_string(), "keepalive_race".to_string())].into() };
        for (field, text, cause) in [
            ("%RESPONSE_FLAGS%", "UT", "upstream_timeout"),
            ("response_flags", "URX,NR", "route_misconfigured"),
            ("response_flags", "UF", "keepalive_race"),
            ("response_flags", "UH", "UH"),
            ("$termination", "CD--", "client_abort"),
            ("$termination", "sH--", "upstream_timeout"),
            ("$termination", "----", ""),
            ("$termination", "--NI", ""),
            ("$other", "UT", "UT"),
        ] {
            assert_eq!(names.of(Reasons::of(field), text), cause, "{field} {text}");
        }
    }
}
