//! From a statement to what runs: everything that a statement means here is decided while it is planned, whoever runs it.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::{LogicalPlan, LogicalPlanBuilder, Statement as PlanStatement};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::Statement as Parsed;
use nines_slo::Definitions;

use super::{Role, Session, in_zone};
use crate::answers::Signature;
use crate::by_run::RunsExec;
use crate::evaluate::Proposed;
use crate::insert;
use crate::parameters::Parameters;
use crate::running::{self, Token};
use crate::sink::Receipt;
use crate::statement::{Answer, Pins, Sources, Statement};
use crate::wording::{self, Names};
use crate::{EngineError, Result, calls, prepared, times, zone};

/// A statement that is ready to run, once. It reads the versions that were the newest when it was planned, or first scanned.
pub struct Planned {
    plan: LogicalPlan,
    /// Of this statement alone: statements that run at once must not mix what they pin.
    context: SessionContext,
    does: Does,
    pins: Arc<Pins>,
    receipt: Option<Receipt>,
    token: Arc<Token>,
}

/// What running a statement does.
enum Does {
    /// It runs its plan.
    Run,
    /// It changes a setting for the statements to come.
    Set,
    /// It keeps a statement as it was written, to be planned when it is executed.
    Prepare(Box<Parsed>),
    /// It forgets one that was prepared.
    Deallocate(String),
}

/// What a statement takes and gives, before it has values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `$1`, `$2` … and their types, as far as the statement says them.
    pub parameters: Vec<Option<DataType>>,
    /// The columns of its answer.
    pub schema: SchemaRef,
}

impl Planned {
    pub(crate) fn logical(&self) -> &LogicalPlan {
        &self.plan
    }

    /// The columns of its answer.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.plan.schema().inner())
    }
}

impl Session {
    /// Plans a statement. Every table that it names is read at one version, the newest now. Nothing is read or written yet, and
    /// nothing of the session changes.
    pub async fn plan(&self, statement: &Statement, parameters: &Parameters) -> Result<Planned> {
        self.planned(statement, parameters, None).await
    }

    pub(super) async fn planned(
        &self,
        statement: &Statement,
        parameters: &Parameters,
        proposed: Option<Arc<Definitions>>,
    ) -> Result<Planned> {
        let token = self.token()?;
        let planned = self.planned_under(&token, statement, parameters, proposed);
        until_ended(&token, planned).await
    }

    /// What a statement takes and gives, its `$1`, `$2` … without values: what wire protocols ask before they run it.
    pub async fn describe(&self, statement: &Statement) -> Result<Described> {
        let mut statement = statement.0.clone();
        self.prepared.put(&mut statement)?;
        zone::set(&mut statement, self.settings.time_zone)?;
        times::written(&mut statement);
        let signatures = signatures();
        calls::in_order(&mut statement, &signatures)?;
        let takes = prepared::takes_of(&statement)?;
        prepared::with_stand_ins(&mut statement, &signatures)?;
        let _planning = self.planning.read().await;
        let (mut state, _) = self.beginning().await?;
        state.config_mut().set_extension(Arc::new(Receipt::default()));
        let plan = state.statement_to_plan(statement).await.map_err(|error| self.named(error, &state))?;
        self.settings.role.check(&plan)?;
        let told = plan.get_parameter_types()?;
        let of = |number: usize| told.get(&format!("${number}")).cloned().flatten();
        Ok(Described { parameters: (1..=takes).map(of).collect(), schema: Arc::clone(plan.schema().inner()) })
    }

    async fn planned_under(
        &self,
        token: &Arc<Token>,
        statement: &Statement,
        parameters: &Parameters,
        proposed: Option<Arc<Definitions>>,
    ) -> Result<Planned> {
        let mut statement = statement.0.clone();
        parameters.bind(&mut statement)?;
        self.prepared.put(&mut statement)?;
        zone::set(&mut statement, self.settings.time_zone)?;
        times::written(&mut statement);
        let signatures = signatures();
        calls::in_order(&mut statement, &signatures)?;
        let mut meant = statement.clone();
        if prepared::prepares(&statement) {
            prepared::with_stand_ins(&mut meant, &signatures)?;
        }
        let receipt = Receipt::default();
        let _planning = self.planning.read().await;
        let (mut state, pins) = self.beginning().await?;
        state.config_mut().set_extension(Arc::new(receipt.clone()));
        if let Some(definitions) = proposed {
            state.config_mut().set_extension(Arc::new(Proposed(definitions)));
        }
        let context = SessionContext::new_with_state(state);
        let state = context.state();
        let mut plan = state.statement_to_plan(meant).await.map_err(|error| self.named(error, &state))?;
        self.settings.role.check(&plan)?;
        if plan.exists(|node| Ok(insert::writes(node)))? {
            self.check_present()?;
        }
        let does = match &plan {
            LogicalPlan::Statement(PlanStatement::Prepare(prepare)) => {
                insert::check(&prepare.input)?;
                self.prepared.check(&statement)?;
                Does::Prepare(Box::new(statement.clone()))
            }
            LogicalPlan::Statement(PlanStatement::Deallocate(deallocate)) => Does::Deallocate(deallocate.name.clone()),
            LogicalPlan::Statement(_) => Does::Set,
            _ => Does::Run,
        };
        if let Does::Prepare(_) | Does::Deallocate(_) = does {
            plan = LogicalPlanBuilder::empty(false).build()?;
        }
        let plan = insert::exactly(&context.state(), &statement, plan).await?;
        let receipt = insert::writes(&plan).then_some(receipt);
        Ok(Planned { plan, context, does, pins, receipt, token: Arc::clone(token) })
    }

