//! A question in SQL, from a call to a plan.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::physical_plan::ExecutionPlan;
use nines_timeline::Interval;

use super::arguments::Arguments;
use super::signature::Signature;
use crate::call_table::{CallTable, Called, given};
use crate::evaluate::{AnswerExec, Detail, Question, Read, ResolveExec, Selection, Tabulation, View, narrowed};
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
        let called = Asking(self.question.call(arguments)?);
        let (place, read) = (Arc::clone(&self.place), Arc::clone(&self.read));
        Ok(Arc::new(CallTable { name: signature.function, given: given(&args)?, at, called, place, read }))
    }
}

/// A call, and the columns of its answer.
#[derive(Debug)]
struct Asking(Call);

impl Called for Asking {
    fn schema(&self) -> SchemaRef {
        self.0.answer.schema()
    }

    /// Filters choose what is evaluated.
    fn choosing(&self) -> Vec<&str> {
        self.0.columns.iter().copied().chain(self.0.time).collect()
    }

    fn planned(&self, call: TableCall, view: View) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(Arc::new(planned(call, &self.0, view)?))
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
    let asked = Question { ranges, detail, selection, composites, fresh: false, bare: false };
    AnswerExec::new(Arc::new(call), answer, columns, ResolveExec::new(asked, view))
}
