//! Which periods are meant or due, by agreement: each has its own time zone and length.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use chrono_tz::Tz;
use nines_slo::moment::Moment;
use nines_slo::{Agreement, Covered, Cycle, Month, PeriodName, Rules};
use nines_store::TableKind;

use super::fees::Fees;
use super::judged_rows;
use super::naming::refused;
use super::period_terms::{ALWAYS, Chosen, any};
use super::{Issued, Issuing, UnissuedKind};
use crate::evaluate::{Evaluation, Evaluator};
use crate::{EngineError, Result, Session};

/// The periods that are over and not all issued.
struct Pending {
    /// Agreements by the last name of such a period.
    of: BTreeMap<PeriodName, BTreeSet<String>>,
    /// That of the newest period that is over, by agreement.
    newest: HashMap<String, PeriodName>,
    /// Agreements under which something was issued.
    issued: HashSet<String>,
}

impl Session {
    /// The periods that words (`2026-10`, `2026-10-05`, `last month`, `last-month`) name, and for which agreements: where clocks show
    /// different months, the agreements of each zone have their own, and those whose periods are of days the last of theirs that is
    /// over. A name that no period has is refused.
    pub async fn periods(&self, words: &str, chosen: &Chosen) -> Result<Vec<(PeriodName, Chosen)>> {
        if let Ok(name) = words.parse() {
            self.check_named(name, chosen).await?;
            return Ok(vec![(name, chosen.clone())]);
        }
        let named = |cycle: Cycle, zone: Tz| {
            let wrong = || {
                EngineError::Usage(format!(
                    "'{words}' is no period: expected a month such as 2026-10, the first day of a period of days such as \
                     2026-10-05, or last-month, this-month or month-before-last"
                ))
            };
            let now = self.now();
            let month = Moment { now, zone }.month(&words.replace('-', " ")).ok_or_else(wrong)?;
            if let Cycle::Days { .. } = cycle {
                let back = Month::of(now, zone).map_or(0, |this| this.since(month));
                return cycle.period_before(now, back.unsigned_abs(), zone).map(|period| period.name).ok_or_else(wrong);
            }
            // Before the day on which periods begin, that of the month before goes on.
            let is_before = cycle.month_at(now, zone) < Month::of(now, zone);
            Ok::<PeriodName, EngineError>(if is_before { month.before() } else { month }.into())
        };
        let mut of: BTreeMap<PeriodName, Vec<String>> = BTreeMap::new();
        for agreement in self.agreements().await?.iter().filter(|agreement| chosen.has(&agreement.name)) {
            let Some(version) = agreement.versions.last() else { continue };
            let (cycle, name) = (version.terms.cycle, named(version.terms.cycle, version.terms.time_zone)?);
            if let (Cycle::Days { days, .. }, Some(store)) = (cycle, self.store()) {
                store.notice(format!(
                    "agreement {}, whose periods are of {days} days: {words} is {name}; --pending issues all that are over",
                    agreement.name
                ));
            }
            of.entry(name).or_default().push(agreement.name.clone());
        }
        match of.len() {
            0 => Ok(vec![(named(Cycle::calendar(1), self.settings().time_zone.tz())?, chosen.clone())]),
            1 => Ok(of.into_keys().map(|name| (name, chosen.clone())).collect()),
            _ => Ok(of.into_iter().map(|(name, agreements)| (name, chosen.among(agreements))).collect()),
        }
    }

    /// Every period of which a statement was issued, by its name and agreement.
    pub async fn issued_periods(&self, chosen: &Chosen) -> Result<Vec<(PeriodName, Chosen)>> {
        let keys = self.issued_keys().await?;
        let of: BTreeSet<(PeriodName, &String)> =
            keys.iter().map(|(agreement, .., period)| (*period, agreement)).collect();
        let of = of.into_iter().filter(|(_, agreement)| chosen.has(agreement));
        Ok(of.map(|(period, name)| (period, Chosen { agreement: Some(name.clone()), ..chosen.clone() })).collect())
    }

    /// Issues what was never issued of every period that is over, from the first month of which rows are stored, the oldest first. What
    /// was issued stays as it is. Each month is for itself: what fails in one keeps nothing of another.
    pub async fn issue_pending(&self, chosen: &Chosen, how: &Issuing) -> Result<Vec<(PeriodName, Result<Issued>)>> {
        self.check_agreed().await?;
        let Pending { of, newest, mut issued } = self.pending(chosen).await?;
        let how = Issuing { firsts: true, ..how.clone() };
        let mut found = Vec::new();
        for (period, agreements) in of {
            let part = chosen.among(agreements);
            let mut done = self.issue(period, &part, &how).await;
            if let Ok(done) = &mut done {
                issued.extend(done.credits.owed.iter().map(|owed| owed.agreement.clone()));
                // Before its services had any row there was nothing to judge.
                done.unissued.retain(|unissued| {
                    unissued.kind != UnissuedKind::Unmatched
                        || issued.contains(&unissued.agreement)
                        || newest.get(&unissued.agreement) == Some(&period)
                });
            }
            found.push((period, done));
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
            let issued: HashSet<(PeriodName, &str, &str)> = keys
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
            for covered in over(agreement, first, evaluator.now) {
                let (period, terms) = (covered.period, covered.terms);
                let last = period.last_name();
                pending.newest.insert(agreement.name.clone(), last);
                let is_wanted = |customer: &str| chosen.customer.as_ref().is_none_or(|chosen| chosen == customer);
                let payers =
                    fees.payers(&covered, |plan| terms.matches_plan(plan)).into_iter().filter(|(customer, service)| {
                        terms.matches_service(service) && any(&terms.rows.customers, customer) && is_wanted(customer)
                    });
                let is_begun = issued.iter().any(|(of, customer, _)| *of == period.name && is_wanted(customer));
                let is_due = !is_begun
                    || payers
                        .into_iter()
                        .any(|(customer, service)| !issued.contains(&(period.name, customer, service)));
                if is_due {
                    pending.of.entry(last).or_default().insert(agreement.name.clone());
                }
            }
        }
        Ok(pending)
    }
}

impl Session {
    /// Refuses a name that no period has, unless something was issued under it.
    async fn check_named(&self, name: PeriodName, chosen: &Chosen) -> Result<()> {
        let agreements = self.agreements().await?;
        let Some(why) = refused(name, agreements.iter().filter(|agreement| chosen.has(&agreement.name))) else {
            return Ok(());
        };
        let keys = self.issued_keys().await?;
        match keys.iter().any(|(agreement, .., period)| *period == name && chosen.has(agreement)) {
            true => Ok(()),
            false => Err(EngineError::Usage(why)),
        }
    }
}

/// The periods of an agreement that are over, from the one in which the first row lies, and by what each is judged.
fn over(agreement: &Agreement, first: i64, now: i64) -> Vec<Covered<'_>> {
    let mut found: Vec<Covered<'_>> = Vec::new();
    for name in (first < i64::MAX).then(|| agreement.names_touching(first, now)).into_iter().flatten() {
        let Some(covered) = agreement.covered(name, ALWAYS, Rules::CURRENT) else { continue };
        let of = covered.period.interval;
        let is_new = found.last().is_none_or(|last| last.period.name != covered.period.name);
        if is_new && of.end > first && of.end <= now {
            found.push(covered);
        }
    }
    found
}
