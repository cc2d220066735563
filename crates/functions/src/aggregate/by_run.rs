//! Aggregates that are told where the rows of a group stand side by side, and when no more rows of a day come.

use std::ops::Range;

use datafusion::arrow::array::{ArrayRef, BooleanArray};
use datafusion::common::Result;

/// Neighbouring rows of one group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupRun {
    /// Whose rows these are.
    pub group: usize,
    /// Which rows of the batch.
    pub rows: Range<usize>,
}

/// An accumulator of timelines, for an operator whose rows come sorted.
pub trait ByRun {
    /// As `update_batch`, for rows that are all of some group: the runs ascend and leave out no row.
    fn update_runs(
        &mut self,
        values: &[ArrayRef],
        runs: &[GroupRun],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()>;

    /// Whether its slices are parts of UTC days, so that the rows of a day say all about them.
    fn judges_days(&self) -> bool;

    /// No more rows come of the slices of which rows have come: they are judged, and their counts given up.
    fn judge(&mut self) -> Result<()>;
}
