//! A question in SQL, from a call to a plan.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::common::{ScalarValue, internal_err};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::moment::Moment;
use nines_timeline::Interval;

use super::arguments::Arguments;
use super::signature::Signature;
use crate::evaluate::{
    AnswerExec, Detail, Question, Read, ResolveExec, Selection, Tabulation, View, narrowed, pushed_down,
};
use crate::location::StoreLocation;
use crate::table_call::TableCall;

/// A question in SQL: a function that stands where a table stands.
pub(crate) trait TableFunction: fmt::Debug + Send + Sync + 'static {
    /// Its name and its parameters.
    fn signature(&self) -> Signature;

    /// What is documented: description and example.
    fn documentation(&self) -> (&'static str, &'static str);

    /// Reads a call's arguments.
    fn call(&self, arguments: Arguments<'_>) -> Result<Call>;
}

/// A call, ready to be planned.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub ranges: Vec<Interval>,
    /// The columns that speak of the ranges after the first, where all others do without: unless one of them is asked for,
    /// these are not evaluated.
    pub beside: &'static [&'static str],
    pub detail: Detail,
    /// Columns by whose filters objectives are chosen.
    pub columns: &'static [&'static str],
    /// The column of slice starts whose filters narrow the range.
    pub time: Option<&'static str>,
    /// Whether it answers for the unions of SLOs of several indicators.
    pub composites: bool,
    pub answer: Arc<dyn Tabulation>,
}

#[derive(Debug)]
pub(super) struct Registered {
    pub question: Arc<dyn TableFunction>,
    pub place: Arc<StoreLocation>,
    pub read: Arc<Read>,
}

impl TableFunctionImpl for Registered {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let signature = self.question.signature();
        let arguments = Arguments::of(signature, &args)?;
        let at = arguments.at;
        let call = self.question.call(arguments)?;
        let given = args.exprs().iter().map(constant).collect::<Result<_>>()?;
        let (place, read) = (Arc::clone(&self.place), Arc::clone(&self.read));
        Ok(Arc::new(Asking { name: signature.function, given, at, call, place, read }))
    }
}

fn constant(argument: &Expr) -> Result<ScalarValue> {
    match argument {
        Expr::Literal(value, _) => Ok(value.clone()),
        other => internal_err!("{other} is no constant"),
    }
}

/// A call as a table.
#[derive(Debug)]
struct Asking {
    name: &'static str,
    given: Vec<ScalarValue>,
    at: Moment,
    call: Call,
    place: Arc<StoreLocation>,
    read: Arc<Read>,
}

#[async_trait]
impl TableProvider for Asking {
    fn schema(&self) -> SchemaRef {
        self.call.answer.schema()
    }

    fn table_type(&self) -> TableType {
        TableType::Temporary
    }

    /// Filters choose what is evaluated; they are applied again to what comes out.
    fn supports_filters_pushdown(&self, filters: &[&Expr]) -> Result<Vec<TableProviderFilterPushDown>> {
        let columns: Vec<&str> = self.call.columns.iter().copied().chain(self.call.time).collect();
        Ok(pushed_down(filters, &columns))
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let view = View::of(session, &self.place, &self.read).await?;
        let call = TableCall {
            name: self.name.to_string(),
            given: self.given.clone(),
            at: self.at,
            projection: projection.cloned(),
            filters: filters.to_vec(),
            limit,
        };
        Ok(Arc::new(planned(call, &self.call, view)?))
    }
}

/// The operators of a call.
pub(super) fn planned(call: TableCall, read: &Call, view: View) -> Result<AnswerExec> {
    let Call { mut ranges, beside, detail, columns, time, composites, answer } = read.clone();
    if let Some(time) = time {
        ranges.iter_mut().for_each(|range| *range = narrowed(*range, &call.filters, time));
    }
    let schema = answer.schema();
    let is_asked_for = |name: &&str| {
        let at = schema.index_of(name).ok();
        call.projection.as_ref().is_none_or(|projection| at.is_some_and(|at| projection.contains(&at)))
    };
    if !beside.is_empty() && !beside.iter().any(is_asked_for) {
        ranges.iter_mut().skip(1).for_each(|range| range.end = range.start);
    }
    let selection = Selection::new(&call.filters, columns);
    let asked = Question { ranges, detail, selection, composites, fresh: false };
    AnswerExec::new(Arc::new(call), answer, ResolveExec::new(asked, view))
}
