//! From counts to what is owed: every case that has requests or a fee.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use nines_slo::{Evidence, bounds, credit};

use super::Owed;
use super::judging::{Case, Judging};
use super::pass::{CaseName, Counted, sort};

/// What is owed, by agreement, customer and service, from what the partitions of a scan counted.
pub(super) fn owed(judging: &Judging, counted: Vec<Counted>) -> Result<Vec<Owed>> {
    let mut cases: BTreeMap<CaseName, Counted> = BTreeMap::new();
    // Of which business the rows of a service are, for customers without any.
    let mut business_of: BTreeMap<Arc<str>, Arc<str>> = BTreeMap::new();
    for new in counted {
        let case = &new.case;
        business_of.entry(Arc::clone(&case.service)).or_insert_with(|| Arc::clone(&case.business));
        let name = (case.agreement, Arc::clone(&case.customer), Arc::clone(&case.service));
        match cases.get_mut(&name) {
            None => drop(cases.insert(name, new)),
            Some(known) => join(judging, known, new)?,
        }
    }
    for (number, agreement) in judging.agreements() {
        let Some(usual) = judging.usual(agreement) else { continue };
        for (customer, service) in judging.fees.payers(usual.period)? {
            let name: CaseName = (number, customer.into(), service.into());
            if cases.contains_key(&name) {
                continue;
            }
            let carried = business_of.get(service).map_or("", AsRef::as_ref);
            let business = judging.declared(usual.terms, service).unwrap_or(carried);
            if let Some(case) = judging.case(number, customer, service, business)? {
                let counted = Counted { case: Arc::new(case), slices: Vec::new(), other_valid: 0, measured: 0 };
                cases.insert(name, counted);
            }
        }
    }
    let mut found = Vec::with_capacity(cases.len());
    for counted in cases.into_values() {
        let judged = counted.case.covered().slices();
        let inside = |start: i64| judged.start <= start && start < judged.end;
        let was_used = counted.other_valid > 0 || counted.slices.iter().any(|counts| inside(counts.start));
        if was_used || counted.case.paid.is_some() {
            found.push(of(judging, counted)?);
        }
    }
    Ok(found)
}

fn join(judging: &Judging, known: &mut Counted, new: Counted) -> Result<()> {
    if known.case.business != new.case.business {
        return Err(exec_datafusion_err!(
            "agreement {} counts rows of service {} in two businesses, {} and {}; say which: `business: {}` in its spec, or the \
             label `business` of the Service",
            judging.definitions.agreements[known.case.agreement].name,
            known.case.service,
            known.case.business,
            new.case.business,
            known.case.business
        ));
    }
    known.slices.extend(new.slices);
    sort(&mut known.slices)?;
    known.other_valid = known.other_valid.saturating_add(new.other_valid);
    known.measured += new.measured;
    Ok(())
}

fn of(judging: &Judging, counted: Counted) -> Result<Owed> {
    let Counted { case, slices, other_valid, measured } = counted;
    let agreement = judging.definitions.agreements[case.agreement].name.clone();
    let case: &Case = &case;
    let evidence = Evidence { slices, other_valid, ..case.bare.clone() };
    let covered = case.covered();
    let wrong = |error| {
        exec_datafusion_err!("agreement {agreement}, customer '{}', service {}: {error}", case.customer, case.service)
    };
    let credit = credit(&covered, &evidence).map_err(wrong)?;
    let bounds = bounds(&covered, &evidence, &credit, measured).map_err(wrong)?;
    Ok(Owed {
        customer: case.customer.to_string(),
        service: case.service.to_string(),
        business: case.business.to_string(),
        terms: Arc::clone(&case.terms),
        period: case.period.first.to_string(),
        judged: case.judged,
        complete: judging.watermark >= case.judged.end,
        active: case.paid.as_ref().map_or(super::judging::ALWAYS, |paid| paid.active),
        credit,
        bounds,
        evidence,
        agreement,
    })
}
