//! What one statement evaluates with: one version of each table, what is defined, what is excluded, and what time it is.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::exec_datafusion_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::SendableRecordBatchStream;
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use datafusion::prelude::SessionConfig;
use futures::TryStreamExt;
use nines_slo::{Definitions, ObjectKind, Rules, Stored};
use nines_store::{Provider, Snapshot, Store, TableKind};

use super::common::Read;
use super::excluded::{Exclusions, horizon};
use super::exclusions::{self, Exclusion, Incident};
use super::inputs::{Inputs, RAW};
use super::measurable::unmeasurable;
use super::session::Evaluation;
use super::shared::Evaluated;
use crate::Role;
use crate::location::StoreLocation;
use crate::statement::{Pins, now};

/// The tables that evaluations read.
pub(super) const EVALUATED: [TableKind; 8] = [
    TableKind::Requests,
    TableKind::Events,
    TableKind::Gauges,
    TableKind::Definitions,
    TableKind::Exclusions,
    TableKind::Incidents,
    TableKind::SloDays,
    TableKind::SloFacts,
];

/// Definitions to evaluate instead of those that are recorded, hung on the session's configuration.
#[derive(Debug)]
pub(crate) struct Proposed(pub Arc<Definitions>);

/// What a statement may take of what was evaluated, and leaves: nothing of what is only proposed.
pub(super) fn evaluated(config: &SessionConfig) -> Option<Arc<Evaluated>> {
    config.get_extension::<Evaluated>().filter(|_| config.get_extension::<Proposed>().is_none())
}

/// One statement's view of the store.
pub(crate) struct Evaluator<'a> {
    /// Evaluation's own, never the asking one.
    pub session: &'a dyn Session,
    pins: Arc<Pins>,
    pub store: Option<Store>,
    /// The store's slice width in µs.
    pub slot: i64,
    /// What time it is, in µs: only `noData: error` and what is in force now ask.
    pub now: i64,
    pub definitions: Arc<Definitions>,
    /// As they are recorded; [`excluded`](Self::excluded) gives what recurs, too.
    exclusions: Exclusions,
    pub incidents: Vec<Incident>,
    pub(super) inputs: Vec<Arc<Inputs>>,
}

impl<'a> Evaluator<'a> {
    /// Reads the small tables, and which files the large ones have.
    pub async fn new(evaluation: &'a Evaluation, place: &StoreLocation, read: &Read) -> Result<Self> {
        let session: &'a dyn Session = evaluation.state();
        let pins = Pins::of(session)?;
        let store = place.store().cloned();
        let slice_seconds = store.as_ref().map_or(nines_store::DEFAULT_SLICE_SECONDS, Store::slice_seconds);
        let mut evaluator = Evaluator {
            session,
            pins,
            store,
            slot: slice_seconds * nines_timeline::MICROS,
            now: now(session),
            definitions: Arc::default(),
            exclusions: Exclusions::default(),
            incidents: Vec::new(),
            inputs: Vec::new(),
        };
        evaluator.definitions = evaluator.read_definitions(read).await?;
        evaluator.exclusions = Exclusions::read(&evaluator.rows(TableKind::Exclusions, None, &[]).await?)?;
        evaluator.incidents = exclusions::incidents(&evaluator.rows(TableKind::Incidents, None, &[]).await?)?;
        for kind in RAW {
            let snapshot = evaluator.snapshot(kind).await?;
            evaluator.inputs.push(Arc::new(Inputs::new(kind, snapshot, slice_seconds)));
        }
        Ok(evaluator)
    }

    /// All that is excluded, for a question that ends at an instant (µs): each occurrence of what recurs is an exclusion.
    pub fn excluded(&self, end: i64) -> Result<Vec<Exclusion>> {
        self.exclusions.until(horizon(end, self.now))
    }

    /// The categories in which something is excluded.
    pub fn categories_excluded(&self) -> BTreeSet<&str> {
        self.exclusions.categories()
    }

    /// Where what is evaluated is kept; `None` where it is not: what is only proposed leaves nothing behind, what was so
    /// earlier does not take the place of what is so now, and who only reads writes nothing.
    pub fn keeps_in(&self) -> Option<&Store> {
        let config = self.session.config();
        let is_proposed = config.get_extension::<Proposed>().is_some();
        let keeps = config.get_extension::<Role>().is_none_or(|role| role.keeps());
        self.store.as_ref().filter(|_| keeps && !is_proposed && self.pins.past().is_none())
    }

    /// What the statement, or the notebook that it is of, has evaluated so far. Nothing of what is only proposed.
    pub fn evaluated(&self) -> Option<Arc<Evaluated>> {
        evaluated(self.session.config())
    }

