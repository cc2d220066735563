//! What is kept and can be worked out again: compared with what rows say now, and let go of where it is damaged.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use nines_store::{Gc, Problem, Store, TableKind};

use crate::evaluate::Evaluator;
use crate::words::counted;
use crate::{EngineError, Result, Session};

/// Days that are compared where not all are.
const SAMPLE: usize = 16;

/// What was compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct KeptDays {
    /// Days that have rows and are not sealed.
    pub days: usize,
    /// How many of them were looked at.
    pub compared: usize,
    /// Kept days of objectives on those.
    pub kept: usize,
    /// Objective and day of those that are not what is worked out now.
    pub wrong: Vec<(String, NaiveDate)>,
    /// Why sealed days are not there any more, if so: nothing was compared then.
    pub lost: Option<String>,
}

impl Session {
    /// Compares kept days of objectives with what is worked out from the rows now: all, or a sample of days. Those that are something
    /// else are kept anew if that is asked for.
    pub async fn compare_kept(&self, all: bool, repair: bool) -> Result<KeptDays> {
        if repair {
            self.check_present()?;
        }
        let evaluation = self.evaluation().await?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        if let Err(lost) = evaluator.sealed_are_there().await {
            return Ok(KeptDays { lost: Some(EngineError::from(lost).to_string()), ..KeptDays::default() });
        }
        let mut days = evaluator.days_with_rows()?;
        days.retain(|day| !evaluator.is_any_sealed(*day));
        let mut found = KeptDays { days: days.len(), ..KeptDays::default() };
        if !all {
            // Other days each time that something was kept, so that all have their turn.
            let kept =
                evaluator.snapshot(TableKind::SloDays).await?.and_then(|kept| kept.version()).unwrap_or_default();
            let step = days.len().div_ceil(SAMPLE).max(1);
            days = days.into_iter().skip(kept as usize % step).step_by(step).collect();
        }
        found.compared = days.len();
        let compared = evaluator.compare(&days, repair).await?;
        found.kept = compared.kept;
        let dated = compared.wrong.into_iter().filter_map(|(of, day)| Some((of, NaiveDate::from_epoch_days(day)?)));
        found.wrong = dated.collect();
        Ok(found)
    }

    /// Whether what is damaged of a derived table can be let go of.
    pub async fn is_repairable(&self, table: TableKind, problems: &[Problem]) -> bool {
        let Some(store) = self.store().filter(|_| table.is_derived()) else { return false };
        // Where not even that can be told, other problems come first.
        matches!(damaged_files(store, table, problems).await, Ok(Some(_)))
    }

    /// Lets go of what is damaged of a derived table: it is worked out again when it is asked for. What was done, in words. Sealed days,
    /// and what they depend on, are records: they stay, and are an error.
    pub async fn repair(&self, table: TableKind, problems: &[Problem]) -> Result<String> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store to repair".to_string()));
        };
        let name = table.name();
        let Some(damaged) = damaged_files(store, table, problems).await? else {
            return Err(EngineError::Usage(format!(
                "{name} holds what sealed days were, which nothing can work out again: put what is damaged back from a backup"
            )));
        };
        if damaged.is_empty() {
            store.table(table).clear().await?;
            return Ok(format!(
                "{name}  all of it was let go of: it is filled again as questions are asked, or by: nines refresh"
            ));
        }
        let number = store.table(table).forget(&damaged).await?;
        // Nobody asks what was kept earlier, and there the files are damaged, too.
        store.table(table).gc(&Gc::newest(nines_ingest::clock::now())).await?;
        Ok(match number {
            0 => format!(
                "{name}  what is damaged belongs to earlier versions alone: they were given up, and no question needs them"
            ),
            _ => format!(
                "{name}  {} let go of: what was in them is worked out again as questions are asked, or by: nines refresh",
                counted(number, "damaged file was", "damaged files were")
            ),
        })
    }
}

/// The damaged files of a derived table, none if its log is damaged; `None` if it holds what sealed days were.
async fn damaged_files(store: &Store, table: TableKind, problems: &[Problem]) -> Result<Option<BTreeSet<String>>> {
    let sealed = sealed_until(store).await?;
    let is_data = |problem: &Problem| problem.object.ends_with(".parquet") && !problem.object.contains("/_delta_log/");
    if !problems.iter().all(is_data) {
        return Ok(sealed.is_none().then(BTreeSet::new));
    }
    let damaged: BTreeSet<String> = problems.iter().map(|problem| problem.object.clone()).collect();
    if let Some(until) = sealed {
        let snapshot = store.table(table).snapshot().await?;
        let of_sealed = |file: &nines_store::DataFile| file.first_day().is_none_or(|first| first < until);
        if snapshot.files().any(|file| damaged.contains(file.path().as_ref()) && of_sealed(file)) {
            return Ok(None);
        }
    }
    Ok(Some(damaged))
}

/// The first day that is sealed in no raw table; `None` if none is sealed.
async fn sealed_until(store: &Store) -> Result<Option<i32>> {
    let mut until = None;
    for &kind in TableKind::ALL.iter().filter(|kind| kind.is_series()) {
        let sealed = store.table(kind).snapshot().await?.sealed();
        until = until.max(sealed.map(|sealed| sealed.until));
    }
    Ok(until)
}
