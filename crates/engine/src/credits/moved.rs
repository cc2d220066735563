//! Which past days are final: those whose rows are as they were when something was issued from them.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use nines_slo::IssuedStatement;
use nines_store::{LoggedVersion, TableKind};
use nines_timeline::Interval;

use crate::evaluate::DAY;
use crate::{Result, Session};

/// The days of a statement whose rows changed after it was issued.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct MovedDays {
    /// By UTC day, what the log tells of the last version of `requests` that changed its rows.
    pub days: BTreeMap<NaiveDate, LoggedVersion>,
    /// How many UTC days decided the statement.
    pub all: usize,
    /// Whether the log no longer tells of all of them.
    pub gone: bool,
}

impl Session {
    /// The days from which a statement was issued and on which rows of its service may have changed since.
    pub async fn moved_days(&self, statement: &IssuedStatement) -> Result<MovedDays> {
        let reads = statement.reads().unwrap_or(Interval::new(0, 0));
        let days = reads.start.div_euclid(DAY)..=(reads.end - 1).div_euclid(DAY);
        let all = days.clone().count();
        let read = statement.tables.get(TableKind::Requests.name()).and_then(|read| u64::try_from(*read).ok());
        let (Some(store), Some(read)) = (self.store(), read) else {
            return Ok(MovedDays { all, gone: true, ..MovedDays::default() });
        };
        let mut changed = store.table(TableKind::Requests).changed_days(read, "service", &statement.service).await?;
        changed.days.retain(|day, _| days.contains(&i64::from(day.to_epoch_days())));
        Ok(MovedDays { days: changed.days, all, gone: changed.gone })
    }
}
