//! Readings of a front end, one a minute, while faults were injected: mapped by SQL, judged by objectives, explained by the
//! faults as incidents.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{nines, query, run, shared};

const DAYS: [&str; 2] = ["2022-08-22", "2022-08-23"];
/// A fault's, in seconds: the list does not say. Where requests failed, the last reading to say so, which is of the minute
/// before it, came up to 199 s after the injection.
const FAULT: i64 = 180;
/// Seconds: what `data/public/nezha.yaml` promises of the 90th percentile.
const P90: f64 = 1.0;

struct Place {
    folder: PathBuf,
    scratch: tempfile::TempDir,
}

impl Place {
    fn new() -> Option<Self> {
        Some(Place { folder: shared("nezha")?, scratch: tempfile::tempdir().unwrap() })
    }

    fn store(&self) -> PathBuf {
        self.scratch.path().join("store")
    }

    fn readings(&self, day: &str) -> PathBuf {
        self.folder.join(format!("rca_data_{day}_front_service.csv"))
    }

    fn ingest(&self, table: &str, file: &Path, service: &str, select: &str) {
        let mut command = nines();
        command.arg("--store").arg(self.store()).args(["ingest", table]).arg(file);
        run(command.args(["--service", service, "--select", select]));
    }

    fn success(&self, day: &str) {
        // A percentage of up to 18 digits: in 10^12ths it is an exact count.
        let select = r#"SELECT "TimeStamp" AS time, 'success' AS name,
                               CAST(round("SuccessRate(%)" * 1e10) AS BIGINT) AS good, 1000000000000 AS total FROM input"#;
        self.ingest("events", &self.readings(day), "frontend", select);
    }

    fn latency(&self, day: &str) {
        let select = r#"SELECT "TimeStamp" AS time, 'p90 seconds' AS name, "LatencyP90(s)" AS value FROM input"#;
        self.ingest("gauges", &self.readings(day), "frontend", select);
    }

    /// The day's faults as incidents.
    fn faults(&self, day: &str) {
        let list = self.fault_list(day);
        let lines: Vec<String> =
            list.iter().map(|(at, title)| format!("F-{at},{title},{at},{}\n", at + FAULT)).collect();
        let file = self.scratch.path().join(format!("{day}.csv"));
        fs::write(&file, format!("id,title,started,fixed\n{}", lines.concat())).unwrap();
        let mut command = nines();
        run(command.arg("--store").arg(self.store()).args(["ingest", "incidents", "--service", "frontend"]).arg(file));
    }

    /// When what was injected where. The list is printed with a field on each line.
    fn fault_list(&self, day: &str) -> Vec<(i64, String)> {
        let list = fs::read_to_string(self.folder.join(format!("{day}-fault_list.json"))).unwrap();
        let field = |name: &str| -> Vec<String> {
            let quoted = format!("\"{name}\": ");
            let values = list.lines().filter_map(|line| line.trim().strip_prefix(&quoted));
            values.map(|value| value.trim_matches([',', '"']).to_string()).collect()
        };
        let (times, kinds, pods) = (field("inject_timestamp"), field("inject_type"), field("inject_pod"));
        let rows = times.iter().zip(kinds.iter().zip(&pods));
        rows.map(|(time, (kind, pod))| (time.parse().unwrap(), format!("{kind} in {pod}"))).collect()
    }

    fn apply(&self) {
        let definitions = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/public/nezha.yaml");
        run(nines().arg("--store").arg(self.store()).arg("apply").arg(definitions));
    }

    fn ask(&self, sql: &str) -> Vec<String> {
        query(&self.store(), sql)
    }

    /// Starts of the minutes whose reading in this column is bad, in seconds.
    fn bad_minutes(&self, day: &str, column: &str, is_bad: impl Fn(f64) -> bool) -> Vec<i64> {
        let text = fs::read_to_string(self.readings(day)).unwrap();
        let mut lines = text.lines().map(|line| line.split(',').collect::<Vec<_>>());
        let header = lines.next().unwrap();
        let place = |name: &str| header.iter().position(|other| *other == name).unwrap();
        let (time, value) = (place("TimeStamp"), place(column));
        let bad = lines.filter(|line| is_bad(line[value].parse().unwrap()));
        bad.map(|line| line[time].parse::<i64>().unwrap() / 60 * 60).collect()
    }
}

/// Both days with their faults and objectives.
pub fn store() -> Option<(tempfile::TempDir, PathBuf)> {
    let place = Place::new()?;
    for day in DAYS {
        place.success(day);
        place.latency(day);
        place.faults(day);
    }
    place.apply();
    let store = place.store();
    Some((place.scratch, store))
}

/// Neighbouring minutes together.
fn stretches(minutes: &[i64]) -> Vec<(i64, i64)> {
    let mut found: Vec<(i64, i64)> = Vec::new();
    for &minute in minutes {
        match found.last_mut() {
            Some((_, end)) if *end == minute => *end += 60,
            _ => found.push((minute, minute + 60)),
        }
    }
    found
}

#[test]
fn error_minutes_of_both_days_are_as_published() {
    let Some(place) = Place::new() else { return };
    for day in DAYS {
        place.success(day);
    }
    let sql = "SELECT date_trunc('day', time) AS day, error_seconds(ratio_timeline(time, good, total, 1)) / 60,
                      measured_seconds(ratio_timeline(time, good, total, 1)) / 60, min(good)
               FROM events GROUP BY day ORDER BY day";
    let expected = ["2022-08-22T00:00:00Z,22.0,1209.0,114754098361", "2022-08-23T00:00:00Z,24.0,721.0,182539682540"];
    assert_eq!(place.ask(sql), expected);
}

