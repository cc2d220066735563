//! The agreements under `data/agreements` and `data/definitions`: each reads, and one slice more or less flips each of
//! its tiers.

use std::path::Path;

use nines_slo::{
    Agreement, Counts, Covered, Credit, CreditValue, Credits, Cycle, Evidence, Fee, Fraction, Measure, OverEnd, RateOp,
    Rules, Terms, credit, plan,
};

use crate::credits::ALWAYS;

/// Every file that holds an agreement as it is and what it comes to, by folder and name.
fn agreements() -> Vec<(String, Vec<String>, Agreement)> {
    let folders = ["agreements", "definitions"].map(|name| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../data").join(name);
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        paths
    });
    let paths: Vec<_> = folders.into_iter().flatten().collect();
    let read = |path: &Path| {
        let text = std::fs::read_to_string(path).unwrap();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        match plan(&[], &[(name.clone(), text)], 0) {
            Ok(mut plan) => {
                let warnings: Vec<String> = plan.warnings.iter().map(ToString::to_string).collect();
                let agreements = plan.definitions.agreements.drain(..);
                agreements.map(|agreement| (name.clone(), warnings.clone(), agreement)).collect::<Vec<_>>()
            }
            Err(mistakes) => panic!("{mistakes:#?}"),
        }
    };
    paths.iter().filter(|path| path.extension().is_some_and(|e| e == "yaml")).flat_map(|path| read(path)).collect()
}

#[test]
fn each_reads() {
    let read = agreements();
    assert!(read.len() > 20, "{} agreements", read.len());
    let warnings: Vec<&String> = read.iter().flat_map(|(_, warnings, _)| warnings).collect();
    assert_eq!(warnings, ["gateway-agreement.yaml:27:12: no credits are agreed yet: every period's credit is 0"]);
    // Of each form there is one.
    let terms: Vec<_> = read.iter().flat_map(|(.., agreement)| &agreement.versions).map(|own| &own.terms).collect();
    type Form<'a> = (&'a str, &'a dyn Fn(&Terms) -> bool);
    let forms: [Form<'_>; 15] = [
        ("tiers", &|terms| !terms.credits.tiers().is_empty()),
        ("days", &|terms| terms.credits.tiers().iter().any(|tier| matches!(tier.value, CreditValue::Days(_)))),
        ("steps", &|terms| matches!(terms.credits, Credits::Steps(_))),
        ("linear", &|terms| matches!(terms.credits, Credits::Linear(_))),
        ("hours", &|terms| terms.service_hours.is_some()),
        ("allowance", &|terms| terms.exclusions.iter().any(|own| own.at_most.is_some())),
        ("notice", &|terms| terms.exclusions.iter().any(|own| own.announced.is_some())),
        ("failures", &|terms| terms.failed.is_some()),
        ("latencies", &|terms| terms.metrics().any(|own| own.failed.as_ref().is_some_and(|f| f.slower_than.is_some()))),
        ("metrics", &|terms| !terms.others.is_empty()),
        ("members", &|terms| terms.each.is_some()),
        ("plans", &|terms| !terms.plans.is_empty()),
        ("a billing day", &|terms| matches!(terms.cycle, Cycle::Months { from: 2.., .. })),
        ("an objective", &|terms| terms.objective.is_some()),
        ("runs over the end", &|terms| terms.over_end == OverEnd::Split),
    ];
    for (form, has) in forms {
        assert!(terms.iter().any(|terms| has(terms)), "no published agreement has {form}");
    }
}

/// What is owed when the first slices of the period were bad.
fn owed(covered: &Covered<'_>, bad: i64) -> Credit {
    let slice = covered.terms.slice;
    let start = covered.slices().start;
    let slices = (0..bad).map(|i| Counts { start: start + i * slice, valid: 200, failed: 200 });
    let fee = Some(Fee { currency: "USD".into(), amount: 1_000_000_000, vouchers: 0 });
    credit(covered, &Evidence { slices: slices.collect(), fee, ..Evidence::default() }).unwrap()
}

#[test]
fn one_slice_flips_each_tier() {
    let mut flipped = 0;
    for (name, _, agreement) in agreements() {
        for version in &agreement.versions {
            // Months of 28, 30 and 31 days, one with an hour more; the first whole month and later ones.
            for month in ["2018-04", "2018-05", "2026-02", "2026-04", "2026-10", "2026-11"] {
                let Some(covered) = agreement.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT) else { continue };
                if *covered.terms != *version.terms {
                    continue;
                }
                assert_eq!(owed(&covered, 0).percent, Fraction::zero());
                let terms = covered.terms;
                // The others are compared in `tests/agreements.py`.
                let has_one_figure = terms.others.is_empty() && terms.each.is_none();
                let is_plain =
                    terms.round.is_none() && terms.service_hours.is_none() && terms.cap.is_none() && has_one_figure;
                let tiers = terms.credits.tiers().iter().enumerate();
                for (i, tier) in tiers.filter(|(_, tier)| is_plain && !tier.at_too) {
                    let slices = (covered.slices().end - covered.slices().start) / covered.terms.slice;
                    let (n, d) = (i128::from(tier.below.numerator()), i128::from(tier.below.denominator()));
                    // As many bad slices as still meet the bound: slices × (1 − bound), rounded down.
                    let meets = (i128::from(slices) * (d - n) / d) as i64;
                    let (met, missed) = (owed(&covered, meets), owed(&covered, meets + 1));
                    assert_eq!((met.tier, missed.tier), (i.checked_sub(1), Some(i)), "{name} {month} {tier:?}");
                    let exact = Fraction::new((slices - meets) as u64, slices as u64);
                    assert_eq!(met.availability, exact, "{name} {month}");
                    let CreditValue::Percent(percent) = tier.value else { continue };
                    assert_eq!(missed.percent, Fraction::from(percent), "{name}: no cap is below a tier");
                    let amount = 1_000_000_000 * i128::from(percent.numerator());
                    assert_eq!(missed.amount, Some(amount / i128::from(percent.denominator())));
                    flipped += 1;
                }
            }
        }
    }
    assert!(flipped > 60, "{flipped}");
}

#[test]
fn the_functions_agreement_changed_within_april_2018() {
    let mut read = agreements().into_iter();
    let (_, _, agreement) = read.find(|(name, ..)| name == "functions.yaml").unwrap();
    let op = |month: &str| match agreement
        .covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT)
        .map(|covered| covered.terms.measure)
    {
        Some(Measure::Downtime { bad, .. }) => (bad.op, bad.rate),
        other => panic!("{other:?}"),
    };
    let above = |text: &str| (RateOp::Above, text.parse().unwrap());
    assert_eq!([op("2018-03"), op("2018-04"), op("2018-05")], [above("5%"), above("5%"), above("10%")]);
    // Of March the last six days are covered.
    let march = agreement.covered("2018-03".parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap();
    assert_eq!((march.interval.end - march.interval.start) / 3_600_000_000, 6 * 24);
    // A minute of 99 executions that all fail: the second text does not look at it.
    let one = |month: &str| {
        let covered = agreement.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap();
        let slices = vec![Counts { start: covered.slices().start, valid: 99, failed: 99 }];
        credit(&covered, &Evidence { slices, ..Evidence::default() }).unwrap().availability == Fraction::one()
    };
    assert_eq!((one("2018-04"), one("2018-05")), (false, true));
}
