//! A table that is worked out, as a statement reads it.

use datafusion::common::ScalarValue;
use datafusion::logical_expr::Expr;
use nines_slo::moment::Moment;

/// A call of a table function, or a table that is worked out, as a statement reads it: wholly described, so that another process that
/// sees the same versions of the store gives the same rows.
#[derive(Debug, Clone)]
pub(crate) struct TableCall {
    /// Of the function, or of the table.
    pub name: String,
    /// The arguments; none of a table.
    pub given: Vec<ScalarValue>,
    /// What time it is for the statement, and the session's time zone.
    pub at: Moment,
    /// The columns that are wanted; `None`: all.
    pub projection: Option<Vec<usize>>,
    /// The conditions that choose what is worked out. They are applied again to what comes out.
    pub filters: Vec<Expr>,
    /// How many rows suffice.
    pub limit: Option<usize>,
}
