//! What goes wrong: the kinds of incidents and what each does to a slice.
//!
//! An incident turns a share of the requests that it reaches into errors of its kind, makes the others slower,
//! or both. Which incidents there are is [`super::story`]'s matter.

use super::MINUTE;

/// What went wrong. Causes are those of the shipped cause table (DESIGN, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// The gateway could not authenticate; charged to the gateway, not to the service.
    AuthFailure,
    /// A release that hangs: rolled out over three minutes, rolled back at once.
    BadDeploy,
    /// A body limit set too low: a 413, yet charged to the service.
    BodyLimit,
    /// Instances die and come back.
    Crash,
    /// The business's shared database is down: several services at once.
    DatabaseOutage,
    /// Two bad minutes in every five.
    Flapping,
    /// One client retries without pause and is held off; charged to nobody.
    RateLimitStorm,
    /// Part of a route leads nowhere: a 404, yet charged to the service.
    RouteMisconfigured,
    /// Slow, but successful.
    Slowdown,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::AuthFailure => "authentication failure",
            Kind::BadDeploy => "bad deploy",
            Kind::BodyLimit => "body limit too low",
            Kind::Crash => "crash",
            Kind::DatabaseOutage => "database outage",
            Kind::Flapping => "flapping",
            Kind::RateLimitStorm => "rate limit storm",
            Kind::RouteMisconfigured => "route misconfigured",
            Kind::Slowdown => "slowdown",
        }
    }

    /// The errors it shows as: (status, cause, part of the errors).
    pub(super) fn faults(self) -> &'static [(i32, &'static str, f64)] {
        match self {
            Kind::AuthFailure => &[(503, "auth_unavailable", 0.4), (504, "auth_timeout", 0.6)],
            Kind::BadDeploy => &[(500, "", 0.12), (504, "upstream_timeout", 0.88)],
            Kind::BodyLimit => &[(413, "request_too_large", 1.0)],
            Kind::Crash => &[(500, "", 0.3), (503, "", 0.7)],
            Kind::DatabaseOutage => &[(500, "", 0.65), (504, "upstream_timeout", 0.35)],
            Kind::Flapping => &[(502, "", 1.0)],
            Kind::RateLimitStorm => &[(429, "rate_limited", 1.0)],
            Kind::RouteMisconfigured => &[(404, "route_misconfigured", 1.0)],
            Kind::Slowdown => &[],
        }
    }

    /// Whether its errors are requests that would not have come otherwise.
    pub(super) fn adds_requests(self) -> bool {
        self == Kind::RateLimitStorm
    }

    /// Whether a user's undertaking fails because of it; a slow one succeeds, and a held off one is no user's.
    pub(super) fn fails_events(self) -> bool {
        !matches!(self, Kind::Slowdown | Kind::RateLimitStorm)
    }
}

/// Something that went wrong once. Instants are in µs.
#[derive(Debug, Clone, PartialEq)]
pub struct Incident {
    /// `INC-0001`, counted from the beginning of the history.
    pub id: String,
    pub business: &'static str,
    pub services: Vec<&'static str>,
    /// Empty: all endpoints of the services.
    pub endpoint: &'static str,
    /// Empty: all customers.
    pub customer: &'static str,
    pub kind: Kind,
    /// From 1, the most severe, to 3.
    pub severity: u8,
    pub started: i64,
    pub detected: i64,
    pub located: i64,
    /// When it was fixed: the first instant that is not affected.
    pub ended: i64,
    pub verified: i64,
    /// The part of the requests that fail, or the requests that come on top as a multiple of the usual.
    pub share: f64,
    /// Times as long as usual that requests take.
    pub slowing: f64,
}

impl Incident {
    /// What a person would write over it.
    pub fn title(&self) -> String {
        let (kind, place) = (self.kind.name(), self.services.join(", "));
        let place = if self.endpoint.is_empty() { place } else { format!("{place} {}", self.endpoint) };
        let place = if self.customer.is_empty() { place } else { format!("{place}, {}", self.customer) };
        format!("{place}: {kind}")
    }

    pub(super) fn reaches(&self, service: &str, endpoint: &str, customer: &str) -> bool {
        self.services.contains(&service)
            && (self.endpoint.is_empty() || self.endpoint == endpoint)
            && (self.customer.is_empty() || self.customer == customer)
    }

    /// How much of its full effect it has on a service in the slice `[slice, slice + width)`: from 0 to 1.
    pub(super) fn strength(&self, service: &str, slice: i64, width: i64) -> f64 {
        if slice >= self.ended || slice + width <= self.started {
            return 0.0;
        }
        // A shared failure reaches one service after the other, a minute apart.
        let place = self.services.iter().position(|s| *s == service).unwrap_or(0);
        let started = self.started + place as i64 * MINUTE;
        let overlap = (slice + width).min(self.ended) - slice.max(started);
        if overlap <= 0 {
            return 0.0;
        }
        let age = (slice + width / 2 - started).max(0);
        let phase = match self.kind {
            Kind::BadDeploy => ((age + MINUTE) as f64 / (3 * MINUTE) as f64).min(1.0),
            Kind::Flapping if age % (5 * MINUTE) >= 2 * MINUTE => 0.0,
            Kind::AuthFailure
            | Kind::BodyLimit
            | Kind::Crash
            | Kind::DatabaseOutage
            | Kind::Flapping
            | Kind::RateLimitStorm
            | Kind::RouteMisconfigured
            | Kind::Slowdown => 1.0,
        };
        phase * overlap as f64 / width as f64
    }
}
