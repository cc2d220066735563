//! Whether what was issued still holds: from its evidence, and from what is stored today.

use std::collections::HashMap;

use nines_slo::{Difference, Month, Statement, Verdict, differences};

use super::judging::Chosen;
use crate::{Engine, Result};

/// A statement and what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The last revision.
    pub statement: Statement,
    /// From the statements alone: whether each revision is as it was issued, follows from its evidence and from the one before.
    pub evidence: Verdict,
    /// From what is stored today.
    pub today: Today,
}

/// What is stored today beside what was issued.
#[derive(Debug)]
#[non_exhaustive]
pub enum Today {
    /// It says the same.
    Equal,
    /// It says something else.
    Differs(Vec<Difference>),
    /// There is no agreement any more that covers it.
    Gone,
    /// There is nothing to compare with: no agreement is recorded in this store.
    Unknown,
}

impl Engine {
    /// Verifies the statements of a period; those of credits that were never issued come second.
    pub async fn verify(&self, month: Month, chosen: &Chosen) -> Result<(Vec<Verified>, Vec<Statement>)> {
        let issued = self.statements(month, chosen).await?;
        let (recorded, _) = self.recorded().await?;
        let is_known = recorded.iter().any(|stored| stored.kind == nines_slo::Kind::Agreement);
        let today = match is_known {
            true => self.draw_up(month, &mut self.credits_and(month, chosen, &issued, false).await?)?,
            false => Vec::new(),
        };
        let key = |s: &Statement| [s.agreement.clone(), s.customer.clone(), s.service.clone()];
        let mut today: HashMap<[String; 3], Statement> = today.into_iter().map(|s| (key(&s), s)).collect();
        let mut found: Vec<Verified> = Vec::new();
        for statement in issued {
            let mut evidence = statement.verify();
            match found.pop() {
                Some(before) if key(&before.statement) == key(&statement) => {
                    evidence.problems.extend(statement.follows(&before.statement).problems);
                    evidence.problems.extend(before.evidence.problems);
                }
                Some(other) => {
                    evidence.problems.extend(unpreceded(&statement));
                    found.push(other);
                }
                None => evidence.problems.extend(unpreceded(&statement)),
            }
            found.push(Verified { statement, evidence, today: Today::Unknown });
        }
        for verified in found.iter_mut().filter(|_| is_known) {
            verified.today = match today.remove(&key(&verified.statement)) {
                None => Today::Gone,
                Some(now) => match differences(&verified.statement, &now) {
                    found if found.is_empty() => Today::Equal,
                    found => Today::Differs(found),
                },
            };
        }
        // What is not due with the month is not missing, unless it is asked for by name.
        let is_due = |s: &Statement| {
            let is_early = |s: &Statement| s.calendar_period().is_ok_and(|period| period.next() > month.plus(1));
            chosen.agreement.is_some() || !is_early(s)
        };
        let missing = today.into_values().filter(|s| !s.customer.is_empty() && is_due(s));
        let mut missing: Vec<Statement> = missing.collect();
        missing.sort_by_cached_key(key);
        Ok((found, missing))
    }
}

/// A revision whose predecessor is missing.
fn unpreceded(statement: &Statement) -> Option<String> {
    (statement.revision > 1).then(|| format!("Revision {} is there, but not the one before it.", statement.revision))
}
