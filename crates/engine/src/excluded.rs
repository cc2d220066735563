//! `excluded(from, to)` in SQL: the time that is excluded, each occurrence of what recurs in a row of its own.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use nines_store::TableKind;
use nines_timeline::Interval;

use crate::answers::Arguments;
use crate::answers::columns::{instant, instants, text, texts};
use crate::answers::signature::{FROM, Signature, TO};
use crate::deferred_function::{DeferredFunction, rows};
use crate::evaluate::{Evaluation, Evaluator, Exclusion};
use crate::table_call::TableCall;

/// What is excluded in a range.
#[derive(Debug, Clone)]
pub(crate) struct ExcludedIn(Interval);

#[async_trait]
impl DeferredFunction for ExcludedIn {
    const SIGNATURE: Signature = Signature { function: "excluded", parameters: &[FROM, TO] };
    const DOCUMENTATION: [&'static str; 3] = [
        "Objectives",
        "The excluded time that touches a range, a row for each exclusion and each occurrence of one that recurs, by start. \
                       What was withdrawn is not among them. id is that of the record, of an occurrence with the local date on which it starts \
                       (ID@2026-10-04); recurring is the id of the record that recurs, NULL where it does not. Scopes that are empty match \
                       everything.",
        "SELECT id, category, started, ended FROM excluded('2026-10-01', '2026-11-01')",
    ];
    /// Few rows, which are filtered when they are there.
    const CHOOSING: &'static [&'static str] = &[];
    const BESIDE: &'static [TableKind] = &[];

    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        arguments.range().map(ExcludedIn)
    }

    fn schema(zone: &str) -> SchemaRef {
        schema(zone)
    }

    async fn plan(
        &self,
        evaluation: &Evaluation,
        evaluator: &Evaluator<'_>,
        call: &TableCall,
        zone: &Arc<str>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let ExcludedIn(range) = self;
        let mut touching = evaluator.excluded(range.end)?;
        touching.retain(|own| own.interval.start < range.end && range.start < own.interval.end);
        touching.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
        rows(batch(&touching, zone)?, evaluation, call).await
    }
}

fn schema(zone: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("id"),
        text("recurring"),
        text("business"),
        text("service"),
        text("customer"),
        text("category"),
        instant("started", zone),
        instant("ended", zone),
        text("reason"),
        instant("announced", zone),
    ]))
}

fn batch(rows: &[Exclusion], zone: &str) -> Result<RecordBatch> {
    let text = |of: fn(&Exclusion) -> Option<&str>| texts(rows.iter().map(of));
    Ok(RecordBatch::try_new(
        schema(zone),
        vec![
            text(|own| Some(&own.id)),
            text(|own| own.of.as_deref()),
            text(|own| Some(&own.scope[0])),
            text(|own| Some(&own.scope[1])),
            text(|own| Some(&own.scope[2])),
            text(|own| Some(&own.category)),
            instants(rows.iter().map(|own| Some(own.interval.start)), zone),
            instants(rows.iter().map(|own| Some(own.interval.end)), zone),
            text(|own| Some(&own.reason)),
            instants(rows.iter().map(|own| own.announced), zone),
        ],
    )?)
}
