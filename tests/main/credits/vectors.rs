//! Every case of `vectors/credits.json`, stored and asked for in SQL.

use serde_json::Value;

use super::{SECOND, Slice, apply, ingest, text};
use crate::{nines, query, run, shared};

const DAY: i64 = 86_400 * SECOND;

#[test]
fn every_vector_holds_through_sql() {
    let Some(path) = shared("../vectors/credits.json") else { return };
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 10);
    cases.iter().for_each(check);
}

fn repeat(slices: &mut Vec<Slice>, at: &mut i64, width: i64, count: i64, failed: i64, valid: i64) {
    for _ in 0..count {
        slices.push((*at, valid, failed));
        *at += width;
    }
}

fn check(case: &Value) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let (name, inputs) = (case["name"].as_str().unwrap(), &case["inputs"]);
    let (method, seconds) = (case["method"].as_str().unwrap(), inputs["slice_seconds"].as_i64().unwrap_or(60));
    let tiers = case["tiers"].as_array().unwrap();
    let below = |tier: &Value| tier["below_percent"].as_str().unwrap().to_string();
    let list: Vec<String> =
        tiers.iter().map(|tier| format!("{{below: {}%, percent: {}}}", below(tier), tier["credit_percent"])).collect();
    let own = match method {
        "BadSlices" => "  bad: errorRate > 0\n".to_string(),
        "Proportional" => "  bad: errorRate >= 1%\n".to_string(),
        "Downtime" => format!("  bad: errorRate > 0\n  minRun: {}s\n", inputs["min_run_seconds"]),
        _ => String::new(),
    };
    let (month, days) = match inputs["days"].as_i64() {
        Some(28) => ("2026-02", "2026-02-01T00:00:00Z"),
        Some(31) => ("2026-10", "2026-10-01T00:00:00Z"),
        _ => ("2026-09", "2026-09-01T00:00:00Z"),
    };
    let first = days.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
    let (width, mut slices, mut at) = (seconds * SECOND, Vec::new(), first);
    for part in ["slices", "outages"].iter().filter_map(|list| inputs[list].as_array()).flatten() {
        let count = part["count"].as_i64().or(part["slices"].as_i64()).unwrap();
        let number = |name: &str| part[name].as_i64().unwrap();
        repeat(&mut slices, &mut at, width, count, number("failed"), number("valid"));
    }
    repeat(&mut slices, &mut at, width, inputs["bad_slices"].as_i64().unwrap_or(0), 1, 3);
    for count in inputs["bad_runs"].as_array().into_iter().flatten() {
        repeat(&mut slices, &mut at, width, count.as_i64().unwrap(), 2, 2);
        repeat(&mut slices, &mut at, width, 1, 0, 2);
    }
    if let Some(minutes) = inputs["lost_minutes"].as_i64() {
        let mut before = first - 7 * DAY;
        for rate in inputs["requests_per_minute_by_day"].as_array().unwrap() {
            repeat(&mut slices, &mut before, width, 1440, 0, rate.as_i64().unwrap());
        }
        at += minutes * 60 * SECOND;
    }
    if let Some(good) = inputs["good"].as_i64() {
        let valid = inputs["valid"].as_i64().unwrap_or(good);
        repeat(&mut slices, &mut at, width, 1, valid - good, valid);
    }
    // Without any request, the customer's is known by a fee.
    ingest(&store, seconds, "acme", &slices);
    super::fees(&store, &format!("{month},acme,gateway,EUR,100,,,\n"));
    if let Some(minutes) = inputs["lost_minutes"].as_i64() {
        let fixed = text(first + minutes * 60 * SECOND);
        let mut incident = nines();
        incident.arg("--store").arg(&store).args(["incident", "INC-1", "--service", "gateway", "--telemetry-lost"]);
        run(incident.args(["--started", days, "--fixed", &fixed]));
    }
    apply(
        &store,
        &format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: vector}}\nspec:\n  service: gateway\n  period: \
             {{duration: 1M, timeZone: UTC}}\n  measure: {method}\n  slice: {seconds}s\n  commitment: {}%\n  credits: [{}]\n  \
             lostTelemetry: {{estimateFrom: 7d}}\n{own}",
            below(&tiers[0]),
            list.join(", ")
        ),
    );
    let columns = "availability_exact, availability, credit_percent, estimated, amount";
    let rows = query(&store, &format!("SELECT {columns} FROM credits('{month}')"));
    let [row] = rows.as_slice() else { panic!("{name}: {rows:?}") };
    let cells: Vec<&str> = row.split(',').collect();
    let fraction = |text: &str| -> (u128, u128) {
        let (n, d) = text.split_once('/').unwrap();
        (n.parse().unwrap(), d.parse().unwrap())
    };
    let (n, d) = fraction(cells[0]);
    let (percent_n, percent_d) = fraction(case["availability_percent_exact"].as_str().unwrap());
    assert_eq!(n * 100 * percent_d, percent_n * d, "{name}: {row}");
    let shown: f64 = cells[1].parse().unwrap();
    assert!((shown - case["availability_percent"].as_f64().unwrap()).abs() < 1e-6, "{name}: {row}");
    let percent: f64 = cells[2].parse().unwrap();
    assert_eq!(percent, case["credit_percent"].as_f64().unwrap(), "{name}: {row}");
    assert_eq!(cells[4].parse::<f64>().unwrap(), percent, "{name}: of a fee of 100");
    if let Some(estimated) = inputs["estimated_failed"].as_f64() {
        assert_eq!(cells[3].parse::<f64>().unwrap(), estimated, "{name}: {row}");
    }
}
