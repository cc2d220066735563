//! Tables that are worked out from definitions: `slos`, what is promised when, and `baselines`, the latency limits that follow
//! from the month before.

use std::collections::HashMap;
use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::{Budgeting, Definitions, NoData, Spec, Unmeasured, Version};
use nines_store::TableKind;
use nines_timeline::{Interval, Share};

use crate::answers::columns::{float, float_of, floats, instant, instants, text, texts};
use crate::answers::groups::{Group, groups, vela};
use crate::answers::{By, moment};
use crate::deferred::{DeferredExec, Planner};
use crate::evaluate::{Baseline, DAY, Detail, Evaluator, Part, Question, Read, Running, Selection, View, lines};
use crate::location::StoreLocation;
use crate::names::{self, Carried};
use crate::table_call::TableCall;

/// Which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Defined {
    Slos,
    Baselines,
}

impl Defined {
    pub const ALL: [Defined; 2] = [Defined::Slos, Defined::Baselines];

    /// Its name in SQL.
    pub fn name(self) -> &'static str {
        match self {
            Defined::Slos => "slos",
            Defined::Baselines => "baselines",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|table| table.name() == name)
    }

    fn schema(self, zone: &str) -> SchemaRef {
        Arc::new(Schema::new(match self {
            Defined::Slos => vec![
                text("objective"),
                text("slo"),
                text("business"),
                text("service"),
                text("owner"),
                text("vela"),
                text("indicator"),
                text("measures"),
                float("target"),
                float("slice_target"),
                float("slice_seconds"),
                text("budgeting"),
                text("time_window"),
                text("time_zone"),
                text("no_data"),
                instant("effective_from", zone),
                instant("effective_until", zone),
                text("display_name"),
                text("description"),
                text("not_measured"),
                float("measured_seconds"),
                float("assumed_seconds"),
                float("lost_seconds"),
                instant("last_data", zone),
                text("approximation"),
                text("unmatched"),
            ],
            Defined::Baselines => vec![
                text("objective"),
                text("business"),
                text("service"),
                text("month"),
                instant("started", zone),
                instant("ended", zone),
                float("quantile"),
                float("threshold_seconds"),
            ],
        }))
    }
}

/// One of the tables, over what a statement reads.
#[derive(Debug, Clone)]
pub(crate) struct DefinedTable {
    pub table: Defined,
    place: Arc<StoreLocation>,
    read: Arc<Read>,
    zone: Arc<str>,
    schema: SchemaRef,
}

impl DefinedTable {
    pub fn new(table: Defined, place: Arc<StoreLocation>, read: Arc<Read>, zone: Arc<str>) -> Self {
        DefinedTable { table, place, read, schema: table.schema(&zone), zone }
    }

