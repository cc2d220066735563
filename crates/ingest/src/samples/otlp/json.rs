//! Messages of OTLP/JSON.
//!
//! The metrics of a resource are held while they are read, and a message has a longest length. Points are checked where they are
//! read, so that an error says their line and column.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::marker::PhantomData;
use std::rc::Rc;

use serde::Deserialize;
use serde::de::{DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::found::Found;
use super::json_numbers::{nullable, number};
use super::longest::LONGEST;
use super::messages::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, Resource, Scope, SummaryDataPoint,
};
use super::metric::{self, Kind, is_delta};
use super::point::Point;
use super::series::Series;
use crate::samples::Sample;
use crate::samples::json_error::bad_json;
use crate::{IngestError, Result};

/// Whoever takes samples.
pub(super) type Take<'t> = dyn FnMut(Sample) -> Result<()> + 't;

/// Hands on the samples of messages one after the other. The line of the last one, if the input ends within it.
pub(super) fn read_all(
    input: impl Read,
    series: &mut Series,
    found: &mut Found,
    take: &mut Take<'_>,
) -> Result<Option<u64>> {
    let left = Rc::new(Cell::new(LONGEST));
    let mut json = serde_json::Deserializer::from_reader(Bounded { input, left: Rc::clone(&left) });
    // Behind a message there is another one, or only blanks.
    while json.end().is_err() {
        left.set(LONGEST);
        match read_message(&mut json, series, found, take) {
            Ok(()) => {}
            Err(Failed::Cut(line)) => return Ok(Some(line)),
            Err(Failed::Refused(error)) => return Err(error),
        }
    }
    Ok(None)
}

/// Hands on the samples of one message.
pub(super) fn read_one(
    bytes: &[u8],
    series: &mut Series,
    found: &mut Found,
    take: &mut Take<'_>,
) -> Result<(), Failed> {
    let mut json = serde_json::Deserializer::from_slice(bytes);
    read_message(&mut json, series, found, take)?;
    json.end().map_err(|error| Failed::Refused(bad_json(&error)))
}

/// Why a message was not read.
pub(super) enum Failed {
    /// The input ends within the message that ends on this line.
    Cut(u64),
    Refused(IngestError),
}

impl Failed {
    /// The error, where more of the input does not come.
    pub fn refused(self) -> IngestError {
        match self {
            Failed::Cut(_) => IngestError::bad_line("the message ends too early"),
            Failed::Refused(error) => error,
        }
    }
}

fn read_message<'de, R: serde_json::de::Read<'de>>(
    json: &mut serde_json::Deserializer<R>,
    series: &mut Series,
    found: &mut Found,
    take: &mut Take<'_>,
) -> Result<(), Failed> {
    let mut refused = None;
    let mut reading = Reading { series, found, take, refused: &mut refused };
    let read = Object(&mut reading).deserialize(json);
    match (refused, read) {
        (Some(refused), Err(place)) => {
            Err(Failed::Refused(refused.on_line(place.line() as u64).at(place.column().max(1))))
        }
        (Some(refused), Ok(())) => Err(Failed::Refused(refused)),
        (None, Err(error)) if error.is_eof() => Err(Failed::Cut(error.line() as u64)),
        (None, Err(error)) => Err(Failed::Refused(bad_json(&error))),
        (None, Ok(())) => Ok(()),
    }
}

/// Where samples go, and why no more are taken.
struct Reading<'r, 't> {
    series: &'r mut Series,
    found: &'r mut Found,
    take: &'r mut Take<'t>,
    refused: &'r mut Option<IngestError>,
}

/// A message.
struct Object<'a, 'r, 't>(&'a mut Reading<'r, 't>);

impl<'de> DeserializeSeed<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a message of OTLP, {\"resourceMetrics\": […]}")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if name == "resourceMetrics" {
                fields.next_value_seed(Resources(&mut *self.0))?;
                continue;
            }
            fields.next_value::<IgnoredAny>()?;
            self.0.found.others += u64::from(name.starts_with("resource"));
        }
        Ok(())
    }
}

/// The list of resources.
struct Resources<'a, 'r, 't>(&'a mut Reading<'r, 't>);

