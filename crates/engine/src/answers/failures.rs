//! `failures(from, to [, by])`: every failure, who was in error, and the incident that it was.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::{Failure, Interval, MICROS, State, Timeline};

use super::arguments::{Arguments, By};
use super::columns::{flag, flags, float, floats, instant, instants, text, text_list, text_lists, texts};
use super::groups::{Group, groups};
use super::signature::{BY, FROM, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{DAY, Detail, Incident, Part, Prepared, Tabulation, lines};

#[derive(Debug)]
pub(super) struct Failures;

impl TableFunction for Failures {
    fn signature(&self) -> Signature {
        Signature { function: "failures", parameters: &[FROM, TO, BY] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Every failure in [from, to): from the first error slice to the end of the last before recovery, of each service, or by \
             'objective', 'business' or 'company'. `seconds` is how long it lasted: its measured time (ok and error slices); \
             `unmeasured_seconds` and `excluded_seconds` are the rest of the time from `started` to `ended`. A failure is cut \
             at the ends of the range: `begins_before` says that the last slice measured within the day before `from` was in \
             error, too, `continues` that the first one measured within the day after `to` is. `objectives` are those in error in it; \
             `incident` is the recorded incident that overlaps it longest (NULL: nobody recorded one), `incidents` are all \
             that overlap.",
            "SELECT scope, started, seconds, objectives, incident FROM failures('2026-10-01', '2026-11-01') ORDER BY seconds DESC",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        let by = By::parse(&arguments, By::Service)?;
        let range = arguments.range()?;
        Ok(Call {
            ranges: vec![
                range,
                Interval::new(range.start.saturating_sub(DAY), range.start),
                Interval::new(range.end, range.end.saturating_add(DAY)),
            ],
            beside: &["begins_before", "continues"],
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

struct Found<'a> {
    group: &'a Group<'a>,
    failure: Failure,
    begins_before: bool,
    continues: bool,
    objectives: Vec<String>,
    incident: Option<&'a str>,
    incidents: Vec<&'a str>,
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("scope"),
            text("business"),
            text("service"),
            text("objective"),
            instant("started", &self.zone),
            instant("ended", &self.zone),
            float("seconds"),
            float("unmeasured_seconds"),
            float("excluded_seconds"),
            flag("begins_before"),
            flag("continues"),
            text_list("objectives"),
            text("incident"),
            text_list("incidents"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let own = lines(prepared, parts, 0)?;
        let (before, after) = (lines(prepared, parts, 1)?, lines(prepared, parts, 2)?);
        let of = |lines| groups(lines, self.by, &prepared.definitions);
        let (own, before, after) = (of(&own), of(&before), of(&after));
        let mut found: Vec<Found> = Vec::new();
        for group in &own {
            let beside = |others: &[Group<'_>], at: End| {
                let same = others.iter().find(|other| other.key() == group.key());
                same.and_then(|other| nearest(&other.timeline, at)) == Some(State::Error)
            };
            let (begun, goes_on) = (beside(&before, End::Last), beside(&after, End::First));
            let (first, last) = (nearest(&group.timeline, End::First), nearest(&group.timeline, End::Last));
            group.with_sources(|stretches| {
                let failures = group.timeline.failures(0);
                let count = failures.len();
                for (at, failure) in failures.into_iter().enumerate() {
                    let interval = failure.interval;
                    let from = stretches.partition_point(|stretch| stretch.interval.end <= interval.start);
                    let within = stretches[from..].iter().take_while(|stretch| stretch.interval.start < interval.end);
                    let names: BTreeSet<&str> = within.flat_map(|stretch| stretch.names.iter().copied()).collect();
                    let objectives = names.into_iter().map(str::to_string).collect();
                    let (incident, incidents) = incidents_of(group, interval, &prepared.incidents);
                    found.push(Found {
                        group,
                        failure,
                        begins_before: at == 0 && first == Some(State::Error) && begun,
                        continues: at + 1 == count && last == Some(State::Error) && goes_on,
                        objectives,
                        incident,
                        incidents,
                    });
                }
            });
        }
        let scope = |failure: &Found<'_>| match self.by {
            By::Company => Some("company".to_string()),
            By::Business => failure.group.business.map(str::to_string),
            By::Service => failure.group.service.map(str::to_string),
            By::Objective => failure.group.objective.map(str::to_string),
        };
        let seconds =
            |of: &dyn Fn(&Found<'_>) -> i64| floats(found.iter().map(|found| Some(of(found) as f64 / MICROS as f64)));
        let scopes: Vec<Option<String>> = found.iter().map(scope).collect();
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(scopes.iter().map(Option::as_deref)),
                texts(found.iter().map(|failure| failure.group.business)),
                texts(found.iter().map(|failure| failure.group.service)),
                texts(found.iter().map(|failure| failure.group.objective)),
                instants(found.iter().map(|found| Some(found.failure.interval.start)), &self.zone),
                instants(found.iter().map(|found| Some(found.failure.interval.end)), &self.zone),
                seconds(&|found| found.failure.measured),
                seconds(&|found| found.failure.unmeasured),
                seconds(&|found| found.failure.excluded),
                flags(found.iter().map(|found| found.begins_before)),
                flags(found.iter().map(|found| found.continues)),
                text_lists(found.iter().map(|failure| failure.objectives.iter().map(String::as_str).collect())),
                texts(found.iter().map(|failure| failure.incident)),
                text_lists(found.iter().map(|failure| failure.incidents.clone())),
            ],
        )?])
    }
}

/// An end of a timeline.
#[derive(Debug, Clone, Copy)]
enum End {
    First,
    Last,
}

/// What the slice was that is measured nearest to an end; `None` if none is.
fn nearest(timeline: &Timeline, end: End) -> Option<State> {
    let mut measured = timeline.segments().filter(|run| matches!(run.state, State::Ok | State::Error));
    match end {
        End::First => measured.next(),
        End::Last => measured.last(),
    }
    .map(|run| run.state)
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