    /// A row per objective and version, and one per objective that is defined and not measured. `unmatched` says what of each
    /// version no stored row carries, `measured` what was measured of the last days, if that was asked for.
    fn slos(
        &self,
        evaluator: &Evaluator<'_>,
        unmatched: &[Option<String>],
        measured: &HashMap<(String, String), Measured>,
    ) -> Result<RecordBatch> {
        let Definitions { objectives, unmeasured, .. } = evaluator.definitions.as_ref();
        let known = objectives.iter().flat_map(|objective| {
            let row = |version| Row { objective: &objective.name, slo: &objective.slo, said: Said::Measured(version) };
            objective.versions.iter().map(row)
        });
        let unknown =
            unmeasured.iter().map(|own| Row { objective: &own.objective, slo: &own.slo, said: Said::Unmeasured(own) });
        let rows: Vec<Row<'_>> = known.chain(unknown).collect();
        let own = |of: &dyn Fn(&Spec) -> Option<String>| {
            let values: Vec<Option<String>> = rows.iter().map(|row| row.spec().and_then(of)).collect();
            texts(values.iter().map(Option::as_deref))
        };
        let number = |of: &dyn Fn(&Spec) -> f64| floats(rows.iter().map(|row| row.spec().map(of)));
        let lately: Vec<Option<&Measured>> =
            rows.iter().map(|row| measured.get(&(row.objective.to_string(), row.spec()?.service.clone()))).collect();
        let seconds = |of: fn(&Measured) -> f64| floats(lately.iter().map(|measured| measured.map(of)));
        let bounded = |at: i64| (at != i64::MIN && at != i64::MAX).then_some(at);
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                texts(rows.iter().map(|row| Some(row.objective))),
                texts(rows.iter().map(|row| Some(row.slo))),
                own(&|spec| spec.declared_business().map(str::to_string)),
                texts(rows.iter().map(|row| row.service())),
                texts(rows.iter().map(|row| row.owner())),
                own(&|spec| spec.vela.map(|dimension| vela(dimension).to_string())),
                own(&|spec| Some(spec.indicator_type.clone())),
                own(&|spec| Some(spec.indicator.to_string())),
                floats(rows.iter().map(|row| row.target().map(float_of))),
                number(&|spec| float_of(spec.slice_target)),
                number(&|spec| spec.slice as f64 / nines_timeline::MICROS as f64),
                own(&|spec| Some(budgeting(spec.budgeting).to_string())),
                own(&|spec| spec.window.as_ref().map(window)),
                own(&|spec| Some(spec.time_zone.name().to_string())),
                own(&|spec| Some(no_data(spec.no_data).to_string())),
                instants(rows.iter().map(|row| bounded(row.in_force().start)), &self.zone),
                instants(rows.iter().map(|row| bounded(row.in_force().end)), &self.zone),
                own(&|spec| spec.display_name.clone()),
                own(&|spec| spec.description.clone()),
                texts(rows.iter().map(|row| row.not_measured())),
                seconds(|of| of.seconds),
                seconds(|of| of.assumed),
                seconds(|of| of.lost),
                instants(lately.iter().map(|of| of.and_then(|of| of.last_data)), &self.zone),
                texts(lately.iter().map(|of| of.and_then(|of| of.approximation.as_deref()))),
                texts((0..rows.len()).map(|at| unmatched.get(at)?.as_deref())),
            ],
        )?)
    }

    /// A row per objective and month in which there are rows.
    fn baselines(&self, rows: &[Baseline]) -> Result<RecordBatch> {
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                texts(rows.iter().map(|row| Some(row.objective.as_ref()))),
                texts(rows.iter().map(|row| Some(row.business.as_ref()))),
                texts(rows.iter().map(|row| Some(row.service.as_ref()))),
                texts(rows.iter().map(|row| Some(row.month.as_str()))),
                instants(rows.iter().map(|row| Some(row.interval.start)), &self.zone),
                instants(rows.iter().map(|row| Some(row.interval.end)), &self.zone),
                floats(rows.iter().map(|row| Some(float_of(row.quantile)))),
                floats(rows.iter().map(|row| row.threshold)),
            ],
        )?)
    }
}

#[async_trait]
impl TableProvider for DefinedTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::View
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let view = Arc::new(View::of(session, &self.place, &self.read).await?);
        let call = TableCall {
            name: self.table.name().to_string(),
            given: Vec::new(),
            at: moment(session)?,
            projection: projection.cloned(),
            filters: filters.to_vec(),
            limit,
        };
        Ok(Arc::new(self.planned(call, view)?))
    }
}

/// The operators of a table that another process has planned; `None` if no table here is called so.
pub(crate) fn planned(call: TableCall, view: View) -> Result<Option<DeferredExec>> {
    let Some(table) = Defined::from_name(&call.name) else { return Ok(None) };
    let table = DefinedTable::new(table, Arc::clone(&view.place), Arc::clone(&view.read), call.at.zone.name().into());
    table.planned(call, Arc::new(view)).map(Some)
}

impl DefinedTable {
    fn planned(&self, call: TableCall, view: Arc<View>) -> Result<DeferredExec> {
        let schema = match &call.projection {
            Some(columns) => Arc::new(self.schema.project(columns)?),
            None => Arc::clone(&self.schema),
        };
        let call = Arc::new(call);
        let (table, seen, wanted) = (self.clone(), Arc::clone(&view), Arc::clone(&call));
        let planner: Planner = Arc::new(move |context| {
            let (table, view, call) = (table.clone(), Arc::clone(&seen), Arc::clone(&wanted));
            Box::pin(async move {
                let evaluation = view.evaluation.within(&context);
                let evaluator = Evaluator::new(&evaluation, &view.place, &view.read).await?;
                let rows = table.rows(&evaluator, &view.read, call.projection.as_ref()).await?;
                let rows = MemTable::try_new(rows.schema(), vec![vec![rows]])?;
                rows.scan(evaluation.state(), call.projection.as_ref(), &call.filters, call.limit).await
            })
        });
        Ok(DeferredExec::new(call, view, schema, planner))
    }
}

impl DefinedTable {
    /// All rows; columns that are not asked for may be empty.
    async fn rows(
        &self,
        evaluator: &Evaluator<'_>,
        read: &Read,
        projection: Option<&Vec<usize>>,
    ) -> Result<RecordBatch> {
        match self.table {
            Defined::Slos => {
                let asked = |name: &str| {
                    let at = self.schema.index_of(name).ok();
                    projection.is_none_or(|projection| at.is_some_and(|at| projection.contains(&at)))
                };
                // Rows are looked through, and objectives evaluated, only for who asks.
                let unmatched = if asked("unmatched") { unmatched(evaluator).await? } else { Vec::new() };
                let measured = match MEASURED.into_iter().any(asked) {
                    true => measured_lately(evaluator).await?,
                    false => HashMap::new(),
                };
                self.slos(evaluator, &unmatched, &measured)
            }
            Defined::Baselines => self.baselines(&evaluator.baselines(read).await?),
        }
    }
}