    /// The error with the name that was probably meant.
    fn named(&self, error: DataFusionError, state: &SessionState) -> DataFusionError {
        let schema = state.catalog_list().catalog("nines").and_then(|catalog| catalog.schema("public"));
        wording::named(error, || Names {
            tables: schema.map(|schema| schema.table_names()).unwrap_or_default(),
            functions: state
                .scalar_functions()
                .keys()
                .chain(state.aggregate_functions().keys())
                .chain(state.window_functions().keys())
                .cloned()
                .collect(),
            windows: state.window_functions().keys().cloned().collect(),
            table_functions: signatures().iter().map(|signature| signature.function.to_string()).collect(),
        })
    }

    /// Starts what was planned. An INSERT has committed when its one row, the number of rows inserted, comes.
    pub async fn execute(&self, planned: Planned) -> Result<Answer> {
        let token = Arc::clone(&planned.token);
        until_ended(&token, self.executed(planned)).await
    }

    async fn executed(&self, planned: Planned) -> Result<Answer> {
        let Planned { plan, context, does, pins, receipt, token } = planned;
        match &does {
            Does::Run | Does::Set => {}
            Does::Prepare(statement) => self.prepared.keep(statement)?,
            Does::Deallocate(name) => self.prepared.forget(name)?,
        }
        let frame = match does {
            Does::Set => self.set(plan).await?,
            Does::Run | Does::Prepare(_) | Does::Deallocate(_) => context.execute_logical_plan(plan).await?,
        };
        let task = frame.task_ctx();
        let batches = running::start(frame.create_physical_plan().await?, task, &token, self.settings.limits.rows)?;
        let store = self.store().map(|_| self.store_url().to_string());
        Ok(Answer { schema: batches.schema(), batches, sources: Sources { pins, store }, receipt })
    }

    /// The operators of a query, as a [`Codec`](crate::Codec) writes them for another process. They read the versions that were the
    /// newest when the query was planned.
    pub async fn physical_plan(&self, planned: &Planned) -> Result<Arc<dyn ExecutionPlan>> {
        match planned.does {
            Does::Run => {}
            Does::Set | Does::Prepare(_) | Does::Deallocate(_) => {
                return Err(EngineError::Usage("only a query has operators that run elsewhere".to_string()));
            }
        }
        let writes =
            |node: &LogicalPlan| matches!(node, LogicalPlan::Copy(_) | LogicalPlan::Dml(_) | LogicalPlan::Ddl(_));
        if planned.plan.exists(|node| Ok(writes(node)))? {
            return Err(EngineError::Usage("what writes runs where it was planned".to_string()));
        }
        let plan = async {
            let plan = planned.context.state().create_physical_plan(&planned.plan).await?;
            // Other machines have DataFusion's operators.
            let plain = plan.transform_up(|node| match node.downcast_ref::<RunsExec>() {
                Some(runs) => Ok(Transformed::yes(runs.plain()?)),
                None => Ok(Transformed::no(node)),
            });
            Ok(plain?.data)
        };
        until_ended(&planned.token, plan).await
    }

    /// Runs operators that another process has planned, under this session's limits. Nobody says what they may do, so only an
    /// [`Admin`](crate::Role::Admin) runs them.
    pub fn execute_physical(&self, plan: Arc<dyn ExecutionPlan>) -> Result<SendableRecordBatchStream> {
        if self.settings.role != Role::Admin {
            return Err(EngineError::Usage(
                "operators that another process has planned are run by an admin alone".to_string(),
            ));
        }
        Ok(running::start(plan, TaskContext::from(&self.context.state()), &self.token()?, self.settings.limits.rows)?)
    }

    /// Changes a setting of the session, and with its time zone the functions and types that depend on that.
    async fn set(&self, plan: LogicalPlan) -> Result<DataFrame> {
        let _alone = self.planning.write().await;
        let before = self.time_zone();
        let frame = self.context.execute_logical_plan(plan).await?;
        let zone = self.time_zone();
        if zone != before {
            in_zone(&self.context, &self.types, zone, self.past.as_deref())?;
        }
        Ok(frame)
    }

    /// A statement begins.
    fn token(&self) -> Result<Arc<Token>> {
        let limits = &self.settings.limits;
        let permit = match &self.statements {
            None => None,
            Some(statements) => Some(Arc::clone(statements).try_acquire_owned().map_err(|_| {
                let most = limits.statements.unwrap_or_default();
                EngineError::Usage(format!(
                    "{most} statements of this session run already, and no more may; wait for one, or end it"
                ))
            })?),
        };
        Ok(Token::begin(self.id, self.engine.memory_limit(), limits.time, permit))
    }
}

/// What comes of a step, unless its statement is ended first.
async fn until_ended<T>(token: &Arc<Token>, step: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::select! {
        done = step => done,
        () = token.ended() => {
            token.check()?;
            Err(EngineError::Cancelled)
        }
    }
}

/// What the table functions take.
fn signatures() -> Vec<Signature> {
    let mut all = crate::answers::signatures();
    all.extend(crate::deferred_functions::signatures());
    all
}
