//! Answers of `query` and `query_range`: `{"status": "success", "data": {"resultType": "matrix", "result": [{"metric": {…},
//! "values": [[1760443200, "17"], …], "histograms": [[1760443200, {…}], …]}]}}`, or a vector with one `value` or `histogram` each.
//!
//! A series is held while it is read, and nothing else.

use std::fmt;
use std::io::BufRead;
use std::sync::Arc;

use serde::de::{DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::bounds::{Shown, histogram};
use super::export_lines::Metric;
use super::json_error::bad_json;
use super::numbers::number;
use super::{Labels, NativeHistogram, Reader, Sample, Sink, Temporality, Value};
use crate::{IngestError, Result};

/// An answer.
pub(super) struct QueryJson<R>(R);

impl<R: BufRead> QueryJson<R> {
    pub(super) fn new(input: R) -> Self {
        QueryJson(input)
    }
}

impl<R: BufRead> Reader for QueryJson<R> {
    fn read(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let mut json = serde_json::Deserializer::from_reader(&mut self.0);
        let mut refused = None;
        let mut taking = Taking { sink, refused: &mut refused };
        let read = Object(&mut taking).deserialize(&mut json).and_then(|found| json.end().map(|()| found));
        match (refused, read) {
            (Some(refused), Err(place)) => Err(refused.on_line(place.line() as u64).at(place.column().max(1))),
            (Some(refused), Ok(())) => Err(refused),
            (None, Err(error)) => Err(bad_json(&error)),
            (None, Ok(())) => Ok(()),
        }
    }

    fn format(&self) -> String {
        "an answer of query or query_range".to_string()
    }
}

/// Whoever takes the samples, and why it took no more.
struct Taking<'t, 's> {
    sink: &'t mut Sink<'s>,
    refused: &'t mut Option<IngestError>,
}

/// An object with the answer in it: the whole, or its `data`.
struct Object<'a, 't, 's>(&'a mut Taking<'t, 's>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer of query or query_range")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        use serde::de::Error;
        while let Some(name) = fields.next_key::<String>()? {
            match name.as_str() {
                "data" => fields.next_value_seed(Object(&mut *self.0))?,
                "result" => fields.next_value_seed(Series(&mut *self.0))?,
                "status" => {
                    let status = fields.next_value::<String>()?;
                    if status != "success" {
                        return Err(A::Error::custom(format!("the answer is no success: its status is {status:?}")));
                    }
                }
                "resultType" => {
                    let kind = fields.next_value::<String>()?;
                    if !matches!(kind.as_str(), "matrix" | "vector") {
                        return Err(A::Error::custom(format!("the answer is a {kind}, expected a matrix or a vector")));
                    }
                }
                _ => {
                    fields.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// The list of series.
struct Series<'a, 't, 's>(&'a mut Taking<'t, 's>);

impl<'de> DeserializeSeed<'de> for Series<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Series<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of series")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut series: A) -> Result<(), A::Error> {
        use serde::de::Error;
        while let Some(one) = series.next_element::<OneSeries>()? {
            if let Err(error) = one.hand_on(self.0.sink) {
                *self.0.refused = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize)]
struct OneSeries {
    metric: Metric,
    #[serde(default)]
    values: Vec<(f64, String)>,
    #[serde(default)]
    value: Option<(f64, String)>,
    #[serde(default)]
    histograms: Vec<(f64, ShownHistogram)>,
    #[serde(default)]
    histogram: Option<(f64, ShownHistogram)>,
}

/// A histogram as it is shown: all numbers are texts.
#[derive(Debug, Deserialize)]
struct ShownHistogram {
    count: String,
    sum: String,
    /// Which bounds are part of it, lower and upper bound, count.
    #[serde(default)]
    buckets: Vec<(u8, String, String, String)>,
}

impl OneSeries {
    fn hand_on(self, sink: &mut Sink<'_>) -> Result<()> {
        let labels = Arc::new(Labels::new(self.metric.0.into_iter().collect()));
        for (time, text) in self.values.into_iter().chain(self.value) {
            match number(&text) {
                Some(number) => sink.sample(sample(&labels, time, Value::Number(number)), |error| error)?,
                None => {
                    let problem = format!("the value {text:?} is no number");
                    sink.refuse(of_series(&labels, &problem), &format!("{labels} {text} {time}"))?;
                }
            }
        }
        for (time, shown) in self.histograms.into_iter().chain(self.histogram) {
            match shown.histogram() {
                Ok(histogram) => {
                    sink.sample(sample(&labels, time, Value::Histogram(Arc::new(histogram))), |error| error)?;
                }
                Err(problem) => {
                    sink.refuse(of_series(&labels, &problem), &format!("{labels} {shown:?} {time}"))?;
                }
            }
        }
        Ok(())
    }
}

fn sample(labels: &Arc<Labels>, seconds: f64, value: Value) -> Sample {
    let labels = Arc::clone(labels);
    Sample { labels, time: micros(seconds), value, temporality: Temporality::Cumulative(None) }
}

impl ShownHistogram {
    fn histogram(&self) -> Result<NativeHistogram, String> {
        let read = |text: &str| number(text).ok_or_else(|| format!("{text:?} in a histogram is no number"));
        let shown = self.buckets.iter().map(|(_, lower, upper, count)| {
            Ok(Shown { lower: read(lower)?, upper: read(upper)?, count: read(count)? })
        });
        histogram(read(&self.count)?, read(&self.sum)?, &shown.collect::<Result<Vec<_>, String>>()?)
    }
}

/// Milliseconds are all that Prometheus knows.
fn micros(seconds: f64) -> i64 {
    ((seconds * 1e3).round() as i64).saturating_mul(1_000)
}

fn of_series(labels: &Labels, problem: &str) -> IngestError {
    IngestError::bad_line(format!("series {labels}: {problem}"))
}

#[cfg(test)]
mod tests {
    use super::super::read_bytes;
    use crate::Result;

    fn read(text: &str) -> Result<Vec<String>> {
        let mut samples = Vec::new();
        read_bytes("m.json", text.as_bytes().to_vec(), &mut |sample| {
            samples.push(format!("{} {:?} {}", sample.labels, sample.value, sample.time));
            Ok(())
        })?;
        Ok(samples)
    }

    #[test]
    fn matrix_and_vector_are_read() {
        let matrix = r#"{"status":"success","data":{"resultType":"matrix","result":[
            {"metric":{"__name__":"up","job":"a"},"values":[[1435781430.781,"1"],[1435781445.781,"NaN"]]}]},"warnings":["x"]}"#;
        assert_eq!(
            read(matrix).unwrap(),
            ["up{job=\"a\"} Number(1.0) 1435781430781000", "up{job=\"a\"} Number(NaN) 1435781445781000"]
        );
        let vector = r#"{"data":{"result":[{"value":[7,"2"],"metric":{"__name__":"up"}}],"resultType":"vector"},"status":"success"}"#;
        assert_eq!(read(vector).unwrap(), ["up Number(2.0) 7000000"]);
        let native = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"histograms":[[1,
            {"count":"3","sum":"1.5","buckets":[[3,"-0.001","0.001","1"],[0,"0.5","1","2"]]}]]}]}}"#;
        let read = read(native).unwrap();
        assert!(
            read[0].contains("schema: 0, count: 3.0, sum: 1.5, zero: 1.0, zero_threshold: 0.001, buckets: {-1: 2.0}"),
            "{read:?}"
        );
    }

    #[test]
    fn what_is_no_answer_says_where_and_why() {
        for (text, said) in [
            (r#"{"status":"error","error":"no"}"#, "m.json:1:18: the answer is no success: its status is \"error\""),
            (
                r#"{"data":{"resultType":"scalar","result":[1,"2"]}}"#,
                "m.json:1:31: the answer is a scalar, expected a matrix",
            ),
            ("{\"data\":{\"result\":[\n{\"metric\":{},\"values\":[[1]]}]}}", "m.json:2:"),
            (
                r#"{"data":{"result":[{"metric":{"a":"b"},"values":[[1,"x"]]}]}}"#,
                "m.json:1:59: series {a=\"b\"}: the value \"x\" is no",
            ),
            (r#"{"data":{"result":[{"metric":{"a":"b"}"#, "m.json:1:"),
            (r#"{"status":"success"} {"#, "m.json:1:22: trailing characters"),
        ] {
            let refused = read(text).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
    }
}
