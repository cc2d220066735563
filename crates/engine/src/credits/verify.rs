//! Whether what was issued still holds: from its evidence, and from what is stored today.

use std::collections::{BTreeMap, HashMap};

use nines_slo::{Difference, IssuedStatement, Month, Verdict, differences};

use super::issue::by_earlier_rules;
use super::owing::{Owing, drawn, name};
use super::period_terms::Chosen;
use crate::{EngineError, Result, Session};

/// A statement and what became of it.
#[derive(Debug)]
#[non_exhaustive]
pub struct Verified {
    /// The last revision.
    pub statement: IssuedStatement,
    /// From the statements alone: whether each revision is as it was issued, follows from its evidence and from the one before.
    pub evidence: Verdict,
    /// From what is stored today, by the rules by which it was issued.
    pub today: Today,
    /// What it would be by today's rules, if that is something else.
    pub by_current_rules: Option<IssuedStatement>,
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
    /// The rules by which it was issued cannot judge it.
    Refused(String),
    /// Rows that it follows from were removed: why that is known.
    Removed(String),
    /// There is nothing to compare with: no agreement is recorded in this store.
    Unknown,
}

impl Session {
    /// Verifies the statements of a period; those of credits that were never issued come second.
    pub async fn verify(&self, month: Month, chosen: &Chosen) -> Result<(Vec<Verified>, Vec<IssuedStatement>)> {
        let issued = self.statements(month, chosen).await?;
        let (recorded, _) = self.recorded().await?;
        let is_known = recorded.iter().any(|stored| stored.kind == nines_slo::ObjectKind::Agreement);
        let (mut today, mut by_current, mut refused) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        let mut removed = None;
        if is_known {
            self.vouched_for().await?;
            let earlier = by_earlier_rules(&issued);
            let owing = Owing { month, chosen, issued: &issued, ending: false, earlier };
            match self.owing(&owing).await {
                Ok(mut credits) => {
                    today.extend(self.draw_up(month, &mut credits)?.into_iter().map(|s| (name(&s), s)));
                    let current = std::mem::take(&mut credits.by_current);
                    by_current.extend(drawn(month, &credits, current)?.0.into_iter().map(|s| (name(&s), s)));
                    refused = credits.refused;
                }
                // The evidence stays.
                Err(EngineError::Incomplete(why)) => removed = Some(why),
                Err(error) => return Err(error),
            }
        }
        let mut found: Vec<Verified> = Vec::new();
        for statement in issued {
            let mut evidence = statement.verify();
            match found.pop() {
                Some(before) if name(&before.statement) == name(&statement) => {
                    evidence.problems.extend(statement.follows(&before.statement).problems);
                    evidence.problems.extend(before.evidence.problems);
                }
                Some(other) => {
                    evidence.problems.extend(unpreceded(&statement));
                    found.push(other);
                }
                None => evidence.problems.extend(unpreceded(&statement)),
            }
            found.push(Verified { statement, evidence, today: Today::Unknown, by_current_rules: None });
        }
        for verified in found.iter_mut().filter(|_| is_known) {
            let of = name(&verified.statement);
            let (now, current) = (today.remove(&of), by_current.remove(&of));
            let differs = |now: &IssuedStatement, current: &IssuedStatement| !differences(now, current).is_empty();
            verified.by_current_rules = current.filter(|current| now.as_ref().is_none_or(|now| differs(now, current)));
            verified.today = match (now, refused.remove(&of), &removed) {
                (.., Some(why)) => Today::Removed(why.clone()),
                (_, Some(why), None) => Today::Refused(why),
                (None, None, None) => Today::Gone,
                (Some(now), None, None) => match differences(&verified.statement, &now) {
                    found if found.is_empty() => Today::Equal,
                    found => Today::Differs(found),
                },
            };
        }
        // What is not due with the month is not missing, unless it is asked for by name.
        let is_due = |s: &IssuedStatement| {
            let is_early = |s: &IssuedStatement| s.calendar_period().is_ok_and(|period| period.next() > month.plus(1));
            chosen.agreement.is_some() || !is_early(s)
        };
        let missing = today.into_values().filter(|s| !s.customer.is_empty() && is_due(s));
        let mut missing: Vec<IssuedStatement> = missing.collect();
        missing.sort_by_cached_key(name);
        Ok((found, missing))
    }
}

/// A revision whose predecessor is missing.
fn unpreceded(statement: &IssuedStatement) -> Option<String> {
    (statement.revision > 1).then(|| format!("Revision {} is there, but not the one before it.", statement.revision))
}
