//! Scalar functions: figures of a timeline, timelines from timelines, counts and histograms.
//!
//! A function file gives its documentation, its parameters, its result type and how one row is computed;
//! [`function::scalar_function!`] makes the rest. NULL in any argument gives NULL.

mod assume_error;
mod assume_ok;
mod availability;
mod budget_remaining;
mod burn_rate;
mod clip;
mod drop_short_errors;
mod error_intervals;
mod error_seconds;
mod exclude;
mod failure_count;
mod failure_intervals;
mod function;
mod histogram_count;
mod histogram_count_le;
mod histogram_quantile;
mod label;
mod measured_seconds;
mod mtbf;
mod mttr;
mod slice_ok;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use label::LabelAccess;

/// All of them, for a session in this time zone.
pub(crate) fn functions(time_zone: &str) -> Vec<Arc<ScalarUDF>> {
    let zone = || Arc::<str>::from(time_zone);
    vec![
        Arc::new(ScalarUDF::new_from_impl(availability::Availability::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(error_seconds::ErrorSeconds::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(measured_seconds::MeasuredSeconds::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(mttr::Mttr::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(mtbf::Mtbf::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(failure_count::FailureCount::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(error_intervals::ErrorIntervals::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(failure_intervals::FailureIntervals::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(burn_rate::BurnRate::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(budget_remaining::BudgetRemaining::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(clip::Clip::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(exclude::Exclude::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(assume_ok::AssumeOk::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(assume_error::AssumeError::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(drop_short_errors::DropShortErrors::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(slice_ok::SliceOk::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(histogram_count::HistogramCount::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(histogram_count_le::HistogramCountLe::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(histogram_quantile::HistogramQuantile::new(zone()))),
        Arc::new(ScalarUDF::new_from_impl(label::Label::new(zone()))),
    ]
}
