//! `culprits(from, to)`: which endpoint and cause lost the slices of each failure.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::Interval;

use super::arguments::Arguments;
use super::columns::{count, counts, float, floats, instant, instants, text, texts};
use super::signature::{FROM, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{Culprit, Detail, Line, Part, Prepared, Tabulation, lines};

#[derive(Debug)]
pub(super) struct Culprits;

impl TableFunction for Culprits {
    fn signature(&self) -> Signature {
        Signature { function: "culprits", parameters: &[FROM, TO] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "For each failure of each objective in [from, to), the endpoints and causes with bad events in its error slices: how many, \
             their share of all bad events of the failure, in how many error slices they were, and how many of these would have \
             met the target without them (`decisive_slices`). Ranked by that, then by bad events. A cause that nobody named \
             is told as its status, of latencies it is `slow`.",
            "SELECT failure_started, endpoint, cause, bad, share, decisive_slices FROM culprits('2026-10-01', '2026-11-01') \
             WHERE service = 'login' AND rank = 1",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        Ok(Call {
            ranges: vec![arguments.range()?],
            beside: &[],
            detail: Detail::Culprits,
            columns: &["business", "service", "objective"],
            time: None,
            composites: false,
            answer: Arc::new(Rows { zone: arguments.zone() }),
        })
    }
}

#[derive(Debug)]
struct Rows {
    zone: Arc<str>,
}

struct Blamed<'a> {
    line: &'a Line,
    failure: Interval,
    rank: i64,
    endpoint: &'a str,
    cause: &'a str,
    bad: i64,
    all: i64,
    slices: i64,
    decisive: i64,
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("business"),
            text("service"),
            text("objective"),
            instant("failure_started", &self.zone),
            instant("failure_ended", &self.zone),
            count("rank"),
            text("endpoint"),
            text("cause"),
            count("bad"),
            float("share"),
            count("error_slices"),
            count("decisive_slices"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let lines = lines(prepared, parts, 0)?;
        let mut accused: HashMap<(&str, &str), Vec<&Culprit>> = HashMap::new();
        for part in parts {
            let subject = &prepared.subjects[part.subject];
            accused.entry((&subject.name, &subject.service)).or_default().extend(part.culprits());
        }
        let mut found: Vec<Blamed> = Vec::new();
        for line in &lines {
            let Some(culprits) = accused.get_mut(&(line.objective.as_ref(), line.service.as_ref())) else { continue };
            culprits.sort_by_key(|culprit| culprit.slice);
            for failure in line.timeline.failures(0).into_iter().map(|failure| failure.interval) {
                let from = culprits.partition_point(|culprit| culprit.slice < failure.start);
                let to = culprits.partition_point(|culprit| culprit.slice < failure.end);
                found.extend(blame(line, failure, &culprits[from..to]));
            }
        }
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(found.iter().map(|blamed| Some(blamed.line.business.as_ref()))),
                texts(found.iter().map(|blamed| Some(blamed.line.service.as_ref()))),
                texts(found.iter().map(|blamed| Some(blamed.line.objective.as_ref()))),
                instants(found.iter().map(|blamed| Some(blamed.failure.start)), &self.zone),
                instants(found.iter().map(|blamed| Some(blamed.failure.end)), &self.zone),
                counts(found.iter().map(|blamed| Some(blamed.rank))),
                texts(found.iter().map(|blamed| Some(blamed.endpoint))),
                texts(found.iter().map(|blamed| Some(blamed.cause))),
                counts(found.iter().map(|blamed| Some(blamed.bad))),
                floats(found.iter().map(|blamed| (blamed.all > 0).then(|| blamed.bad as f64 / blamed.all as f64))),
                counts(found.iter().map(|blamed| Some(blamed.slices))),
                counts(found.iter().map(|blamed| Some(blamed.decisive))),
            ],
        )?])
    }
}

/// The culprits of one failure, ranked.
fn blame<'a>(line: &'a Line, failure: Interval, culprits: &[&'a Culprit]) -> Vec<Blamed<'a>> {
    let mut by_place: HashMap<(&str, &str), Blamed> = HashMap::new();
    let mut all = 0i64;
    for culprit in culprits {
        let (endpoint, cause) = (culprit.endpoint.as_ref(), culprit.cause.as_ref());
        let blamed = by_place.entry((endpoint, cause)).or_insert(Blamed {
            line,
            failure,
            rank: 0,
            endpoint,
            cause,
            bad: 0,
            all: 0,
            slices: 0,
            decisive: 0,
        });
        blamed.bad = blamed.bad.saturating_add(culprit.bad);
        blamed.slices += 1;
        blamed.decisive += i64::from(culprit.decisive);
        all = all.saturating_add(culprit.bad);
    }
    let mut blamed: Vec<Blamed> = by_place.into_values().collect();
    blamed.sort_by(|a, b| (b.decisive, b.bad, a.endpoint, a.cause).cmp(&(a.decisive, a.bad, b.endpoint, b.cause)));
    for (rank, blamed) in (1..).zip(&mut blamed) {
        (blamed.rank, blamed.all) = (rank, all);
    }
    blamed
}