#[test]
fn failures_are_explained_by_the_injected_faults() {
    let Some(place) = Place::new() else { return };
    for day in DAYS {
        place.success(day);
        place.faults(day);
    }
    place.apply();
    let range = "'2022-08-22', '2022-08-24'";
    let sql = format!(
        "SELECT date_part('epoch', started), date_part('epoch', ended), incident
         FROM failures({range}, 'objective') WHERE objective = 'frontend-success' ORDER BY started"
    );
    let number = |text: &str| text.parse::<f64>().unwrap() as i64;
    let rows = place.ask(&sql);
    let rows = rows.iter().map(|row| row.split(',').collect::<Vec<_>>());
    let ours: Vec<_> = rows.map(|cells| (number(cells[0]), number(cells[1]), cells[2].to_string())).collect();

    let mut naive = Vec::new();
    let mut noticed = 0;
    for (day, faults, minutes, explained) in [(DAYS[0], 24, 22, 15), (DAYS[1], 32, 24, 24)] {
        let list = place.fault_list(day);
        assert_eq!(list.len(), faults);
        let touches = |from: i64, to: i64| list.iter().find(|(at, _)| *at < to && at + FAULT > from);
        let errors = place.bad_minutes(day, "SuccessRate(%)", |rate| rate < 100.0);
        // Minute by minute, and failure by failure.
        assert_eq!(errors.len(), minutes);
        assert_eq!(errors.iter().filter(|&&minute| touches(minute, minute + 60).is_some()).count(), explained);
        let failures = stretches(&errors);
        let of_faults = failures.iter().filter(|(from, to)| touches(*from, *to).is_some());
        assert_eq!(of_faults.map(|(from, to)| (to - from) / 60).sum::<i64>(), explained as i64);
        for (from, to) in failures {
            let fault = touches(from, to).map(|(at, _)| format!("F-{at}")).unwrap_or_default();
            noticed += usize::from(!fault.is_empty());
            naive.push((from, to, fault));
        }
    }
    assert_eq!(ours, naive);
    assert_eq!(noticed, 12);

    let unexplained = format!(
        "SELECT started, seconds FROM failures({range}, 'objective')
         WHERE objective = 'frontend-success' AND incident IS NULL ORDER BY started"
    );
    assert_eq!(place.ask(&unexplained), ["2022-08-22T06:28:00Z,180.0", "2022-08-22T06:44:00Z,240.0"]);
    let unnoticed = format!(
        "SELECT count(*) FROM incidents AS i
         WHERE NOT EXISTS (SELECT 1 FROM failures({range}) AS f WHERE array_has(f.incidents, i.id))"
    );
    assert_eq!(place.ask(&unnoticed), ["44"]);
}

#[test]
fn slow_minutes_are_those_whose_quantile_is_above_the_threshold() {
    let Some(place) = Place::new() else { return };
    for day in DAYS {
        place.latency(day);
    }
    place.apply();
    let mut naive = BTreeMap::new();
    for day in DAYS {
        let slow = place.bad_minutes(day, "LatencyP90(s)", |seconds| seconds > P90);
        naive.insert(day, (slow.len(), stretches(&slow)));
    }
    assert_eq!(DAYS.map(|day| naive[day].0), [44, 41]);
    for (day, next) in [(DAYS[0], "2022-08-23"), (DAYS[1], "2022-08-24")] {
        let (minutes, failures) = &naive[day];
        let sql = format!(
            "SELECT slo_error_time / 60, failures FROM report('{day}', '{next}', 'objective')
             WHERE objective = 'frontend-p90'"
        );
        assert_eq!(place.ask(&sql), [format!("{minutes}.0,{}", failures.len())]);
    }
}

#[test]
fn what_was_not_measured_is_neither_good_nor_bad() {
    let Some(place) = Place::new() else { return };
    for day in DAYS {
        place.success(day);
    }
    let day = place.readings("2023-01-29");
    let rows = r#"SELECT "TimeStamp" AS time, 'success' AS name, 0 AS good, 0 AS total FROM input"#;
    // An objective that has never been measured, and one that was measured months before.
    place.ingest("events", &day, "tickets", rows);
    place.ingest("events", &day, "frontend", rows);
    place.apply();
    let figures = "slo, availability, mtbf, mttr, burn_rate, budget_remaining, slo_error_time, failures";
    for by in ["objective", "service", "company"] {
        let sql = format!("SELECT {figures} FROM report('2023-01-29', '2023-01-30', '{by}')");
        let rows = place.ask(&sql);
        assert!(!rows.is_empty() && rows.iter().all(|row| row == ",,,,,,0.0,0"), "{by}: {rows:?}");
    }
    let states = "SELECT DISTINCT state FROM slices('2023-01-29', '2023-01-30')";
    assert_eq!(place.ask(states), ["no data"]);

    // Loaded as it stands, it is an outage of 919 minutes.
    let rows = r#"SELECT "TimeStamp" AS time, 'success' AS name, "SuccessRate(%)" AS good, 100 AS total FROM input"#;
    place.ingest("events", &day, "tickets", rows);
    let sql =
        "SELECT slo, slo_error_time / 60 FROM report('2023-01-29', '2023-01-30') WHERE objective = 'tickets-success'";
    assert_eq!(place.ask(sql), ["0.0,919.0"]);
}
