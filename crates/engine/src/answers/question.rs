//! A question in SQL, from a call to a plan.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use nines_timeline::Interval;

use super::arguments::Arguments;
use super::signature::Signature;
use crate::evaluate::{Answer, AnswerExec, Asked, Detail, Read, ResolveExec, Selection, View, narrowed, pushed_down};
use crate::place::Place;

/// A question in SQL: a function that stands where a table stands.
pub(crate) trait Question: fmt::Debug + Send + Sync + 'static {
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
    pub answer: Arc<dyn Answer>,
}

#[derive(Debug)]
pub(super) struct Function {
    pub question: Arc<dyn Question>,
    pub place: Arc<Place>,
    pub read: Arc<Read>,
}

impl TableFunctionImpl for Function {
    fn call_with_args(&self, args: TableFunctionArgs) -> Result<Arc<dyn TableProvider>> {
        let function = self.question.signature().function;
        let call = self.question.call(Arguments::of(self.question.signature(), &args)?)?;
        Ok(Arc::new(Asking { function, call, place: Arc::clone(&self.place), read: Arc::clone(&self.read) }))
    }
}

/// A call as a table.
#[derive(Debug)]
struct Asking {
    function: &'static str,
    call: Call,
    place: Arc<Place>,
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
        _limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let Call { mut ranges, beside, detail, columns, time, composites, answer } = self.call.clone();
        if let Some(time) = time {
            ranges.iter_mut().for_each(|range| *range = narrowed(*range, filters, time));
        }
        let schema = answer.schema();
        let is_asked_for = |name: &&str| {
            let at = schema.index_of(name).ok();
            projection.is_none_or(|projection| at.is_some_and(|at| projection.contains(&at)))
        };
        if !beside.is_empty() && !beside.iter().any(is_asked_for) {
            ranges.iter_mut().skip(1).for_each(|range| range.end = range.start);
        }
        let asked = Asked { ranges, detail, selection: Selection::new(filters, columns), composites, fresh: false };
        let view = View::of(session, &self.place, &self.read).await?;
        Ok(Arc::new(AnswerExec::new(self.function, answer, projection.cloned(), ResolveExec::new(asked, view))?))
    }
}
