//! `failed`: requests that fail whoever is charged, by status and cause.

use crate::describe::length;
use crate::duration;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::statuses::Statuses;
use crate::words::listed;

/// Which valid requests fail: those of one of these statuses, those of one of these causes, and those that took too long.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Failures {
    /// Statuses, as they are written.
    pub statuses: Vec<Statuses>,
    /// Causes.
    pub causes: Vec<String>,
    /// What took longer than so many µs; requests of which no latency is known did not.
    pub slower_than: Option<i64>,
}

impl Failures {
    /// Whether a request of this status and cause fails.
    pub fn hold(&self, status: i32, cause: &str) -> bool {
        self.statuses.iter().any(|own| own.contains(status)) || self.causes.iter().any(|own| own == cause)
    }

    pub(crate) fn words(&self) -> String {
        let statuses: Vec<String> = self.statuses.iter().map(ToString::to_string).collect();
        let of_status = (!statuses.is_empty()).then(|| format!("of status {}", listed(&statuses)));
        let of_cause = (!self.causes.is_empty()).then(|| format!("of cause {}", listed(&self.causes)));
        let slower = self.slower_than.map(|micros| format!("that took longer than {}", length(micros)));
        let all: Vec<String> = of_status.into_iter().chain(of_cause).chain(slower).collect();
        format!("Requests {}, whoever is charged", all.join(", and those "))
    }
}

/// Reads `{status: […], causes: […], slowerThan: …}`; with it nobody is charged, so that `party` and `causes` mean nothing.
pub(crate) fn failed(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Failures> {
    let node = fields.get("failed")?;
    for name in ["party", "causes"] {
        if let Some(node) = fields.get(name) {
            notes.error(node.place, format!("'{name}' means nothing beside 'failed', which says itself what fails"));
        }
    }
    let inner = Fields::read(node, "failed", &["status", "causes", "slowerThan"], notes)?;
    let slower_than = inner.parse("slowerThan", notes, |text| duration::micros(text, duration::LATENCY));
    let before = notes.errors.len();
    let mut failures = Failures { statuses: Vec::new(), causes: Vec::new(), slower_than };
    for item in inner.list("status", notes).unwrap_or_default() {
        let Some(text) = fields::text(item, "status", notes) else { continue };
        match Statuses::of(text) {
            Some(statuses) => failures.statuses.push(statuses),
            None => {
                notes.error_hint(item.place, format!("'{text}' is no status"), "write one such as 500, 5xx or 502-504")
            }
        }
    }
    for item in inner.list("causes", notes).unwrap_or_default() {
        let Some(text) = fields::text(item, "causes", notes) else { continue };
        match text.trim().is_empty() {
            true => notes.error(item.place, "a cause is empty"),
            false => failures.causes.push(text.to_string()),
        }
    }
    if failures.statuses.is_empty() && failures.causes.is_empty() && slower_than.is_none() {
        // What is wrong with a status or a cause was said already.
        if notes.errors.len() > before || inner.get("slowerThan").is_some() {
            return None;
        }
        notes.error_hint(node.place, "'failed' names nothing that fails", "such as failed: {status: [5xx]}");
        return None;
    }
    Some(failures)
}