/// What of each version of the objectives that are measured no stored row carries, in their order.
async fn unmatched(evaluator: &Evaluator<'_>) -> Result<Vec<Option<String>>> {
    let mut carried = Carried::new(evaluator);
    let mut found = Vec::new();
    for version in evaluator.definitions.objectives.iter().flat_map(|objective| &objective.versions) {
        found.push(names::unmatched(&version.spec, &mut carried).await?);
    }
    Ok(found)
}

/// What an objective is over a stretch of time.
struct Row<'a> {
    objective: &'a str,
    slo: &'a str,
    said: Said<'a>,
}

enum Said<'a> {
    Measured(&'a Version),
    Unmeasured(&'a Unmeasured),
}

impl<'a> Row<'a> {
    fn spec(&self) -> Option<&'a Spec> {
        match self.said {
            Said::Measured(version) => Some(&version.spec),
            Said::Unmeasured(_) => None,
        }
    }

    fn in_force(&self) -> Interval {
        match self.said {
            Said::Measured(version) => version.in_force,
            Said::Unmeasured(own) => own.in_force,
        }
    }

    fn service(&self) -> Option<&'a str> {
        match self.said {
            Said::Measured(version) => Some(&version.spec.service),
            Said::Unmeasured(own) => own.service.as_deref(),
        }
    }

    fn owner(&self) -> Option<&'a str> {
        match self.said {
            Said::Measured(version) => version.spec.owner.as_deref(),
            Said::Unmeasured(own) => own.owner.as_deref(),
        }
    }

    fn target(&self) -> Option<Share> {
        match self.said {
            Said::Measured(version) => Some(version.spec.target),
            Said::Unmeasured(own) => own.target,
        }
    }

    /// Why there are no figures.
    fn not_measured(&self) -> Option<&'a str> {
        match self.said {
            Said::Measured(_) => None,
            Said::Unmeasured(own) => Some(&own.why),
        }
    }
}

/// The columns for which objectives are evaluated.
const MEASURED: [&str; 5] = ["measured_seconds", "assumed_seconds", "lost_seconds", "last_data", "approximation"];

/// Of so many days up to the end of the newest slice they speak.
const DAYS: i64 = 28;

/// What was measured of an objective.
struct Measured {
    seconds: f64,
    assumed: f64,
    lost: f64,
    last_data: Option<i64>,
    approximation: Option<String>,
}

/// The same figures as `report`'s, by objective and service.
async fn measured_lately(evaluator: &Evaluator<'_>) -> Result<HashMap<(String, String), Measured>> {
    let mut newest = i64::MIN;
    for kind in [TableKind::Requests, TableKind::Events, TableKind::Gauges] {
        newest = newest.max(evaluator.inputs(kind)?.watermark);
    }
    if newest == i64::MIN {
        return Ok(HashMap::new());
    }
    let range = Interval::new(newest - DAYS * DAY, newest);
    let asked = Question {
        ranges: vec![range],
        detail: Detail::None,
        selection: Selection::default(),
        composites: false,
        fresh: false,
        bare: false,
    };
    let prepared = evaluator.prepare(&asked).await?;
    let parts = Running::start(&prepared.leaves, &evaluator.session.task_ctx())?.all().await?;
    let parts: Vec<&Part> = prepared.kept.iter().chain(&parts).collect();
    let lines = lines(&prepared, &parts, 0)?;
    let groups = groups(&lines, By::Objective, &prepared.definitions);
    let of = |group: &Group<'_>| {
        let line = group.single()?;
        let measured = Measured {
            seconds: group.timeline.measured_seconds(),
            assumed: group.assumed_seconds(),
            lost: group.lost_seconds(),
            last_data: group.last_data(),
            approximation: group.approximation(),
        };
        Some(((line.objective.to_string(), line.service.to_string()), measured))
    };
    Ok(groups.iter().filter_map(of).collect())
}

fn budgeting(method: Budgeting) -> &'static str {
    match method {
        Budgeting::Timeslices => "Timeslices",
        Budgeting::RatioTimeslices => "RatioTimeslices",
        Budgeting::Occurrences => "Occurrences",
    }
}

fn no_data(no_data: NoData) -> &'static str {
    match no_data {
        NoData::Ok => "ok",
        NoData::Error => "error",
        NoData::Ignore => "ignore",
    }
}

fn window(window: &nines_slo::Window) -> String {
    format!("{} {}", window.duration, if window.rolling { "rolling" } else { "by calendar" })
}
