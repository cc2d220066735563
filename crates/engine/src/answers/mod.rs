//! Table functions over evaluations: one file each.
//!
//! A call is planned without I/O: its arguments are constants, its columns are known. Its scan reads the definitions and what is
//! kept, and makes the plan of what has to be counted ([`EvaluateExec`]).

mod arguments;
mod burn_alerts;
pub(crate) mod columns;
mod culprits;
mod failures;
pub(crate) mod groups;
mod missing;
mod phases;
mod report;
mod review;
pub(crate) mod signature;
mod slices;
mod timelines;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::{Session, TableFunctionArgs, TableFunctionImpl, TableProvider};
use datafusion::error::Result;
use datafusion::logical_expr::{DocSection, Documentation, Expr, TableProviderFilterPushDown, TableType};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use nines_timeline::Interval;

use crate::evaluate::{
    Answer, Asked, Detail, EvaluateExec, Evaluation, Evaluator, Read, Selection, narrowed, pushed_down,
};
use crate::place::Place;
use crate::statement::Pins;
pub(crate) use arguments::{Arguments, By};
pub(crate) use signature::Signature;

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

/// All of them.
fn all() -> Vec<Arc<dyn Question>> {
    vec![
        Arc::new(slices::Slices),
        Arc::new(timelines::Timelines),
        Arc::new(failures::Failures),
        Arc::new(culprits::Culprits),
        Arc::new(report::Report),
        Arc::new(review::Review),
        Arc::new(burn_alerts::BurnAlerts),
    ]
}

/// What the functions are, for the table `functions`.
pub(crate) fn documentation(name: &str) -> Option<Documentation> {
    let section = DocSection { include: true, label: "Objectives", description: None };
    all().iter().find(|question| question.signature().function == name).map(|question| {
        let (description, example) = question.documentation();
        Documentation::builder(section, description, question.signature().to_string()).with_sql_example(example).build()
    })
}

/// What the functions take.
pub(crate) fn signatures() -> Vec<Signature> {
    all().iter().map(|question| question.signature()).collect()
}

/// Makes the functions known to a session.
pub(crate) fn register_all(context: &SessionContext, place: &Arc<Place>, read: &Arc<Read>) {
    for question in all() {
        let (place, read) = (Arc::clone(place), Arc::clone(read));
        context.register_udtf(question.signature().function, Arc::new(Function { question, place, read }));
    }
}

#[derive(Debug)]
struct Function {
    question: Arc<dyn Question>,
    place: Arc<Place>,
    read: Arc<Read>,
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
        let evaluation = Evaluation::of(session, &self.read)?;
        let evaluator = Evaluator::new(&evaluation, &self.place, &self.read).await?;
        let asked = Asked { ranges, detail, selection: Selection::new(filters, columns), composites, fresh: false };
        let mut prepared = evaluator.prepare(&asked).await?;
        if let Some(pins) = session.config().get_extension::<Pins>() {
            pins.nothing_meant.store(prepared.subjects.is_empty(), Ordering::Relaxed);
        }
        let store = evaluator.keeps_in().cloned();
        prepared.incidents = evaluator.incidents;
        Ok(Arc::new(EvaluateExec::new(
            self.function,
            prepared,
            answer,
            detail,
            (store, self.read.unkept.clone()),
            projection.cloned(),
        )?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_documented_once() {
        let mut names: Vec<&str> = all().iter().map(|question| question.signature().function).collect();
        assert!(names.iter().all(|name| documentation(name).is_some()));
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
