//! `failures(from, to [, by])`: every failure, who was in error, and the incident that it was.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::{Interval, MICROS};

use super::arguments::{Arguments, By};
use super::columns::{float, floats, instant, instants, text, text_list, text_lists, texts};
use super::groups::{Group, groups};
use super::signature::{BY, FROM, Signature, TO};
use super::{Call, Question};
use crate::evaluate::{Answer, Detail, Incident, Part, Prepared, lines};

#[derive(Debug)]
pub(super) struct Failures;

impl Question for Failures {
    fn signature(&self) -> Signature {
        Signature { function: "failures", parameters: &[FROM, TO, BY] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Every failure in [from, to): from the first error slice to the end of the last before recovery, of each service, or by \
             'objective', 'business' or 'company'. `objectives` are those in error in it; `incident` is the recorded incident \
             that overlaps it longest (NULL: nobody recorded one), `incidents` are all that overlap.",
            "SELECT scope, started, seconds, objectives, incident FROM failures('2026-10-01', '2026-11-01') ORDER BY seconds DESC",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let by = By::parse(&arguments, By::Service)?;
        Ok(Call {
            ranges: vec![arguments.range()?],
            beside: &[],
            detail: Detail::None,
            columns: by.columns(),
            time: None,
            composites: by == By::Objective,
            answer: Arc::new(Rows { by, zone: arguments.zone() }),
        })
    }
}

#[derive(Debug)]
struct Rows {
    by: By,
    zone: Arc<str>,
}

struct Failure<'a> {
    group: &'a Group<'a>,
    interval: Interval,
    objectives: Vec<String>,
    incident: Option<&'a str>,
    incidents: Vec<&'a str>,
}

impl Answer for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("scope"),
            text("business"),
            text("service"),
            text("objective"),
            instant("started", &self.zone),
            instant("ended", &self.zone),
            float("seconds"),
            text_list("objectives"),
            text("incident"),
            text_list("incidents"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let lines = lines(prepared, parts, 0)?;
        let groups = groups(&lines, self.by, &prepared.definitions);
        let mut found: Vec<Failure> = Vec::new();
        for group in &groups {
            group.with_sources(|stretches| {
                for interval in group.timeline.failures(0) {
                    let first = stretches.partition_point(|stretch| stretch.interval.end <= interval.start);
                    let within = stretches[first..].iter().take_while(|stretch| stretch.interval.start < interval.end);
                    let names: BTreeSet<&str> = within.flat_map(|stretch| stretch.names.iter().copied()).collect();
                    let objectives = names.into_iter().map(str::to_string).collect();
                    let (incident, incidents) = incidents_of(group, interval, &prepared.incidents);
                    found.push(Failure { group, interval, objectives, incident, incidents });
                }
            });
        }
        let scope = |failure: &Failure<'_>| match self.by {
            By::Company => Some("company".to_string()),
            By::Business => failure.group.business.map(str::to_string),
            By::Service => failure.group.service.map(str::to_string),
            By::Objective => failure.group.objective.map(str::to_string),
        };
        let scopes: Vec<Option<String>> = found.iter().map(scope).collect();
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(scopes.iter().map(Option::as_deref)),
                texts(found.iter().map(|failure| failure.group.business)),
                texts(found.iter().map(|failure| failure.group.service)),
                texts(found.iter().map(|failure| failure.group.objective)),
                instants(found.iter().map(|failure| Some(failure.interval.start)), &self.zone),
                instants(found.iter().map(|failure| Some(failure.interval.end)), &self.zone),
                floats(found.iter().map(|failure| Some(failure.interval.duration() as f64 / MICROS as f64))),
                text_lists(found.iter().map(|failure| failure.objectives.iter().map(String::as_str).collect())),
                texts(found.iter().map(|failure| failure.incident)),
                text_lists(found.iter().map(|failure| failure.incidents.clone())),
            ],
        )?])
    }
}

/// The incident that overlaps a failure longest, of several the earliest, and all that overlap.
fn incidents_of<'a>(
    group: &Group<'_>,
    failure: Interval,
    incidents: &'a [Incident],
) -> (Option<&'a str>, Vec<&'a str>) {
    let mut longest: Option<(i64, &Incident)> = None;
    let mut all = Vec::new();
    for incident in incidents.iter().filter(|incident| group.concerns(incident)) {
        let of = incident.interval(i64::MAX);
        let overlap = of.end.min(failure.end) - of.start.max(failure.start);
        if overlap > 0 {
            all.push(incident.id.as_str());
            if longest.is_none_or(|(known, _)| overlap > known) {
                longest = Some((overlap, incident));
            }
        }
    }
    (longest.map(|(_, incident)| incident.id.as_str()), all)
}
