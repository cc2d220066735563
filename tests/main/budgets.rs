//! Error budgets and burn-rate alerts: the vectors through SQL, and what is said of months that have begun, of events, and of
//! services whose data stopped.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Float64Type;
use nines_engine::store::TableKind;
use nines_engine::{Load, Session, Settings};
use serde_json::Value;

use crate::{nines, query, run, shared};

const MINUTE: i64 = 60_000_000;

fn text(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).unwrap().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn instant(text: &str) -> i64 {
    text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
}

/// An SLO over events; `target` and the like as they stand in an objective.
fn slo(name: &str, service: &str, method: &str, objective: &str, more: &str, no_data: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}{more}}}\nspec:\n  service: {service}\n  indicator: {{metadata: \
         {{name: i}}, spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/events, spec: {{name: e{no_data}}}}}}}}}}}}}\n  \
         timeWindow: [{{duration: 30d, isRolling: true}}]\n  budgetingMethod: {method}\n  objectives: [{{{objective}}}]\n"
    )
}

struct Case {
    name: String,
    method: String,
    states: String,
    start: i64,
    remaining: Option<f64>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_budget_holds_through_sql() {
    let Some(path) = shared("../vectors/budgets.json") else { return };
    let cases: Vec<Value> = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(cases.len() >= 180);
    let watermark = instant("2026-10-31T12:00:00Z");
    // Something was stored until then.
    let mut events = format!("time,service,name,good,total\n{},other,e,1,1\n", text(watermark - MINUTE));
    let mut exclusions = "id,service,category,started,ended\n".to_string();
    let (mut slos, mut asked) = (String::new(), Vec::new());
    for (number, case) in cases.iter().enumerate() {
        let (name, method) = (format!("case-{number}"), case["method"].as_str().unwrap().to_string());
        let states = case["states"].as_str().unwrap().to_string();
        let past = states.find('a').unwrap_or(states.len()) as i64;
        let start = watermark - past * MINUTE;
        let at = |slice: usize| start + slice as i64 * MINUTE;
        for (slice, state) in states.chars().enumerate() {
            let count = |list: &str| case[list][slice].as_i64();
            match state {
                'o' | 'E' => {
                    let good = count("good").unwrap_or(i64::from(state == 'o'));
                    let total = count("total").unwrap_or(1);
                    writeln!(events, "{},{name},e,{good},{total}", text(at(slice))).unwrap();
                }
                'x' => {
                    writeln!(exclusions, "{name}-{slice},{name},X,{},{}", text(at(slice)), text(at(slice + 1))).unwrap()
                }
                _ => {}
            }
        }
        for promised in case["targets"].as_array().unwrap() {
            let (from, target) = (promised[0].as_u64().unwrap() as usize, promised[1].as_str().unwrap());
            let effective = match from {
                0 => String::new(),
                _ => format!(", annotations: {{nines/effective-from: \"{}\"}}", text(at(from))),
            };
            let objective = format!("target: {target}, timeSliceTarget: 0.5");
            writeln!(slos, "---\n{}", slo(&name, &name, &method, &objective, &effective, ", noData: ignore")).unwrap();
        }
        asked.push(Case { name, method, states, start, remaining: case["remaining"].as_f64() });
    }

    let folder = tempfile::tempdir().unwrap();
    let session = Session::open_or_create(Settings::new("memory://budgets"), None).await.unwrap();
    for (kind, rows) in [(TableKind::Events, events), (TableKind::Exclusions, exclusions)] {
        let file = folder.path().join(format!("{}.csv", kind.name()));
        std::fs::write(&file, rows).unwrap();
        session.load(&Load::new(kind, vec![file]), Default::default()).await.unwrap();
    }
    session.apply(&[("test.yaml".to_string(), slos)]).await.unwrap();
    for Case { name, method, states, start, remaining } in asked {
        let (from, to) = (text(start), text(start + states.len() as i64 * MINUTE));
        let sql =
            format!("SELECT budget_remaining, burn_rate, met FROM report('{from}', '{to}') WHERE objective = '{name}'");
        let rows = session.sql(&sql).await.unwrap();
        let [batch] = rows.as_slice() else { panic!("{name}: {} batches", rows.len()) };
        let number = |column: usize| {
            let values = batch.column(column).as_primitive::<Float64Type>();
            values.is_valid(0).then(|| values.value(0))
        };
        let said = format!("{name} by {method}: {}", &states[..states.len().min(80)]);
        assert_eq!(number(0), remaining, "{said}");
        // Once nothing is ahead, it is what the burn rate leaves, and the promise is kept if something is left.
        if let Some(left) = remaining.filter(|_| !states.contains('a')) {
            let burned = number(1).unwrap();
            assert!((1.0 - burned - left).abs() <= 1e-9 * burned.max(1.0), "{said}");
            assert_eq!(batch.column(2).as_boolean().value(0), left >= 0.0, "{said}");
        }
    }
}

/// A store with rows of `events` by a query over minutes `t`, and definitions.
fn store(folder: &Path, from: &str, to: &str, rows: &str, slos: &[String]) -> PathBuf {
    let (store, file) = (folder.join("store"), folder.join("slos.yaml"));
    std::fs::write(&file, slos.join("---\n")).unwrap();
    let minutes =
        format!("SELECT unnest(generate_series(TIMESTAMP '{from}', TIMESTAMP '{to}', INTERVAL '1 minute')) AS t");
    let insert = format!("INSERT INTO events (time, service, name, good, total) SELECT {rows} FROM ({minutes})");
    run(nines().arg("--store").arg(&store).args(["sql", &insert]));
    run(nines().arg("--store").arg(&store).arg("apply").arg(file));
    store
}

#[test]
fn burn_alerts_are_by_the_objectives_own_method() {
    // 2 % of the requests fail for a day, of which one in a thousand may: the budget burns twenty times too fast. No minute is in
    // error for an objective that judges minutes at 95 %, every minute for one that judges them at 99.9 %.
    let folder = tempfile::tempdir().unwrap();
    let slos = [
        slo("at-95", "b", "Occurrences", "target: 0.999, timeSliceTarget: 0.95", "", ""),
        slo("plain", "b", "Occurrences", "target: 0.999", "", ""),
        slo("ratio", "b", "RatioTimeslices", "target: 0.999, timeSliceTarget: 0.95", "", ""),
    ];
    let rows = "t, 'b', 'e', CASE WHEN t >= TIMESTAMP '2025-04-05' THEN 980 ELSE 1000 END, 1000";
    let store = store(folder.path(), "2025-04-01", "2025-04-05T23:59:00", rows, &slos);
    assert_eq!(
        query(&store, "SELECT objective, burn_rate FROM report('2025-04-05', '2025-04-06') ORDER BY 1"),
        ["at-95,20.0", "plain,20.0", "ratio,20.0"]
    );
    let alerts = |arguments: &str| {
        let sql = format!(
            "SELECT objective, fired, cleared, peak_burn_rate FROM burn_alerts({arguments}) WHERE factor = 14.4 ORDER BY 1"
        );
        query(&store, &sql)
    };
    let day = "'2025-04-05', '2025-04-06'";
    let fired = |name: &str| format!("{name},2025-04-05T00:44:00Z,,20.0");
    assert_eq!(alerts(day), [fired("at-95"), fired("plain"), fired("ratio")]);
    // An hour has 60,000 events.
    assert_eq!(alerts(&format!("{day}, min_events => 60000")).len(), 3);
    assert_eq!(alerts(&format!("{day}, min_events => 60001")), Vec::<String>::new());
    // The factors are shares of the objective's own window.
    let factors = "SELECT DISTINCT factor FROM burn_alerts('2025-04-05', '2025-04-06') ORDER BY 1";
    assert_eq!(query(&store, factors), ["1.0", "3.0", "6.0", "14.4"]);
    let own = format!("SELECT DISTINCT factor FROM burn_alerts({day}, '1%:1h:5m, 2.5:6h:30m') ORDER BY 1");
    assert_eq!(query(&store, &own), ["2.5", "7.2"]);
}

/// What `\slo NAME` says.
fn at_a_glance(store: &Path, name: &str) -> String {
    let mut shell = nines();
    shell.arg("--store").arg(store).arg("shell").write_stdin(format!("\\slo {name}\n"));
    run(&mut shell)
}

#[test]
fn a_month_that_has_begun_has_its_whole_budget() {
    // Five minutes of the 43.2 that may be lost in November.
    let folder = tempfile::tempdir().unwrap();
    let lost = "t >= TIMESTAMP '2025-11-01T10:00:00' AND t < TIMESTAMP '2025-11-01T10:05:00'";
    let rows = format!("t, 'a', 'e', CASE WHEN {lost} THEN 0 ELSE 10 END, 10");
    let slos = [slo("a", "a", "Timeslices", "target: 0.999, timeSliceTarget: 0.99", "", "")];
    let store = store(folder.path(), "2025-11-01", "2025-11-01T23:59:00", &rows, &slos);
    let left = format!("{}", 382.0 / 432.0);
    let figures = "SELECT slo_error_time, budget, budget_remaining, met FROM report(from => '2025-11')";
    assert_eq!(query(&store, figures), [format!("300.0,2592.0,{left},false")]);
    let glance = at_a_glance(&store, "a");
    let month = glance.lines().find(|line| line.contains("November 2025")).unwrap_or_else(|| panic!("{glance}"));
    assert!(month.contains("88.4 %"), "{glance}");
    // What if it had promised 99.5 %? Or everything?
    let what_if = |target: &str| {
        let sql = format!(
            "SELECT slo_error_time, target, round(budget_remaining, 6), met FROM report(from => '2025-11', target => {target})"
        );
        query(&store, &sql)
    };
    assert_eq!(what_if("0.995"), ["300.0,0.995,0.976852,true"]);
    assert_eq!(what_if("'99.5%'"), ["300.0,0.995,0.976852,true"]);
    assert_eq!(what_if("1"), ["300.0,1.0,,false"]);
    // A union has a budget only where one is promised, or asked about.
    let union = |more: &str| {
        query(&store, &format!("SELECT met, budget_remaining FROM report(from => '2025-11', by => 'service'{more})"))
    };
    assert_eq!(union(""), [","]);
    assert_eq!(union(", target => 0.999"), [format!("false,{left}")]);
}

#[test]
fn a_service_whose_data_stopped_is_marked() {
    // The shipper of `quiet` died at noon; what `loud` sends goes on.
    let folder = tempfile::tempdir().unwrap();
    let slos = [
        slo("loud", "loud", "Timeslices", "target: 0.99, timeSliceTarget: 0.99", "", ""),
        slo("quiet", "quiet", "Timeslices", "target: 0.99, timeSliceTarget: 0.99", "", ""),
        slo("quiet-events", "quiet", "Occurrences", "target: 0.99", "", ""),
        slo("strict", "quiet", "RatioTimeslices", "target: 0.99, timeSliceTarget: 0.99", "", ", noData: error"),
    ];
    let rows = "t, CASE WHEN date_part('minute', t) < 30 AND t < TIMESTAMP '2025-11-01T12:00:00' THEN 'quiet' ELSE 'loud' END, 'e', 10 AS good, 10 AS total";
    let store = store(folder.path(), "2025-11-01", "2025-11-01T23:59:00", rows, &slos);
    let mut incident = nines();
    incident.arg("--store").arg(&store).args(["incident", "INC-1", "--service", "quiet", "--telemetry-lost"]);
    run(incident.args(["--started", "2025-11-01T13:00:00Z", "--fixed", "2025-11-01T13:10:00Z"]));
    let figures = |by: &str| {
        let sql = format!(
            "SELECT coalesce(objective, service), slo, measured_seconds, assumed_seconds, lost_seconds, last_data \
             FROM report('2025-11-01', '2025-11-02', '{by}') ORDER BY 1"
        );
        query(&store, &sql)
    };
    let quiet = 86_400 - 360 * 60;
    let by_objective = figures("objective");
    assert_eq!(
        by_objective[1],
        format!("quiet,{},86400.0,{}.0,600.0,2025-11-01T11:30:00Z", 1430.0 / 1440.0, quiet - 600)
    );
    assert_eq!(by_objective[2], format!("quiet-events,1.0,86400.0,{}.0,600.0,2025-11-01T11:30:00Z", quiet - 600));
    assert_eq!(by_objective[3], format!("strict,0.25,86400.0,{}.0,600.0,2025-11-01T11:30:00Z", quiet - 600));
    let by_service = figures("service");
    assert!(
        by_service[1].starts_with("quiet,") && by_service[1].ends_with(",64200.0,600.0,2025-11-01T11:30:00Z"),
        "{by_service:?}"
    );
    let glance = at_a_glance(&store, "quiet");
    assert!(
        glance.contains("assumed") && glance.contains("10m of it lost") && glance.contains("2025-11-01 11:30"),
        "{glance}"
    );
    // Asked again, from what was kept.
    assert_eq!(figures("objective"), by_objective);
    // What was assumed, or kept, is a minute of a kept day, too.
    assert!(query(&store, "SELECT count(*) FROM slo_days WHERE assumed > 0") != ["0"]);
}

#[test]
fn a_union_is_judged_by_what_was_promised_when() {
    let folder = tempfile::tempdir().unwrap();
    let service = |from: &str, target: &str| {
        format!(
            "apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: a, annotations: {{nines/target: \"{target}\"{from}}}}}\nspec: {{}}\n"
        )
    };
    let slos = [
        slo("one", "a", "Timeslices", "target: 0.99, timeSliceTarget: 0.99", "", ""),
        slo("two", "a", "Timeslices", "target: 0.9, timeSliceTarget: 0.9", "", ""),
        service("", "0.99"),
        service(", nines/effective-from: \"2025-11-02\"", "0.9"),
    ];
    let rows = "t, 'a', 'e', CASE WHEN t < TIMESTAMP '2025-11-01T01:00:00' THEN 0 ELSE 10 END, 10";
    let store = store(folder.path(), "2025-11-01", "2025-11-02T23:59:00", rows, &slos);
    let figures = |range: &str| {
        query(&store, &format!("SELECT target, met, round(budget_remaining, 9) FROM report({range}, 'service')"))
    };
    assert_eq!(figures("'2025-11-01', '2025-11-02'"), ["0.99,false,-3.166666667"]);
    // One of a hundred minutes of the first day, one of ten of the second: 14.4 + 144 of which 60 were lost.
    assert_eq!(figures("'2025-11-01', '2025-11-03'"), ["0.945,true,0.621212121"]);
}

#[test]
fn a_table_of_kept_days_of_an_earlier_version_gets_the_columns_that_came_later() {
    let folder = tempfile::tempdir().unwrap();
    let slos = [slo("a", "a", "RatioTimeslices", "target: 0.9, timeSliceTarget: 0.9", "", "")];
    let rows = "t, 'a', 'e', 9 AS good, 10 AS total";
    let store = store(folder.path(), "2025-11-01", "2025-11-03T23:59:00", rows, &slos);
    let report = "SELECT slo, met, last_data FROM report('2025-11-01', '2025-11-04')";
    let said = query(&store, report);
    assert_eq!(said, ["0.9,true,2025-11-04T00:00:00Z"]);
    // The same table as the version before made it: without these columns, nothing kept yet.
    let log = store.join("slo_days/_delta_log");
    let first = std::fs::read_to_string(log.join("00000000000000000000.json")).unwrap();
    std::fs::remove_dir_all(store.join("slo_days")).unwrap();
    std::fs::create_dir_all(&log).unwrap();
    let later = ["ratios", "assumed", "bound_below", "bound_above", "last_data"];
    assert!(later.iter().all(|name| !first.contains(&format!("\\\"{name}\\\""))), "{first}");
    std::fs::write(log.join("00000000000000000000.json"), first).unwrap();
    assert_eq!(query(&store, "SELECT count(ratios) FROM slo_days"), ["0"]);
    assert_eq!(query(&store, report), said);
    assert_eq!(
        query(&store, "SELECT count(*), count(ratios), sum(ratios) FROM slo_days"),
        ["3,3,3888.0000000000000000000000000000"]
    );
    assert_eq!(query(&store, report), said);
    assert!(std::fs::read_to_string(log.join("00000000000000000001.json")).unwrap().contains("metaData"));
}

#[test]
fn a_slice_counts_by_the_method_in_force_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let from = |date: &str| format!(", annotations: {{nines/effective-from: \"{date}\"}}");
    let of =
        |name: &str, method: &str, more: &str| slo(name, "a", method, "target: 0.8, timeSliceTarget: 0.8", more, "");
    let slos = [
        of("late", "RatioTimeslices", ""),
        of("late", "Timeslices", &from("2025-11-05")),
        of("mixed", "RatioTimeslices", ""),
        of("mixed", "Timeslices", &from("2025-11-02")),
        of("plain", "RatioTimeslices", ""),
    ];
    let store = store(folder.path(), "2025-11-01", "2025-11-02T23:59:00", "t, 'a', 'e', 9 AS good, 10 AS total", &slos);
    // A version that takes effect after all data says nothing of them; one that does within adds its whole slices.
    let figures =
        "SELECT objective, slo FROM report('2025-11') WHERE objective IN ('late', 'mixed', 'plain') ORDER BY 1";
    assert_eq!(query(&store, figures), ["late,0.9", "mixed,0.95", "plain,0.9"]);
    assert_eq!(
        query(&store, &figures.replace("'2025-11'", "'2025-11-01', '2025-11-02'")),
        ["late,0.9", "mixed,0.9", "plain,0.9"]
    );
}
