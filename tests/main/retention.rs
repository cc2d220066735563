//! Raw rows that are older than is kept go, and every figure that was worked out from them stays.

use std::path::Path;

use chrono::{Days, NaiveDate};

use crate::{fails, nines, query, run};

fn on(store: &Path, args: &[&str]) -> assert_cmd::Command {
    let mut command = nines();
    command.arg("--store").arg(store).args(args);
    command
}

/// What a command says besides its answer.
fn noted(command: &mut assert_cmd::Command) -> (String, String) {
    let done = command.output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", String::from_utf8_lossy(&done.stderr));
    (String::from_utf8(done.stdout).unwrap(), String::from_utf8(done.stderr).unwrap())
}

/// The day so many days after the first one.
fn day(after: u64) -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 8, 20).unwrap() + Days::new(after)
}

/// For how many days from now rows of a day are kept.
fn age(from: NaiveDate) -> String {
    format!("{}d", (chrono::Utc::now().date_naive() - from).num_days())
}

const DAYS: u64 = 20;

/// Twenty days of two services, half of them with errors; a probe whose samples are held overnight.
fn filled(store: &Path) {
    let (mut requests, mut gauges) = (String::new(), String::new());
    for d in 0..DAYS {
        for hour in 0..24 {
            let at = format!("{}T{hour:02}:{:02}:00Z", day(d), (d * 7 + hour) % 60);
            let bad = (d + hour) % 5 == 0;
            requests.push_str(&format!(
                "{at},shop,login,acme,{},{},0.{}\n",
                if bad { 503 } else { 200 },
                10 + hour,
                1 + (d + hour) % 8
            ));
            // Nobody pays on the first four days.
            if d >= 4 && hour % 6 == 0 {
                requests.push_str(&format!("{at},shop,pay,acme,200,5,0.2\n"));
            }
            if hour >= 22 {
                gauges.push_str(&format!("{at},shop,login,up,{}\n", (d + hour) % 3));
            }
        }
    }
    let folder = store.parent().unwrap();
    std::fs::write(
        folder.join("r.csv"),
        format!("time,business,service,customer,status,requests,latency_seconds\n{requests}"),
    )
    .unwrap();
    std::fs::write(folder.join("g.csv"), format!("time,business,service,name,value\n{gauges}")).unwrap();
    run(on(store, &["ingest", "requests"]).arg(folder.join("r.csv")).args(["--source", "edge"]));
    run(on(store, &["ingest", "gauges"]).arg(folder.join("g.csv")).args(["--source", "probe"]));
}

fn slo(name: &str, service: &str, body: &str) -> String {
    format!(
        "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n{body}  timeWindow: [{{duration: 28d, isRolling: true}}]\n"
    )
}

fn ratio(kind: &str, spec: &str, method: &str, goal: &str) -> String {
    format!(
        "  indicator:\n    metadata: {{name: i}}\n    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: {kind}, spec: {spec}}}}}}}}}\n  \
         budgetingMethod: {method}\n  objectives: [{{{goal}}}]\n"
    )
}

