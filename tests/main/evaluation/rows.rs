//! Raw rows and records as plain maps, what a batch does to them, and the batches that the store gets.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int32Array, Int32Builder, Int64Array, Int64Builder, ListBuilder, RecordBatch,
    StringArray, StructArray, StructBuilder, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use nines_engine::store::{TableKind, counts_le_type, histogram_type};

/// Requests of one status and cause. Latencies are µs with their numbers, so that histogram and exact counts agree.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Request {
    pub requests: i64,
    pub latencies: Option<BTreeMap<i64, i64>>,
    /// Thresholds at which exact counts are stored.
    pub agreed: Option<BTreeSet<i64>>,
}

/// Time, business, service, endpoint, customer, source: what a batch says of it replaces what was said before.
pub type Unit = (i64, String, String, String, String, String);
/// Time, business, service, endpoint, customer, name, source.
pub type EventKey = (i64, String, String, String, String, String, String);
/// Time, business, service, endpoint, name, source.
pub type GaugeKey = (i64, String, String, String, String, String);

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gauge {
    pub samples: i64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    pub last: f64,
}

/// What is stored in the raw tables, or one batch of it.
#[derive(Debug, Clone, Default)]
pub struct Rows {
    pub requests: BTreeMap<Unit, BTreeMap<(i32, String), Request>>,
    pub events: BTreeMap<EventKey, (i64, i64)>,
    pub gauges: BTreeMap<GaugeKey, Gauge>,
}

impl Rows {
    /// Stores a batch.
    pub fn replace(&mut self, batch: &Rows) {
        self.requests.extend(batch.requests.clone());
        self.events.extend(batch.events.clone());
        self.gauges.extend(batch.gauges.clone());
    }

    /// Start of the newest slice of a table.
    pub fn newest(&self, table: &str) -> Option<i64> {
        match table {
            "requests" => self.requests.keys().map(|key| key.0).max(),
            "events" => self.events.keys().map(|key| key.0).max(),
            _ => self.gauges.keys().map(|key| key.0).max(),
        }
    }

    /// The rows of each table that has any.
    pub fn batches(&self) -> Vec<(TableKind, RecordBatch)> {
        let mut batches = Vec::new();
        if !self.requests.is_empty() {
            batches.push((TableKind::Requests, self.request_batch()));
        }
        if !self.events.is_empty() {
            batches.push((TableKind::Events, self.event_batch()));
        }
        if !self.gauges.is_empty() {
            batches.push((TableKind::Gauges, self.gauge_batch()));
        }
        batches
    }

    fn request_batch(&self) -> RecordBatch {
        let rows: Vec<(&Unit, &i32, &String, &Request)> = self
            .requests
            .iter()
            .flat_map(|(unit, of)| of.iter().map(move |((status, cause), request)| (unit, status, cause, request)))
            .collect();
        let histograms: Vec<Option<(i64, BTreeMap<i32, i64>)>> =
            rows.iter().map(|row| row.3.latencies.as_ref().map(histogram)).collect();
        let counts: Vec<Option<Vec<(i64, i64)>>> = rows
            .iter()
            .map(|(.., request)| {
                let within = |le: i64| request.latencies.iter().flatten().filter(|l| *l.0 <= le).map(|l| l.1).sum();
                request.agreed.as_ref().map(|agreed| agreed.iter().map(|le| (*le, within(*le))).collect())
            })
            .collect();
        let sum = |request: &Request| {
            let latencies = request.latencies.as_ref()?;
            Some(latencies.iter().map(|(micros, n)| *micros as f64 * 1e-6 * *n as f64).sum::<f64>())
        };
        batch(vec![
            ("time", times(rows.iter().map(|row| Some(row.0.0)))),
            ("business", texts(rows.iter().map(|row| &row.0.1))),
            ("service", texts(rows.iter().map(|row| &row.0.2))),
            ("endpoint", texts(rows.iter().map(|row| &row.0.3))),
            ("customer", texts(rows.iter().map(|row| &row.0.4))),
            ("status", Arc::new(rows.iter().map(|row| Some(*row.1)).collect::<Int32Array>())),
            ("cause", texts(rows.iter().map(|row| row.2))),
            ("source", texts(rows.iter().map(|row| &row.0.5))),
            ("requests", Arc::new(rows.iter().map(|row| Some(row.3.requests)).collect::<Int64Array>())),
            ("latency_sum", Arc::new(rows.iter().map(|row| sum(row.3)).collect::<Float64Array>())),
            ("latency", histogram_array(&histograms)),
            ("latency_le", counts_array(&counts)),
        ])
    }

