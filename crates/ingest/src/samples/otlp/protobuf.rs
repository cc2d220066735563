//! A message of protobuf: resources, their scopes, their metrics, their points.
//!
//! The message stays bytes; a point is decoded when it is its turn. Fields come in any order, so a level is walked through once for
//! what its parts need, and once more for the parts.

use super::messages::{
    ExponentialHistogramDataPoint, HistogramDataPoint, NumberDataPoint, Resource, Scope, SummaryDataPoint,
};
use super::metric::{Kind, Metric, is_delta};
use super::point::Point;
use super::series::Series;
use super::wire::{Field, Message};
use crate::samples::Sample;
use crate::{IngestError, Result};

type Take<'t> = dyn FnMut(Sample) -> Result<()> + 't;

/// Hands on all samples of a message.
pub(super) fn read(message: Message<'_>, series: &mut Series, take: &mut Take<'_>) -> Result<()> {
    for resource in message.all(1) {
        let resource = resource?;
        let of = resource.last(1)?.map(Message::decode::<Resource>).transpose()?.unwrap_or_default();
        for scope in resource.all(2) {
            let scope = scope?;
            let of_scope = scope.last(1)?.map(Message::decode::<Scope>).transpose()?.unwrap_or_default();
            for metric in scope.all(2) {
                read_metric(metric?, &of, &of_scope, series, take)?;
            }
        }
    }
    Ok(())
}

fn read_metric(
    metric: Message<'_>,
    resource: &Resource,
    scope: &Scope,
    series: &mut Series,
    take: &mut Take<'_>,
) -> Result<()> {
    let text = |number: u32| metric.last(number)?.map_or(Ok(""), Message::text);
    let (name, unit) = (text(1)?, text(3)?);
    for field in metric.fields() {
        let (number, Field::Bytes(points)) = field? else { continue };
        let temporality =
            || is_delta(name, points.number(2)?).map_err(|problem| IngestError::bad_line(problem).at_byte(points.at()));
        let (kind, read): (Kind, fn(Message<'_>) -> Result<Point>) = match number {
            5 => (Kind::Gauge, point::<NumberDataPoint>),
            7 => {
                let is_monotonic = points.number(3)? != 0;
                (Kind::Sum { is_monotonic, is_delta: temporality()? }, point::<NumberDataPoint>)
            }
            9 => (Kind::Histogram { is_delta: temporality()? }, point::<HistogramDataPoint>),
            10 => (Kind::Histogram { is_delta: temporality()? }, point::<ExponentialHistogramDataPoint>),
            11 => (Kind::Summary, point::<SummaryDataPoint>),
            _ => continue,
        };
        let metric = Metric { resource: &resource.attributes, scope, name, unit, kind };
        for message in points.all(1) {
            let message = message?;
            let point = read(message).map_err(|error| error.within(&format!("metric {name:?}")))?;
            series.hand_on(&metric, point, take).map_err(|error| error.at_byte(message.at()))?;
        }
    }
    Ok(())
}

fn point<M>(message: Message<'_>) -> Result<Point>
where
    M: prost::Message + Default,
    Point: TryFrom<M, Error = String>,
{
    Point::try_from(message.decode::<M>()?).map_err(|problem| IngestError::bad_line(problem).at_byte(message.at()))
}
