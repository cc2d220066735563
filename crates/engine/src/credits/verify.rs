//! Whether what was issued still holds: from its evidence, and from what is stored today.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use nines_slo::{Difference, IssuedStatement, PeriodName, Verdict, differences};

use super::gone::gone;
use super::issue::by_earlier_rules;
use super::name::name;
use super::owing::{Credits, Owing, drawn};
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
    /// It cannot be worked out: why.
    Failed(String),
    /// Rows that it follows from are gone, removed by retention or by whatever program: why that is known.
    Removed(String),
    /// It cannot be read or worked out: why.
    Unread(String),
    /// There is nothing to compare with: no agreement is recorded in this store.
    Unknown,
}

impl Session {
    /// Verifies the statements of a period; those of credits that were never issued come second.
    pub async fn verify(&self, period: PeriodName, chosen: &Chosen) -> Result<(Vec<Verified>, Vec<IssuedStatement>)> {
        let (verified, missing) = self.verify_together(period, chosen).await?;
        let is_unread = |one: &Verified| matches!(one.today, Today::Unread(_));
        let is_one = verified.iter().all(|one| one.statement.agreement == verified[0].statement.agreement);
        if is_one || !verified.iter().any(is_unread) {
            return Ok((verified, missing));
        }
        // What is wrong with one agreement may be all that is wrong.
        let defined = self.agreements().await?.into_iter().map(|agreement| agreement.name);
        let names: BTreeSet<String> = verified.into_iter().map(|one| one.statement.agreement).chain(defined).collect();
        let (mut verified, mut missing) = (Vec::new(), Vec::new());
        for name in names.into_iter().filter(|name| chosen.has(name)) {
            match self.verify_together(period, &chosen.among([name])).await {
                Ok((found, never)) => {
                    verified.extend(found);
                    missing.extend(never);
                }
                Err(EngineError::Cancelled) => return Err(EngineError::Cancelled),
                // Nothing was issued of it. Who issues is told.
                Err(_) => {}
            }
        }
        Ok((verified, missing))
    }

    async fn verify_together(
        &self,
        period: PeriodName,
        chosen: &Chosen,
    ) -> Result<(Vec<Verified>, Vec<IssuedStatement>)> {
        let issued = self.statements(period, chosen).await?;
        let (recorded, _) = self.recorded().await?;
        let is_known = recorded.iter().any(|stored| stored.kind == nines_slo::ObjectKind::Agreement);
        let (mut today, mut by_current, mut refused) = (HashMap::new(), HashMap::new(), BTreeMap::new());
        let (mut removed, mut lacks, mut unread) = (BTreeMap::new(), HashMap::new(), None);
        let mut failed = BTreeMap::new();
        if is_known {
            match self.owed_today(period, chosen, &issued).await {
                Ok(mut credits) => {
                    failed = std::mem::take(&mut credits.failed);
                    let drawn_up = self.draw_up(period, &mut credits)?;
                    today.extend(drawn_up.into_iter().map(|s| (name(&s), s)));
                    lacks.extend(credits.owed.iter().map(|owed| (owed.name(), owed.lack.clone())));
                    let current = std::mem::take(&mut credits.by_current);
                    by_current.extend(drawn(period, &credits, current)?.0.into_iter().map(|s| (name(&s), s)));
                    (refused, removed) = (credits.refused, credits.removed);
                }
                Err(error) if issued.is_empty() || matches!(error, EngineError::Cancelled) => return Err(error),
                // The evidence stays.
                Err(error) => unread = Some(error.to_string()),
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
            let is_gone = |now: &IssuedStatement| gone(&verified.statement, now.credit.valid, lacks.get(&of)?);
            let refused = failed.remove(&of).map(Today::Failed).or(refused.remove(&of).map(Today::Refused));
            verified.today = match (now, refused, removed.get(&of[0]), &unread) {
                (.., Some(why)) => Today::Unread(why.clone()),
                (.., Some(why), None) => Today::Removed(why.clone()),
                (_, Some(why), None, None) => why,
                (None, None, None, None) => Today::Gone,
                (Some(now), None, None, None) => match differences(&verified.statement, &now) {
                    found if found.is_empty() => Today::Equal,
                    found => match is_gone(&now) {
                        Some(why) => Today::Removed(why),
                        None => Today::Differs(found),
                    },
                },
            };
        }
        // What is not due with a month is not missing, unless it is asked for by name.
        let is_due = |s: &IssuedStatement| {
            let is_early = |s: &IssuedStatement| s.calendar_period().is_ok_and(|own| own.last_name() > period);
            chosen.agreement.is_some() || !is_early(s)
        };
        // What waits for a fee, or cannot be worked out, is not missing.
        let could_be_issued = |s: &IssuedStatement| !s.customer.is_empty() && s.credit.fee_base.is_some();
        let missing = today.into_values().filter(|s| could_be_issued(s) && is_due(s));
        let mut missing: Vec<IssuedStatement> = missing.collect();
        missing.sort_by_cached_key(name);
        Ok((found, missing))
    }
}

impl Session {
    /// What is owed by what is stored today.
    async fn owed_today(&self, period: PeriodName, chosen: &Chosen, issued: &[IssuedStatement]) -> Result<Credits> {
        self.vouched_for().await?;
        let earlier = by_earlier_rules(issued);
        self.owing(&Owing { period, chosen, issued, ending: false, with_evidence: true, earlier }).await
    }
}

/// A revision whose predecessor is missing.
fn unpreceded(statement: &IssuedStatement) -> Option<String> {
    (statement.revision > 1).then(|| format!("Revision {} is there, but not the one before it.", statement.revision))
}
