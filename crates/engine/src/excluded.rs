//! `excluded(from, to)` in SQL: the time that is excluded, each occurrence of what recurs in a row of its own.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{DocSection, Documentation, Expr, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use nines_timeline::Interval;

use crate::answers::Arguments;
use crate::answers::columns::{instant, instants, text, texts};
use crate::answers::signature::{FROM, Signature, TO};
use crate::call_table::{CallTable, Called, given};
use crate::deferred::{DeferredExec, Planner};
use crate::evaluate::{Evaluator, Exclusion, Read, View};
use crate::location::StoreLocation;
use crate::table_call::TableCall;

const NAME: &str = "excluded";
/// What the function takes.
pub(crate) const SIGNATURE: Signature = Signature { function: NAME, parameters: &[FROM, TO] };

/// What the function is, for the table `functions`.
pub(crate) fn documentation(name: &str) -> Option<Documentation> {
    let section = DocSection { include: true, label: "Objectives", description: None };
    let description = "The excluded time that touches a range, a row for each exclusion and each occurrence of one that recurs, by start. \
                       What was withdrawn is not among them. id is that of the record, of an occurrence with the local date on which it starts \
                       (ID@2026-10-04); recurring is the id of the record that recurs, NULL where it does not. Scopes that are empty match \
                       everything.";
    let example = "SELECT id, category, started, ended FROM excluded('2026-10-01', '2026-11-01')";
    let documentation = Documentation::builder(section, description, SIGNATURE.to_string()).with_sql_example(example);
    (name == NAME).then(|| documentation.build())
}

/// Makes the function known to a session.
pub(crate) fn register(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    let (place, read) = (Arc::clone(place), Arc::clone(read));
    context.register_udtf(NAME, Arc::new(Function { place, read }));
}

#[derive(Debug)]
struct Function {
    place: Arc<StoreLocation>,
    read: Arc<Read>,
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(SIGNATURE, &args)?;
        let (range, at) = (arguments.range()?, arguments.at);
        let called = ExcludedIn { range, zone: arguments.zone() };
        let (place, read) = (Arc::clone(&self.place), Arc::clone(&self.read));
        Ok(Arc::new(CallTable { name: NAME, given: given(&args)?, at, called, place, read }))
    }
}

/// What is excluded of a range as a table.
#[derive(Debug)]
struct ExcludedIn {
    range: Interval,
    /// In which times are shown.
    zone: Arc<str>,
}

impl Called for ExcludedIn {
    fn schema(&self) -> SchemaRef {
        schema(&self.zone)
    }

    /// Few rows, which are filtered when they are there.
    fn choosing(&self) -> Vec<&str> {
        Vec::new()
    }

    fn planned(&self, call: TableCall, view: View) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(deferred(call, self.range, view)?))
    }
}

/// The operators of a call that another process has planned; `None` if it is another function's.
pub(crate) fn planned(call: TableCall, view: View) -> Result<Option<DeferredExec>> {
    if call.name != NAME {
        return Ok(None);
    }
    let given: Vec<Expr> = call.given.iter().map(|value| lit(value.clone())).collect();
    let range = Arguments { signature: SIGNATURE, given: &given, at: call.at }.range()?;
    deferred(call, range, view).map(Some)
}

fn deferred(call: TableCall, range: Interval, view: View) -> Result<DeferredExec> {
    let zone: Arc<str> = call.at.zone.name().into();
    let schema = match &call.projection {
        Some(columns) => Arc::new(schema(&zone).project(columns)?),
        None => schema(&zone),
    };
    let (call, view) = (Arc::new(call), Arc::new(view));
    let (seen, wanted) = (Arc::clone(&view), Arc::clone(&call));
    let planner: Planner = Arc::new(move |context| {
        let (view, call, zone) = (Arc::clone(&seen), Arc::clone(&wanted), Arc::clone(&zone));
        Box::pin(async move {
            let evaluation = view.evaluation.within(&context);
            let evaluator = Evaluator::new(&evaluation, &view.place, &view.read).await?;
            let mut touching = evaluator.excluded(range.end)?;
            touching.retain(|own| own.interval.start < range.end && range.start < own.interval.end);
            touching.sort_by(|a, b| (a.interval, &a.id).cmp(&(b.interval, &b.id)));
            let rows = batch(&touching, &zone)?;
            let rows = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
            rows.scan(evaluation.state(), call.projection.as_ref(), &call.filters, call.limit).await
        })
    });
    Ok(DeferredExec::new(call, view, schema, planner))
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
