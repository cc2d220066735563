//! The plan of credits: the scan of `requests`, as its child, and what is made of it.

use std::collections::{BTreeMap, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError};

use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{exec_err, internal_err, tree_node::TreeNodeRecursion};
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType, ReplaceChildrenOptions};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use nines_slo::Period;

use super::counter::CreditCounter;
use super::period_terms::PeriodTerms;
use super::{Owed, cases, figures};
use crate::evaluate::{fold, task};

/// Credits that are ready to be worked out.
#[derive(Debug, Clone)]
pub(super) struct CreditsExec {
    judging: Arc<PeriodTerms>,
    /// `None`: there are no rows to read.
    scan: Option<Arc<dyn ExecutionPlan>>,
    projection: Option<Vec<usize>>,
    zone: Arc<str>,
    properties: Arc<PlanProperties>,
}

impl CreditsExec {
    pub fn new(
        judging: PeriodTerms,
        scan: Option<Arc<dyn ExecutionPlan>>,
        projection: Option<Vec<usize>>,
        zone: &Arc<str>,
    ) -> Result<Self> {
        let schema = match &projection {
            Some(columns) => Arc::new(figures::schema(zone).project(columns)?),
            None => figures::schema(zone),
        };
        let properties = Arc::new(PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        ));
        Ok(CreditsExec { judging: Arc::new(judging), scan, projection, zone: Arc::clone(zone), properties })
    }

    /// End of the newest data, in µs; `None` if there are none.
    pub fn watermark(&self) -> Option<i64> {
        Some(self.judging.watermark).filter(|at| *at > i64::MIN)
    }

    /// Start of the first data, in µs; `None` if there are none.
    pub fn first(&self) -> Option<i64> {
        Some(self.judging.first).filter(|at| *at < i64::MAX)
    }

    /// By what is judged.
    pub fn judging(&self) -> &PeriodTerms {
        &self.judging
    }

    /// What the rules cannot judge, and why; complete once it was [`owed`](Self::owed).
    pub fn refused(&self) -> BTreeMap<[String; 3], String> {
        self.judging.refused.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Customers and services with a fee in the month, which no agreement covers.
    pub fn unagreed(&self, owed: &[Owed]) -> Result<Vec<(String, String)>> {
        let covered: HashSet<(&str, &str)> = owed.iter().map(|owed| (&*owed.customer, &*owed.service)).collect();
        let Some(month) = Period::of(self.judging.month, 1, Tz::UTC) else { return Ok(Vec::new()) };
        let payers = self.judging.fees.payers(month)?.into_iter().filter(|payer| !covered.contains(payer));
        Ok(payers.map(|(customer, service)| (customer.to_string(), service.to_string())).collect())
    }

    /// Counts and works out. The memory is that of the evidence.
    pub async fn owed(&self, context: &Arc<TaskContext>) -> Result<(Vec<Owed>, Vec<MemoryReservation>)> {
        let begin = |memory| CreditCounter::new(Arc::clone(&self.judging), memory);
        let parts = match &self.scan {
            Some(scan) => fold(scan, &task(context), "credits", begin).await?,
            None => Vec::new(),
        };
        let (mut counted, mut carries, mut held) = (Vec::new(), HashSet::new(), Vec::new());
        // Each partition has a run of days, one after the other.
        for passed in parts {
            counted.extend(passed.counted);
            carries.extend(passed.carries);
            held.push(passed.memory);
        }
        if let Some(asking) = &self.judging.carried.asking {
            self.judging.carried.take(asking, carries);
        }
        Ok((cases::owed(&self.judging, counted)?, held))
    }

    async fn rows(self, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let (owed, _held) = self.owed(&context).await?;
        let batch = figures::batch(&owed, &self.zone)?;
        match &self.projection {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        }
    }
}

impl DisplayAs for CreditsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditsExec: period={}, agreements={}", self.judging.month, self.judging.agreements().count())
    }
}

impl ExecutionPlan for CreditsExec {
    fn name(&self) -> &str {
        "CreditsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        self.scan.iter().collect()
    }

    /// A day must stay in its partition.
    fn benefits_from_input_partitioning(&self) -> Vec<bool> {
        vec![false; self.scan.iter().count()]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        if children.len() != self.scan.iter().count() {
            return internal_err!("credits have one scan");
        }
        Ok(Arc::new(CreditsExec { scan: children.into_iter().next(), ..self.as_ref().clone() }))
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn ExecutionPlan>>) -> Result<Arc<dyn ExecutionPlan>> {
        use datafusion::physical_plan::execution_plan::ChildrenPropertiesMode;
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        if partition != 0 {
            return exec_err!("credits have one partition, not {partition}");
        }
        let rows = futures::stream::once(self.clone().rows(context));
        Ok(Box::pin(RecordBatchStreamAdapter::new(self.schema(), rows)))
    }
}

impl CreditsExec {
    fn schema(&self) -> SchemaRef {
        Arc::clone(self.properties.eq_properties.schema())
    }
}