/// Objectives of every kind that depends on more than the rows of its day.
fn defined(store: &Path) {
    let timeslices = "target: 0.9, timeSliceTarget: 0.99, timeSliceWindow: 1h";
    let all = [
        slo("login-ok", "login", &ratio("nines/availability", "{party: service}", "Timeslices", timeslices)),
        slo("pay-ok", "pay", &ratio("nines/availability", "{party: service}", "Timeslices", timeslices)),
        slo("login-share", "login", &ratio("nines/availability", "{party: service}", "Occurrences", "target: 0.9")),
        slo("login-ratio", "login", &ratio("nines/availability", "{party: service}", "RatioTimeslices", timeslices)),
        slo(
            "login-fast",
            "login",
            &ratio(
                "nines/latency",
                "{quantile: 0.9, threshold: 500ms}",
                "Timeslices",
                "target: 0.9, timeSliceWindow: 1h",
            ),
        ),
        slo(
            "login-usual",
            "login",
            &ratio(
                "nines/latency",
                "{quantile: 0.9, baseline: previous month}",
                "Timeslices",
                "target: 0.9, timeSliceWindow: 1h",
            ),
        ),
        slo("login-hours", "login", &ratio("nines/availability", "{party: service}", "Timeslices", timeslices))
            .replace(
                "{duration: 28d, isRolling: true}",
                "{duration: 1M, calendar: {startTime: '2026-01-01 00:00:00', timeZone: Asia/Kolkata}}",
            ),
        slo(
            "login-up",
            "login",
            "  indicator:\n    metadata: {name: i}\n    spec: {thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: up, statistic: last, hold: 20h}}}}\n  \
             budgetingMethod: Timeslices\n  objectives: [{op: gte, value: 1, target: 0.9, timeSliceWindow: 1m}]\n",
        ),
    ];
    let file = store.with_extension("yaml");
    std::fs::write(&file, all.join("---\n")).unwrap();
    run(on(store, &["apply"]).arg(&file));
}

/// Everything that is asked of the days, as text.
fn figures(store: &Path) -> Vec<String> {
    // The first slice of an hour of Kolkata begins on the day before.
    let (from, to) = (day(0) - Days::new(1), day(DAYS));
    let mut found = Vec::new();
    for by in ["objective", "service", "company"] {
        found.extend(query(store, &format!("SELECT * FROM report('{from}', '{to}', '{by}')")));
    }
    found.extend(query(store, &format!("SELECT * FROM report('{}', '{}', 'objective')", day(3), day(9))));
    found.extend(query(store, &format!("SELECT * FROM failures('{from}', '{to}') ORDER BY 1, 2, 3, 4, 5")));
    found.extend(query(
        store,
        &format!("SELECT objective, good, total, timeline FROM timelines('{from}', '{to}') ORDER BY 1"),
    ));
    found
}

