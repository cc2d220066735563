//! Credits: what each customer is owed for a period.
//!
//! ```text
//! agreements ─┐                      ┌─▶ who is judged: agreement × customer × service
//! fees       ─┼─▶ judging ─▶ one scan┤
//! exclusions ─┤     (rules)  by day  └─▶ counts per slice, compacted day by day ─▶ evidence ─▶ nines_slo::credit
//! incidents  ─┘
//! ```
//!
//! What must hold: `requests` is scanned once for all agreements, and before only where nobody but its rows says of which business
//! a service is, or where the question is about some customers and all rows say whether the period is complete; no more is held of a
//! customer than the slices that decide its credit; a figure does not depend on what else is asked for; what is shown, issued and verified comes from the same [`Owed`].

mod active_time;
mod behind;
mod beside;
mod business;
mod by_objective;
mod carried;
mod carried_texts;
mod case;
mod cases;
mod completeness;
mod counted;
mod counter;
mod credited;
mod drafts;
mod due;
mod exec;
mod exported;
mod exporting;
mod fees;
mod figures;
mod gone;
mod issue;
mod issue_apart;
mod joined;
mod judged_rows;
mod name;
mod naming;
mod open_drafts;
mod owing;
mod period_terms;
mod presence;
mod recorded;
mod recorded_rows;
mod spans;
mod statement_table;
mod statements;
mod table;
mod unissued;
mod verify;
mod wanted;

use std::sync::Arc;

use nines_slo::{Bounds, Credit, Evidence, Month, Rules, Terms};
use nines_timeline::Interval;

pub use behind::{MovedDays, RowsBehind, rows_behind};
pub use completeness::Lack;
pub use exported::ExportedStatements;
pub use issue::{Issued, Issuing, Step};
pub use joined::Joined;
pub(crate) use judged_rows::{lead_in, tables};
pub use open_drafts::Unapproved;
pub use owing::Credits;
pub use period_terms::Chosen;
pub(crate) use statement_table::StatementsOf;
pub(crate) use table::CreditsOf;
pub use unissued::{Unissued, UnissuedKind};
pub use verify::{Today, Verified};

/// What a customer is owed for a service under an agreement, and all that it was worked out from.
#[derive(Debug, Clone)]
pub struct Owed {
    /// Which agreement.
    pub agreement: String,
    /// Whom it is with.
    pub customer: String,
    /// The service that is judged.
    pub service: String,
    /// The business that the service is part of; empty if nobody says.
    pub business: String,
    /// What judged it.
    pub terms: Arc<Terms>,
    /// By which rules.
    pub rules: Rules,
    /// The period's name: its first month, of days its first day.
    pub period: String,
    /// Months of it of which there is no fee, beside others of which there is one: it waits for them.
    pub unpaid: Vec<Month>,
    /// The part of the period that was judged, in µs.
    pub judged: Interval,
    /// The time of which counts are needed: what is judged, and before it the days from which is estimated, in µs.
    pub needed: Interval,
    /// The time of which counts were read: what is needed, and the slices beside what is judged in which runs are followed, in µs.
    pub reads: Interval,
    /// The end of the newest slice of what is judged, in µs; `None` if there is none.
    pub watermark: Option<i64>,
    /// Whether the counts of all of it are stored.
    pub complete: bool,
    /// What is not stored of the service.
    pub lack: Lack,
    /// From when until when the customer was active, gaps included, in µs.
    pub active: Interval,
    /// The figures.
    pub credit: Credit,
    /// What they are at best and at worst where nothing was counted.
    pub bounds: Bounds,
    /// What they were worked out from; `None` where only figures were asked for, or where it moved into a statement.
    pub evidence: Option<Evidence>,
    /// Other agreements that credit from the same fee, by name.
    pub beside: Vec<String>,
    /// Whether there was a request that counts.
    pub traffic: bool,
    /// Why no amount could be worked out, if that is so although there is a fee.
    pub failed: Option<String>,
}

impl Owed {
    /// Agreement, customer and service.
    pub(crate) fn name(&self) -> [String; 3] {
        self.named().map(str::to_string)
    }

    /// The same, borrowed.
    pub(crate) fn named(&self) -> [&str; 3] {
        [&self.agreement, &self.customer, &self.service]
    }
}
