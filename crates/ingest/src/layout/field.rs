//! Fields of a line of a log, and what they mean.

use super::time::TimeForm;
use crate::{ErrorKind, IngestError, LatencyUnit, Result};

/// A field of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Field {
    /// As the format writes it: `$request_time`, `%D`.
    pub name: String,
    pub role: Role,
    /// Whether it may be a list, with a blank behind each comma or colon.
    pub is_list: bool,
}

/// What a field means.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Role {
    /// Nothing that is counted.
    Skip,
    Time(TimeForm),
    /// A date in UTC, beside the time of day.
    Date,
    /// A time of day in UTC, beside the date.
    TimeOfDay,
    /// `GET /path?query HTTP/1.1`
    Request,
    /// A path, perhaps with a query or behind a host.
    Target,
    /// What may stand before a target without anything between them.
    Host,
    /// What may stand behind a target without anything between them.
    Query,
    Status,
    /// Of each server that was asked, one after the other.
    UpstreamStatus,
    Taken(LatencyUnit),
    /// By each server that was asked, one after the other.
    UpstreamTaken(LatencyUnit),
    /// What kind of record it is: others than those of this text are no requests.
    Kind {
        of_requests: &'static str,
        others: &'static str,
    },
}

impl Field {
    pub fn ends_itself(&self) -> bool {
        matches!(&self.role, Role::Time(form) if form.ends_itself())
    }
}

/// Checks that fields say when something was requested and what became of it.
pub(super) fn checked<'f>(fields: impl Iterator<Item = &'f Field> + Clone) -> Result<()> {
    let has = |is: fn(&Role) -> bool| fields.clone().any(|field| is(&field.role));
    let needed: [(bool, &str); 2] = [
        (has(|role| matches!(role, Role::Time(_))), "a time, such as $time_local, $time_iso8601, $msec, %t or time=ts"),
        (
            has(|role| matches!(role, Role::Status | Role::UpstreamStatus)),
            "a status, such as $status, %>s or status=code",
        ),
    ];
    match needed.into_iter().find(|(is_there, _)| !is_there) {
        Some((_, what)) => Err(refused("the format says too little of a request").expected(what)),
        None => Ok(()),
    }
}

/// A format that cannot be meant.
pub(super) fn refused(problem: impl Into<String>) -> IngestError {
    IngestError::new(ErrorKind::Options, problem)
}