#[test]
fn figures_stay_when_raw_rows_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    defined(&store);
    let before = figures(&store);
    let shanghai = |store: &Path, figures: &str, by: &str| {
        let sql = format!("SELECT {by}, {figures} FROM report('{}', '{}', '{by}')", day(2), day(8));
        noted(on(store, &["sql", "--format", "csv", &sql]).args(["--time-zone", "Asia/Shanghai"]))
    };
    let by_time = "availability, slo_error_time, measured_seconds, failures, approximate";
    let ways = ["objective", "service", "business"];
    let local = ways.map(|by| shanghai(&store, by_time, by).0);
    let limits = || query(&store, "SELECT * FROM baselines ORDER BY objective, month");
    let months = limits();
    assert_eq!(months.len(), 2, "{months:?}");
    let (by_method, said) = shanghai(&store, "slo, met", "objective");
    assert_eq!(said, "");
    let retain = |table: &str, from: u64| run(&mut on(&store, &["retain", table, &age(day(from))]));

    assert!(
        run(&mut on(&store, &["retain", "requests", &age(day(8)), "--dry-run"]))
            .contains("of 2026-08-20 to 2026-08-27 would be removed")
    );
    assert_eq!(query(&store, "SELECT min(time) FROM requests"), ["2026-08-20T00:00:00Z"]);
    // Day by day and in one go, and again what is done.
    for from in [5, 6, 8] {
        let said = retain("requests", from);
        assert!(said.contains(&format!("to {}; version", day(from - 1))), "{said}");
    }
    assert!(retain("requests", 8).contains("no rows before 2026-08-28; nothing was changed"));
    let said = retain("gauges", 8);
    assert!(said.contains("days before 2026-08-29 are sealed"), "the night before is looked back to: {said}");
    assert_eq!(query(&store, "SELECT min(time) >= '2026-08-28' FROM requests"), ["true"]);
    assert_eq!(figures(&store), before);
    run(&mut on(&store, &["gc", "--now"]));
    assert_eq!(figures(&store), before);
    assert!(run(&mut on(&store, &["check"])).contains("all of it is as it was written"));

    // Of a part of a UTC day the slices are known. How many events there were is not, and what is judged by that has no figure.
    assert_eq!(ways.map(|by| shanghai(&store, by_time, by).0), local);
    let (cut, said) = shanghai(&store, "slo, met", "objective");
    assert!(said.contains("are sealed") || said.contains("not how many events"), "{said}");
    for (cut, whole) in cut.lines().zip(by_method.lines()) {
        match cut.split(',').next() {
            Some(by @ ("login-ratio" | "login-share")) => assert_eq!(cut, format!("{by},,")),
            _ => assert_eq!(cut, whole),
        }
    }

    let reviewed = format!("SELECT advice[1] FROM review('{}', '{}') WHERE objective = 'login-share'", day(2), day(8));
    let (advice, _) = noted(on(&store, &["sql", "--format", "csv", &reviewed]).args(["--time-zone", "Asia/Shanghai"]));
    assert!(advice.contains("ends within UTC days that are sealed"), "{advice}");

    // Late rows are stored, and change nothing.
    let late = folder.path().join("late.csv");
    std::fs::write(
        &late,
        "time,business,service,customer,status,requests\n2026-08-22T00:30:00Z,shop,login,acme,503,999\n",
    )
    .unwrap();
    let (_, said) = noted(on(&store, &["ingest", "requests"]).arg(&late).args(["--source", "late"]));
    assert!(said.contains("change no figure of an objective"), "{said}");
    assert_eq!(figures(&store), before);

    // A definition that was not there says nothing of these days, and that is said.
    let file = folder.path().join("later.yaml");
    let timeslices = "target: 0.5, timeSliceTarget: 0.5, timeSliceWindow: 1h";
    std::fs::write(
        &file,
        slo("login-later", "login", &ratio("nines/availability", "{party: service}", "Timeslices", timeslices)),
    )
    .unwrap();
    run(on(&store, &["apply"]).arg(&file));
    let measured = |from: u64, to: u64| {
        let sql = format!(
            "SELECT measured_seconds > 0 FROM report('{}', '{}', 'objective') WHERE objective = 'login-later'",
            day(from),
            day(to)
        );
        let (rows, said) = noted(&mut on(&store, &["sql", "--format", "csv", &sql]));
        (rows.lines().nth(1).map(str::to_string), said)
    };
    let (unknown, said) = measured(0, 8);
    assert!(
        unknown.as_deref() != Some("true") && said.contains("there is no data for them here"),
        "{unknown:?} {said}"
    );
    assert_eq!(measured(9, 12), (Some("true".to_string()), String::new()));
    // One that rewrites what was defined then hides what is known.
    let text = std::fs::read_to_string(&file).unwrap().replace("0.5", "0.6");
    let dated = format!("metadata: {{name: login-later, annotations: {{nines/effective-from: \"{}\"}}}}", day(1));
    std::fs::write(&file, text.replace("metadata: {name: login-later}", &dated)).unwrap();
    let (told, said) = noted(on(&store, &["apply", "--dry-run"]).arg(&file));
    assert!((told + &said).contains("are sealed: what login-later was then"), "{said}");
    let (_, said) = noted(&mut on(
        &store,
        &["sql", "--format", "csv", &format!("SELECT count(*) FROM slices('{}', '{}')", day(0), day(2))],
    ));
    assert!(said.contains("their slices are not listed"), "{said}");

    // The limits of a month of which no row is left stay listed.
    retain("requests", 12);
    assert_eq!(query(&store, "SELECT min(time) >= '2026-09-01' FROM requests"), ["true"]);
    assert_eq!(limits(), months);

    // Whoever knows nothing of sealed days may not look.
    let marker = std::fs::read_to_string(store.join("nines.json")).unwrap();
    assert!(marker.contains("\"format\":2") && marker.contains("\"min_reader\":\"0.2.0\""), "{marker}");
    // Lost, it is to be written again as it was.
    std::fs::remove_file(store.join("nines.json")).unwrap();
    let said = fails(1, &mut on(&store, &["sql", "SELECT 1 FROM requests"]));
    assert!(said.contains(marker.trim_end()), "{said}");
}

