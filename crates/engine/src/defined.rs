//! Tables that are worked out from definitions: `slos`, what is promised when, and `baselines`, the latency limits that follow
//! from the month before.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, TableType};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::{Budgeting, NoData, Spec};

use crate::answers::columns::{float, float_of, floats, instant, instants, text, texts};
use crate::answers::groups::vela;
use crate::evaluate::{Baseline, Evaluation, Evaluator, Read, declared_business, unmeasured};
use crate::place::Place;

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
#[derive(Debug)]
pub(crate) struct DefinedTable {
    pub table: Defined,
    place: Arc<Place>,
    read: Arc<Read>,
    zone: Arc<str>,
    schema: SchemaRef,
}

impl DefinedTable {
    pub fn new(table: Defined, place: Arc<Place>, read: Arc<Read>, zone: Arc<str>) -> Self {
        DefinedTable { table, place, read, schema: table.schema(&zone), zone }
    }

    /// A row per objective and version.
    fn slos(&self, evaluator: &Evaluator<'_>) -> Result<RecordBatch> {
        let all = &evaluator.definitions.objectives;
        let rows: Vec<_> = all
            .iter()
            .flat_map(|objective| objective.versions.iter().map(move |version| (objective, version)))
            .collect();
        let own = |of: &dyn Fn(&Spec) -> Option<String>| {
            let values: Vec<Option<String>> = rows.iter().map(|(_, version)| of(&version.spec)).collect();
            texts(values.iter().map(Option::as_deref))
        };
        let number = |of: &dyn Fn(&Spec) -> f64| floats(rows.iter().map(|(_, version)| Some(of(&version.spec))));
        let bounded = |at: i64| (at != i64::MIN && at != i64::MAX).then_some(at);
        Ok(RecordBatch::try_new(
            Arc::clone(&self.schema),
            vec![
                texts(rows.iter().map(|(objective, _)| Some(objective.name.as_str()))),
                texts(rows.iter().map(|(objective, _)| Some(objective.slo.as_str()))),
                own(&|spec| declared_business(spec).map(str::to_string)),
                own(&|spec| Some(spec.service.clone())),
                own(&|spec| spec.owner.clone()),
                own(&|spec| spec.vela.map(|dimension| vela(dimension).to_string())),
                own(&|spec| Some(spec.indicator.name().to_string())),
                own(&|spec| Some(spec.indicator.to_string())),
                number(&|spec| float_of(spec.target)),
                number(&|spec| float_of(spec.slice_target)),
                number(&|spec| spec.slice as f64 / nines_timeline::MICROS as f64),
                own(&|spec| Some(budgeting(spec.budgeting).to_string())),
                own(&|spec| spec.window.as_ref().map(window)),
                own(&|spec| Some(spec.time_zone.name().to_string())),
                own(&|spec| Some(no_data(spec.no_data).to_string())),
                instants(rows.iter().map(|(_, version)| bounded(version.in_force.start)), &self.zone),
                instants(rows.iter().map(|(_, version)| bounded(version.in_force.end)), &self.zone),
                own(&|spec| spec.display_name.clone()),
                own(&|spec| spec.description.clone()),
                own(&|spec| unmeasured(spec, evaluator.slot)),
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
        let evaluation = Evaluation::of(session, &self.read)?;
        let evaluator = Evaluator::new(&evaluation, &self.place, &self.read).await?;
        let rows = match self.table {
            Defined::Slos => self.slos(&evaluator)?,
            Defined::Baselines => self.baselines(&evaluator.baselines().await?)?,
        };
        MemTable::try_new(rows.schema(), vec![vec![rows]])?.scan(session, projection, filters, limit).await
    }
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