impl<'de> DeserializeSeed<'de> for Resources<'_, '_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Resources<'_, '_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of resources with their metrics")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut resources: A) -> Result<(), A::Error> {
        while let Some(resource) = resources.next_element::<ResourceMetrics>()? {
            if let Err(error) = resource.hand_on(self.0.series, self.0.take) {
                *self.0.refused = Some(error);
                return Err(A::Error::custom("refused"));
            }
        }
        Ok(())
    }
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ResourceMetrics {
    #[serde(deserialize_with = "nullable")]
    resource: Resource,
    #[serde(deserialize_with = "nullable")]
    scope_metrics: Vec<ScopeMetrics>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ScopeMetrics {
    #[serde(deserialize_with = "nullable")]
    scope: Scope,
    #[serde(deserialize_with = "nullable")]
    metrics: Vec<Metric>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Metric {
    #[serde(deserialize_with = "nullable")]
    name: String,
    #[serde(deserialize_with = "nullable")]
    unit: String,
    gauge: Option<Points<NumberDataPoint>>,
    sum: Option<Points<NumberDataPoint>>,
    histogram: Option<Points<HistogramDataPoint>>,
    exponential_histogram: Option<Points<ExponentialHistogramDataPoint>>,
    summary: Option<Points<SummaryDataPoint>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "T: DeserializeOwned, Point: TryFrom<T, Error = String>"))]
struct Points<T> {
    #[serde(default = "Vec::new", deserialize_with = "nullable")]
    data_points: Vec<Checked<T>>,
    #[serde(default, deserialize_with = "temporality")]
    aggregation_temporality: u64,
    #[serde(default, deserialize_with = "nullable")]
    is_monotonic: bool,
}

/// A point that was checked when it was read.
struct Checked<T>(Point, PhantomData<T>);

impl<'de, T> Deserialize<'de> for Checked<T>
where
    T: DeserializeOwned,
    Point: TryFrom<T, Error = String>,
{
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        Ok(Checked(Point::try_from(T::deserialize(json)?).map_err(D::Error::custom)?, PhantomData))
    }
}

/// A number, or the name that it has.
fn temporality<'de, D: Deserializer<'de>>(json: D) -> Result<u64, D::Error> {
    let json = serde_json::Value::deserialize(json)?;
    Ok(match json.as_str() {
        Some("AGGREGATION_TEMPORALITY_DELTA") => 1,
        Some("AGGREGATION_TEMPORALITY_CUMULATIVE") => 2,
        Some("AGGREGATION_TEMPORALITY_UNSPECIFIED") => 0,
        _ => number(json).map_err(D::Error::custom)?,
    })
}

impl ResourceMetrics {
    fn hand_on(self, series: &mut Series, take: &mut Take<'_>) -> Result<()> {
        for scope in self.scope_metrics {
            for metric in scope.metrics {
                metric.hand_on(&self.resource, &scope.scope, series, take)?;
            }
        }
        Ok(())
    }
}

impl Metric {
    fn hand_on(self, resource: &Resource, scope: &Scope, series: &mut Series, take: &mut Take<'_>) -> Result<()> {
        let Metric { name, unit, gauge, sum, histogram, exponential_histogram, summary } = self;
        let mut hand_on = |kind: Kind, points: Vec<Point>| {
            let metric = metric::Metric { resource: &resource.attributes, scope, name: &name, unit: &unit, kind };
            points.into_iter().try_for_each(|point| series.hand_on(&metric, point, take))
        };
        let is_delta = |temporality: u64| is_delta(&name, temporality).map_err(IngestError::bad_line);
        if let Some(points) = gauge {
            hand_on(Kind::Gauge, points.all())?;
        }
        if let Some(points) = sum {
            let is_delta = is_delta(points.aggregation_temporality)?;
            hand_on(Kind::Sum { is_monotonic: points.is_monotonic, is_delta }, points.all())?;
        }
        if let Some(points) = histogram {
            hand_on(Kind::Histogram { is_delta: is_delta(points.aggregation_temporality)? }, points.all())?;
        }
        if let Some(points) = exponential_histogram {
            hand_on(Kind::Histogram { is_delta: is_delta(points.aggregation_temporality)? }, points.all())?;
        }
        match summary {
            Some(points) => hand_on(Kind::Summary, points.all()),
            None => Ok(()),
        }
    }
}

impl<T> Points<T> {
    fn all(self) -> Vec<Point> {
        self.data_points.into_iter().map(|checked| checked.0).collect()
    }
}

/// An input of which so many bytes are read at most, until it is allowed more.
struct Bounded<R> {
    input: R,
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.left.get();
        if left == 0 {
            return Err(io::Error::other(format!("the message is longer than {} MiB", LONGEST >> 20)));
        }
        let most = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let read = self.input.read(&mut buffer[..most])?;
        self.left.set(left - read as u64);
        Ok(read)
    }
}
