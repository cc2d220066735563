//! Recording definitions: all of them, or none if anything is wrong.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_ingest::{AgreedLimits, Hash, hex};
use nines_slo::{
    AgreementVersion, Change, Definitions, Indicator, Mistake, ObjectKind, Objective, Plan, SINCE_EVER, Severity, Spec,
    Stored, Version, What, midnight_unit,
};
use nines_store::{Commit, DEFAULT_SLICE_SECONDS, Once, Provider, Snapshot, Store, StoreErrorKind, TableKind, UTC};

use nines_timeline::Interval;

use crate::agreed;
use crate::evaluate::{Evaluation, complaint, stored, too_fine};
use crate::{EngineError, Mistakes, Result, Session};

/// How often it is planned anew when somebody else recorded definitions meanwhile.
const ATTEMPTS: u32 = 20;
const SHA256_DIGITS: usize = 64;

/// What was recorded, or would be.
#[derive(Debug)]
#[non_exhaustive]
pub struct Applied {
    /// One per object, in the order of the files.
    pub changes: Vec<Change>,
    /// What is worth knowing; of what is new or changed also which names no stored row carries.
    pub warnings: Vec<Mistake>,
    /// When new versions of agreements begin to count, if not at once; from when new limits of latencies are exact; and what was
    /// not looked up, and why.
    pub notes: Vec<String>,
    /// All that is defined with them.
    pub definitions: Definitions,
    /// What was stored; `None` if nothing was, because nothing changed or nothing was to be.
    pub commit: Option<Commit>,
}

/// What would be recorded, and beside what.
struct Planned {
    plan: Plan,
    /// The version of the table at which it was planned.
    read: Option<Snapshot>,
    /// The limits of latencies that were agreed before.
    agreed: AgreedLimits,
}

