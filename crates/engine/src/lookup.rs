//! What of definitions and records no stored row carries.

use std::collections::HashSet;

use datafusion::error::Result;
use nines_slo::{Change, Definitions, Mistake, ObjectKind, SINCE_EVER, Severity, What};

use crate::Session;
use crate::evaluate::{DAY, Evaluator};
use crate::names::{Carried, agreement, objective, shared};

/// `events, gauges and requests`.
fn and(names: &[&str]) -> String {
    match names {
        [rest @ .., last] if !rest.is_empty() => format!("{} and {last}", rest.join(", ")),
        _ => names.join(""),
    }
}

impl Session {
    /// What of new or changed definitions matches no stored row, and notes about what was not looked up.
    pub(crate) async fn unmatched(
        &self,
        changes: &[Change],
        definitions: &Definitions,
    ) -> crate::Result<(Vec<Mistake>, Vec<String>)> {
        let evaluation = self.evaluation().await?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let mut carried = Carried::new(&evaluator);
        let mut missing: Vec<Mistake> = Vec::new();
        // Two agreements that are new share with each other once.
        let mut pairs: HashSet<[&str; 2]> = HashSet::new();
        for change in changes.iter().filter(|change| change.what != What::Unchanged) {
            let from = if change.stored.effective_from == SINCE_EVER { i64::MIN } else { change.stored.effective_from };
            let mut misses = Vec::new();
            match change.stored.kind {
                ObjectKind::Slo => {
                    let own = definitions.objectives.iter().filter(|objective| objective.slo == change.stored.name);
                    let versions = own.flat_map(|objective| &objective.versions);
                    for version in versions.filter(|version| version.in_force.start == from) {
                        misses.extend(objective::misses(&version.spec, &mut carried).await?);
                        missing.extend(before_sealed(&evaluator, change, &version.spec)?);
                    }
                }
                ObjectKind::Agreement => {
                    let own = definitions.agreements.iter().filter(|agreement| agreement.name == change.stored.name);
                    let versions = own.flat_map(|agreement| &agreement.versions);
                    for version in versions.filter(|version| version.in_force.start == from) {
                        misses.extend(agreement::misses(&version.terms, &mut carried).await?);
                    }
                    let (name, all) = (change.stored.name.as_str(), &definitions.agreements);
                    for own in all.iter().filter(|agreement| agreement.name == name) {
                        for version in own.versions.iter().filter(|version| version.in_force.start == from) {
                            for (other, text) in shared::shared(own, version, all, &mut carried).await? {
                                if pairs.insert([name, other]) && !pairs.contains(&[other, name]) {
                                    let place = (change.line, 1);
                                    missing.push(Mistake::new(change.path.clone(), place, text, Severity::Warning));
                                }
                            }
                        }
                    }
                }
                ObjectKind::Service => misses.extend(carried.service(&change.stored.name).await?),
                _ => {}
            }
            misses.dedup();
            let (path, place) = (&change.path, (change.line, 1));
            let told = misses.into_iter().map(|miss| Mistake::new(path.clone(), place, miss.text, Severity::Warning));
            missing.extend(told);
        }
        let empty = carried.empty();
        let note = (!empty.is_empty())
            .then(|| format!("nothing is stored in {} yet, so that no names were looked up there", and(&empty)));
        Ok((missing, note.into_iter().collect()))
    }

    /// What of a record's scope no stored row carries, a sentence each. Empty fields mean all.
    pub async fn unmatched_scope(&self, scope: [(&'static str, &str); 3]) -> crate::Result<Vec<String>> {
        let evaluation = self.evaluation().await?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let mut carried = Carried::new(&evaluator);
        let mut told = Vec::new();
        for (column, name) in scope.into_iter().filter(|(_, name)| !name.is_empty()) {
            told.extend(carried.anywhere(column, name).await?.map(|miss| miss.text));
        }
        Ok(told)
    }
}

/// That a version which begins in sealed days takes their figures away: they are those of the version that was in force.
fn before_sealed(evaluator: &Evaluator<'_>, change: &Change, spec: &nines_slo::Spec) -> Result<Option<Mistake>> {
    let sealed = evaluator.inputs(objective::table(spec)?)?.sealed.map(|sealed| sealed.until);
    let is_sealed = |until: &i32| change.stored.effective_from < i64::from(*until) * DAY;
    let takes = matches!(change.what, What::Changed | What::Corrected);
    let until = sealed.filter(|until| takes && is_sealed(until)).and_then(chrono::NaiveDate::from_epoch_days);
    let Some(until) = until else { return Ok(None) };
    let text = format!(
        "days before {until} are sealed: what {} was then by the definition before is not shown any more, and by this one it is not \
         known. To keep it, let this version begin on {until} or later (annotation nines/effective-from)",
        change.stored.name
    );
    Ok(Some(Mistake::new(change.path.clone(), (change.line, 1), text, Severity::Warning)))
}
