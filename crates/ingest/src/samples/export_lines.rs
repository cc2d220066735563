//! What `/api/v1/export` of VictoriaMetrics gives: `{"metric": {"__name__": "up", …}, "values": [1, …], "timestamps": [1549891472010,
//! …]}` for each series, and again for the rest of its samples.
//!
//! A line, or an object over several lines, is held with its samples while it is read, and nothing else.

use std::collections::HashMap;
use std::io::BufRead;
use std::sync::Arc;

use serde::Deserialize;

use super::json_error::bad_json;
use super::numbers::number;
use super::objects::{Next, Objects};
use super::{Labels, Reader, Sample, Sink, Temporality, Value};
use crate::{IngestError, Result};

/// Bytes of a line at most: some 5 million samples.
const LONGEST: u64 = 256 << 20;

/// A file of such lines.
pub(super) struct ExportLines<R>(Objects<R>);

/// With what a line begins.
pub(super) const KEYS: [&str; 3] = ["\"metric\"", "\"values\"", "\"timestamps\""];

impl<R: BufRead> ExportLines<R> {
    pub(super) fn new(name: &str, input: R) -> Self {
        ExportLines(Objects::new(name, input, LONGEST, &KEYS))
    }
}

impl<R: BufRead> Reader for ExportLines<R> {
    fn read(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        loop {
            match self.0.advance()? {
                Next::End => return Ok(()),
                // What is no object is told as what it lacks.
                Next::Object | Next::Other | Next::Cut => {}
            }
            let place = self.0.place();
            let series = self.0.found();
            let text = || String::from_utf8_lossy(series).into_owned();
            sink.message(|take| hand_on(series, take), |error| place.of(error), text)?;
        }
    }

    fn format(&self) -> String {
        "lines of VictoriaMetrics".to_string()
    }
}

/// Hands on the samples of a line.
fn hand_on(line: &[u8], take: &mut dyn FnMut(Sample) -> Result<()>) -> Result<()> {
    for series in serde_json::Deserializer::from_slice(line).into_iter::<Line>() {
        let Line { metric, values, timestamps } = series.map_err(|error| bad_json(&error))?;
        let labels = Arc::new(Labels::new(metric.0.into_iter().collect()));
        if values.len() != timestamps.len() {
            let (values, times) = (values.len(), timestamps.len());
            return Err(IngestError::bad_line(format!("series {labels} has {values} values and {times} timestamps")));
        }
        for (number, milliseconds) in values.into_iter().zip(timestamps) {
            take(Sample {
                labels: Arc::clone(&labels),
                time: milliseconds.saturating_mul(1_000),
                value: Value::Number(number.0),
                temporality: Temporality::Cumulative(None),
            })?;
        }
    }
    Ok(())
}

#[derive(Deserialize)]
struct Line {
    metric: Metric,
    values: Vec<Exported>,
    timestamps: Vec<i64>,
}

/// The labels of a series.
#[derive(Deserialize)]
pub(super) struct Metric(pub HashMap<String, String>);

/// A number; `null` where there is none, and `"Infinity"` or `"NaN"` as text.
struct Exported(f64);

impl<'de> Deserialize<'de> for Exported {
    fn deserialize<D: serde::Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
            Nothing(()),
        }
        Ok(Exported(match Written::deserialize(json)? {
            Written::Number(number) => number,
            Written::Nothing(()) => f64::NAN,
            Written::Text(text) => match text.as_str() {
                "Infinity" => f64::INFINITY,
                "-Infinity" => f64::NEG_INFINITY,
                other => number(other)
                    .ok_or_else(|| serde::de::Error::custom(format!("the value {other:?} is no number")))?,
            },
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::read_bytes;
    use crate::Result;

    fn read(text: &str) -> Result<Vec<String>> {
        let mut samples = Vec::new();
        read_bytes("vm.jsonl", text.as_bytes().to_vec(), &mut |sample| {
            samples.push(format!("{} {:?} {}", sample.labels, sample.value, sample.time));
            Ok(())
        })?;
        Ok(samples)
    }

    #[test]
    fn lines_of_series_are_read() {
        let text = "{\"metric\":{\"__name__\":\"up\",\"job\":\"a\"},\"values\":[1,null,\"Infinity\"],\"timestamps\":[1000,2000,3000]}\n\
                    {\"metric\":{\"__name__\":\"up\"},\"values\":[0.5],\"timestamps\":[1549891472010]}\n";
        assert_eq!(
            read(text).unwrap(),
            [
                "up{job=\"a\"} Number(1.0) 1000000",
                "up{job=\"a\"} Number(NaN) 2000000",
                "up{job=\"a\"} Number(inf) 3000000",
                "up Number(0.5) 1549891472010000",
            ]
        );
    }

    #[test]
    fn bad_lines_say_where_and_why() {
        let good = "{\"metric\":{\"__name__\":\"up\"},\"values\":[1],\"timestamps\":[1000]}\n";
        for (line, said) in [
            ("{\"metric\":{},\"values\":[1],\"timestamps\":[]}", "vm.jsonl:2: series  has 1 values and 0 timestamps"),
            ("{\"metric\":{},\"values\":[1]}", "vm.jsonl:2:26: missing field `timestamps`"),
            ("{\"metric\":{},\"values\":[\"x\"],\"timestamps\":[1]}", "vm.jsonl:2:27: the value \"x\" is no number"),
            ("{\"metric\":", "vm.jsonl:2:10: EOF while parsing a value"),
        ] {
            let refused = read(&format!("{good}{line}")).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
    }
}
