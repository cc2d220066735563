//! Table functions over evaluations: one file each.
//!
//! A call is planned without I/O: its arguments are constants, its columns are known. Its scan reads the logs of the tables alone; what
//! is defined, what is kept and what has to be counted is found out when the plan runs ([`table_function`]).

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
mod table_function;
mod timelines;

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::{DocSection, Documentation, Expr, lit};
use datafusion::prelude::SessionContext;

use crate::evaluate::{AnswerExec, Read, View};
use crate::location::StoreLocation;
use crate::table_call::TableCall;
pub(crate) use arguments::{Arguments, By, moment};
pub(crate) use signature::Signature;
use table_function::{Registered, TableFunction};

/// All of them.
fn all() -> Vec<Arc<dyn TableFunction>> {
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

/// The operators of a call that another process has planned; `None` if no function here is called so.
pub(crate) fn planned(call: TableCall, view: View) -> Result<Option<AnswerExec>> {
    let Some(question) = all().into_iter().find(|question| question.signature().function == call.name) else {
        return Ok(None);
    };
    let given: Vec<Expr> = call.given.iter().map(|value| lit(value.clone())).collect();
    let read = question.call(Arguments { signature: question.signature(), given: &given, at: call.at })?;
    table_function::planned(call, &read, view).map(Some)
}

/// Makes the functions known to a session.
pub(crate) fn register_all(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    for question in all() {
        let (place, read) = (Arc::clone(place), Arc::clone(read));
        context.register_udtf(question.signature().function, Arc::new(Registered { question, place, read }));
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
