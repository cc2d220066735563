//! The plan of credits: the scan of `requests`, as its child, and what is made of it.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt;
use std::sync::{Arc, PoisonError};

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
use nines_slo::Rules;

use super::completeness::{Completeness, Lack};
use super::counter::{CreditCounter, CreditsCounted};
use super::period_terms::PeriodTerms;
use super::presence::{Presence, Watch};
use super::unissued::Unissued;
use super::{Owed, cases, figures};
use crate::evaluate::{Columns, Fold, fold, task};

/// What is done with rows as they pass.
struct Pass {
    counter: CreditCounter,
    watch: Option<Watch>,
}

impl Fold for Pass {
    type Folded = (CreditsCounted, Presence);

    fn rows(&mut self, batch: &RecordBatch, day: i32) -> Result<()> {
        let columns = Columns::of(batch)?;
        if let Some(watch) = &mut self.watch {
            watch.see(&columns, batch.num_rows(), day);
        }
        self.counter.count(&columns, batch.num_rows(), day)
    }

    fn folded(self) -> Result<(CreditsCounted, Presence)> {
        let seen = self.watch.map(|watch| watch.found).unwrap_or_default();
        Ok((self.counter.folded()?, seen))
    }
}

/// Credits that are ready to be worked out.
#[derive(Debug, Clone)]
pub(super) struct CreditsExec {
    judging: Arc<PeriodTerms>,
    /// `None`: there are no rows to read.
    scan: Option<Arc<dyn ExecutionPlan>>,
    /// Rows after the period, read only if they decide whether it is complete.
    later: Option<Arc<dyn ExecutionPlan>>,
    projection: Option<Vec<usize>>,
    zone: Arc<str>,
    properties: Arc<PlanProperties>,
}

impl CreditsExec {
    pub fn new(
        judging: PeriodTerms,
        scan: Option<Arc<dyn ExecutionPlan>>,
        later: Option<Arc<dyn ExecutionPlan>>,
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
        Ok(CreditsExec { judging: Arc::new(judging), scan, later, projection, zone: Arc::clone(zone), properties })
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

    /// Agreements of which nothing is issued, and why; after what is [`owed`](Self::owed).
    pub fn unissued(&self, owed: &[Owed]) -> Vec<Unissued> {
        self.judging.presence.get().map(|presence| self.judging.unissued(owed, presence)).unwrap_or_default()
    }

    /// For whom nothing, or no amount, could be worked out, and why; complete once it was [`owed`](Self::owed).
    pub fn failed(&self) -> BTreeMap<[String; 3], String> {
        self.judging.failed().clone()
    }

    /// Counts and works out. The memory is that of the evidence, where that is asked for.
    pub async fn owed(
        &self,
        context: &Arc<TaskContext>,
        with_evidence: bool,
    ) -> Result<(Vec<Owed>, Vec<MemoryReservation>)> {
        // Where only some customers' rows are read, all rows were looked at before.
        let watches = self.judging.presence.get().is_none();
        let begin = |memory| Pass {
            counter: CreditCounter::new(Arc::clone(&self.judging), memory),
            watch: watches.then(|| Watch::new(self.judging.midnights.clone())),
        };
        let parts = match &self.scan {
            Some(scan) => fold(scan, &task(context), "credits", begin).await?,
            None => Vec::new(),
        };
        let (mut counted, mut carries, mut held) = (Vec::new(), HashSet::new(), Vec::new());
        let (mut presence, mut strangers) = (Presence::default(), BTreeSet::new());
        // Each partition has a run of days, one after the other.
        for (passed, seen) in parts {
            presence.join(seen);
            counted.extend(passed.counted);
            carries.extend(passed.carries);
            strangers.extend(passed.strangers);
            held.push(passed.memory);
        }
        self.tell_strangers(strangers);
        if let Some(asking) = &self.judging.carried.asking {
            self.judging.carried.take(asking, carries);
        }
        // A plan that runs again sees the same.
        let presence = self.judging.presence.get_or_init(|| presence);
        let events = self.judging.count_events(context).await?;
        self.judging.seen_by_objective.get_or_init(|| events.seen());
        let threads = context.session_config().target_partitions();
        let mut owed = cases::owed(&self.judging, counted, &events, threads, with_evidence)?;
        if !with_evidence {
            held.clear();
        }
        self.complete(&mut owed, presence, context).await?;
        Ok((owed, held))
    }

    /// Tells of members that agreements do not name, with the requests that count nowhere.
    fn tell_strangers(&self, strangers: BTreeSet<(usize, String)>) {
        let mut by_agreement: BTreeMap<usize, Vec<String>> = BTreeMap::new();
        strangers.into_iter().for_each(|(number, member)| by_agreement.entry(number).or_default().push(member));
        for (number, members) in by_agreement {
            let name = &self.judging.definitions.agreements[number].name;
            let store = self.judging.store.iter();
            store.for_each(|store| {
                store.notice(format!(
                    "agreement {name}: requests of {} count nowhere, because `of` in `each` does not name them",
                    members.join(", ")
                ));
            });
        }
    }

    /// Says of each whether all of it is stored.
    async fn complete(&self, owed: &mut [Owed], presence: &Presence, context: &Arc<TaskContext>) -> Result<()> {
        let needs_later = Completeness::new(&self.judging, presence).needs_later(owed);
        let mut presence = Cow::Borrowed(presence);
        if let Some(later) = self.later.as_ref().filter(|_| needs_later) {
            let begin = |_| Watch::new(self.judging.midnights.clone());
            let parts = fold(later, &task(context), "later rows", begin).await?;
            parts.into_iter().for_each(|seen| presence.to_mut().join(seen));
        }
        let mut completeness = Completeness::new(&self.judging, &presence);
        let lacks: Vec<Lack> = owed.iter().map(|owed| completeness.lack(owed)).collect();
        for (owed, lack) in owed.iter_mut().zip(lacks) {
            // What was issued by earlier rules was complete if the table reached to the end.
            if owed.rules == Rules::CURRENT {
                owed.complete = lack.missing.is_empty();
            }
            owed.lack = lack;
        }
        Ok(())
    }

    /// Says whose amount is NULL although there is a fee. Whose row could not be made at all is an error: it may not be missing
    /// in silence.
    fn tell(&self, owed: &[Owed]) -> Result<()> {
        let failed = self.failed();
        let with_row: HashSet<[String; 3]> = owed.iter().map(Owed::name).collect();
        for ([agreement, customer, service], why) in &failed {
            let whose = format!("agreement {agreement}, customer '{customer}', service {service}");
            if !with_row.contains(&[agreement, customer, service].map(String::clone)) {
                return exec_err!(
                    "{whose}: {why}. To ask for the others, leave it out with a condition on agreement, customer or service"
                );
            }
            let store = self.judging.store.iter();
            store.for_each(|store| store.notice(format!("no amount could be worked out for {whose}: {why}")));
        }
        Ok(())
    }

    async fn rows(self, context: Arc<TaskContext>) -> Result<RecordBatch> {
        let (owed, _held) = self.owed(&context, false).await?;
        self.tell(&owed)?;
        let batch = figures::batch(&owed, &self.zone)?;
        match &self.projection {
            Some(columns) => Ok(batch.project(columns)?),
            None => Ok(batch),
        }
    }
}

impl DisplayAs for CreditsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CreditsExec: period={}, agreements={}", self.judging.period, self.judging.agreements().count())
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
