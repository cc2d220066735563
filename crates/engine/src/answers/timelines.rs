//! `timelines(from, to)`: every objective as one timeline.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::error::Result;
use nines_functions::{TimelineArrayBuilder, timeline_type};

use super::arguments::Arguments;
use super::columns::{count, counts, flag, flags, float, float_of, floats, text, texts};
use super::signature::{FROM, Signature, TO};
use super::table_function::{Call, TableFunction};
use crate::evaluate::{Detail, Part, Prepared, Tabulation, lines};

#[derive(Debug)]
pub(super) struct Timelines;

impl TableFunction for Timelines {
    fn signature(&self) -> Signature {
        Signature { function: "timelines", parameters: &[FROM, TO] }
    }

    fn documentation(&self) -> (&'static str, &'static str) {
        (
            "Every objective over [from, to) as one timeline, with its last target in force and the events of its measured \
             slices. Combine them with error_union and error_sources, read figures off them with availability, mttr, mtbf and the \
             like.",
            "SELECT service, availability(error_union(timeline)) AS slo FROM timelines('2026-10-01', '2026-11-01') GROUP BY service",
        )
    }

    fn call(&self, arguments: Arguments<'_>) -> Result<Call> {
        Ok(Call {
            ranges: vec![arguments.range()?],
            beside: &[],
            detail: Detail::None,
            columns: &["business", "service", "objective"],
            time: None,
            composites: false,
            answer: Arc::new(Rows),
        })
    }
}

#[derive(Debug)]
struct Rows;

impl Tabulation for Rows {
    fn schema(&self) -> SchemaRef {
        Arc::new(Schema::new(vec![
            text("business"),
            text("service"),
            text("objective"),
            float("target"),
            Field::new("timeline", timeline_type(), true),
            count("good"),
            count("total"),
            flag("approximate"),
        ]))
    }

    fn rows(&self, prepared: &Prepared, parts: &[&Part]) -> Result<Vec<RecordBatch>> {
        let lines = lines(prepared, parts, 0)?;
        let mut timelines = TimelineArrayBuilder::default();
        lines.iter().for_each(|line| timelines.append(Some(&line.timeline)));
        Ok(vec![RecordBatch::try_new(
            self.schema(),
            vec![
                texts(lines.iter().map(|line| Some(line.business.as_ref()))),
                texts(lines.iter().map(|line| Some(line.service.as_ref()))),
                texts(lines.iter().map(|line| Some(line.objective.as_ref()))),
                floats(lines.iter().map(|line| Some(float_of(line.spec.target)))),
                Arc::new(timelines.finish()),
                counts(lines.iter().map(|line| Some(line.good))),
                counts(lines.iter().map(|line| Some(line.total))),
                flags(lines.iter().map(|line| line.between.is_some())),
            ],
        )?])
    }
}
