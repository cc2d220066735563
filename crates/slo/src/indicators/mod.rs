//! The types of indicators, a file each: their parameters, and what they count by.
//!
//! A type that can be said as a condition and two sums over the rows of a table, as `nines/sql` does, is a file and a line in [`ALL`].
//! One that counts rows in a way of its own is a variant of [`Indicator`](crate::Indicator), too: the compiler then names the places where
//! evaluation must know it.

mod availability;
mod events;
mod gauge;
mod indicator_type;
mod latency;
mod parameters;
mod sql;

pub(crate) use indicator_type::IndicatorType;
pub(crate) use parameters::{causes, labels, party, patterns};

use crate::fields::Fields;
use crate::measure::{Counts, Measure};
use crate::mistake::Notes;
use crate::objective::NoData;
use crate::pattern::RowFilter;

/// All types, in the order in which they are told to people.
pub(crate) const ALL: &[IndicatorType] = &[availability::TYPE, latency::TYPE, events::TYPE, gauge::TYPE, sql::TYPE];

/// Parameters of every type.
const COMMON: [&str; 5] = ["business", "endpoint", "customer", "labels", "noData"];

/// Reads the parameters of an indicator.
pub(crate) fn read(kind: &IndicatorType, source: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Measure> {
    let known = [kind.parameters, &COMMON].concat();
    // Without parameters `spec` may be left out; what is required is then missing from the source itself.
    let spec = match source.get("spec") {
        Some(spec) => &Fields::read(spec, "the indicator's spec", &known, notes)?,
        None => &source.nothing("the indicator's spec"),
    };
    let before = notes.errors.len();
    let rows = RowFilter {
        businesses: patterns(spec, "business", notes),
        endpoints: patterns(spec, "endpoint", notes),
        customers: patterns(spec, "customer", notes),
        labels: labels(spec, notes),
    };
    let words = [("ok", NoData::Ok), ("error", NoData::Error), ("ignore", NoData::Ignore)];
    let no_data = spec.word("noData", &words, notes);
    let counts = (kind.read)(spec, notes)?;
    let gauges = match &counts {
        Counts::Whole(indicator) => indicator.table() == "gauges",
        Counts::Gauge { .. } => true,
    };
    let default = if gauges { NoData::Ignore } else { NoData::Ok };
    (notes.errors.len() == before).then(|| Measure {
        kind: kind.name,
        rows,
        no_data: no_data.unwrap_or(default),
        counts,
    })
}
