//! The session in which everything that is kept is evaluated: of one configuration and with the shipped functions, whoever asks.
//!
//! A person's session may mean another thing by `0.1 + 0.2`, by a text, by the name of a function. What it asks for is computed
//! here all the same, and so is every figure that is kept for others, and every row that is written.

use std::sync::{Arc, PoisonError};

use datafusion::catalog::Session;
use datafusion::config::{ConfigOptions, Dialect};
use datafusion::error::Result;
use datafusion::execution::runtime_env::RuntimeEnv;
use datafusion::execution::{SessionState, SessionStateBuilder, TaskContext};
use datafusion::prelude::SessionConfig;

use super::common::Read;

/// A session for one statement, with what hangs on the asking session (its pins, what is proposed, its memory).
#[derive(Debug)]
pub(crate) struct Evaluation(SessionState);

impl Evaluation {
    pub fn of(asking: &dyn Session, read: &Read) -> Result<Self> {
        Evaluation::with(asking.config(), asking.runtime_env(), read)
    }

    /// The same of a session that is known by its configuration.
    pub fn with(asking: &SessionConfig, runtime: &Arc<RuntimeEnv>, read: &Read) -> Result<Self> {
        let mut state = begun(read, runtime)?;
        *state.config_mut() = config(asking);
        Ok(Evaluation(state))
    }

    /// The same with the memory of a statement that runs.
    pub fn within(&self, context: &TaskContext) -> Evaluation {
        let state = SessionStateBuilder::new_from_existing(self.0.clone());
        Evaluation(state.with_runtime_env(context.runtime_env()).build())
    }

    pub fn state(&self) -> &SessionState {
        &self.0
    }
}

/// A session for an evaluation that runs here. Another memory or place to spill makes a new one.
fn begun(read: &Read, runtime: &Arc<RuntimeEnv>) -> Result<SessionState> {
    let mut known = read.session.lock().unwrap_or_else(PoisonError::into_inner);
    match known.as_ref().filter(|state| Arc::ptr_eq(state.runtime_env(), runtime)) {
        Some(state) => Ok(state.clone()),
        None => Ok(known.insert(session(Arc::clone(runtime))?).clone()),
    }
}

/// Without the settings of the session that runs the plan.
pub(crate) fn task(of: &TaskContext) -> Arc<TaskContext> {
    Arc::new(TaskContext::new(
        of.task_id(),
        of.session_id(),
        config(of.session_config()),
        of.scalar_functions().clone(),
        of.higher_order_functions().clone(),
        of.aggregate_functions().clone(),
        of.window_functions().clone(),
        of.runtime_env(),
    ))
}

/// The configuration of every evaluation, with what hangs on another one. How many cores are used is nobody's figure.
fn config(of: &SessionConfig) -> SessionConfig {
    let mut config = of.clone();
    *config.options_mut() = options(of.target_partitions().max(1));
    config
}

fn options(partitions: usize) -> ConfigOptions {
    let mut options = ConfigOptions::default();
    options.execution.target_partitions = partitions;
    options.execution.time_zone = Some(nines_store::UTC.to_string());
    options.sql_parser.dialect = Dialect::PostgreSQL;
    options
}

/// What all evaluations begin with.
fn session(runtime: Arc<RuntimeEnv>) -> Result<SessionState> {
    let mut config = SessionConfig::new();
    *config.options_mut() = options(config.target_partitions());
    let builder = SessionStateBuilder::new().with_config(config).with_runtime_env(runtime);
    let builder = builder.with_expr_planners(vec![Arc::new(nines_functions::LabelAccess)]).with_default_features();
    let mut state = builder.build();
    nines_functions::register_all(&mut state, nines_store::UTC)?;
    nines_functions::register_times(&mut state, nines_store::UTC, None)?;
    Ok(state)
}
