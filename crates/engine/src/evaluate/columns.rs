//! The columns of a batch of raw rows, by name, as typed arrays; and which of them an evaluation needs.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Float64Array, Int32Array, Int64Array, ListArray, PrimitiveArray, RecordBatch,
    StringViewArray, StructArray,
};
use datafusion::arrow::datatypes::{ArrowPrimitiveType, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use nines_slo::{Indicator, Statistic};
use nines_store::{TableKind, run_starts};

use super::part::Split;
use super::subject::{Between, Bound, Subject};

/// The text columns by which rows are routed, in key order.
pub(crate) const TEXTS: [&str; 8] =
    ["business", "service", "endpoint", "customer", "cause", "name", "source", "labels"];
pub(crate) const BUSINESS: usize = 0;
pub(crate) const SERVICE: usize = 1;
pub(crate) const ENDPOINT: usize = 2;
pub(crate) const CUSTOMER: usize = 3;
pub(crate) const CAUSE: usize = 4;
pub(crate) const NAME: usize = 5;
pub(crate) const SOURCE: usize = 6;
pub(crate) const LABELS: usize = 7;

/// The columns of `table` that these subjects need, in the table's order. Those of `nines/sql` come on top.
pub(crate) fn needed(
    table: TableKind,
    subjects: &[&Subject],
    split: Split,
    expressions: &BTreeSet<String>,
) -> Vec<String> {
    let mut names: BTreeSet<&str> = ["business", "service", "time"].into();
    names.extend(expressions.iter().map(String::as_str));
    for subject in subjects {
        let rows = &subject.spec.rows;
        if !rows.endpoints.is_empty() || subject.each_endpoint() || split == Split::Culprits {
            names.insert("endpoint");
        }
        if !rows.customers.is_empty() && table != TableKind::Gauges {
            names.insert("customer");
        }
        if !rows.labels.is_empty() {
            names.insert("labels");
        }
        match &subject.spec.indicator {
            Indicator::Availability { .. } => names.extend(["status", "cause", "requests"]),
            Indicator::Latency { .. } => names.extend(["status", "requests", "latency", "latency_le"]),
            Indicator::Events { .. } => names.extend(["name", "good", "total"]),
            Indicator::Gauge { statistic, hold, .. } => {
                names.insert("name");
                names.extend(match statistic {
                    Statistic::Last => ["last"].as_slice(),
                    Statistic::Min => &["min"],
                    Statistic::Max => &["max"],
                    Statistic::Mean => &["sum", "samples"],
                });
                if hold.is_some() {
                    names.extend(["endpoint", "source", "labels"]);
                }
            }
            Indicator::Sql(_) => {}
        }
    }
    let schema = table.schema(1);
    schema.fields().iter().map(|field| field.name().clone()).filter(|name| names.contains(name.as_str())).collect()
}

/// The columns of a batch. Those that were not read are `None`.
pub(crate) struct Columns<'a> {
    pub texts: [Option<&'a StringViewArray>; TEXTS.len()],
    pub time: &'a [i64],
    pub status: Option<&'a Int32Array>,
    pub requests: Option<&'a Int64Array>,
    pub good: Option<&'a Int64Array>,
    pub total: Option<&'a Int64Array>,
    pub samples: Option<&'a Int64Array>,
    pub sum: Option<&'a Float64Array>,
    pub min: Option<&'a Float64Array>,
    pub max: Option<&'a Float64Array>,
    pub last: Option<&'a Float64Array>,
    pub latency: Option<Latencies<'a>>,
}

impl<'a> Columns<'a> {
    pub fn of(batch: &'a RecordBatch) -> Result<Self> {
        let texts = TEXTS.map(|name| batch.column_by_name(name).and_then(|column| column.as_string_view_opt()));
        Ok(Columns {
            texts,
            time: required::<TimestampMicrosecondType>(batch, "time")?.values(),
            status: optional::<Int32Type>(batch, "status"),
            requests: optional::<Int64Type>(batch, "requests"),
            good: optional::<Int64Type>(batch, "good"),
            total: optional::<Int64Type>(batch, "total"),
            samples: optional::<Int64Type>(batch, "samples"),
            sum: optional::<Float64Type>(batch, "sum"),
            min: optional::<Float64Type>(batch, "min"),
            max: optional::<Float64Type>(batch, "max"),
            last: optional::<Float64Type>(batch, "last"),
            latency: Latencies::of(batch)?,
        })
    }

    /// The runs of rows with the same key, up to a row. Rows of one key may be more runs than one.
    pub fn runs(&self, end: usize) -> impl Iterator<Item = Range<usize>> + use<> {
        let texts = self.texts.iter().flatten().map(|texts| Arc::new((*texts).clone()) as ArrayRef);
        let keys: Vec<ArrayRef> = texts.chain(self.status.map(|status| Arc::new(status.clone()) as ArrayRef)).collect();
        let mut starts = run_starts(&keys, end).into_iter().peekable();
        std::iter::from_fn(move || {
            let start = starts.next()?;
            Some(start..starts.peek().copied().unwrap_or(end))
        })
    }

    /// Writes what tells the rows of a run from others: these texts, and the status.
    pub fn key(&self, texts: impl IntoIterator<Item = usize>, row: usize, key: &mut Vec<u8>) {
        key.clear();
        for column in texts {
            key.extend_from_slice(self.text(column, row).as_bytes());
            key.push(0xff);
        }
        let status = self.status.map_or(0, |status| status.value(row));
        key.extend_from_slice(&status.to_le_bytes());
    }

    /// A text of a row; empty if the column was not read, or the row has none.
    pub fn text(&self, column: usize, row: usize) -> &'a str {
        self.texts[column].filter(|texts| texts.is_valid(row)).map_or("", |texts| texts.value(row))
    }

    /// Whether two neighbouring rows have the same key. Equal views are equal texts; long ones may be equal though their
    /// views differ.
    #[inline]
    pub fn same_key(&self, row: usize, other: usize) -> bool {
        let same_status = self.status.is_none_or(|status| status.value(row) == status.value(other));
        same_status
            && self
                .texts
                .iter()
                .flatten()
                .all(|texts| texts.views()[row] == texts.views()[other] || texts.value(row) == texts.value(other))
            && self.texts[LABELS].is_none_or(|labels| labels.is_null(row) == labels.is_null(other))
    }
}

