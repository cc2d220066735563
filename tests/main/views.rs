//! Every view of the demo's history says the same of the same question: what `report` says, that say `\slo`, strip, heat map,
//! pages and the queries that come with Nines.

use std::path::Path;

use crate::demo::demo_store;
use crate::{nines, query, run};

const SERVICE: &str = "login";
const FROM: &str = "2026-10-26";
const TO: &str = "2026-11-01";

/// The rows of a file of `queries/`, as CSV without the header.
fn of_file(store: &Path, name: &str, more: &[(&str, &str)]) -> Vec<Vec<String>> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries").join(name);
    let mut command = nines();
    command.arg("--store").arg(store).args(["sql", "--format", "csv", "-f"]).arg(&file);
    for (parameter, value) in [("from", FROM), ("to", TO)].iter().chain(more) {
        command.args(["--param", &format!("{parameter}={value}")]);
    }
    let rows = run(&mut command);
    rows.lines().skip(1).map(|line| line.split(',').map(str::to_string).collect()).collect()
}

/// The number in a row of a file that begins with these cells.
fn number(rows: &[Vec<String>], begins: &[&str], column: usize) -> f64 {
    let row = rows.iter().find(|row| begins.iter().zip(row.iter()).all(|(wanted, cell)| wanted == cell));
    row.unwrap_or_else(|| panic!("{begins:?} in {rows:?}"))[column].parse().unwrap()
}

fn cells(row: &str) -> Vec<f64> {
    row.split(',').map(|cell| cell.parse().unwrap_or(f64::NAN)).collect()
}

/// What a notebook of one cell looks like in a terminal, or as HTML.
fn chart(store: &Path, folder: &Path, options: &str, sql: &str, format: &str) -> String {
    let file = folder.join("own.md");
    std::fs::write(&file, format!("```sql {options}\n{sql}\n```\n")).unwrap();
    let mut command = nines();
    command.arg("--store").arg(store).arg("run").arg(&file).args(["--format", format, "-o", "-"]);
    run(&mut command)
}

#[test]
fn every_view_of_the_demo_says_the_same() {
    let (folder, store) = demo_store();
    let of_report = |by: &str, which: &str| {
        let sql = format!(
            "SELECT slo, slo_error_time, mtbf, mttr, failures, budget_remaining, measured_seconds, round(slo_error_time / 60) \
             FROM report('{FROM}', '{TO}', '{by}') WHERE {which}"
        );
        cells(&query(&store, &sql)[0])
    };
    let service = of_report("service", &format!("service = '{SERVICE}'"));
    let [slo, error_time, mtbf, mttr, failures, _, measured, minutes] = service[..] else { panic!("{service:?}") };
    assert!(error_time > 0.0 && failures > 1.0, "nothing failed, so nothing is compared: {service:?}");

    // Of the service: queries from report, from timelines, and of failures.
    let services = of_file(&store, "services.sql", &[]);
    let own: Vec<&Vec<String>> = services.iter().filter(|row| row[1] == SERVICE).collect();
    assert_eq!((own[0][2].parse(), own[0][3].parse()), (Ok(slo), Ok(error_time)));
    let report = of_file(&store, "report.sql", &[]);
    let own: Vec<&Vec<String>> = report.iter().filter(|row| row[1] == SERVICE).collect();
    assert_eq!((own[0][2].parse(), own[0][3].parse()), (Ok(slo), Ok(error_time)));
    let sources = of_file(&store, "sources.sql", &[]);
    assert_eq!([1, 2].map(|column| number(&sources, &[SERVICE], column)), [slo, error_time]);
    let availability = of_file(&store, "availability.sql", &[]);
    assert_eq!([1, 2, 3].map(|column| number(&availability, &[SERVICE], column)), [slo, error_time, measured]);
    let budget = of_file(&store, "budget.sql", &[("target", "0.99")]);
    assert_eq!(number(&budget, &[SERVICE], 1), slo);
    let left = 1.0 - error_time / (0.01 * measured);
    assert!((number(&budget, &[SERVICE], 4) - left).abs() < 1e-9, "{budget:?}");
    let failed = of_file(&store, "failures.sql", &[("service", SERVICE)]);
    assert_eq!(failed.len() as f64, failures);
    assert_eq!(failed.iter().map(|row| row[2].parse::<f64>().unwrap()).sum::<f64>(), error_time);
    assert!((error_time / failures - mttr).abs() < 1e-9 && mtbf > 0.0);
    // The history begins on the 26th.
    let months = of_file(&store, "months.sql", &[("service", SERVICE), ("from", "2026-10-01"), ("to", "2026-11-01")]);
    assert_eq!((months[0][1].parse(), months[0][3].parse()), (Ok(slo), Ok(error_time)));

    // Of each objective: timelines, failures, slices, and the budget day by day.
    let burndown = of_file(&store, "burndown.sql", &[("service", SERVICE)]);
    let names = query(&store, &format!("SELECT objective FROM report('{FROM}', '{TO}') WHERE service = '{SERVICE}'"));
    assert!(names.len() >= 3, "{names:?}");
    for name in &names {
        let own = of_report("objective", &format!("objective = '{name}'"));
        let one = |sql: &str| query(&store, sql)[0].parse::<f64>().unwrap();
        let range = format!("('{FROM}', '{TO}')");
        let of_timeline =
            one(&format!("SELECT error_seconds(timeline) FROM timelines{range} WHERE objective = '{name}'"));
        let of_failures = one(&format!(
            "SELECT coalesce(sum(seconds), 0) FROM failures('{FROM}', '{TO}', 'objective') WHERE objective = '{name}'"
        ));
        let of_slices =
            one(&format!("SELECT count(*) * 60 FROM slices{range} WHERE objective = '{name}' AND state = 'error'"));
        assert_eq!([of_timeline, of_failures, of_slices], [own[1]; 3], "{name}");
        let last = burndown.iter().rfind(|row| row[0] == *name).unwrap();
        let remaining: f64 = last[4].parse().unwrap();
        assert!((remaining - own[5]).abs() < 1e-5, "{name}: {last:?} and {own:?}");
    }

    // Strip and heat map unite the objectives of a service.
    let all = format!("SELECT service, timeline FROM timelines('{FROM}', '{TO}') WHERE service = '{SERVICE}'");
    let strip = chart(&store, folder.path(), "chart=timeline hide x=service", &all, "terminal");
    let row = strip.lines().find(|line| line.starts_with(SERVICE)).unwrap_or_else(|| panic!("{strip}"));
    let told = duration(minutes);
    assert!(row.ends_with(&format!(" {told}")), "{told}: {strip}");
    let timelines = format!("SELECT timeline FROM timelines('{FROM}', '{TO}') WHERE service = '{SERVICE}'");
    let heat = chart(&store, folder.path(), "chart=heatmap hide unit=minutes", &timelines, "html");
    let summary =
        heat.split("Calendar of ").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_else(|| panic!("{heat}"));
    let in_all = summary.split("above zero, ").nth(1).unwrap_or_else(|| panic!("{summary}"));
    assert!(in_all.starts_with(&told), "{told}: {summary}");

    // The page and `\slo`, which ends with the newest slice and says so.
    let mut page = nines();
    page.arg("--store").arg(&store).args(["run", "feature", "--param", &format!("service={SERVICE}")]);
    let page = run(page.args(["--param", &format!("period={FROM} to {TO}"), "--format", "md", "-o", "-"]));
    let percent = format!("{} %", (1e5 * slo).round() / 1e3);
    assert!(page.contains(&format!("met at once ≈ {percent} of the time")), "{percent}: {page}");
    assert!(page.contains(&format!("took ≈ {minutes} minutes")), "{minutes}: {page}");
    for name in &names {
        let own = of_report("objective", &format!("objective = '{name}'"));
        let mut shell = nines();
        shell.arg("--store").arg(&store).arg("shell").env("NINES_NOW", "2026-11-28T00:00:00Z");
        shell.write_stdin(format!("\\slo {name}\n"));
        let glance = run(&mut shell);
        let month = glance.lines().find(|line| line.contains("October 2026")).unwrap_or_else(|| panic!("{glance}"));
        assert!(month.contains(&format!(" {} ", own[4])), "{name}: {glance}");
        assert!(glance.contains("last 28 days up to 2026-11-01 00:00"), "{glance}");
    }
}

