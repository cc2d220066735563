//! Which periods are meant or due, by agreement: each has its own time zone and length.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;
use nines_slo::moment::Moment;
use nines_slo::{Agreement, Cycle, Month, Rules};
use nines_store::TableKind;

use super::fees::Fees;
use super::judged_rows;
use super::period_terms::{ALWAYS, Chosen, any};
use super::{Issued, Issuing, UnissuedKind};
use crate::evaluate::{Evaluation, Evaluator};
use crate::{EngineError, Result, Session};

/// The periods that are over and not all issued.
struct Pending {
    /// Agreements by the last month of such a period.
    of: BTreeMap<Month, BTreeSet<String>>,
    /// The last month of the newest period that is over, by agreement.
    newest: HashMap<String, Month>,
    /// Agreements under which something was issued.
    issued: HashSet<String>,
}

impl Session {
    /// The months that words (`2026-10`, `last month`, `last-month`) name, and for which agreements: where clocks show different months,
    /// the agreements of each zone have their own.
    pub async fn months(&self, words: &str, chosen: &Chosen) -> Result<Vec<(Month, Chosen)>> {
        if let Ok(month) = words.parse() {
            return Ok(vec![(month, chosen.clone())]);
        }
        let named = |cycle: Cycle, zone: Tz| {
            let now = self.now();
            let month = Moment { now, zone }.month(&words.replace('-', " ")).ok_or_else(|| {
                EngineError::Usage(format!(
                    "'{words}' is no month: expected one such as 2026-10, or last-month, this-month or month-before-last"
                ))
            })?;
            // Before the day on which periods begin, that of the month before goes on.
            let is_before = cycle.month_at(now, zone) < Month::of(now, zone);
            Ok::<Month, EngineError>(if is_before { month.before() } else { month })
        };
        let mut of: BTreeMap<Month, Vec<String>> = BTreeMap::new();
        for agreement in self.agreements().await?.iter().filter(|agreement| chosen.has(&agreement.name)) {
            let Some(version) = agreement.versions.last() else { continue };
            of.entry(named(version.terms.cycle, version.terms.time_zone)?).or_default().push(agreement.name.clone());
        }
        match of.len() {
            0 => Ok(vec![(named(Cycle::calendar(1), self.settings().time_zone.tz())?, chosen.clone())]),
            1 => Ok(of.into_keys().map(|month| (month, chosen.clone())).collect()),
            _ => Ok(of.into_iter().map(|(month, agreements)| (month, chosen.among(agreements))).collect()),
        }
    }

    /// Every period of which a statement was issued, by the first month and agreement.
    pub async fn issued_periods(&self, chosen: &Chosen) -> Result<Vec<(Month, Chosen)>> {
        let keys = self.issued_keys().await?;
        let of: BTreeSet<(Month, &String)> = keys.iter().map(|(agreement, .., period)| (*period, agreement)).collect();
        let of = of.into_iter().filter(|(_, agreement)| chosen.has(agreement));
        Ok(of.map(|(month, name)| (month, Chosen { agreement: Some(name.clone()), ..chosen.clone() })).collect())
    }

    /// Issues what was never issued of every period that is over, from the first month of which rows are stored, the oldest first. What
    /// was issued stays as it is. Each month is for itself: what fails in one keeps nothing of another.
    pub async fn issue_pending(&self, chosen: &Chosen, how: &Issuing) -> Result<Vec<(Month, Result<Issued>)>> {
        self.check_agreed().await?;
        let Pending { of, newest, mut issued } = self.pending(chosen).await?;
        let how = Issuing { firsts: true, ..how.clone() };
        let mut found = Vec::new();
        for (month, agreements) in of {
            let part = chosen.among(agreements);
            let mut done = self.issue(month, &part, &how).await;
            if let Ok(done) = &mut done {
                issued.extend(done.credits.owed.iter().map(|owed| owed.agreement.clone()));
                // Before its services had any row there was nothing to judge.
                done.unissued.retain(|unissued| {
                    unissued.kind != UnissuedKind::Unmatched
                        || issued.contains(&unissued.agreement)
                        || newest.get(&unissued.agreement) == Some(&month)
                });
            }
            found.push((month, done));
        }
        Ok(found)
    }

    async fn pending(&self, chosen: &Chosen) -> Result<Pending> {
        let (state, _pins) = self.beginning().await?;
        let evaluation = Evaluation::of(&state, self.read())?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let fees = Fees::new(&evaluator.rows(TableKind::Fees, None, &[]).await?)?;
        let keys = self.issued_keys().await?;
        let mut pending = Pending {
            of: BTreeMap::new(),
            newest: HashMap::new(),
            issued: keys.iter().map(|key| key.0.clone()).collect(),
        };
        for agreement in evaluator.definitions.agreements.iter().filter(|agreement| chosen.has(&agreement.name)) {
            let issued: HashSet<(Month, &str, &str)> = keys
                .iter()
                .filter(|(name, ..)| *name == agreement.name)
                .map(|(_, customer, service, period)| (*period, customer.as_str(), service.as_str()))
                .collect();
            let judged = agreement
                .versions
                .iter()
                .flat_map(|version| judged_rows::tables(&version.terms, &evaluator.definitions));
            let mut first = i64::MAX;
            for table in judged.collect::<BTreeSet<_>>() {
                first = first.min(evaluator.inputs(table)?.first);
            }
            for (period, terms) in over(agreement, first, evaluator.now) {
                let last = period.next().before();
                pending.newest.insert(agreement.name.clone(), last);
                let is_wanted = |customer: &str| chosen.customer.as_ref().is_none_or(|chosen| chosen == customer);
                let payers =
                    fees.payers(period, |plan| terms.matches_plan(plan)).into_iter().filter(|(customer, service)| {
                        terms.matches_service(service) && any(&terms.rows.customers, customer) && is_wanted(customer)
                    });
                let is_begun = issued.iter().any(|(of, customer, _)| *of == period.first && is_wanted(customer));
                let is_due = !is_begun
                    || payers
                        .into_iter()
                        .any(|(customer, service)| !issued.contains(&(period.first, customer, service)));
                if is_due {
                    pending.of.entry(last).or_default().insert(agreement.name.clone());
                }
            }
        }
        Ok(pending)
    }
}

/// The periods of an agreement that are over, from the one in which the first row lies, and by what each is judged.
fn over(agreement: &Agreement, first: i64, now: i64) -> Vec<(nines_slo::Period, &nines_slo::Terms)> {
    let mut found: Vec<(nines_slo::Period, &nines_slo::Terms)> = Vec::new();
    for month in (first < i64::MAX).then(|| Month::touching(first, now)).into_iter().flatten() {
        let Some(covered) = agreement.covered(month, ALWAYS, Rules::CURRENT) else { continue };
        let (period, of) = (covered.period, covered.period.interval);
        let is_new = found.last().is_none_or(|(last, _)| last.first != period.first);
        if is_new && of.end > first && of.end <= now {
            found.push((period, covered.terms));
        }
    }
    found
}
