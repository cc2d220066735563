//! Several figures of one credit: metrics, and members that are judged apart.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use crate::{nines, query, run};

/// Two zones from 22:00 to 02:00 around the end of October 1: the first fails from 23:30 to 00:30, the second in the second half of
/// that. Ten requests a minute each.
fn store(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    let mut csv = "time,service,endpoint,customer,status,requests\n".to_string();
    for minute in 22 * 60..26 * 60i64 {
        let at = super::text((1_790_812_800 + minute * 60) * super::SECOND);
        for (zone, failing) in [("zone-a", 1410..1470), ("zone-b", 1440..1470)] {
            let status = if failing.contains(&minute) { 503 } else { 200 };
            writeln!(csv, "{at},gateway,{zone},acme,{status},10").unwrap();
        }
    }
    let file = store.with_extension("csv");
    std::fs::write(&file, csv).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time", "--slice", "1m"]).arg(&file));
    super::fees(&store, "2026-10,acme,gateway,USD,1000,,,\n");
    store
}

fn agreement(clauses: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: a, annotations: {{nines/effective-from: 2026-10-01}}}}\nspec:\n  \
         service: gateway\n  period: {{duration: 1M, timeZone: UTC}}\n  slice: 5m\n{clauses}"
    )
}

const BAD: &str =
    "  measure: BadSlices\n  bad: errorRate > 50%\n  commitment: 99.9%\n  credits: [{below: 99.9%, percent: 10}]\n";
const FIGURES: &str =
    "SELECT valid, failed, availability_exact, credit_percent, amount, figure FROM credits('2026-10')";

/// 8,928 slices of five minutes; the first zone is bad for twelve of them, the second for six.
#[test]
fn zones_are_joined_as_it_is_agreed() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let figures = |each: &str| {
        super::apply(&store, &agreement(&format!("{BAD}{each}")));
        query(&store, FIGURES)
    };
    // Half of the requests of both is not more than half.
    let together = ["4800,900,1487/1488,0.000000,0.000000,"];
    assert_eq!(figures(""), together);
    assert_eq!(figures("  each: {by: endpoint, join: sum}\n"), together);
    assert_eq!(figures("  each: {by: endpoint, join: any}\n"), ["2400,600,743/744,10.000000,100.000000,"]);
    assert_eq!(
        figures("  each: {by: endpoint, join: all, of: [zone-a, zone-b]}\n"),
        ["2400,300,1487/1488,0.000000,0.000000,"]
    );
    // A third zone that is silent is without error, in error, or nothing.
    let three = |silent: &str| {
        figures(&format!("  each: {{by: endpoint, join: all, of: [zone-a, zone-b, zone-c], noData: {silent}}}\n"))
    };
    assert_eq!(three("ok"), ["4800,0,1/1,0.000000,0.000000,"]);
    assert_eq!(three("error"), ["2400,300,1487/1488,0.000000,0.000000,"]);
    assert_eq!(three("ignore"), ["2400,300,1487/1488,0.000000,0.000000,"]);
    // A zone that is not named is told.
    super::apply(&store, &agreement(&format!("{BAD}  each: {{by: endpoint, join: all, of: [zone-a]}}\n")));
    let output = nines().arg("--store").arg(&store).args(["credits", "2026-10"]).output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("agreement a: requests of zone-b count nowhere"), "{said}");
    assert_eq!(query(&store, FIGURES), ["2400,600,743/744,10.000000,100.000000,"]);
    assert_eq!(figures("  each: endpoint\n"), ["2400,600,743/744,10.000000,100.000000,zone-a"]);
}

/// What a metric after the first one names is looked at like what the first one names.
#[test]
fn what_a_metric_names_and_nothing_has_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let file = store.with_extension("yaml");
    let apply = |metric: &str| {
        let clauses = format!(
            "  metrics:\n    - {{name: a, measure: Occurrences, commitment: 99%, credits: []}}\n    - {{name: b, commitment: 99%, credits: \
             [], {metric}}}\n  together: sum\n"
        );
        std::fs::write(&file, agreement(&clauses)).unwrap();
        let output = nines().arg("--store").arg(&store).args(["apply", "--dry-run"]).arg(&file).output().unwrap();
        String::from_utf8(output.stderr).unwrap()
    };
    let each = "measure: MeanErrorRate, each: {by: endpoint, join: all, of: [zone-a, zone-bb]}";
    assert!(
        apply(each).contains("no row of requests of its services has an endpoint 'zone-bb'; did you mean 'zone-b'?"),
        "{}",
        apply(each)
    );
    let finer = "measure: MeanErrorRate, slice: 30s";
    assert!(apply(finer).contains("30 s"), "{}", apply(finer));
    let status = apply("measure: MeanErrorRate, valid: {except: [418]}");
    assert!(status.contains("has the status 418"), "{status}");
}