#[test]
fn days_that_are_damaged_do_not_go() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    defined(&store);
    run(&mut on(&store, &["refresh"]));
    let file = glob(&store.join(format!("requests/date={}", day(2)))).pop().unwrap();
    let sound = std::fs::read(&file).unwrap();
    let mut flipped = sound.clone();
    flipped[sound.len() / 3] ^= 1;
    std::fs::write(&file, flipped).unwrap();
    let retain = || on(&store, &["retain", "requests", &age(day(8))]);
    let said = fails(1, &mut retain());
    assert!(said.contains(file.file_name().unwrap().to_str().unwrap()) && said.contains("backup"), "{said}");
    std::fs::write(&file, sound).unwrap();
    assert_eq!(query(&store, "SELECT min(time) FROM requests"), ["2026-08-20T00:00:00Z"]);
    assert_eq!(query(&store, "SELECT count(*) FROM slo_days WHERE sealed"), ["0"]);
    run(&mut retain());
}

#[test]
fn sealed_days_are_records_and_no_cache() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    defined(&store);
    run(&mut on(&store, &["retain", "requests", &age(day(4))]));
    let earlier = folder.path().join("earlier");
    copy_of(&store, &earlier);
    run(&mut on(&store, &["retain", "requests", &age(day(8))]));
    let ask = format!("SELECT * FROM report('{}', '{}', 'objective')", day(0), day(8));
    let before = query(&store, &ask);
    for table in ["slo_days", "slo_facts"] {
        let moved = folder.path().join("moved");
        std::fs::rename(store.join(table), &moved).unwrap();
        let refused = || {
            let said = fails(1, &mut on(&store, &["sql", &ask]));
            assert!(said.contains(table) && said.contains("backup"), "{said}");
            let said = on(&store, &["check"]).assert().code(1).get_output().stdout.clone();
            let said = String::from_utf8(said).unwrap();
            assert!(said.contains("problem: ") && said.contains(table), "{said}");
        };
        refused();
        // What is kept of other days makes it anew, and does not make up for it.
        let _ =
            on(&store, &["sql", &format!("SELECT * FROM report('{}', '{}')", day(12), day(DAYS))]).output().unwrap();
        refused();
        let _ = std::fs::remove_dir_all(store.join(table));
        if table == "slo_days" {
            // An older copy lacks what came later.
            copy_of(&earlier.join(table), &store.join(table));
            refused();
            std::fs::remove_dir_all(store.join(table)).unwrap();
        }
        std::fs::rename(&moved, store.join(table)).unwrap();
        // Whichever file is damaged, the answer names it or does not need it.
        let mut named = 0;
        for file in glob(&store.join(table)) {
            let name = file.file_name().unwrap().to_str().unwrap();
            let sound = std::fs::read(&file).unwrap();
            let mut flipped = sound.clone();
            flipped[sound.len() / 2] ^= 1;
            std::fs::write(&file, flipped).unwrap();
            let asked = on(&store, &["sql", "--format", "csv", &ask]).output().unwrap();
            let said = fails(1, &mut on(&store, &["check"]));
            assert!(said.contains("not as "), "{said}");
            if asked.status.success() {
                // A file of earlier versions alone.
                let answer = String::from_utf8(asked.stdout).unwrap();
                assert!(answer.lines().skip(1).eq(&before), "{name}");
                assert!(run(&mut on(&store, &["check", "--repair-caches"])).contains("earlier versions"));
                assert!(!file.exists());
                run(&mut on(&store, &["check"]));
            } else {
                assert!(String::from_utf8_lossy(&asked.stderr).contains(name), "{name}");
                let said = fails(1, &mut on(&store, &["check", "--repair-caches"]));
                assert!(said.contains("what sealed days were"), "{said}");
                std::fs::write(&file, sound).unwrap();
                named += 1;
            }
        }
        assert!(named > 0, "{table}");
    }
    // Rows that come back are there to be read, and change no figure.
    let (_, said) = noted(&mut on(&store, &["restore", "requests", "--to", "1"]));
    assert!(said.contains("change no figure of an objective"), "{said}");
    assert_eq!(query(&store, "SELECT min(time) FROM requests"), ["2026-08-20T00:00:00Z"]);
    assert_eq!(query(&store, &ask), before);
}

