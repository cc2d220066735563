//! All clauses of an agreement together, as they are drawn at random, against one computation that goes from one of the store's slices
//! to the next with exact fractions and shares no step with the crate.
//!
//! ```text
//! drawing ─▶ Case ─▶ written ─▶ text ─▶ real: counted, joined, credited by the crate ─▶ Credit, Bounds ─┐
//!             └────▶ clock, counted, time ─▶ figure, by metric and member ─▶ owed ─▶ Owed ──────────── the same?
//! ```

mod clock;
mod counted;
mod drawing;
mod drawn;
mod figure;
mod owed;
mod real;
mod time;
mod written;

use std::cell::RefCell;
use std::collections::BTreeMap;

use nines_recurrence::Recurrence;
use nines_slo::{Bounds, Credit, Fraction, Outcome, resolve};
use nines_timeline::Interval;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::credits::MINUTE;
use crate::naive::{cases, recorded};
use drawn::{CATEGORIES, Case, Each};
use owed::Owed;

/// Whether what the crate found is what was worked out.
fn compare(case: &Case, real: &Credit, naive: &Owed) -> Result<(), TestCaseError> {
    let text = case.text();
    let (at, _, own) = &naive.figures[naive.decides];
    let several = case.metrics.len() > 1 || case.metrics[0].each == Each::Worst;
    if several {
        prop_assert_eq!(real.parts.len(), naive.figures.len(), "{}", &text);
        for (number, (part, (metric, member, figure))) in real.parts.iter().zip(&naive.figures).enumerate() {
            let named = case.listed || case.metrics.len() > 1;
            prop_assert_eq!(part.metric.clone(), named.then(|| format!("m{metric}")));
            prop_assert_eq!(part.member.as_deref().unwrap_or_default(), *member);
            prop_assert_eq!(&part.availability, &figure.availability, "m{} {}: {}", metric, member, &text);
            prop_assert_eq!(&part.share, &figure.share, "m{} {}: {}", metric, member, &text);
            prop_assert_eq!(
                (part.kept, part.slices),
                (figure.kept, figure.slices),
                "m{} {}: {}",
                metric,
                member,
                &text
            );
            if !joins(case, *metric) {
                prop_assert_eq!(
                    (part.valid, part.failed),
                    (figure.valid, figure.failed),
                    "m{} {}: {}",
                    metric,
                    member,
                    &text
                );
            }
            prop_assert_eq!(part.decides, number == naive.decides, "{}", &text);
        }
    } else {
        prop_assert!(real.parts.is_empty());
    }
    prop_assert_eq!(&real.availability, &own.availability, "{}", &text);
    prop_assert_eq!(real.slices, own.slices, "{}", &text);
    if !joins(case, *at) {
        prop_assert_eq!((real.valid, real.failed), (own.valid, own.failed), "{}", &text);
    }
    prop_assert_eq!(real.lost_slices, own.lost_slices, "{}", &text);
    prop_assert_eq!(&real.estimated, &own.estimated, "{}", &text);
    let clauses = case.metrics[*at].exclusions.iter().zip(&own.excluded).filter(|(_, slots)| **slots > 0);
    let excluded: Vec<(String, i64)> =
        clauses.map(|(clause, slots)| (CATEGORIES[clause.category].to_string(), slots * case.slot_micros())).collect();
    prop_assert_eq!(&real.excluded, &excluded, "{}", &text);
    prop_assert_eq!(real.kept, naive.figures.iter().all(|(.., figure)| figure.kept), "{}", &text);
    prop_assert_eq!(&real.percent, &naive.percent, "{}", &text);
    prop_assert_eq!(real.fee_base, Some(naive.base), "{}", &text);
    prop_assert_eq!(real.amount, Some(naive.amount), "{}", &text);
    prop_assert_eq!(real.below_min_payout, naive.below_min, "{}", &text);
    Ok(())
}

/// Whether one member decides each slice: of several that are alike it does not matter which, so that its requests are not said.
fn joins(case: &Case, metric: usize) -> bool {
    matches!(case.metrics[metric].each, Each::Any | Each::All { .. })
}

fn compare_bound(case: &Case, real: &Outcome, naive: &Owed, what: &str) -> Result<(), TestCaseError> {
    let (.., own) = &naive.figures[naive.decides];
    prop_assert_eq!(&real.availability, &own.availability, "at {}: {}", what, case.text());
    prop_assert_eq!(&real.percent, &naive.percent, "at {}: {}", what, case.text());
    prop_assert_eq!(real.amount, Some(naive.amount), "at {}: {}", what, case.text());
    Ok(())
}

