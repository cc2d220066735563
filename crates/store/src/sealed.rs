//! Days whose raw rows are no longer kept, and what stands for them.
//!
//! The table of raw rows says it itself, by properties that are set in the version in which the rows go: an evaluation that reads one
//! version of the table cannot take rows that went for rows that never were.

use std::collections::HashMap;

use chrono::NaiveDate;

/// Of a table of raw rows: which days are sealed. What was evaluated for a sealed day stays, whatever rows there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sealed {
    /// The first day that had rows, in days since 1970.
    pub from: i32,
    /// The first day of which the rows were not removed.
    pub rows_from: i32,
    /// The first day that is not sealed: not before `rows_from`, because days look back at those before them.
    pub until: i32,
}

const FROM: &str = "nines.sealedFrom";
const ROWS_FROM: &str = "nines.rowsFrom";
const UNTIL: &str = "nines.sealedUntil";

impl Sealed {
    /// As the properties of a table say it; `None` where nothing was ever sealed.
    pub(crate) fn of(properties: &HashMap<String, String>) -> Option<Self> {
        let day = |name: &str| Some(properties.get(name)?.parse::<NaiveDate>().ok()?.to_epoch_days());
        Some(Self { from: day(FROM)?, rows_from: day(ROWS_FROM)?, until: day(UNTIL)? })
    }

    /// The properties that say it.
    pub(crate) fn properties(self) -> impl Iterator<Item = (&'static str, String)> {
        let told = |day: i32| NaiveDate::from_epoch_days(day).map(|day| day.to_string());
        [(FROM, self.from), (ROWS_FROM, self.rows_from), (UNTIL, self.until)]
            .into_iter()
            .filter_map(move |(name, day)| Some((name, told(day)?)))
    }

    /// Both: nothing that is sealed is opened again.
    pub fn and(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| Self {
            from: self.from.min(other.from),
            rows_from: self.rows_from.max(other.rows_from),
            until: self.until.max(other.until),
        })
    }
}
