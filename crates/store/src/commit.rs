//! What an append did: how it ended, and what it meant for the rows of the table.

use std::ops::Add;

use crate::upsert::Overlap;

/// What an append did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Commit {
    /// How it ended.
    pub outcome: Outcome,
    /// Number of rows of the batch, after those of the same key were combined.
    pub rows: u64,
    /// Start of the batch's first and of its last slice, in µs; `None` for records.
    pub time_range: Option<(i64, i64)>,
    /// What it meant for the rows of the table.
    pub changes: Changes,
    /// Number of files added to the table.
    pub files: usize,
    /// Bytes of those files.
    pub bytes: u64,
    /// Slices of rows that add of which their sources have said something before, in other files.
    pub overlap: Option<Overlap>,
    /// Slices of rows that replace in which rows of their sources stay because they have other labels.
    pub relabelled: Option<Overlap>,
}

/// How an append ended. Whatever it says is durable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Outcome {
    /// There were no rows, and so nothing to do.
    #[default]
    Empty,
    /// It became this version of the table.
    Stored(u64),
    /// All rows were stored already, with the same values.
    Unchanged,
    /// It would become the next version of the table: nothing was stored, as was asked for.
    Tried,
    /// The batch was delivered before, and became this version where that can still be told. Its rows were not looked at.
    Delivered(Option<u64>),
}

/// What an append meant for the rows of the table.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Changes {
    /// Rows of the batch whose key was not there.
    pub added: u64,
    /// Rows of the batch that took the place of one with other values.
    pub replaced: u64,
    /// Rows of the batch that were there with the same values.
    pub unchanged: u64,
    /// Rows of the table that went without another of their key, because the batch says of their
    /// unit something else: a relabelled cause.
    pub removed: u64,
}

impl Commit {
    /// The version that it became, if it changed anything.
    pub fn version(&self) -> Option<u64> {
        match self.outcome {
            Outcome::Stored(version) => Some(version),
            _ => None,
        }
    }
}

impl Add for Changes {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            added: self.added + other.added,
            replaced: self.replaced + other.replaced,
            unchanged: self.unchanged + other.unchanged,
            removed: self.removed + other.removed,
        }
    }
}
