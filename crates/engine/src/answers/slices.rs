//! `slices(from, to)`: every slice of every objective.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use nines_timeline::State;

use super::arguments::Arguments;
use super::columns::{count, counts, flag, flags, float, float_of, floats, instant, instants, text, texts};
use super::signature::{FROM, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{Detail, Part, Prepared, Slice, Subject, Tabulation};

#[derive(Debug)]
pub(super) struct Slices;

impl TableFunction for Slices {
    fn signature(&self) -> Signature {
        Signature { function: "slices", parameters: &[FROM, TO] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Every slice of every objective that begins inside [from, to): its counts without stored slices that are excluded, \
             their ratio `value`, the target that it must meet, and its state: ok, error, no data or excluded. A slice that is \
             not over at the end of the newest stored one is no data, whatever was counted in it so far. `approximate` says \
             that requests lie about a latency threshold of which it is not known on which side of it; they count as slow.",
            "SELECT time, objective, good, total, state FROM slices('2026-10-14', '2026-10-15') WHERE state = 'error'",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        Ok(Call {
            ranges: vec![arguments.range()?],
            beside: &[],
            detail: Detail::Slices,
            columns: &["business", "service", "objective"],
            time: Some("time"),
            composites: false,
            answer: Arc::new(Rows { zone: arguments.zone() }),
        })
    }
}

#[derive(Debug)]
struct Rows {
    zone: Arc<str>,
}

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            instant("time", &self.zone),
            text("business"),
            text("service"),
            text("objective"),
            text("vela"),
            count("good"),
            count("total"),
            float("value"),
            float("slice_target"),
            text("state"),
            flag("approximate"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        const MOST_ROWS: usize = 8192;
        let rows: Vec<(&Subject, &Part, &Slice)> = parts
            .iter()
            .copied()
            .flat_map(|part| {
                part.slices().iter().map(move |slice| (prepared.subjects[part.subject].as_ref(), part, slice))
            })
            .collect();
        rows.chunks(MOST_ROWS).map(|rows| self.batch(rows)).collect()
    }
}

impl Rows {
    fn batch(&self, rows: &[(&Subject, &Part, &Slice)]) -> Result<RecordBatch> {
        let own = |of: fn(&Subject) -> &str| texts(rows.iter().map(move |(subject, ..)| Some(of(subject))));
        Ok(RecordBatch::try_new(
            self.schema(),
            vec![
                instants(rows.iter().map(|(_, _, slice)| Some(slice.start)), &self.zone),
                own(|subject| &subject.business),
                own(|subject| &subject.service),
                own(|subject| &subject.name),
                texts(rows.iter().map(|(subject, ..)| subject.spec.vela.map(super::groups::vela))),
                counts(rows.iter().map(|(_, _, slice)| Some(slice.good))),
                counts(rows.iter().map(|(_, _, slice)| Some(slice.total))),
                floats(rows.iter().map(|(_, _, s)| (s.total > 0).then(|| s.good as f64 / s.total as f64))),
                floats(rows.iter().map(|(subject, ..)| Some(float_of(subject.spec.slice_target)))),
                texts(rows.iter().map(|(_, _, slice)| Some(state(slice.state)))),
                flags(rows.iter().map(|(_, _, slice)| slice.approximate)),
            ],
        )?)
    }
}

fn state(state: State) -> &'static str {
    match state {
        State::Ok => "ok",
        State::Error => "error",
        State::NoData => "no data",
        State::Excluded => "excluded",
    }
}
