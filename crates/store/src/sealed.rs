//! Days whose raw rows are no longer kept, and what stands for them.
//!
//! The table of raw rows says it itself, by properties that are set in the version in which the rows go: an evaluation that reads one
//! version of the table cannot take rows that went for rows that never were.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;

use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::{Attempt, Entry, Told};
use crate::schema::TableKind;
use crate::table::{Table, pause};

/// Of a table of raw rows: which days are sealed. What was evaluated for a sealed day stays, whatever rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// The first day that had rows, in days since 1970.
    pub from: i32,
    /// The first day of which the rows were not removed.
    pub rows_from: i32,
    /// The first day that is not sealed: not before `rows_from`, because days look back at those before them.
    pub until: i32,
    /// Whether the table `slo_days` says that it holds these days ([`Table::hold`]): one that does not is not the one that did.
    pub held: bool,
}

const FROM: &str = "nines.sealedFrom";
const ROWS_FROM: &str = "nines.rowsFrom";
const UNTIL: &str = "nines.sealedUntil";
const HELD: &str = "nines.sealedHeld";
/// Of `slo_days`: the first day of a raw table whose sealed days it does not hold.
const HOLDS: [(TableKind, &str); 3] = [
    (TableKind::Requests, "nines.holdsRequestsUntil"),
    (TableKind::Events, "nines.holdsEventsUntil"),
    (TableKind::Gauges, "nines.holdsGaugesUntil"),
];
/// How often a commit is tried.
const ATTEMPTS: u32 = 50;

fn day(properties: &HashMap<String, String>, name: &str) -> Option<i32> {
    Some(properties.get(name)?.parse::<NaiveDate>().ok()?.to_epoch_days())
}

fn told(day: i32) -> Option<String> {
    NaiveDate::from_epoch_days(day).map(|day| day.to_string())
}

/// The first day of a raw table that a version of `slo_days` does not hold sealed.
pub(crate) fn holds(properties: &HashMap<String, String>, of: TableKind) -> Option<i32> {
    HOLDS.iter().find(|(kind, _)| *kind == of).and_then(|(_, name)| day(properties, name))
}

impl Table {
    /// Says, in `slo_days`, that sealed days of a raw table before this one are in it.
    pub async fn hold(&self, of: TableKind, until: i32) -> Result<()> {
        let name = HOLDS.iter().find(|(kind, _)| *kind == of).map(|(_, name)| *name);
        let (Some(name), Some(said)) = (name, told(until)) else { return Ok(()) };
        for attempt in 0..ATTEMPTS {
            let base = self.newest().await?;
            let Some(base) = base else {
                self.log().create().await?;
                continue;
            };
            let now = holds(&base.snapshot.table_properties().unknown_properties, of);
            if now.is_some_and(|now| now >= until) {
                return Ok(());
            }
            let told = Told { operation: "SEAL", parameters: vec![("table", of.name().to_string())] };
            let metadata = self.log().with_properties(&base.snapshot, std::iter::once((name, said.clone()))).await?;
            let entry = Entry { told: Some(told), metadata: Some(metadata), same_rows: true, ..Entry::default() };
            let version = base.snapshot.version() + 1;
            match self.commit(version, &Arc::new(entry), false).await? {
                Attempt::Lost => tokio::time::sleep(pause(attempt)).await,
                Attempt::Committed => {
                    self.checkpoint(version).await;
                    return Ok(());
                }
            }
        }
        Err(StoreError::new(
            StoreErrorKind::Conflict,
            format!(
                "{self} has so many writers that {ATTEMPTS} attempts to seal days failed; nothing was removed, try again"
            ),
        ))
    }
}

impl Sealed {
    /// As the properties of a table say it; `None` where nothing was ever sealed.
    pub(crate) fn of(properties: &HashMap<String, String>) -> Option<Self> {
        Some(Self {
            from: day(properties, FROM)?,
            rows_from: day(properties, ROWS_FROM)?,
            until: day(properties, UNTIL)?,
            held: properties.get(HELD).is_some_and(|held| held == "true"),
        })
    }

    /// The properties that say it.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'static str, String)> {
        let days = [(FROM, self.from), (ROWS_FROM, self.rows_from), (UNTIL, self.until)];
        let days = days.into_iter().filter_map(|(name, day)| Some((name, told(day)?)));
        days.chain(self.held.then(|| (HELD, "true".to_string())))
    }

    /// Both: nothing that is sealed is opened again.
    pub fn and(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            from: self.from.min(other.from),
            rows_from: self.rows_from.max(other.rows_from),
            until: self.until.max(other.until),
            held: self.held || other.held,
        })
    }
}
