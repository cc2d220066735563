//! Whether days that are kept are what is worked out from the rows now.

use std::collections::HashMap;

use datafusion::error::Result;
use nines_timeline::Interval;

use super::DAY;
use super::evaluator::Evaluator;
use super::inputs::RAW;
use super::keep::{self, NewDay};
use super::part::{Detail, Part};
use super::prepare::Question;
use super::run::Running;
use super::select::Selection;

/// What was compared.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    /// Kept days of objectives.
    pub kept: usize,
    /// Objective and day, in days since 1970, of those that are something else.
    pub wrong: Vec<(String, i32)>,
}

impl Evaluator<'_> {
    /// Compares the kept days of these, one after the other, with what is worked out without them. Those that are something else, and
    /// what they depend on, are kept anew if that is asked for.
    pub async fn compare(&self, days: &[i32], repair: bool) -> crate::Result<Compared> {
        let mut compared = Compared::default();
        for &day in days.iter().filter(|day| !self.is_any_sealed(**day)) {
            let interval = Interval::new(i64::from(day) * DAY, i64::from(day + 1) * DAY);
            let asked = |fresh| Question {
                ranges: vec![interval],
                detail: Detail::None,
                selection: Selection::default(),
                composites: false,
                fresh,
                bare: false,
            };
            let kept = self.prepare(&asked(false)).await?;
            if kept.kept.is_empty() {
                continue;
            }
            let fresh = self.prepare(&asked(true)).await?;
            let task = self.session.task_ctx();
            let parts = Running::start(&fresh.leaves, &task)?.all().await?;
            let now: HashMap<(usize, Interval), &Part> =
                parts.iter().map(|part| ((part.subject, part.interval), part)).collect();
            let mut again = Vec::new();
            for part in &kept.kept {
                compared.kept += 1;
                let of = now.get(&(part.subject, part.interval));
                if of.is_some_and(|of| of.says_as(part)) {
                    continue;
                }
                let subject = kept.subjects[part.subject].as_ref();
                compared.wrong.push((subject.name.to_string(), day));
                if let Some((part, key)) = of.zip(fresh.expected.get(&(part.subject, day))) {
                    again.push(NewDay {
                        subject: fresh.subjects[part.subject].as_ref(),
                        day,
                        key: *key,
                        part,
                        sealed: false,
                    });
                }
            }
            if let Some(store) = self.store.as_ref().filter(|_| repair && !again.is_empty()) {
                keep::put(store, &task, &again, &fresh.facts).await?;
            }
        }
        Ok(compared)
    }

    /// The days that have rows of any raw table, ascending.
    pub fn days_with_rows(&self) -> Result<Vec<i32>> {
        let mut days = Vec::new();
        for kind in RAW {
            days.extend(self.inputs(kind)?.days());
        }
        days.sort_unstable();
        days.dedup();
        Ok(days)
    }

    /// Whether a day of any raw table is sealed.
    pub fn is_any_sealed(&self, day: i32) -> bool {
        RAW.iter().any(|kind| self.inputs(*kind).is_ok_and(|inputs| inputs.is_sealed(day)))
    }
}
