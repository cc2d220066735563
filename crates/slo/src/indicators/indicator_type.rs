//! What a type of indicator is described by.

use crate::fields::Fields;
use crate::measure::Counts;
use crate::mistake::Notes;

/// A type of indicator.
pub(crate) struct IndicatorType {
    /// The `type` of its `metricSource`.
    pub name: &'static str,
    /// Its parameters, apart from those that all types have.
    pub parameters: &'static [&'static str],
    /// Where it belongs: into a `thresholdMetric`, because the objective's `op` and `value` complete it, else into the `raw` of a
    /// `ratioMetric`.
    pub is_threshold: bool,
    /// Reads its parameters.
    pub read: fn(&Fields<'_>, &mut Notes<'_>) -> Option<Counts>,
}