#[test]
fn metrics_credit_once_or_add_up() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path());
    let metrics = |together: &str| {
        let clauses = format!(
            "  metrics:\n    - {{name: zones, each: endpoint, measure: BadSlices, bad: errorRate > 50%, commitment: 99.9%, \
             credits: [{{below: 99.9%, percent: 10}}]}}\n    - {{name: errors, measure: Occurrences, commitment: 90%, credits: \
             [{{below: 90%, percent: 25}}]}}\n  together: {together}\n  cap: 30%\n"
        );
        super::apply(&store, &agreement(&clauses));
        query(&store, FIGURES)
    };
    assert_eq!(metrics("largest"), ["4800,900,13/16,25.000000,250.000000,errors"]);
    assert_eq!(metrics("sum"), ["4800,900,13/16,30.000000,300.000000,errors"]);

    let credits = |args: &[&str]| run(nines().arg("--store").arg(&store).arg("credits").args(args));
    assert!(credits(&["2026-10"]).contains("errors"), "the figure that decides is shown");
    credits(&["2026-10", "--issue", "--incomplete"]);
    let verified = credits(&["2026-10", "--verify"]);
    assert!(verified.contains("evidence holds; today's data say the same"), "{verified}");
    let pages = folder.path().join("pages");
    run(nines().arg("--store").arg(&store).args(["credits", "2026-10", "--pages"]).arg(&pages));
    let mut page = std::fs::read_dir(&pages).unwrap().map(|file| file.unwrap().path());
    let page = page.find(|file| file.extension().is_some_and(|ext| ext == "md")).unwrap();
    let page = std::fs::read_to_string(page).unwrap();
    for says in [
        "| zones of zone-a | 99.865591 % | 99.9 %, not kept | 10 % |",
        "| zones of zone-b | 99.932796 % | 99.9 %, kept | 0 % |",
        "| errors | 81.25 % | 90 %, not kept | 25 %, decides |",
        "The credits add up: 10 % + 25 % = 35 %.",
        "The cap of 30 % limits it to 30 %.",
        "### The days of errors (UTC)",
        "**Metrics:** Their credits add up. The clauses above are those of zones",
        "**errors: Availability:** 1 − failed requests / valid requests",
        "**Members:** Each endpoint is judged by itself; the one with the largest credit decides",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }

    // A revision names the figures that moved.
    let file = folder.path().join("late.csv");
    std::fs::write(
        &file,
        "time,service,endpoint,customer,status,requests\n2026-10-02T01:00:00Z,gateway,zone-b,acme,503,100\n",
    )
    .unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests", "--any-time"]).arg(&file));
    let moved = credits(&["2026-10", "--issue", "--incomplete"]);
    assert!(moved.contains("The figure of zones of zone-b is 99.921595 %, credits 0 %; before it was"), "{moved}");
}

#[test]
fn a_metric_says_what_is_wrong_with_it_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.yaml");
    let wrong = |clauses: &str| {
        std::fs::write(&file, agreement(clauses)).unwrap();
        let output = nines().arg("--store").arg(folder.path().join("store")).arg("apply").arg(&file).output().unwrap();
        assert!(!output.status.success());
        String::from_utf8(output.stderr).unwrap()
    };
    let two = "  metrics:\n    - {name: a, measure: MeanErrorRate, commitment: 99%, credits: []}\n    - {name: a, measure: \
               MeanErrorRate, commitment: 99%, credits: []}\n";
    let said = wrong(&format!("{two}  party: nobody\n"));
    assert_eq!(said.matches("party").count(), 1, "{said}");
    assert!(said.contains("a metric 'a' stands here already"), "{said}");
    assert!(said.contains("missing field 'together' beside several metrics"), "{said}");
    let each = |each: &str| wrong(&format!("{BAD}  each: {each}\n"));
    assert!(each("customer").contains("each customer is judged by itself as it is"));
    assert!(each("{by: endpoint, join: all}").contains("missing field 'of'"));
    assert!(each("{by: endpoint, join: any, of: [x]}").contains("'of' means nothing but for join: all"));
    let lost = wrong(&format!("{BAD}  each: {{by: endpoint, join: any}}\n  lostTelemetry: {{estimateFrom: 7d}}\n"));
    assert!(lost.contains("cannot be estimated"), "{lost}");
}