impl Session {
    /// Records the definitions in these files, given as (name, text). Nothing is recorded if anything is wrong.
    pub async fn apply(&self, files: &[(String, String)]) -> Result<Applied> {
        self.check_present()?;
        let mut attempt = 1;
        loop {
            let Planned { plan, read, agreed } = self.plan_definitions(files).await?;
            let new: Vec<&Stored> = plan
                .changes
                .iter()
                .filter(|change| change.what != What::Unchanged)
                .map(|change| &change.stored)
                .collect();
            if new.is_empty() {
                // What another one recorded may be seen before it is durable.
                if let Some(snapshot) = &read {
                    snapshot.table().settle().await?;
                }
                return Ok(self.applied(plan, &agreed, None).await);
            }
            let table = self.store_to_write().await?.table(TableKind::Definitions);
            let rows = rows(&new)?;
            let rows = RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)]));
            // What was checked together must still be what is recorded.
            let once = Once::since(read.as_ref().and_then(Snapshot::version).unwrap_or_default());
            match table.append(Box::pin(rows), once, self.task()).await {
                Ok(commit) => return Ok(self.applied(plan, &agreed, Some(commit)).await),
                Err(error) if error.kind() == StoreErrorKind::Moved && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// What [`Session::apply`] would record.
    pub async fn plan_apply(&self, files: &[(String, String)]) -> Result<Applied> {
        let Planned { plan, agreed, .. } = self.plan_definitions(files).await?;
        Ok(self.applied(plan, &agreed, None).await)
    }

    /// What came of a plan. What rows carry is looked up after all is decided, and keeps nobody from recording.
    async fn applied(&self, plan: Plan, agreed_before: &AgreedLimits, commit: Option<Commit>) -> Applied {
        let Plan { changes, mut warnings, definitions, .. } = plan;
        let mut notes = match self.unmatched(&changes, &definitions).await {
            Ok((missing, notes)) => {
                warnings.extend(missing);
                notes
            }
            Err(error) => vec![format!("it was not looked up whether stored rows carry these names: {error}")],
        };
        notes.extend(beginnings(&changes, &definitions));
        let agreed = agreed::limits(&definitions);
        if agreed != *agreed_before {
            match self.stored_until().await {
                Ok(until) => notes.extend(agreed::said(agreed_before, &agreed, until)),
                Err(error) => notes.push(format!("it was not looked up until when requests are stored: {error}")),
            }
        }
        Applied { changes, warnings, notes, definitions, commit }
    }

    /// The end of the newest slice of requests.
    async fn stored_until(&self) -> Result<Option<i64>> {
        let Some(store) = self.store() else { return Ok(None) };
        Ok(self.snapshot(&store.table(TableKind::Requests)).await?.watermark())
    }

    /// What would be defined if these files had been applied at the beginning of a range: an object without an effective date,
    /// or with one after the range, is in force from then on, whatever was recorded of it later.
    pub async fn as_if_applied(&self, files: &[(String, String)], range: Interval) -> Result<Definitions> {
        let (mut existing, _) = self.recorded().await?;
        let proposed: Vec<_> = files.iter().flat_map(|(path, text)| nines_slo::read(path, text).documents).collect();
        let undated = |of: &Stored| {
            proposed.iter().any(|new| new.effective_from.is_none() && new.kind == of.kind && new.name == of.name)
        };
        existing.retain(|stored| stored.effective_from <= range.start || !undated(stored));
        let Plan { changes, mut definitions, .. } =
            nines_slo::plan(&existing, files, range.start).map_err(|all| EngineError::Definitions(Mistakes(all)))?;
        let later = |at: i64| {
            at >= range.end && changes.iter().any(|c| c.what != What::Unchanged && c.stored.effective_from == at)
        };
        for agreement in &mut definitions.agreements {
            let Some(newest) = agreement.versions.iter().rfind(|v| later(v.in_force.start)).cloned() else { continue };
            agreement.versions.retain(|version| version.in_force.start < range.start);
            if let Some(before) = agreement.versions.last_mut() {
                before.in_force.end = before.in_force.end.min(range.start);
            }
            let in_force = Interval::new(range.start, i64::MAX);
            agreement.versions.push(AgreementVersion { in_force, ..newest });
        }
        for objective in &mut definitions.objectives {
            let Some(newest) = objective.versions.iter().rfind(|v| later(v.in_force.start)).cloned() else { continue };
            objective.versions.retain(|version| version.in_force.start < range.start);
            if let Some(before) = objective.versions.last_mut() {
                before.in_force.end = before.in_force.end.min(range.start);
            }
            objective.versions.push(Version { in_force: Interval::new(range.start, i64::MAX), ..newest });
        }
        Ok(definitions)
    }

    /// All that is defined.
    pub async fn definitions(&self) -> Result<Definitions> {
        Ok(nines_slo::recorded(&self.recorded().await?.0))
    }

    async fn plan_definitions(&self, files: &[(String, String)]) -> Result<Planned> {
        let (existing, read) = self.recorded().await?;
        let agreed = agreed::limits(&nines_slo::recorded(&existing));
        let now = nines_ingest::clock::now();
        let mut plan = nines_slo::plan(&existing, files, now).map_err(|all| EngineError::Definitions(Mistakes(all)))?;
        let evaluation = self.evaluation().await?;
        let mistakes = self.unmeasurable(&mut plan, &evaluation);
        match mistakes.is_empty() {
            true => Ok(Planned { plan, read, agreed }),
            false => Err(EngineError::Definitions(Mistakes(mistakes))),
        }
    }

    /// All definitions that are recorded, and the version at which they were read.
    pub(crate) async fn recorded(&self) -> Result<(Vec<Stored>, Option<Snapshot>)> {
        let Some(store) = self.store() else { return Ok((Vec::new(), None)) };
        let snapshot = self.snapshot(&store.table(TableKind::Definitions)).await?;
        let table = self.reading().await?.read_table(Arc::new(Provider::pinned(snapshot.clone())))?;
        Ok((stored(&table.collect().await?)?, Some(snapshot)))
    }

    /// What is well formed but cannot be counted in this store: SQL that does not fit its table, slices that the store's do not
    /// make up.
    fn unmeasurable(&self, plan: &mut Plan, evaluation: &Evaluation) -> Vec<Mistake> {
        let slice_seconds = self.store().map_or(DEFAULT_SLICE_SECONDS, Store::slice_seconds);
        let slot = slice_seconds * nines_timeline::MICROS;
        let mut mistakes = Vec::new();
        for change in plan.changes.iter().filter(|change| change.what != What::Unchanged) {
            let mut wrong: Vec<String> = Vec::new();
            let from = match change.stored.effective_from {
                SINCE_EVER => i64::MIN,
                at => at,
            };
            if change.stored.kind == ObjectKind::Agreement {
                let own = plan.definitions.agreements.iter().filter(|agreement| agreement.name == change.stored.name);
                let versions = own.flat_map(|agreement| &agreement.versions);
                for terms in versions.filter(|version| version.in_force.start == from).map(|version| &version.terms) {
                    let slices: BTreeSet<i64> = terms.metrics().map(|metric| metric.slice).collect();
                    wrong.extend(slices.into_iter().filter_map(|slice| too_fine(slice, slot)));
                    if midnight_unit(terms.time_zone, from) % slot != 0 {
                        wrong.push(format!(
                            "no slice of this store, whose slices are of {slice_seconds} s, begins at midnight in {}, from which \
                             an agreement's slices are laid; a store of finer slices is made by the first ingest into it, with \
                             --slice",
                            terms.time_zone
                        ));
                    }
                }
            }
            let own = |objective: &&Objective| match change.stored.kind {
                ObjectKind::Slo => objective.slo == change.stored.name,
                // Objectives of other objects may have changed with an indicator or a service.
                _ => true,
            };
            let versions = plan.definitions.objectives.iter().filter(own).flat_map(|objective| &objective.versions);
            for version in versions.filter(|version| version.in_force.start == from) {
                wrong
                    .extend(too_much_sql(&version.spec).or_else(|| complaint(&version.spec, slot, evaluation.state())));
            }
            wrong.sort();
            wrong.dedup();
            mistakes.extend(
                wrong
                    .into_iter()
                    .map(|reason| Mistake::new(change.path.clone(), (change.line, 1), reason, Severity::Error)),
            );
        }
        mistakes.dedup_by(|a, b| a.reason == b.reason);
        mistakes
    }
}

