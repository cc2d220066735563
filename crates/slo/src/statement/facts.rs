//! What a statement says beside its figures, as rows of tables have it.

use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::agreement::{Agreement, Side, Terms};
use crate::statement::{IssuedStatement, StatementError};

/// What a statement says beside its figures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StatementFacts {
    /// Who draws it up: the one who owes the credit, or the one who claims it.
    pub side: Side,
    /// The issuer's number, where the agreement says how statements are numbered.
    pub number: Option<String>,
    /// In which the period is laid.
    pub time_zone: Tz,
    /// The part of the period that is judged, in µs.
    pub judged: Interval,
}

impl IssuedStatement {
    /// What it says beside its figures, by the [`agreement`](IssuedStatement::agreement) that it carries. An error if that covers nothing
    /// of the period.
    pub fn facts(&self, agreement: &Agreement) -> Result<StatementFacts, StatementError> {
        let covered = self.covered(agreement)?;
        Ok(StatementFacts {
            side: covered.terms.side,
            number: self.number(covered.terms),
            time_zone: covered.terms.time_zone,
            judged: covered.interval,
        })
    }

    /// The issuer's number.
    pub(crate) fn number(&self, terms: &Terms) -> Option<String> {
        let (period, revision) = (self.period.to_string(), self.revision.to_string());
        terms.issuer.as_ref()?.number([&self.agreement, &self.customer, &self.service, &period, &revision])
    }
}