/// Minutes as people read them.
fn duration(minutes: f64) -> String {
    let (hours, rest) = ((minutes / 60.0).floor(), minutes % 60.0);
    match (hours, rest) {
        (0.0, rest) => format!("{rest} min"),
        (hours, 0.0) => format!("{hours} h"),
        (hours, rest) => format!("{hours} h {rest} min"),
    }
}

#[test]
fn the_last_stored_slice_counts_where_data_are_old() {
    // A day of which the last minute failed, in a store of five minutes and in one of fifteen seconds.
    for (seconds, last) in [(300, "23:55:00"), (60, "23:59:00"), (15, "23:59:45")] {
        let folder = tempfile::tempdir().unwrap();
        let (store, slos) = (folder.path().join("store"), folder.path().join("slos.yaml"));
        let file = folder.path().join("events.csv");
        let rows = format!("time,service,name,good,total\n2026-01-05T00:00:00Z,a,e,1,1\n2026-01-05T{last}Z,a,e,0,1\n");
        std::fs::write(&file, rows).unwrap();
        let window = format!("timeSliceWindow: {seconds}s");
        let slo = "apiVersion: openslo/v1\nkind: SLO\nmetadata: {name: a}\nspec:\n  service: a\n  indicator: {metadata: {name: i}, spec: \
                   {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: e}}}}}}\n  timeWindow: \
                   [{duration: 28d, isRolling: true}]\n  budgetingMethod: Timeslices\n  objectives: [{target: 0.99, timeSliceTarget: 0.99, ";
        std::fs::write(&slos, format!("{slo}{window}}}]\n")).unwrap();
        let slice = format!("{seconds}s");
        run(nines().arg("--store").arg(&store).args(["ingest", "events", "--slice", &slice]).arg(&file));
        run(nines().arg("--store").arg(&store).arg("apply").arg(&slos));
        let mut shell = nines();
        shell.arg("--store").arg(&store).arg("shell").write_stdin("\\slo a\n");
        let glance = run(&mut shell);
        assert!(glance.contains("up to 2026-01-06 00:00") && !glance.contains("no failure"), "{seconds}: {glance}");
        let mut page = nines();
        page.arg("--store").arg(&store).args(["run", "feature", "--param", "service=a", "--format", "md", "-o", "-"]);
        let page = run(&mut page);
        assert!(page.contains("1 failure took"), "{seconds}: {page}");
    }
}
