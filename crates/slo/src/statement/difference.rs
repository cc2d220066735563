//! What a later revision says of the one before.

use serde::{Deserialize, Serialize};

/// Something that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What it is about.
    pub about: Subject,
    /// A sentence.
    pub text: String,
}

/// What a difference is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Subject {
    /// Whom and what the statement is about.
    Parties,
    /// What is owed.
    Amount,
    /// The percent that is credited.
    Credit,
    /// The availability and the commitment.
    Availability,
    /// The agreement's clauses.
    Terms,
    /// The part of the period that is judged.
    Period,
    /// Requests.
    Requests,
    /// Exclusions.
    Exclusions,
    /// Lost telemetry and what is estimated for it.
    LostTelemetry,
    /// What was paid.
    Fee,
    /// Until when a claim can be made.
    Claim,
    /// Whether the data were complete.
    Completeness,
    /// Evidence that no other subject names.
    Evidence,
    /// The rules by which figures come from evidence.
    Rules,
}
