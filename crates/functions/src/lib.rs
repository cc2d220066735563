//! SQL functions of the algebra: aggregates that make and join timelines, scalars that read them, and windows over counters. And those of
//! DataFusion whose arithmetic is not exact: sums, means, and operators on integers.
//!
//! One function per file. Functions never do I/O and hold no state but the session's time zone, in which
//! planning reads zoneless times; once planned, a call decodes by name on any machine.

mod aggregate;
mod arithmetic;
mod arrays;
mod function;
mod scalar;
mod share_column;
mod time;
mod types;
mod window;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use datafusion::common::Result;
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::ScalarUDF;

pub use aggregate::functions as aggregates;
pub use aggregate::{ByRun, GroupRun, by_run};
pub use arithmetic::{CheckedArithmetic, checked};
pub use arrays::{TimelineArrayBuilder, TimelineReader, sources_array};
pub use scalar::LabelAccess;
pub use time::{times, to_date, zone_of_to_date};
pub use types::{
    SLICE_SECONDS, histogram_type, instant_type, interval_list_type, is_timeline, sources_type, timeline_type,
};
pub use window::functions as windows;

/// All scalar functions, for a session in this time zone.
pub fn scalars(time_zone: &str) -> Vec<Arc<ScalarUDF>> {
    let mut all = scalar::functions(time_zone);
    all.extend(arithmetic::functions());
    all
}

/// Registers DataFusion's time functions as [`times`] makes them.
pub fn register_times(registry: &mut dyn FunctionRegistry, time_zone: &str, now: Option<DateTime<Utc>>) -> Result<()> {
    for function in times(time_zone, now) {
        registry.register_udf(function)?;
    }
    Ok(())
}

/// Registers every function, `sum` and `avg` in the place of DataFusion's, and the arithmetic of constants; a session
/// adds [`CheckedArithmetic`] to its analyzer besides. Zoneless times in their arguments are read in `time_zone`, an
/// IANA name.
pub fn register_all(registry: &mut dyn FunctionRegistry, time_zone: &str) -> Result<()> {
    for function in aggregates(time_zone) {
        registry.register_udaf(function)?;
    }
    for function in scalars(time_zone) {
        registry.register_udf(function)?;
    }
    for function in windows() {
        registry.register_udwf(function)?;
    }
    registry.register_expr_planner(Arc::new(CheckedArithmetic))
}
