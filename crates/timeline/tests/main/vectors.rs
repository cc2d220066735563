//! Every case of `vectors/timelines.json` and `vectors/budgets.json`, to the last digit.

use std::path::PathBuf;

use nines_timeline::{Budget, Interval, MICROS, Share, Timeline, ratio, union};
use serde_json::Value;

use crate::naive::{text, timeline};

#[test]
fn every_vector_holds() {
    let cases = cases("timelines");
    assert!(cases.len() >= 200 || cases.is_empty());
    cases.iter().for_each(check);
}

#[test]
fn every_budget_holds() {
    let cases = cases("budgets");
    assert!(cases.len() >= 180 || cases.is_empty());
    cases.iter().for_each(check_budget);
}

/// The cases of a file; none, and a word about it, where there is no such folder.
fn cases(file: &str) -> Vec<Value> {
    let folder = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join(format!("vectors/{file}.json"));
    match std::fs::read_to_string(&path) {
        Ok(text) => serde_json::from_str(&text).unwrap(),
        Err(_) => {
            eprintln!("skipped: {} is absent", path.display());
            Vec::new()
        }
    }
}

fn check_budget(case: &Value) {
    let name = format!("{} by {}", case["name"].as_str().unwrap(), case["method"].as_str().unwrap());
    let targets: Vec<(i64, Share)> = case["targets"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one[0].as_i64().unwrap(), one[1].as_str().unwrap().parse().unwrap()))
        .collect();
    let number = |list: &str, at: usize| case[list][at].as_i64().unwrap();
    let by_ratio = case["method"] == "RatioTimeslices";
    // What remains counts what is ahead, the burn rate only what was measured.
    let mut whole = if by_ratio { Budget::of_ratios() } else { Budget::of_counts() };
    let mut measured = whole;
    for (at, state) in case["states"].as_str().unwrap().chars().enumerate() {
        let target = targets.iter().rev().find(|(from, _)| *from <= at as i64).unwrap().1;
        let is_measured = matches!(state, 'o' | 'E');
        for budget in [Some(&mut whole), is_measured.then_some(&mut measured)].into_iter().flatten() {
            match case["method"].as_str().unwrap() {
                "Occurrences" if is_measured => {
                    budget.promise(target, number("total", at));
                    budget.spend(number("total", at) - number("good", at));
                }
                "Occurrences" => {}
                _ if is_measured || state == 'a' => {
                    budget.promise(target, 1);
                    match by_ratio {
                        true if is_measured => budget.spend_but(1, ratio(number("good", at), number("total", at))),
                        _ => budget.spend(i64::from(state == 'E')),
                    }
                }
                _ => {}
            }
        }
    }
    assert_eq!(whole.remaining(), case["remaining"].as_f64(), "{name}");
    if !case["states"].as_str().unwrap().contains('a') {
        let burned = measured.burn_rate();
        assert_eq!(burned.is_some(), whole.remaining().is_some(), "{name}");
        assert!(burned.is_none_or(|burned| (1.0 - burned - whole.remaining().unwrap()).abs() < 1e-9), "{name}");
        if let Some(left) = whole.remaining() {
            assert_eq!(whole.is_met(), Some(left >= 0.0), "{name}");
        }
    }
}

fn check(case: &Value) {
    let name = case["name"].as_str().unwrap();
    let slice = case["slice_seconds"].as_i64().unwrap() * MICROS;
    let recovery = case["recovery_seconds"].as_i64().unwrap() * MICROS;
    let states = case["states"].as_array().unwrap().iter().map(|s| timeline(s.as_str().unwrap(), 0, slice));
    let each = states.collect::<Vec<_>>();
    for (timeline, expected) in each.iter().zip(case["each"].as_array().unwrap()) {
        assert_eq!(&figures(timeline, recovery), expected, "{name}");
    }
    let union = union(&each.iter().collect::<Vec<_>>()).unwrap();
    assert_eq!(text(&union), case["union_state"].as_str().unwrap(), "{name}");
    assert_eq!(figures(&union, recovery), case["union"], "{name}");
}

fn figures(timeline: &Timeline, recovery: i64) -> Value {
    let intervals = |intervals: Vec<Interval>| {
        intervals.iter().map(|i| serde_json::json!([i.start / MICROS, i.end / MICROS])).collect::<Value>()
    };
    serde_json::json!({
        "error_seconds": timeline.error_seconds() as i64,
        "measured_seconds": timeline.measured_seconds() as i64,
        "availability": timeline.availability(),
        "availability_exact": timeline.availability_exact().map(|(n, d)| format!("{n}/{d}")),
        "error_intervals": intervals(timeline.intervals(nines_timeline::State::Error).collect()),
        "failure_count": timeline.failures(recovery).len(),
        "failure_intervals": intervals(timeline.failures(recovery).iter().map(|failure| failure.interval).collect()),
        "failure_seconds": timeline.failures(recovery).iter().map(|f| f.seconds() as i64).collect::<Vec<_>>(),
        "mttr": timeline.mttr(recovery),
        "mtbf": timeline.mtbf(recovery),
    })
}
