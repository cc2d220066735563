//! From counts to what is owed: every case that has requests or a fee.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use nines_slo::{CreditError, Evidence, bounds, credit};

use super::Owed;
use super::case::Case;
use super::completeness::Lack;
use super::counted::Counted;
use super::counter::CaseName;
use super::period_terms::PeriodTerms;

/// What is owed, by agreement, customer and service, from what the partitions of a scan counted.
pub(super) fn owed(judging: &PeriodTerms, counted: Vec<Counted>) -> Result<Vec<Owed>> {
    let mut cases: BTreeMap<CaseName, Counted> = BTreeMap::new();
    for new in counted {
        let case = Arc::clone(&new.case);
        let name = (case.agreement, Arc::clone(&case.customer), Arc::clone(&case.service));
        cases.entry(name).or_insert_with(|| Counted::nothing(case)).join(new)?;
    }
    cases.values_mut().try_for_each(Counted::finish)?;
    let mut silent = |agreement: usize, customer: &str, service: &str| -> Result<CaseName> {
        let name: CaseName = (agreement, customer.into(), service.into());
        if !cases.contains_key(&name)
            && let Some(case) = judging.case(agreement, customer, service)?
        {
            cases.insert(name.clone(), Counted::nothing(Arc::new(case)));
        }
        Ok(name)
    };
    for (number, agreement) in judging.agreements() {
        let Some(usual) = judging.usual(agreement) else { continue };
        for (customer, service) in judging.fees.payers(usual.period) {
            silent(number, customer, service)?;
        }
    }
    let mut issued = HashSet::new();
    for [name, customer, service] in &judging.issued {
        if let Some((number, _)) = judging.agreements().find(|(_, agreement)| agreement.name == *name) {
            issued.insert(silent(number, customer, service)?);
        }
    }
    let mut found = Vec::with_capacity(cases.len());
    for (name, counted) in cases {
        let named = named(judging, &counted.case);
        // An amount that cannot be worked out is not left out in silence.
        let is_paid = counted.case.bare.fee.is_some() || judging.failed().contains_key(&named);
        if counted.measured.used || is_paid || issued.contains(&name) {
            match of(judging, counted) {
                Ok(owed) => found.push(owed),
                Err(why) => judging.fail(named, &why),
            }
        }
    }
    Ok(found)
}

fn named(judging: &PeriodTerms, case: &Case) -> [String; 3] {
    let agreement = &judging.definitions.agreements[case.agreement].name;
    [agreement.clone(), case.customer.to_string(), case.service.to_string()]
}

fn of(judging: &PeriodTerms, counted: Counted) -> Result<Owed> {
    let Counted { case, slices, other_valid, measured, .. } = counted;
    let agreement = judging.definitions.agreements[case.agreement].name.clone();
    let case: &Case = &case;
    // While rows were counted this was not known yet, if nothing depends on it.
    let business = judging.business(case.agreement, case.version, &case.service, case.judged.start)?;
    let mut evidence = Evidence { slices, other_valid, ..case.bare.clone() };
    let covered = case.covered();
    let wrong = |error| exec_datafusion_err!("{error}");
    let name = named(judging, case);
    let credit = credit(&covered, &evidence).or_else(|why| {
        if !is_of_the_fee(&why) {
            return Err(why);
        }
        judging.fail(name.clone(), &wrong(why));
        evidence.fee = None;
        credit(&covered, &evidence)
    });
    let credit = credit.map_err(wrong)?;
    let bounds = bounds(&covered, &evidence, &credit, &measured).map_err(wrong)?;
    Ok(Owed {
        customer: case.customer.to_string(),
        service: case.service.to_string(),
        business: business.to_string(),
        terms: Arc::clone(&case.terms),
        rules: case.rules,
        period: case.period.first.to_string(),
        judged: case.judged,
        needed: case.needs,
        complete: judging.is_complete(case.needs),
        lack: Lack::default(),
        active: case.active,
        credit,
        beside: if evidence.fee.is_some() { judging.beside(case) } else { Vec::new() },
        bounds,
        evidence,
        agreement,
        traffic: measured.used,
        failed: judging.failed().get(&name).cloned(),
    })
}

/// Whether an availability can be worked out all the same.
fn is_of_the_fee(why: &CreditError) -> bool {
    use CreditError::{Fee, OtherCurrency, UnknownCurrency};
    matches!(why, UnknownCurrency(_) | OtherCurrency { .. } | Fee { .. })
}