fn copy_of(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let (path, to) = (entry.as_ref().unwrap().path(), to.join(entry.as_ref().unwrap().file_name()));
        match path.is_dir() {
            true => copy_of(&path, &to),
            false => drop(std::fs::copy(&path, &to).unwrap()),
        }
    }
}

/// The Parquet files in and below a folder, the log's left out.
fn glob(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true if path.ends_with("_delta_log") => {}
            true => found.extend(glob(&path)),
            false if path.extension().is_some_and(|e| e == "parquet") => found.push(path),
            false => {}
        }
    }
    found.sort_by_key(|path| std::fs::metadata(path).unwrap().len());
    found
}

#[test]
fn rows_for_which_a_credit_is_open_stay_unless_told() {
    open_credits_hold_rows("duration: 1M", "2026-08");
    // Days that begin within a month and end within the next one.
    open_credits_hold_rows("duration: 30d, from: 2026-07-31", "2026-07-31");
}

fn open_credits_hold_rows(duration: &str, period: &str) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    let agreement = |deadline: &str| {
        format!(
            "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: gold}}\nspec:\n  service: login\n  party: service\n  \
             period: {{{duration}, timeZone: UTC}}\n  slice: 60s\n  measure: MeanErrorRate\n  commitment: 99.9%\n  \
             credits: [{{below: 99.9%, percent: 10}}]\n{deadline}"
        )
    };
    let file = folder.path().join("gold.yaml");
    std::fs::write(&file, agreement("")).unwrap();
    run(on(&store, &["apply"]).arg(&file));
    query(
        &store,
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-07', 'acme', 'login', 'EUR', 100), \
         ('2026-08', 'acme', 'login', 'EUR', 100)",
    );
    let said = fails(1, &mut on(&store, &["retain", "requests", &age(day(8))]));
    assert!(
        said.contains(&format!("gold for 'acme', login, {period} was not issued yet")) && said.contains("--even-owed"),
        "{said}"
    );
    run(&mut on(&store, &["credits", period, "--issue", "--incomplete"]));
    let issued = query(&store, "SELECT amount, sha256 FROM statements");
    run(&mut on(&store, &["retain", "requests", &age(day(8))]));
    // What was issued stays as it was, holds by its evidence, and is not issued anew from what is left.
    let said = fails(1, &mut on(&store, &["credits", period, "--issue", "--incomplete"]));
    assert!(said.contains("were removed") && said.contains("statements"), "{said}");
    assert!(
        fails(1, &mut on(&store, &["sql", &format!("SELECT * FROM credits('{period}')")])).contains("were removed")
    );
    let verified = on(&store, &["credits", period, "--verify"]).output().unwrap();
    let verified =
        format!("{}{}", String::from_utf8_lossy(&verified.stdout), String::from_utf8_lossy(&verified.stderr));
    assert!(verified.contains("were removed"), "{verified}");
    assert_eq!(query(&store, "SELECT amount, sha256 FROM statements"), issued);
}
