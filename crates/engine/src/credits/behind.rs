//! Which rows statements were issued from, and which of their days are final: as they were then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDate;
use nines_slo::{Definitions, IssuedStatement};
use nines_store::{LoggedVersion, TableKind};

use super::judged_rows::{lead_in_of, specs};
use crate::evaluate::DAY;
use crate::{Result, Session, names};

/// Rows of one service from which a statement was issued.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct RowsBehind {
    /// The table.
    pub table: TableKind,
    /// Whose rows: the statement's own service, or that of an objective by which its agreement judges.
    pub service: String,
    /// The version of the table that was read, if it was there.
    pub read: Option<i64>,
    /// Whether only rows of the statement's customer count: objectives count those of all.
    pub of_customer: bool,
    /// How long before what the statement read these rows decide as well, in µs.
    pub lead_in: i64,
}

/// The days of a statement whose rows changed after it was issued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedDays {
    /// By UTC day, what the log tells of the last version of the table that changed its rows.
    pub days: BTreeMap<NaiveDate, LoggedVersion>,
    /// How many UTC days decided the statement.
    pub all: usize,
    /// Whether the log no longer tells of all of them.
    pub gone: bool,
}

/// The rows from which a statement was issued, where objectives are those that are recorded now.
pub fn rows_behind(statement: &IssuedStatement, definitions: &Definitions) -> BTreeSet<RowsBehind> {
    let of = |table: TableKind, service: &str, of_customer: bool, lead_in: i64| RowsBehind {
        table,
        service: service.to_string(),
        read: statement.tables.get(table.name()).copied(),
        of_customer,
        lead_in,
    };
    let agreement = statement.agreement().ok();
    let covered = agreement.as_ref().and_then(|agreement| statement.covered(agreement).ok());
    let Some(terms) = covered.map(|covered| covered.terms) else {
        return BTreeSet::from([of(TableKind::Requests, &statement.service, true, 0)]);
    };
    let own = terms.judges_requests().then(|| of(TableKind::Requests, &statement.service, true, 0));
    let judged = specs(terms, definitions)
        .filter_map(|spec| Some(of(names::objective::table(spec).ok()?, &spec.service, false, lead_in_of(spec))));
    own.into_iter().chain(judged).collect()
}

impl Session {
    /// The days from which a statement was issued and on which some rows behind it may have changed since.
    pub async fn moved_days(&self, statement: &IssuedStatement, of: &RowsBehind) -> Result<MovedDays> {
        let Ok(reads) = statement.reads() else { return Ok(MovedDays { gone: true, ..MovedDays::default() }) };
        let days = (reads.start - of.lead_in).div_euclid(DAY)..=(reads.end - 1).div_euclid(DAY);
        let all = days.clone().count();
        let read = of.read.and_then(|read| u64::try_from(read).ok());
        let (Some(store), Some(read)) = (self.store(), read) else {
            return Ok(MovedDays { all, gone: true, ..MovedDays::default() });
        };
        let mut changed = store.table(of.table).changed_days(read, "service", &of.service).await?;
        changed.days.retain(|day, _| days.contains(&i64::from(day.to_epoch_days())));
        Ok(MovedDays { days: changed.days, all, gone: changed.gone })
    }
}
