//! Runs of bad slices that go on over an end of what is judged.

use nines_slo::{Agreement, Counts, Credit, Evidence, Excluded, Rules, bounds};
use nines_timeline::Interval;

use super::credits::{ALWAYS, DAY, MINUTE, agreement, owed, start};

fn clauses(more: &str) -> Agreement {
    agreement(&format!(
        "slice: 1m\nmeasure: Downtime\nbad: errorRate > 50%\nminRun: 5m\ncommitment: 99.9%\ncredits: [{{below: 99.9%, percent: 10}}]\n{more}"
    ))
}

/// Minutes, counted from an instant, in which all failed; the rest of a day about it was good.
fn evidence(about: i64, bad: &[i64], lost: &[(i64, i64)]) -> Evidence {
    let all = (-DAY / MINUTE..DAY / MINUTE).map(|minute| {
        let failed = if bad.contains(&minute) { 10 } else { 0 };
        Counts { start: about + minute * MINUTE, valid: 10, failed }
    });
    let lost = lost.iter().map(|(from, to)| Interval::new(about + from * MINUTE, about + to * MINUTE)).collect();
    Evidence { slices: all.collect(), lost, ..Evidence::default() }
}

/// µs of downtime in March and April of an outage about the midnight between them, and at worst.
fn down(agreement: &Agreement, evidence: &Evidence) -> [i64; 2] {
    ["2026-03", "2026-04"].map(|month| {
        let credit: Credit = owed(agreement, month, evidence).unwrap();
        let covered = agreement.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap();
        let (kept, measured) = evidence.clone().compacted(&covered).unwrap();
        assert_eq!(owed(agreement, month, &kept).unwrap(), credit, "from what is kept");
        assert!(
            !evidence.lost.is_empty()
                || kept.slices.len() <= evidence.slices.iter().filter(|counts| counts.failed > 0).count()
        );
        let bounds = bounds(&covered, &kept, &credit, &measured).unwrap();
        assert!(bounds.worst.availability <= credit.availability);
        let whole = covered.interval.duration() / MINUTE;
        let (good, all) = (credit.availability.numerator(), credit.availability.denominator());
        let down = (all - good) * whole.unsigned_abs();
        assert_eq!(&down % all, 0u8.into());
        i64::try_from(&down / all).unwrap()
    })
}

#[test]
fn a_run_over_the_end_of_the_period_is_cut_or_split() {
    let [cut, split] = ["", "overEnd: split"].map(clauses);
    let midnight = start(&cut, "2026-04");
    // Three minutes before midnight and three after it: six in a row, no five in one month.
    let outage = evidence(midnight, &[-3, -2, -1, 0, 1, 2], &[]);
    assert_eq!(down(&cut, &outage), [0, 0]);
    assert_eq!(down(&split, &outage), [3, 3]);
    assert_eq!(down(&split, &evidence(midnight, &[-3, -2, -1, 0], &[])), [0, 0], "four are too few");
    assert_eq!(down(&split, &evidence(midnight, &[-4, -3, -2, -1, 0], &[])), [4, 1]);
    assert_eq!(down(&split, &evidence(midnight, &[-5, -4, -2, -1, 0, 1, 2], &[])), [2, 3], "of one run alone");
    assert_eq!(down(&split, &evidence(midnight, &[0, 1, 2, 3, 4], &[])), [0, 5]);
    assert_eq!(down(&split, &evidence(midnight, &(-100..100).collect::<Vec<_>>(), &[])), [100, 100]);
}

#[test]
fn lost_and_excluded_time_beside_the_period_is_what_it_is_within() {
    let losing = clauses("overEnd: split\nlostTelemetry: {estimateFrom: 7d}");
    let midnight = start(&losing, "2026-04");
    let bad = evidence(midnight, &[-3, -2, -1], &[(0, 2)]);
    assert_eq!(down(&losing, &bad), [3, 2], "two minutes were lost");
    // At best nothing failed in them, so that the run was too short in March as well.
    for month in ["2026-03", "2026-04"] {
        let covered = losing.covered(month.parse().unwrap(), ALWAYS, Rules::CURRENT).unwrap();
        let credit = owed(&losing, month, &bad).unwrap();
        let (kept, measured) = bad.clone().compacted(&covered).unwrap();
        let bounds = bounds(&covered, &kept, &credit, &measured).unwrap();
        assert_eq!(bounds.best.availability.to_string(), "1/1", "{month}");
    }
    let excluded = |from: i64, to: i64| {
        let interval = Interval::new(midnight + from * MINUTE, midnight + to * MINUTE);
        let own = Excluded { id: "e".into(), category: "Attack".into(), interval, announced: None };
        Evidence { exclusions: vec![own], ..evidence(midnight, &[-3, -2, -1, 0, 1, 2, 3], &[]) }
    };
    let ends = clauses("overEnd: split\nexclusions: [Attack]");
    assert_eq!(down(&ends, &excluded(0, 2)), [0, 0], "it ends the run");
    let hours = clauses("overEnd: split\nserviceHours: Tue 00:00-24:00");
    // 31 March 2026 is a Tuesday.
    assert_eq!(
        owed(&hours, "2026-03", &evidence(midnight, &[-3, -2, -1, 0, 1, 2], &[])).unwrap().percent.to_string(),
        "0/1"
    );
}

#[test]
fn what_is_beside_a_period_is_read_and_no_more() {
    let [cut, split] = ["", "overEnd: split"].map(clauses);
    let month = "2026-03".parse().unwrap();
    let [cut, split] = [&cut, &split].map(|agreement| agreement.covered(month, ALWAYS, Rules::CURRENT).unwrap());
    let whole = cut.interval;
    assert_eq!((cut.reads(&[]), cut.needs(&[])), (whole, whole));
    let wide = Interval::new(whole.start - 5 * MINUTE, whole.end + 5 * MINUTE);
    assert_eq!((split.reads(&[]), split.needs(&[])), (wide, whole));
}
