//! What a session may do.

use datafusion::common::tree_node::TreeNode;
use datafusion::logical_expr::{DdlStatement, LogicalPlan, Statement};

use crate::{EngineError, Result, insert};

/// Settings under this name say how the whole program uses the machine: memory, and where it spills.
const RUNTIME: &str = "datafusion.runtime.";
/// What a reader may set: how times are read and shown, and how plans are shown.
const OF_A_READER: [&str; 2] = ["datafusion.execution.time_zone", "datafusion.explain."];

/// What a session may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Role {
    /// Everything, files of the machine and settings of the program too.
    #[default]
    Admin,
    /// Reads and writes the store, and makes tables and views of its own; files and the program are out of its reach.
    Writer,
    /// Reads the store. Its statements write nothing at all, days of objectives that are kept for the next question included.
    Reader,
}

impl Role {
    /// Whether SQL may name files.
    pub(crate) fn has_files(self) -> bool {
        self == Role::Admin
    }

    /// Whether what is evaluated is kept.
    pub(crate) fn keeps(self) -> bool {
        self != Role::Reader
    }

    /// Refuses a plan with a part that the role does not allow.
    pub(crate) fn check(self, plan: &LogicalPlan) -> Result<()> {
        let mut found = None;
        plan.exists(|node| {
            found = match self {
                Role::Admin => None,
                Role::Writer => outside(node),
                Role::Reader => beyond_reading(node),
            };
            Ok(found.is_some())
        })?;
        match found {
            None => Ok(()),
            Some(what) => Err(EngineError::Usage(format!("{what} is not allowed here: {}", self.said()))),
        }
    }

    fn said(self) -> &'static str {
        match self {
            Role::Admin => "the session may do everything",
            Role::Writer => "the session stays within the store",
            Role::Reader => "the session only reads the store",
        }
    }
}

/// What reaches beyond the store. Without files as tables ([`with_files`](crate::files::with_files)) these are statements that name a
/// place, and settings that move where the program writes.
fn outside(plan: &LogicalPlan) -> Option<String> {
    match plan {
        LogicalPlan::Copy(_) => Some("COPY".to_string()),
        LogicalPlan::Ddl(DdlStatement::CreateExternalTable(_)) => Some("CREATE EXTERNAL TABLE".to_string()),
        LogicalPlan::Ddl(DdlStatement::CreateFunction(_)) => Some("CREATE FUNCTION".to_string()),
        LogicalPlan::Statement(Statement::SetVariable(set)) => {
            is_of_the_runtime(&set.variable).then(|| format!("SET {}", set.variable))
        }
        LogicalPlan::Statement(Statement::ResetVariable(reset)) => {
            is_of_the_runtime(&reset.variable).then(|| format!("RESET {}", reset.variable))
        }
        _ => None,
    }
}

fn is_of_the_runtime(variable: &str) -> bool {
    variable.to_ascii_lowercase().starts_with(RUNTIME)
}

/// What is not known to read only: a part of plans that nobody has thought of here is refused.
fn beyond_reading(plan: &LogicalPlan) -> Option<String> {
    let may_set = |variable: &str| {
        let variable = variable.to_ascii_lowercase();
        OF_A_READER.iter().any(|known| variable == *known || known.ends_with('.') && variable.starts_with(known))
    };
    match plan {
        LogicalPlan::Projection(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Window(_)
        | LogicalPlan::Aggregate(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Join(_)
        | LogicalPlan::Repartition(_)
        | LogicalPlan::Union(_)
        | LogicalPlan::TableScan(_)
        | LogicalPlan::EmptyRelation(_)
        | LogicalPlan::Subquery(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Limit(_)
        | LogicalPlan::Values(_)
        | LogicalPlan::Explain(_)
        | LogicalPlan::Analyze(_)
        | LogicalPlan::Distinct(_)
        | LogicalPlan::DescribeTable(_)
        | LogicalPlan::Unnest(_)
        | LogicalPlan::RecursiveQuery(_)
        | LogicalPlan::Statement(Statement::Prepare(_) | Statement::Execute(_) | Statement::Deallocate(_)) => None,
        LogicalPlan::Statement(Statement::SetVariable(set)) if may_set(&set.variable) => None,
        LogicalPlan::Statement(Statement::ResetVariable(reset)) if may_set(&reset.variable) => None,
        LogicalPlan::Statement(Statement::SetVariable(set)) => Some(format!("SET {}", set.variable)),
        LogicalPlan::Statement(Statement::ResetVariable(reset)) => Some(format!("RESET {}", reset.variable)),
        LogicalPlan::Dml(dml) if insert::writes(plan) => Some(format!("{} into the store", dml.op)),
        other => Some(other.display().to_string().split([' ', ':']).next().unwrap_or("this").to_string()),
    }
}
