//! Statements: what was issued for a period, with all that it was computed from.
//!
//! A [`Statement`] is about one agreement, customer, service and period. It carries the agreement's text, the evidence
//! and the figures, so that years later, without any table, [`Statement::verify`] can tell whether it still says what
//! was issued and whether the figures follow from the evidence. Later data lead to a revision that says what changed
//! ([`Statement::revised`]); [`differences`] compares, [`steps`] shows the arithmetic, [`markdown`] and [`html`] are
//! for the customer.
//!
//! ```text
//! Basis ──draw_up──▶ Statement ──to_json──▶ stored ──from_json──▶ Statement ──verify──▶ Verdict
//!                        └─revised─▶ the next revision, if anything that matters changed
//! ```

mod deciding;
mod differences;
mod error;
mod hash;
mod html;
mod json;
mod judged;
mod markdown;
mod measured;
mod page;
mod slice_changes;
mod steps;
mod strip;
mod terms;
mod verify;
mod view;
mod wire;
mod words;

use std::collections::BTreeMap;

use nines_timeline::Interval;

pub(crate) use differences::clause_changes;
pub use differences::{Difference, Subject, differences};
pub use error::StatementError;
pub(crate) use hash::sha256;
pub use html::html;
pub use markdown::markdown;
pub use steps::{Step, steps};
pub use verify::Verdict;

use crate::agreement::{Agreement, Covered};
use crate::credit::{Credit, Evidence, credit};
use crate::document::Stored;
use crate::period::{Month, Period};
use crate::rules::Rules;

/// What was issued: plain data. Instants are µs since the epoch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// The agreement's name.
    pub agreement: String,
    /// With whom.
    pub customer: String,
    /// About what.
    pub service: String,
    /// Of which business; empty where none is given.
    pub business: String,
    /// The first month of the period, by which it is named.
    pub period: Month,
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
    /// What changed since the revision before.
    pub changes: Vec<Difference>,
    /// The SHA-256 of the revision before.
    pub before: Option<String>,
    /// The SHA-256 of the canonical form of all of the above, in hexadecimal digits.
    pub sha256: String,
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
    /// A month of the period.
    pub month: Month,
    /// All versions of the agreement as they are recorded; other definitions among them are passed over.
    pub versions: Vec<Stored>,
    /// From when until when the customer was active, gaps included; `i64::MIN` and `i64::MAX` where nothing is said.
    pub active: Interval,
    /// By which rules the figures come from the evidence.
    pub rules: Rules,
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
}

impl Statement {
    /// Computes a first statement, as if none had been issued before.
    pub fn draw_up(basis: Basis, issued_at: i64) -> Result<Statement, StatementError> {
        let Basis { agreement, customer, service, business, month, active, rules, evidence, .. } = basis;
        let versions = deciding::deciding(&agreement, basis.versions, month, active)?;
        let of = deciding::agreement(&agreement, &versions)?;
        let covered =
            of.covered(month, active, rules).ok_or_else(|| StatementError::nothing_agreed(&agreement, month))?;
        let ((evidence, _), period) = (evidence.compacted(&covered)?, covered.period.first);
        let credit = credit(&covered, &evidence)?;
        let mut statement = Statement {
            agreement,
            customer,
            service,
            business,
            period,
            revision: 1,
            issued_at,
            versions,
            active,
            rules,
            evidence,
            credit,
            tables: basis.tables,
            program: basis.program,
            complete: basis.complete,
            watermark: basis.watermark,
            changes: Vec::new(),
            before: None,
            sha256: String::new(),
        };
        statement.sha256 = hash::of(&statement);
        Ok(statement)
    }

    /// This statement as the revision after the one that was issued before. `None`: nothing that matters changed, so
    /// that there is nothing to issue.
    pub fn revised(mut self, before: &Statement) -> Option<Statement> {
        let changes = differences(before, &self);
        if changes.is_empty() {
            return None;
        }
        self.revision = before.revision.saturating_add(1);
        self.changes = changes;
        self.before = Some(before.sha256.clone());
        self.sha256 = hash::of(&self);
        Some(self)
    }

    /// The agreement, read from the texts that the statement carries.
    pub fn agreement(&self) -> Result<Agreement, StatementError> {
        deciding::agreement(&self.agreement, &self.versions)
    }

    /// The calendar period that it is about.
    pub fn calendar_period(&self) -> Result<Period, StatementError> {
        Ok(self.covered(&self.agreement()?)?.period)
    }

    /// The µs of which rows decided it: what is judged, and where telemetry was lost the days from which was estimated.
    pub fn reads(&self) -> Result<Interval, StatementError> {
        Ok(self.covered(&self.agreement()?)?.reads(&self.evidence.lost))
    }

    /// How the agreement that the statement carries judges the period.
    pub fn covered<'a>(&self, agreement: &'a Agreement) -> Result<Covered<'a>, StatementError> {
        let covered = agreement.covered(self.period, self.active, self.rules);
        covered.ok_or_else(|| StatementError::nothing_agreed(&self.agreement, self.period))
    }
}