    /// The versions of the tables that this statement reads, those apart that only keep what was evaluated.
    pub fn versions(&self) -> BTreeMap<TableKind, Option<u64>> {
        let mut versions = self.pins.versions();
        versions.retain(|kind, _| EVALUATED.contains(kind) && !kind.is_derived());
        versions
    }

    /// The version of a table that this statement reads; `None` if nothing was ever written to it.
    pub async fn snapshot(&self, kind: TableKind) -> Result<Option<Snapshot>> {
        let table = self.store.as_ref().map(|store| store.table(kind));
        let snapshot = self.pins.snapshot(kind, table.as_ref()).await?;
        Ok(snapshot.filter(|snapshot| snapshot.version().is_some()))
    }

    /// A raw table's days and files.
    pub fn inputs(&self, kind: TableKind) -> Result<&Arc<Inputs>> {
        let found = self.inputs.iter().find(|inputs| inputs.kind == kind);
        found.ok_or_else(|| datafusion::common::internal_datafusion_err!("{} holds no slices", kind.name()))
    }

    /// The rows of a small table.
    pub async fn rows(
        &self,
        kind: TableKind,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Vec<RecordBatch>> {
        match self.stream(kind, projection, filters).await? {
            Some(rows) => rows.try_collect().await,
            None => Ok(Vec::new()),
        }
    }

    /// The rows of a table as they are read; `None` if nothing was ever written to it.
    pub async fn stream(
        &self,
        kind: TableKind,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Option<SendableRecordBatchStream>> {
        let plan = self.plan(kind, projection, filters).await?;
        plan.map(|plan| execute_stream(plan, self.session.task_ctx())).transpose()
    }

    /// What reads the rows of a table; `None` if nothing was ever written to it.
    pub async fn plan(
        &self,
        kind: TableKind,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let Some(snapshot) = self.snapshot(kind).await? else { return Ok(None) };
        Provider::pinned(snapshot).scan(self.session, projection, filters, None).await.map(Some)
    }

    async fn read_definitions(&self, read: &Read) -> Result<Arc<Definitions>> {
        if let Some(proposed) = self.session.config().get_extension::<Proposed>() {
            let mut definitions = proposed.0.as_ref().clone();
            unmeasurable(&mut definitions, self.session, self.slot);
            return Ok(Arc::new(definitions));
        }
        let Some(snapshot) = self.snapshot(TableKind::Definitions).await? else { return Ok(Arc::default()) };
        let version = snapshot.version().unwrap_or_default();
        let known = |read: &Read| read.common.definitions.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some((_, definitions)) = known(read).filter(|(at, _)| *at == version) {
            return Ok(definitions);
        }
        let stored = stored(&self.rows(TableKind::Definitions, None, &[]).await?)?;
        let mut definitions = nines_slo::recorded(&stored);
        unmeasurable(&mut definitions, self.session, self.slot);
        let definitions = Arc::new(definitions);
        *read.common.definitions.lock().unwrap_or_else(PoisonError::into_inner) =
            Some((version, Arc::clone(&definitions)));
        Ok(definitions)
    }
}

/// Rows of the table `definitions` as the documents they hold.
pub(crate) fn stored(rows: &[RecordBatch]) -> Result<Vec<Stored>> {
    let mut found = Vec::new();
    for batch in rows {
        let (kinds, names, text) =
            (exclusions::texts(batch, "kind")?, exclusions::texts(batch, "name")?, exclusions::texts(batch, "text")?);
        let from = exclusions::instants(batch, "effective_from")?;
        let rules = batch.column_by_name("rules").and_then(|column| column.as_primitive_opt::<Int64Type>());
        for (row, from) in from.into_iter().enumerate() {
            let kind: ObjectKind = kinds.value(row).parse().map_err(|_| unknown_kind(kinds.value(row)))?;
            found.push(Stored {
                kind,
                name: names.value(row).to_string(),
                effective_from: from.unwrap_or(nines_slo::SINCE_EVER),
                text: text.value(row).to_string(),
                rules: recorded_by(rules.and_then(|rules| rules.is_valid(row).then(|| rules.value(row))))?,
            });
        }
    }
    Ok(found)
}

/// The rules of the version that recorded a definition; before rules 3 it was not said.
fn recorded_by(number: Option<i64>) -> Result<Rules> {
    let Some(number) = number else { return Ok(Rules::Second) };
    u32::try_from(number).ok().and_then(Rules::from_number).ok_or_else(|| {
        exec_datafusion_err!(
            "a definition was recorded by rules {number}, which this version of nines does not know; use a newer one"
        )
    })
}

fn unknown_kind(kind: &str) -> DataFusionError {
    exec_datafusion_err!("definitions hold a {kind}, which this version of nines does not know; use a newer one")
}
