//! What is issued: plain data.

use std::collections::BTreeMap;

use nines_timeline::Interval;

use crate::credit::{Credit, Evidence};
use crate::object::Stored;
use crate::period::PeriodName;
use crate::rules::Rules;
use crate::statement::difference::Difference;

/// What was issued: plain data. Instants are µs since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuedStatement {
    /// The agreement's name.
    pub agreement: String,
    /// With whom.
    pub customer: String,
    /// About what.
    pub service: String,
    /// Of which business; empty where none is given.
    pub business: String,
    /// The period: of months the first one, of days the first day.
    pub period: PeriodName,
    /// 1 for what was issued first.
    pub revision: u32,
    /// When it was issued.
    pub issued_at: i64,
    /// The versions of the agreement that decide how the period is judged, by effective date.
    pub versions: Vec<AgreementText>,
    /// From when until when the customer was active, gaps included; `i64::MIN` and `i64::MAX` where nothing is said.
    pub active: Interval,
    /// By which rules the figures come from the evidence.
    pub rules: Rules,
    /// Other agreements that credit from the same fee, by name.
    pub beside: Vec<String>,
    /// What the figures come from.
    pub evidence: Evidence,
    /// The figures.
    pub credit: Credit,
    /// The version of each table that was read.
    pub tables: BTreeMap<String, i64>,
    /// The program that computed it, with its version.
    pub program: String,
    /// Whether the data of the period were complete.
    pub complete: bool,
    /// The end of the newest data at the time.
    pub watermark: Option<i64>,
    /// What was not stored of the service: local days without a row, an exclusion or an incident. Empty where the data were
    /// complete, and in statements that did not say it.
    pub missing: Vec<Interval>,
    /// What changed since the revision before.
    pub changes: Vec<Difference>,
    /// The SHA-256 of the revision before.
    pub before: Option<String>,
    /// The SHA-256 of the canonical form of all of the above, in hexadecimal digits.
    pub sha256: String,
    /// Who signed the same, as `ed25519:KEY:SIGNATURE`.
    pub signature: Option<String>,
}

/// A version of an agreement as it was applied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementText {
    /// From when it was in force; [`SINCE_EVER`](crate::SINCE_EVER) for since ever.
    pub effective_from: i64,
    /// Of the text, in hexadecimal digits.
    pub sha256: String,
    /// YAML.
    pub text: String,
    /// The rules of the version of Nines that recorded it.
    pub rules: Rules,
}

/// What a statement is drawn up from.
#[derive(Debug, Clone)]
pub struct Basis {
    /// The agreement's name.
    pub agreement: String,
    /// With whom.
    pub customer: String,
    /// About what.
    pub service: String,
    /// Of which business; may be empty.
    pub business: String,
    /// The name of the period, or of a month of it.
    pub period: PeriodName,
    /// All versions of the agreement as they are recorded; other definitions among them are passed over.
    pub versions: Vec<Stored>,
    /// From when until when the customer was active, gaps included; `i64::MIN` and `i64::MAX` where nothing is said.
    pub active: Interval,
    /// By which rules the figures come from the evidence.
    pub rules: Rules,
    /// Other agreements that credit from the same fee, by name.
    pub beside: Vec<String>,
    /// What was counted; need not be compacted.
    pub evidence: Evidence,
    /// The version of each table that was read.
    pub tables: BTreeMap<String, i64>,
    /// The program and its version.
    pub program: String,
    /// Whether the data of the period are complete.
    pub complete: bool,
    /// The end of the newest data.
    pub watermark: Option<i64>,
    /// What is not stored of the service, as days that begin at midnight in the agreement's zone.
    pub missing: Vec<Interval>,
}
