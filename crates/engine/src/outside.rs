//! What reaches beyond the store, for sessions that may not (`Settings::files`).
//!
//! Without [`with_files`](crate::files::with_files) no file is a table; what is left are statements that name a place, and settings that
//! move where the program writes.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement};

use crate::{EngineError, Result, insert};

/// Settings under this name say how the whole program uses the machine: memory, and where it spills.
const RUNTIME: &str = "datafusion.runtime.";

/// Refuses a plan that reads or writes a file.
pub(crate) fn refuse(plan: &LogicalPlan) -> Result<()> {
    let mut found = None;
    plan.exists(|node| {
        found = outside(node);
        Ok(found.is_some())
    })?;
    match found {
        Some(what) => Err(EngineError::Usage(format!("{what} is not allowed here: the session is safe"))),
        None => Ok(()),
    }
}

/// Refuses a plan that writes a table of the store.
pub(crate) fn refuse_writes(plan: &LogicalPlan) -> Result<()> {
    match writes(plan)? {
        true => Err(EngineError::Usage("INSERT into the store is not allowed here: the session is safe".to_string())),
        false => Ok(()),
    }
}

/// Whether a plan writes a table of the store, or shows how it would.
pub(crate) fn writes(plan: &LogicalPlan) -> Result<bool> {
    Ok(plan.exists(|node| Ok(insert::writes(node)))?)
}

fn outside(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Copy(_) => Some("COPY".to_string()),
        LogicalPlan::Ddl(DdlStatement::CreateExternalTable(_)) => Some("CREATE EXTERNAL TABLE".to_string()),
        LogicalPlan::Ddl(DdlStatement::CreateFunction(_)) => Some("CREATE FUNCTION".to_string()),
        LogicalPlan::Statement(Statement::SetVariable(set)) if is_of_the_runtime(&set.variable) => {
            Some(format!("SET {}", set.variable))
        }
        LogicalPlan::Statement(Statement::ResetVariable(reset)) if is_of_the_runtime(&reset.variable) => {
            Some(format!("RESET {}", reset.variable))
        }
        _ => None,
    }
}

fn is_of_the_runtime(variable: &str) -> bool {
    variable.to_ascii_lowercase().starts_with(RUNTIME)
}
