//! The raw rows that an evaluation may read: one version of a table, by day.

use std::ops::RangeInclusive;
use std::sync::OnceLock;

use datafusion::common::plan_err;
use datafusion::error::Result;
use nines_store::{FilePartition, Sealed, Snapshot, TableKind};
use nines_timeline::MICROS;

use super::name::Name;

/// The raw tables, in the order in which they are kept here.
pub(crate) const RAW: [TableKind; 3] = [TableKind::Requests, TableKind::Events, TableKind::Gauges];

/// The raw table of this name.
pub(crate) fn raw(name: &str) -> Result<TableKind> {
    match TableKind::from_name(name).filter(|kind| RAW.contains(kind)) {
        Some(kind) => Ok(kind),
        None => plan_err!("an indicator counts rows of requests, events or gauges, not of {name}"),
    }
}

/// A table at one version: which days hold rows, and what names them.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub kind: TableKind,
    /// `None`: there is no store, or nothing was ever written.
    pub snapshot: Option<Snapshot>,
    /// Names the rows of all days up to each one that has any. Few questions ask for it.
    until: OnceLock<Vec<(i32, u64)>>,
    /// Names the rows of each day that has any.
    named: OnceLock<Vec<(i32, u64)>>,
    /// Start of the first slice in µs; `i64::MAX` where there is none.
    pub first: i64,
    /// End of the newest slice in µs; `i64::MIN` where there is none.
    pub watermark: i64,
    /// The store's slice width in µs.
    pub slot: i64,
    /// The days whose figures stay, whatever rows there are.
    pub sealed: Option<Sealed>,
}

impl Inputs {
    /// Looks at the first and at the last days alone.
    pub fn new(kind: TableKind, snapshot: Option<Snapshot>, slice_seconds: i64) -> Self {
        let first = snapshot.as_ref().and_then(Snapshot::first).unwrap_or(i64::MAX);
        let watermark = snapshot.as_ref().and_then(Snapshot::watermark).unwrap_or(i64::MIN);
        let sealed = snapshot.as_ref().and_then(Snapshot::sealed);
        Inputs {
            kind,
            snapshot,
            until: OnceLock::new(),
            named: OnceLock::new(),
            first,
            watermark,
            slot: slice_seconds * MICROS,
            sealed,
        }
    }

    /// Days that have rows, ascending.
    pub fn days(&self) -> impl Iterator<Item = i32> + '_ {
        self.days_in(i32::MIN..=i32::MAX)
    }

    /// Days within a range that have rows, ascending.
    pub fn days_in(&self, range: RangeInclusive<i32>) -> impl Iterator<Item = i32> + '_ {
        self.stored(range).filter_map(FilePartition::first_day)
    }

    fn stored(&self, range: RangeInclusive<i32>) -> impl Iterator<Item = &FilePartition> {
        self.snapshot.iter().flat_map(move |snapshot| snapshot.days_in(range.clone()))
    }

    /// Whether a day is sealed.
    pub fn is_sealed(&self, day: i32) -> bool {
        self.sealed.is_some_and(|sealed| day < sealed.until)
    }

    /// Whether rows of a range of days were removed, so that nothing can be worked out from all of them any more.
    pub fn lacks(&self, days: &RangeInclusive<i32>) -> bool {
        self.sealed.is_some_and(|sealed| *days.start() < sealed.rows_from && *days.end() >= sealed.from)
    }

    /// Names the rows of each day that has any, ascending.
    fn named(&self) -> &[(i32, u64)] {
        let named = |of: &FilePartition| Some((of.first_day()?, of.content()));
        self.named.get_or_init(|| self.stored(i32::MIN..=i32::MAX).filter_map(named).collect())
    }

    /// Names the rows of a day; 0 where there are none.
    pub fn hash_of(&self, day: i32) -> u64 {
        let days = self.named();
        // Asked for each day of each objective: mostly days follow each other.
        let first = days.first().map_or(0, |(first, _)| i64::from(*first));
        let guess = usize::try_from(i64::from(day) - first).ok().and_then(|at| days.get(at));
        match guess {
            Some((of, named)) if *of == day => *named,
            _ => days.binary_search_by_key(&day, |(of, _)| *of).map_or(0, |at| days[at].1),
        }
    }

    /// Names the rows of all days up to this one.
    pub fn hash_until(&self, day: i32) -> u64 {
        let until = self.until.get_or_init(|| {
            let mut name = Name::default();
            self.named().iter().map(|&(day, content)| (day, name.day(day, content))).collect()
        });
        let after = until.partition_point(|(of, _)| *of <= day);
        after.checked_sub(1).map_or(0, |at| until[at].1)
    }

    /// Names the rows of a range of days.
    pub fn hash_in(&self, range: RangeInclusive<i32>) -> u64 {
        let mut name = Name::default();
        let days = self.named();
        let from = days.partition_point(|(day, _)| day < range.start());
        let days = days[from..].iter().take_while(|(day, _)| day <= range.end());
        days.fold(0, |_, &(day, content)| name.day(day, content))
    }
}
