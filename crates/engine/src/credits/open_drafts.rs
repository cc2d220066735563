//! Drafts: statements that wait for approval, in a table of their own.
//!
//! A draft is open until a statement of its key is issued, or it is withdrawn. Nothing that asks what was issued looks at drafts.

use nines_slo::{IssuedStatement, PeriodName};
use nines_store::TableKind;

use super::period_terms::Chosen;
use super::recorded::{Periods, not_withdrawn, open, recorded_in};
use crate::{Result, Session};

/// The drafts of a period.
#[derive(Debug, Default)]
pub(super) struct Drafts {
    /// Those that wait, by agreement, customer and service.
    pub open: Vec<IssuedStatement>,
    /// The version of the table.
    pub version: u64,
}

/// A draft that was not approved, and why.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Unapproved {
    /// The draft.
    pub draft: IssuedStatement,
    /// Sentences: what changed since it was drafted.
    pub why: Vec<String>,
}

impl Session {
    /// The drafts of a period that wait for approval, by agreement, customer and service.
    pub async fn drafts(&self, period: PeriodName, chosen: &Chosen) -> Result<Vec<IssuedStatement>> {
        let issued = self.statements(period, chosen).await?;
        Ok(self.open_drafts(period, chosen, &issued).await?.open)
    }

    /// The same beside what was issued.
    pub(super) async fn open_drafts(
        &self,
        period: PeriodName,
        chosen: &Chosen,
        issued: &[IssuedStatement],
    ) -> Result<Drafts> {
        let Some(store) = self.store() else { return Ok(Drafts::default()) };
        let snapshot = self.snapshot(&store.table(TableKind::Drafts)).await?;
        let Some(version) = snapshot.version() else { return Ok(Drafts::default()) };
        let context = self.reading().await?;
        let recorded = recorded_in(snapshot, &context, Periods::Named(period), chosen, &[not_withdrawn()]).await?;
        Ok(Drafts { open: open(recorded.statements, issued), version })
    }
}
