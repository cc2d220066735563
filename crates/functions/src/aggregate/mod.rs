//! Aggregate functions. Each is a `GroupsAccumulator` whose partial states merge across partitions and
//! machines; without GROUP BY the same accumulator runs with one group.
//!
//! A function file gives its documentation, its parameters, its result type and its accumulator;
//! [`function::aggregate_function!`] makes the rest. What DataFusion asks of an aggregate holds for all of them: it is
//! evaluated again and again while a window grows ([`single`]), rows leave a window that slides ([`sliding`]), DISTINCT
//! counts equal rows once ([`distinct`]), and the order of rows never tells.

mod accumulator;
mod avg;
mod by_run;
mod distinct;
mod error_sources;
mod error_union;
mod function;
mod histogram_merge;
mod judged;
mod page;
mod per_group;
mod ratio_timeline;
mod single;
mod slice_counts;
mod slices;
mod sliding;
mod sum;
mod summand;
mod timeline;
mod total;
mod totals;

use std::any::Any;
use std::sync::Arc;

use datafusion::logical_expr::{AggregateUDF, GroupsAccumulator};

pub use by_run::{ByRun, GroupRun};
use ratio_timeline::CountRows;
use slices::Slices;
use timeline::OkRows;

/// All aggregate functions, for a session in this time zone.
pub fn functions(time_zone: &str) -> Vec<Arc<AggregateUDF>> {
    let zone = || Arc::<str>::from(time_zone);
    vec![
        Arc::new(AggregateUDF::new_from_impl(timeline::Timeline::new(zone()))),
        Arc::new(AggregateUDF::new_from_impl(ratio_timeline::RatioTimeline::new(zone()))),
        Arc::new(AggregateUDF::new_from_impl(error_union::ErrorUnion::new(zone()))),
        Arc::new(AggregateUDF::new_from_impl(error_sources::ErrorSources::new(zone()))),
        Arc::new(AggregateUDF::new_from_impl(histogram_merge::HistogramMerge::new(zone()))),
        Arc::new(AggregateUDF::new_from_impl(sum::Sum::default())),
        Arc::new(AggregateUDF::new_from_impl(avg::Avg::default())),
    ]
}

/// The accumulator, if it is one of `timeline` or `ratio_timeline` without DISTINCT.
pub fn by_run(accumulator: &mut dyn GroupsAccumulator) -> Option<&mut dyn ByRun> {
    let accumulator = accumulator as &mut dyn Any;
    if accumulator.is::<Slices<CountRows>>() {
        return accumulator.downcast_mut::<Slices<CountRows>>().map(|slices| slices as &mut dyn ByRun);
    }
    accumulator.downcast_mut::<Slices<OkRows>>().map(|slices| slices as &mut dyn ByRun)
}
