//! What accumulators of groups do here beyond DataFusion's trait.

use datafusion::arrow::array::ArrayRef;
use datafusion::common::Result;
use datafusion::logical_expr::GroupsAccumulator;

/// An accumulator that can be had without groups, as often as needed.
pub(crate) trait Fresh: GroupsAccumulator + Sync + Sized + 'static {
    /// The same accumulator without groups.
    fn fresh(&self) -> Self;
}

/// An accumulator whose groups stay as they are when they are read.
pub(crate) trait Lasting: GroupsAccumulator + Sync + Sized + 'static {
    /// The results of all groups.
    fn results(&mut self) -> Result<ArrayRef>;

    /// The partial states of all groups.
    fn states(&mut self) -> Result<Vec<ArrayRef>>;
}