/// The occurrences of what recurs, from the crate and day after day.
fn compare_occurrences(case: &Case) -> Result<(), TestCaseError> {
    let Some((weekly, ..)) = &case.weekly else { return Ok(()) };
    let first = weekly.begins().map(|minute| minute * MINUTE);
    let until = weekly.until.map(|until| until * MINUTE);
    let recurrence = Recurrence::new(&weekly.rule(), weekly.zone.name(), first, until).unwrap();
    let horizon = case.slots.minute(case.slots.len() - 1);
    let real: Vec<Interval> = recurrence.before(horizon * MINUTE).map(|own| own.interval).collect();
    let naive =
        weekly.occurrences(horizon).into_iter().map(|[from, until]| Interval::new(from * MINUTE, until * MINUTE));
    prop_assert_eq!(real, naive.collect::<Vec<_>>(), "{:?}", weekly);
    Ok(())
}

/// What is said of a case that was drawn, to be counted.
fn check(case: &Case) -> Result<Vec<&'static str>, TestCaseError> {
    compare_occurrences(case)?;
    let definitions = resolve(&[recorded(&case.text())]);
    let agreement = definitions
        .map_err(|mistakes| TestCaseError::fail(format!("{mistakes:?} {}", case.text())))?
        .agreements
        .remove(0);
    let covered = case.covered();
    let mut said = vec!["drawn"];
    let mut found: Vec<(Credit, Bounds)> = Vec::new();
    let mut say = |is_so: bool, what| said.extend(is_so.then_some(what));
    let Some(covered) = covered else {
        prop_assert!(case.real(&agreement, false).is_none(), "{}", case.text());
        return Ok(said);
    };
    let presence = case.presence();
    let times: Vec<_> = case.metrics.iter().map(|metric| case.time(metric, covered, &presence)).collect();
    let mut before = None;
    for surely in [false, true] {
        let counted: Vec<_> = times.iter().enumerate().map(|(at, time)| case.judged(at, time, surely)).collect();
        let Some((real, bounds)) = case.real(&agreement, surely) else {
            return Err(TestCaseError::fail(format!("nothing is judged: {}", case.text())));
        };
        let (counted, owed) = match before {
            Some((same, owed)) if same == counted => (same, owed),
            _ => {
                let owed = case.owed(&times, &counted);
                (counted, owed)
            }
        };
        let [agreed, best, worst] = &owed;
        compare(case, &real, agreed)?;
        compare_bound(case, &bounds.best, best, "best")?;
        compare_bound(case, &bounds.worst, worst, "worst")?;
        found.push((real, bounds));
        before = Some((counted, owed));
    }
    let [(taken, bounds), (surely, _)] = &found[..] else { unreachable!() };
    prop_assert!(surely.percent <= taken.percent, "fewer are slower for sure: {}", case.text());
    say(true, "judged");
    say(taken.amount > Some(0), "credited");
    say(taken.percent > Fraction::zero() && taken.percent < Fraction::one(), "credited in part");
    say(surely.percent != taken.percent, "credits differ by latencies about a limit");
    say(taken.lost_slices > 0, "lost telemetry");
    say(taken.estimated > Fraction::zero(), "estimated");
    say(!taken.excluded.is_empty(), "excluded");
    say(bounds.best.percent < taken.percent, "less at best");
    say(case.days.is_some(), "periods of days");
    say(case.metrics.len() > 1, "several metrics");
    say(taken.parts.iter().filter(|part| part.share > Fraction::zero()).count() > 1, "several figures credited");
    Ok(said)
}

#[test]
fn all_clauses_together_equal_what_is_computed_slot_by_slot() {
    let cases = cases(160);
    // Each takes as long as a case.
    let shrinks = std::env::var("NINES_SHRINKS").ok().and_then(|most| most.parse().ok()).unwrap_or(100);
    let config =
        ProptestConfig { cases, failure_persistence: None, max_shrink_iters: shrinks, ..ProptestConfig::default() };
    let said: RefCell<BTreeMap<&str, u32>> = RefCell::default();
    let run = TestRunner::new(config).run(&drawing::case(), |case| {
        for what in check(&case)? {
            *said.borrow_mut().entry(what).or_default() += 1;
        }
        Ok(())
    });
    run.unwrap_or_else(|error| panic!("{error}"));
    let said = said.into_inner();
    println!("{said:?}");
    let least = [
        ("judged", 80),
        ("credited", 10),
        ("excluded", 10),
        ("estimated", 2),
        ("several metrics", 30),
        ("periods of days", 15),
    ];
    for (what, percent) in least {
        let found = said.get(what).copied().unwrap_or_default();
        assert!(found * 100 >= cases * percent, "{found} of {cases} are {what}: {said:?}");
    }
}
