//! What a table is described by.

use datafusion::arrow::datatypes::Field;

use crate::partition::Partition;

/// How a measure of two rows with the same key combines into one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Counts and sums of what cannot be negative add; NULL is "not measured" and adds nothing.
    Sum,
    /// Numbers of either sign add.
    Total,
    /// The least counts.
    Min,
    /// The greatest counts.
    Max,
    /// The one that came last counts.
    Last,
    /// Exponential histograms merge bucket by bucket.
    Histogram,
    /// Exact cumulative counts at thresholds: counts add per threshold. Both rows must carry the same thresholds.
    CountsLe,
    /// A statement that a batch cannot make twice differently: both rows must agree.
    Same,
}

/// Where rows of a table come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    /// Aggregates of one slice each, with a `time`.
    Series,
    /// What people state.
    Record,
    /// What can be computed again from the others.
    Derived,
}

/// How rows come into derived tables.
pub(super) const DERIVED: &str = "nines derives its rows from definitions and counts, and keeps them to answer sooner";

/// A table.
pub(crate) struct Description {
    /// Its name in SQL and its folder in the store.
    pub name: &'static str,
    pub sort: Sort,
    /// How rows come into it where it is not loaded from files and takes no INSERT.
    pub kept_by_nines: Option<&'static str>,
    pub partition: Partition,
    /// The columns that identify a row, in sort order.
    pub key: &'static [&'static str],
    /// How many of the first columns of the key are the same in all rows of a unit.
    pub group: usize,
    /// All columns for a slice width in seconds, the reserved ones last.
    pub columns: fn(i64) -> Vec<Field>,
    /// The other columns, and how each combines.
    pub measures: &'static [(&'static str, Measure)],
    /// The columns that came in later, all nullable.
    pub later: &'static [&'static str],
    /// Those of them that nothing fills or shows yet.
    pub reserved: &'static [&'static str],
}
