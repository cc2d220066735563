//! Counted rows as a record batch of the table's schema.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, Float64Array, Int32Array, Int64Array, RecordBatch, StringViewBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use nines_store::UTC;

use crate::columns::{Column, Columns};
use crate::latency::{CountsLeColumn, HistogramColumn};
use crate::rows::{Entry, Latency};

/// A batch of these entries; one pass per column.
pub(crate) fn batch(
    schema: &SchemaRef,
    columns: &Columns,
    texts: &[Arc<str>],
    entries: &[Entry],
) -> Result<RecordBatch, ArrowError> {
    let arrays = columns.stored().map(|(_, column)| array(column, texts, entries)).collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(schema), arrays)
}

fn array(column: Column, texts: &[Arc<str>], entries: &[Entry]) -> Result<ArrayRef, ArrowError> {
    let latencies = || entries.iter().map(|entry| entry.latency.as_deref());
    Ok(match column {
        Column::Time => {
            let slices = TimestampMicrosecondArray::from_iter_values(entries.iter().map(|entry| entry.key.slice));
            Arc::new(slices.with_timezone(UTC))
        }
        Column::Text(at) => {
            let mut builder = StringViewBuilder::with_capacity(entries.len());
            for entry in entries {
                builder.append_value(&texts[entry.key.text[at] as usize]);
            }
            Arc::new(builder.finish())
        }
        Column::Status => Arc::new(Int32Array::from_iter_values(entries.iter().map(|entry| entry.key.status))),
        Column::Count(at) => Arc::new(Int64Array::from_iter_values(entries.iter().map(|entry| entry.counts[at]))),
        Column::LatencySum | Column::LatencySeconds => {
            Arc::new(latencies().map(|latency| latency?.sum).collect::<Float64Array>())
        }
        Column::Latency => {
            let mut histograms = HistogramColumn::default();
            latencies()
                .for_each(|latency: Option<&Latency>| histograms.push(latency.and_then(|l| l.histogram.as_ref())));
            histograms.finish()?
        }
        Column::LatencyLe => {
            let mut counts = CountsLeColumn::default();
            latencies().for_each(|latency| counts.push(latency.and_then(|l| l.le.as_ref())));
            counts.finish()?
        }
    })
}