    fn event_batch(&self) -> RecordBatch {
        let rows: Vec<_> = self.events.iter().collect();
        batch(vec![
            ("time", times(rows.iter().map(|row| Some(row.0.0)))),
            ("business", texts(rows.iter().map(|row| &row.0.1))),
            ("service", texts(rows.iter().map(|row| &row.0.2))),
            ("endpoint", texts(rows.iter().map(|row| &row.0.3))),
            ("customer", texts(rows.iter().map(|row| &row.0.4))),
            ("name", texts(rows.iter().map(|row| &row.0.5))),
            ("source", texts(rows.iter().map(|row| &row.0.6))),
            ("good", Arc::new(rows.iter().map(|row| Some(row.1.0)).collect::<Int64Array>())),
            ("total", Arc::new(rows.iter().map(|row| Some(row.1.1)).collect::<Int64Array>())),
        ])
    }

    fn gauge_batch(&self) -> RecordBatch {
        let rows: Vec<_> = self.gauges.iter().collect();
        let numbers = |of: fn(&Gauge) -> f64| -> ArrayRef {
            Arc::new(rows.iter().map(|row| Some(of(row.1))).collect::<Float64Array>())
        };
        batch(vec![
            ("time", times(rows.iter().map(|row| Some(row.0.0)))),
            ("business", texts(rows.iter().map(|row| &row.0.1))),
            ("service", texts(rows.iter().map(|row| &row.0.2))),
            ("endpoint", texts(rows.iter().map(|row| &row.0.3))),
            ("name", texts(rows.iter().map(|row| &row.0.4))),
            ("source", texts(rows.iter().map(|row| &row.0.5))),
            ("samples", Arc::new(rows.iter().map(|row| Some(row.1.samples)).collect::<Int64Array>())),
            ("sum", numbers(|gauge| gauge.sum)),
            ("min", numbers(|gauge| gauge.min)),
            ("max", numbers(|gauge| gauge.max)),
            ("last", numbers(|gauge| gauge.last)),
        ])
    }
}

/// The bucket of a latency: bucket i holds (2^(i/32), 2^((i+1)/32)] seconds. Powers of two are the only bounds that whole
/// µs meet, and of these the logarithm is exact.
pub fn bucket(micros: i64) -> Option<i32> {
    (micros > 0).then(|| ((micros as f64 / 1e6).log2() * 32.0).ceil() as i32 - 1)
}

/// Whether a latency in µs is the upper bound of a bucket.
pub fn is_bound(micros: i64) -> bool {
    let log = (micros as f64 / 1e6).log2();
    log == log.round()
}

/// Observations of zero, and the others by bucket.
fn histogram(latencies: &BTreeMap<i64, i64>) -> (i64, BTreeMap<i32, i64>) {
    let mut found = (0, BTreeMap::new());
    for (micros, n) in latencies {
        match bucket(*micros) {
            None => found.0 += n,
            Some(bucket) => *found.1.entry(bucket).or_default() += n,
        }
    }
    found
}

/// Time that does not count. Empty scope means all.
#[derive(Debug, Clone, Default)]
pub struct Exclusion {
    pub business: &'static str,
    pub service: &'static str,
    pub customer: &'static str,
    pub started: i64,
    pub ended: i64,
    pub withdrawn: bool,
}

#[derive(Debug, Clone, Default)]
pub struct Incident {
    pub business: &'static str,
    pub service: &'static str,
    pub started: i64,
    pub detected: Option<i64>,
    pub located: Option<i64>,
    pub fixed: Option<i64>,
    pub verified: Option<i64>,
    pub lost: bool,
    pub withdrawn: bool,
}

