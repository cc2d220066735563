//! Table functions whose operators are planned when they run, because what they read depends on what small tables say.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{DocSection, Documentation, Expr, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use nines_store::TableKind;

use crate::answers::{Arguments, Signature};
use crate::call_table::{CallTable, Called, given};
use crate::deferred::{DeferredExec, Planner};
use crate::evaluate::{Evaluation, Evaluator, Read, View};
use crate::location::StoreLocation;
use crate::table_call::TableCall;

/// A call of such a function, by its arguments.
#[async_trait]
pub(crate) trait DeferredFunction: fmt::Debug + Clone + Send + Sync + 'static {
    /// Its name and what it takes.
    const SIGNATURE: Signature;
    /// For the table `functions`: section, description and example.
    const DOCUMENTATION: [&'static str; 3];
    /// The columns by whose filters is chosen what is worked out. Filters are applied again to what comes out.
    const CHOOSING: &'static [&'static str];
    /// The tables that it reads and an evaluation does not.
    const BESIDE: &'static [TableKind];

    /// Reads the arguments.
    fn of(arguments: &Arguments<'_>) -> Result<Self>;

    /// Its columns, with times shown in a zone.
    fn schema(zone: &str) -> SchemaRef;

    /// The operators, with the projection of the call.
    async fn plan(
        &self,
        evaluation: &Evaluation,
        evaluator: &Evaluator<'_>,
        call: &TableCall,
        zone: &Arc<str>,
    ) -> Result<Arc<dyn ExecutionPlan>>;
}

/// What a function is, for the table `functions`.
pub(crate) fn documentation<F: DeferredFunction>() -> Documentation {
    let [label, description, example] = F::DOCUMENTATION;
    let section = DocSection { include: true, label, description: None };
    let documentation = Documentation::builder(section, description, F::SIGNATURE.to_string());
    documentation.with_sql_example(example).build()
}

/// Makes a function known to a session.
pub(crate) fn register<F: DeferredFunction>(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    let (place, read) = (Arc::clone(place), Arc::clone(read));
    context.register_udtf(F::SIGNATURE.function, Arc::new(Function::<F> { place, read, of: PhantomData }));
}

/// The operators of a call of it that another process has planned.
pub(crate) fn planned<F: DeferredFunction>(call: TableCall, view: View) -> Result<DeferredExec> {
    let given: Vec<Expr> = call.given.iter().map(|value| lit(value.clone())).collect();
    let function = F::of(&Arguments { signature: F::SIGNATURE, given: &given, at: call.at })?;
    deferred(&function, call, view)
}

/// Rows as what comes of a call.
pub(crate) async fn rows(
    rows: RecordBatch,
    evaluation: &Evaluation,
    call: &TableCall,
) -> Result<Arc<dyn ExecutionPlan>> {
    let rows = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
    rows.scan(evaluation.state(), call.projection.as_ref(), &call.filters, call.limit).await
}

#[derive(Debug)]
struct Function<F> {
    place: Arc<StoreLocation>,
    read: Arc<Read>,
    of: PhantomData<F>,
}

impl<F: DeferredFunction> TableFunctionImpl for Function<F> {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let arguments = Arguments::of(F::SIGNATURE, &args)?;
        let called = OfZone { function: F::of(&arguments)?, zone: arguments.zone() };
        let (place, read) = (Arc::clone(&self.place), Arc::clone(&self.read));
        let (name, given) = (F::SIGNATURE.function, given(&args)?);
        Ok(Arc::new(CallTable { name, given, at: arguments.at, called, place, read }))
    }
}

/// A call as a table.
#[derive(Debug)]
struct OfZone<F> {
    function: F,
    /// In which times are shown.
    zone: Arc<str>,
}

impl<F: DeferredFunction> Called for OfZone<F> {
    fn schema(&self) -> SchemaRef {
        F::schema(&self.zone)
    }

    fn choosing(&self) -> Vec<&str> {
        F::CHOOSING.to_vec()
    }

    fn beside(&self) -> &[TableKind] {
        F::BESIDE
    }

    fn planned(&self, call: TableCall, view: View) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(deferred(&self.function, call, view)?))
    }
}

fn deferred<F: DeferredFunction>(function: &F, call: TableCall, view: View) -> Result<DeferredExec> {
    let zone: Arc<str> = call.at.zone.name().into();
    let schema = match &call.projection {
        Some(columns) => Arc::new(F::schema(&zone).project(columns)?),
        None => F::schema(&zone),
    };
    let (call, view) = (Arc::new(call), Arc::new(view));
    let (seen, wanted, function) = (Arc::clone(&view), Arc::clone(&call), function.clone());
    let planner: Planner = Arc::new(move |context| {
        let (view, call, zone) = (Arc::clone(&seen), Arc::clone(&wanted), Arc::clone(&zone));
        let function = function.clone();
        Box::pin(async move {
            let evaluation = view.evaluation.within(&context);
            let evaluator = Evaluator::new(&evaluation, &view.place, &view.read).await?;
            function.plan(&evaluation, &evaluator, &call, &zone).await
        })
    });
    Ok(DeferredExec::new(call, view, schema, planner))
}
