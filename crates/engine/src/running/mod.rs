//! Statements while they run, so that they can be ended: by whoever asked for them, or because the process holds too much
//! memory.
//!
//! A statement has a [`Token`]. Ending it lets its stream fail at the next step and drops all that it was made of, whose tasks
//! end with that. DataFusion's operators end when they next wait for something; those that compute long without waiting are
//! watched ([`watched`]): they look at the token on their way.
//!
//! What must hold: a second after a statement was ended or its stream was dropped, none of its tasks is alive and it holds
//! nothing of the memory pool.

mod constant;
mod memory;
mod pool;
mod sliced;
mod stream;
#[cfg(test)]
mod tests;
mod token;
mod watched;

use std::sync::Arc;

use datafusion::error::{DataFusionError, Result};
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

pub use memory::watch_memory;
pub(crate) use token::{SessionId, Token, cancel};

use pool::StatementPool;
use stream::Ending;

/// Starts the operators of a statement under its token. An answer of more rows than `most` fails.
pub(crate) fn start(
    plan: Arc<dyn ExecutionPlan>,
    task: TaskContext,
    token: &Arc<Token>,
    most: Option<u64>,
) -> Result<SendableRecordBatchStream> {
    let plan = watched::watched(plan, token)?;
    let environment = task.runtime_env();
    let pool = StatementPool::new(Arc::clone(&environment.memory_pool), Arc::clone(token));
    let environment = RuntimeEnv { memory_pool: Arc::new(pool), ..environment.as_ref().clone() };
    let task = task.with_runtime(Arc::new(environment));
    let rows = execute_stream(plan, Arc::new(task))?;
    let rows = match most {
        Some(most) => limited(rows, most),
        None => rows,
    };
    Ok(Box::pin(Ending::new(rows, Arc::clone(token))))
}

/// The same rows, and an error instead of the first batch that makes too many of them.
fn limited(rows: SendableRecordBatchStream, most: u64) -> SendableRecordBatchStream {
    let mut left = most;
    let counted = rows.schema();
    let rows = rows.map(move |batch| {
        let batch = batch?;
        left = left.checked_sub(batch.num_rows() as u64).ok_or_else(|| {
            DataFusionError::ResourcesExhausted(format!(
                "The answer has more than {most} rows, which is the most in this session; ask for fewer, as with LIMIT {most}."
            ))
        })?;
        Ok(batch)
    });
    Box::pin(RecordBatchStreamAdapter::new(counted, rows))
}