pub fn exclusion_batch(id: &str, exclusion: &Exclusion) -> RecordBatch {
    let text = |text: &str| texts([text.to_string()].iter());
    batch(vec![
        ("id", text(id)),
        ("business", text(exclusion.business)),
        ("service", text(exclusion.service)),
        ("customer", text(exclusion.customer)),
        ("category", text("Attack")),
        ("started", times([Some(exclusion.started)].into_iter())),
        ("ended", times([Some(exclusion.ended)].into_iter())),
        ("reason", text("")),
        ("announced", times([None].into_iter())),
        ("withdrawn", Arc::new(BooleanArray::from(vec![exclusion.withdrawn]))),
    ])
}

pub fn incident_batch(id: &str, incident: &Incident) -> RecordBatch {
    let text = |text: &str| texts([text.to_string()].iter());
    let time = |at: Option<i64>| times([at].into_iter());
    batch(vec![
        ("id", text(id)),
        ("business", text(incident.business)),
        ("service", text(incident.service)),
        ("title", text("")),
        ("severity", text("")),
        ("started", time(Some(incident.started))),
        ("detected", time(incident.detected)),
        ("located", time(incident.located)),
        ("fixed", time(incident.fixed)),
        ("verified", time(incident.verified)),
        ("telemetry_lost", Arc::new(BooleanArray::from(vec![incident.lost]))),
        ("link", text("")),
        ("withdrawn", Arc::new(BooleanArray::from(vec![incident.withdrawn]))),
    ])
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> =
        columns.iter().map(|(name, values)| Field::new(*name, values.data_type().clone(), true)).collect();
    let columns = columns.into_iter().map(|(_, values)| values).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn texts<'a>(values: impl Iterator<Item = &'a String>) -> ArrayRef {
    Arc::new(values.map(|text| Some(text.as_str())).collect::<StringArray>())
}

fn times(times: impl Iterator<Item = Option<i64>>) -> ArrayRef {
    Arc::new(times.collect::<TimestampMicrosecondArray>().with_timezone("UTC"))
}

fn histogram_array(values: &[Option<(i64, BTreeMap<i32, i64>)>]) -> ArrayRef {
    let DataType::Struct(fields) = histogram_type() else { panic!() };
    let DataType::List(element) = fields[1].data_type().clone() else { panic!() };
    let DataType::Struct(entry) = element.data_type().clone() else { panic!() };
    let entries = StructBuilder::new(entry, vec![Box::new(Int32Builder::new()), Box::new(Int64Builder::new())]);
    let mut lists = ListBuilder::new(entries).with_field(element);
    for value in values {
        for (bucket, count) in value.iter().flat_map(|(_, buckets)| buckets) {
            let entries = lists.values();
            entries.field_builder::<Int32Builder>(0).unwrap().append_value(*bucket);
            entries.field_builder::<Int64Builder>(1).unwrap().append_value(*count);
            entries.append(true);
        }
        lists.append(true);
    }
    let zeros: Int64Array = values.iter().map(|value| Some(value.as_ref().map_or(0, |(zero, _)| *zero))).collect();
    let valid: NullBuffer = values.iter().map(Option::is_some).collect::<Vec<bool>>().into();
    Arc::new(StructArray::new(fields, vec![Arc::new(zeros) as ArrayRef, Arc::new(lists.finish())], Some(valid)))
}

fn counts_array(values: &[Option<Vec<(i64, i64)>>]) -> ArrayRef {
    let DataType::List(element) = counts_le_type() else { panic!() };
    let DataType::Struct(entry) = element.data_type().clone() else { panic!() };
    let entries = StructBuilder::new(entry, vec![Box::new(Int64Builder::new()), Box::new(Int64Builder::new())]);
    let mut lists = ListBuilder::new(entries).with_field(element);
    for value in values {
        for (le, count) in value.iter().flatten() {
            let entries = lists.values();
            entries.field_builder::<Int64Builder>(0).unwrap().append_value(*le);
            entries.field_builder::<Int64Builder>(1).unwrap().append_value(*count);
            entries.append(true);
        }
        lists.append(value.is_some());
    }
    Arc::new(lists.finish())
}
