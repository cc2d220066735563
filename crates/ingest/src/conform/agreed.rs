//! Exact counts of requests within agreed limits, of columns that hold latencies one by one.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, Float64Array, Int64Array, StringViewArray};

use super::cast::internal;
use super::{Input, seconds};
use crate::agreed::Within;
use crate::columns::Column;
use crate::fields::misplaced;
use crate::latency::CountsLeColumn;
use crate::{AgreedLimits, Result};

impl Input<'_> {
    /// Whether requests within agreed limits are counted: latencies are known one by one.
    pub(super) fn counts_agreed(&self) -> bool {
        !self.options.agreed.is_empty() && self.find(Column::LatencySeconds).is_some()
    }

    /// Exact counts of requests within the limits that are agreed for their services.
    pub(super) fn agreed(&self) -> Result<ArrayRef> {
        let Some(taken) = self.find(Column::LatencySeconds) else { return Err(misplaced("latency_seconds")) };
        let service = self.columns.stored().find(|(name, _)| *name == "service");
        let services = self.array(service.ok_or_else(|| misplaced("service"))?)?;
        let taken = seconds("latency_seconds", taken)?;
        counted(&self.options.agreed, services.as_string_view(), &taken, &self.requests()?)
    }
}

/// `latency_le` of rows whose requests all took the same time: how many are within the limits that are agreed for each service.
fn counted(
    limits: &AgreedLimits,
    services: &StringViewArray,
    seconds: &Float64Array,
    requests: &Int64Array,
) -> Result<ArrayRef> {
    let mut known: HashMap<&str, Option<Arc<[i64]>>> = HashMap::new();
    let mut column = CountsLeColumn::default();
    for ((service, taken), &n) in services.iter().zip(seconds).zip(requests.values()) {
        let service = service.unwrap_or_default();
        let limits = known.entry(service).or_insert_with(|| limits.of(service));
        let counts = taken.filter(|_| n > 0).zip(limits.as_ref()).map(|(taken, limits)| {
            let mut within = Within::of(limits);
            within.add(taken, n);
            within.counts()
        });
        column.push(counts.as_ref());
    }
    column.finish().map_err(|e| internal("latency_le", e))
}
