//! The raw rows that an evaluation may read: one version of a table, by day.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::RangeInclusive;

use nines_store::{DataFile, Snapshot, TableKind};
use nines_timeline::MICROS;

use super::DAY;

/// A table at one version: which days hold rows, and what names their files.
#[derive(Debug)]
pub(crate) struct Inputs {
    pub kind: TableKind,
    /// `None`: there is no store, or nothing was ever written.
    pub snapshot: Option<Snapshot>,
    /// Hash of the files of each day that has any. The name of a file carries its checksum, so equal names are equal rows.
    days: BTreeMap<i32, u64>,
    /// Hash of the files of all days up to this one.
    until: BTreeMap<i32, u64>,
    /// Start of the first slice in µs; `i64::MAX` where there is none.
    pub first: i64,
    /// End of the newest slice in µs; `i64::MIN` where there is none.
    pub watermark: i64,
    /// The store's slice width in µs.
    pub slot: i64,
}

impl Inputs {
    pub fn new(kind: TableKind, snapshot: Option<Snapshot>, slice_seconds: i64) -> Self {
        let mut hashers: BTreeMap<i32, DefaultHasher> = BTreeMap::new();
        for file in snapshot.iter().flat_map(|snapshot| snapshot.files().iter()) {
            let Some(day) = file.first_day() else { continue };
            file.path().as_ref().hash(hashers.entry(day).or_default());
        }
        let days: BTreeMap<i32, u64> = hashers.into_iter().map(|(day, hasher)| (day, hasher.finish())).collect();
        let mut all = DefaultHasher::new();
        let mut until = BTreeMap::new();
        for (day, hash) in &days {
            (day, hash).hash(&mut all);
            until.insert(*day, all.finish());
        }
        // Where another Delta writer left no exact bounds, a file is taken to begin with its day.
        let start_of = |file: &DataFile| match (file.time_range(), file.first_day()) {
            (Some((first, _)), _) => Some(first),
            (None, day) => Some(i64::from(day?) * DAY),
        };
        let files = snapshot.iter().flat_map(|snapshot| snapshot.files().iter());
        let first = files.filter(|file| file.rows() != Some(0)).filter_map(start_of).min().unwrap_or(i64::MAX);
        let watermark = snapshot.as_ref().and_then(Snapshot::watermark).unwrap_or(i64::MIN);
        Inputs { kind, snapshot, days, until, first, watermark, slot: slice_seconds * MICROS }
    }

    /// Days that have rows, ascending.
    pub fn days(&self) -> impl Iterator<Item = i32> + '_ {
        self.days.keys().copied()
    }

    /// Days within a range that have rows, ascending.
    pub fn days_in(&self, range: RangeInclusive<i32>) -> impl Iterator<Item = i32> + '_ {
        // An empty inclusive range is no range for a map.
        let range = if range.is_empty() { 0..0 } else { *range.start()..range.end().saturating_add(1) };
        self.days.range(range).map(|(day, _)| *day)
    }

    /// Names the rows of a day; 0 where there are none.
    pub fn hash_of(&self, day: i32) -> u64 {
        self.days.get(&day).copied().unwrap_or(0)
    }

    /// Names the rows of all days up to this one.
    pub fn hash_until(&self, day: i32) -> u64 {
        self.until.range(..=day).next_back().map_or(0, |(_, hash)| *hash)
    }

    /// Names the rows of a range of days.
    pub fn hash_in(&self, range: RangeInclusive<i32>) -> u64 {
        let mut hasher = DefaultHasher::new();
        for day in self.days_in(range) {
            (day, self.hash_of(day)).hash(&mut hasher);
        }
        hasher.finish()
    }
}