/// When new versions of agreements begin to count that do not do so at once.
fn beginnings<'a>(changes: &'a [Change], definitions: &'a Definitions) -> impl Iterator<Item = String> + 'a {
    let new = changes.iter().filter(|c| c.what != What::Unchanged && c.stored.kind == ObjectKind::Agreement);
    new.filter_map(|change| {
        let agreement = definitions.agreements.iter().find(|agreement| agreement.name == change.stored.name)?;
        agreement.beginning_said(change.stored.effective_from)
    })
}

/// Refused here and nowhere else: what an older version recorded is evaluated as it was.
fn too_much_sql(spec: &Spec) -> Option<String> {
    let Indicator::Sql(sql) = &spec.indicator else { return None };
    let parts = [("good", Some(&sql.good)), ("total", Some(&sql.total)), ("where", sql.filter.as_ref())];
    let (part, too_much) = parts.into_iter().find_map(|(part, text)| Some((part, crate::depth::too_much(text?)?)))?;
    Some(format!("{}: {part} {too_much}", spec.indicator_type))
}

fn rows(new: &[&Stored]) -> Result<RecordBatch> {
    let now = nines_ingest::clock::now();
    let text = |of: &dyn Fn(&Stored) -> String| -> ArrayRef {
        Arc::new(new.iter().map(|stored| Some(of(stored))).collect::<StringViewArray>())
    };
    let instant = |of: &dyn Fn(&Stored) -> i64| -> ArrayRef {
        let instants: TimestampMicrosecondArray = new.iter().map(|stored| Some(of(stored))).collect();
        Arc::new(instants.with_timezone(UTC))
    };
    let rows = RecordBatch::try_from_iter([
        ("kind", text(&|stored| stored.kind.to_string())),
        ("name", text(&|stored| stored.name.clone())),
        ("effective_from", instant(&|stored| stored.effective_from)),
        ("text", text(&|stored| stored.text.clone())),
        ("sha256", text(&|stored| hex(&Hash::of(&stored.text), SHA256_DIGITS))),
        ("applied_at", instant(&|_| now)),
        ("rules", Arc::new(new.iter().map(|stored| Some(i64::from(stored.rules.number()))).collect::<Int64Array>())),
    ]);
    rows.map_err(|error| EngineError::Sql(error.into()))
}