/// A column that must be there.
fn required<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Result<&'a PrimitiveArray<T>> {
    optional(batch, name).ok_or_else(|| internal_datafusion_err!("{name} was not read"))
}

fn optional<'a, T: ArrowPrimitiveType>(batch: &'a RecordBatch, name: &str) -> Option<&'a PrimitiveArray<T>> {
    batch.column_by_name(name)?.as_primitive_opt::<T>()
}

/// Latency histograms and exact counts, read where they lie.
pub(crate) struct Latencies<'a> {
    histograms: &'a StructArray,
    zeros: &'a Int64Array,
    lists: &'a ListArray,
    buckets: &'a Int32Array,
    counts: &'a Int64Array,
    exact: Option<(&'a ListArray, &'a Int64Array, &'a Int64Array)>,
}

impl<'a> Latencies<'a> {
    fn of(batch: &'a RecordBatch) -> Result<Option<Self>> {
        let Some(column) = batch.column_by_name("latency") else { return Ok(None) };
        let wrong = || internal_datafusion_err!("latency is {}", column.data_type());
        let histograms = column.as_struct_opt().ok_or_else(wrong)?;
        let field = |of: &'a StructArray, name: &str| of.column_by_name(name).ok_or_else(wrong);
        let lists = field(histograms, "buckets")?.as_list_opt::<i32>().ok_or_else(wrong)?;
        let items = lists.values().as_struct_opt().ok_or_else(wrong)?;
        let exact = match batch.column_by_name("latency_le") {
            Some(column) => {
                let list = column.as_list_opt::<i32>().ok_or_else(wrong)?;
                let items = list.values().as_struct_opt().ok_or_else(wrong)?;
                Some((
                    list,
                    field(items, "le")?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
                    field(items, "count")?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
                ))
            }
            None => None,
        };
        Ok(Some(Latencies {
            histograms,
            zeros: field(histograms, "zero")?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
            lists,
            buckets: field(items, "bucket")?.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?,
            counts: field(items, "count")?.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?,
            exact,
        }))
    }

