//! Requests and their latencies per slice and key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Float64Array, Int64Array};
use datafusion::arrow::error::ArrowError;
use nines_store::check_requests;

use super::latency::{Latency, LatencyRow};
use super::series::Measured;
use super::sum;
use crate::Result;
use crate::columns::{Column, Named};
use crate::fields::{Cell, json, misplaced};
use crate::latency::{self, COUNTS_LE, CountsLeColumn, HISTOGRAM, HistogramColumn};

/// Requests of a slice and key.
#[derive(Debug, Default)]
pub(crate) struct Requests {
    requests: i64,
    latency: Option<Box<Latency>>,
}

/// One row of requests.
#[derive(Debug, Default)]
pub(crate) struct RequestsRow {
    /// A row without a count is one request.
    pub requests: Option<i64>,
    pub latency: LatencyRow,
}

impl Measured for Requests {
    type Row = RequestsRow;

    fn set(row: &mut RequestsRow, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Count(_) => row.requests = Some(cell.count(name)?),
            _ if cell.is_missing() => {}
            Column::LatencySum => row.latency.sum = Some(cell.seconds(name)?),
            Column::LatencySeconds => row.latency.seconds = Some(cell.seconds(name)?),
            Column::Latency => row.latency.histogram = Some(json(name, cell, HISTOGRAM, latency::histogram_from_json)?),
            Column::LatencyLe => row.latency.le = Some(json(name, cell, COUNTS_LE, latency::counts_le_from_json)?),
            _ => return Err(misplaced(name)),
        }
        Ok(())
    }

    const HAS_LATENCIES: bool = true;

    fn is_counted(row: &RequestsRow) -> bool {
        row.requests.is_some()
    }

    fn add(&mut self, row: RequestsRow, _time: i64, agreed: Option<&Arc<[i64]>>) -> Result<()> {
        let requests = row.requests.unwrap_or(1);
        // A count beyond 64 bits is more than there can be requests.
        let latencies = row.latency.histogram.as_ref().map(|histogram| histogram.count().map_or(i128::MAX, i128::from));
        let within = row.latency.le.as_ref().and_then(|le| le.last()).map(|&(_, count)| count);
        check_requests(requests, latencies, within)?;
        let sum = sum("requests", self.requests, requests)?;
        if row.latency.is_given() {
            self.latency.get_or_insert_default().add(row.latency, requests, agreed)?;
        }
        self.requests = sum;
        Ok(())
    }

    fn bytes(&self) -> usize {
        self.latency.as_ref().map_or(0, |latency| latency.bytes())
    }

    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError> {
        let latency = |requests: &'a Self| requests.latency.as_deref();
        Ok(match column {
            Column::Latency => {
                let mut histograms = HistogramColumn::default();
                measured.for_each(|requests| histograms.push(latency(requests).and_then(|l| l.histogram.as_ref())));
                histograms.finish()?
            }
            Column::LatencyLe => {
                let mut counts = CountsLeColumn::default();
                measured.for_each(|requests| counts.push(latency(requests).and_then(Latency::counts_le).as_ref()));
                counts.finish()?
            }
            Column::LatencySum => Arc::new(measured.map(|requests| latency(requests)?.sum()).collect::<Float64Array>()),
            _ => Arc::new(Int64Array::from_iter_values(measured.map(|requests| requests.requests))),
        })
    }
}
