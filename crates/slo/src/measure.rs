//! What an indicator measures, as far as the indicator alone decides it.

use crate::objective::{Hold, Indicator, NoData, Statistic};
use crate::pattern::RowFilter;

/// What a Nines indicator measures.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Measure {
    /// The `type` of the indicator.
    pub kind: &'static str,
    pub rows: RowFilter,
    pub no_data: NoData,
    pub counts: Counts,
}

/// An indicator, as far as the SLI alone decides it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Counts {
    Whole(Indicator),
    /// The objective's `op` and `value` are still to come.
    Gauge {
        name: String,
        statistic: Statistic,
        hold: Option<Hold>,
    },
}