    fn items(lists: &ListArray, row: usize) -> std::ops::Range<usize> {
        let offsets = lists.value_offsets();
        if lists.is_null(row) { 0..0 } else { offsets[row] as usize..offsets[row + 1] as usize }
    }

    fn zero(&self, row: usize) -> i64 {
        if self.zeros.is_null(row) { 0 } else { self.zeros.value(row) }
    }

    /// Whether the row carries a histogram.
    pub fn is_known(&self, row: usize) -> bool {
        self.histograms.is_valid(row)
    }

    /// (bucket, count) pairs of a row.
    pub fn pairs(&self, row: usize) -> impl Iterator<Item = (i32, i64)> + '_ {
        Self::items(self.lists, row).map(|i| (self.buckets.value(i), self.counts.value(i)))
    }

    /// Observations of zero.
    pub fn zeros(&self, row: usize) -> i64 {
        self.zero(row)
    }

    /// Observations within the limit of a row of so many requests; `None` if it carries no latency.
    pub fn count(&self, row: usize, requests: i64, bound: &Bound) -> Option<Within> {
        if !self.histograms.is_valid(row) {
            return self.at_bounds(row, requests, bound);
        }
        let zero = self.zero(row);
        let (mut good, mut total, mut unsure) = (zero, zero, 0);
        // The bucket that holds the limit, where it is no bound.
        let between = bound.bucket.filter(|_| !bound.exact).map(|last| last + 1);
        for (bucket, count) in self.pairs(row) {
            total += count;
            if bound.bucket.is_some_and(|last| bucket <= last) {
                good += count;
            } else if between == Some(bucket) {
                unsure += count;
            }
        }
        if unsure > 0 {
            return Some(match self.agreed(row, bound) {
                Some(exact) => Within { good: exact, most: exact, total, between: None },
                None => Within { good, most: good + unsure, total, between: Some(bound.between()) },
            });
        }
        Some(Within { good, most: good, total, between: None })
    }

    /// Of a classic histogram, which holds counts at its own bounds alone: that at the last bound within the limit.
    fn at_bounds(&self, row: usize, requests: i64, bound: &Bound) -> Option<Within> {
        let (lists, les, counts) = self.exact?;
        let items = Self::items(lists, row);
        if items.is_empty() {
            return None;
        }
        // Ascending by threshold.
        let above = items.clone().find(|&item| les.value(item) > bound.micros);
        let below = items.clone().take_while(|&item| les.value(item) <= bound.micros).last();
        let (counted_to, good) = below.map_or((0, 0), |item| (les.value(item), counts.value(item)));
        let (sure_from, most) = above.map_or((i64::MAX, requests), |item| (les.value(item), counts.value(item)));
        let is_bound = bound.agreed && counted_to == bound.micros;
        let between = (!is_bound && good < most).then_some(Between { counted_to, sure_from });
        let most = if between.is_some() { most } else { good };
        Some(Within { good: good.min(requests), most: most.min(requests), total: requests, between })
    }

    /// The exact count at an agreed threshold.
    fn agreed(&self, row: usize, bound: &Bound) -> Option<i64> {
        let (lists, les, counts) = self.exact.filter(|_| bound.agreed)?;
        Self::items(lists, row).find(|&i| les.value(i) == bound.micros).map(|i| counts.value(i))
    }
}

/// What of a row's requests is within a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Within {
    pub good: i64,
    /// `good` with all that may be within it.
    pub most: i64,
    pub total: i64,
    /// Where the limit lies, if requests lie there of which it is not known on which side of it.
    pub between: Option<Between>,
}
