//! What a batch says of rows that are stored, beyond its own.

use std::collections::HashSet;

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// What rows mean for those that are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rule {
    /// They are all that their source says of their units, pieces of its files included. A row that is itself of a piece
    /// says nothing of other pieces.
    #[default]
    Replace,
    /// They add: pieces stand beside what is stored, and rows of a gauge merge with the stored row of their key.
    Add {
        /// What a plain source says of slices before this instant, in µs, may be raw rows that an older version stored. Rows
        /// over such slices are refused ([`StoreErrorKind::Overlap`](crate::StoreErrorKind::Overlap)).
        older_until: i64,
    },
    /// They are all that their sources say of their business, service and name from the first slice of the batch to the last.
    Span,
}

/// What rows are of, apart from their slice: business, service, name and plain source, encoded.
pub(crate) type Scope = Vec<u8>;

/// All that a batch of [`Rule::Span`] speaks of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Span {
    pub scopes: HashSet<Scope>,
    /// Start of the first slice and of the last, in µs.
    pub from: i64,
    pub to: i64,
}

impl Span {
    /// The UTC day of the first slice, in days since 1970.
    pub(crate) fn first_day(&self) -> i32 {
        self.from.div_euclid(MICROS_PER_DAY) as i32
    }

    /// That of the last.
    pub(crate) fn last_day(&self) -> i32 {
        self.to.div_euclid(MICROS_PER_DAY) as i32
    }
}

/// Slices of a batch of [`Rule::Add`] of which the same sources have said something before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Overlap {
    /// How many, counted by business, service, name and source.
    pub slices: u64,
    /// Start of the first, in µs.
    pub first: i64,
    /// Start of the last.
    pub last: i64,
}

impl Overlap {
    pub(crate) fn of(slice: i64) -> Self {
        Self { slices: 1, first: slice, last: slice }
    }

    pub(crate) fn and(self, other: Self) -> Self {
        Self { slices: self.slices + other.slices, first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}
