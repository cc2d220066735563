//! Every case of `vectors/timelines.json`, to the last digit.

use std::path::PathBuf;

use nines_timeline::{Interval, MICROS, Timeline, union};
use serde_json::Value;

use crate::naive::{text, timeline};

#[test]
fn every_vector_holds() {
    let folder = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("vectors/timelines.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return;
    };
    let cases = serde_json::from_str::<Vec<Value>>(&text).unwrap();
    assert!(cases.len() >= 200);
    cases.iter().for_each(check);
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
