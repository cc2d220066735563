//! Outages that go on over the end of a month.

use super::due::Store;
use crate::{fails, nines};

const AGREEMENT: &str = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: a, annotations: {nines/effective-from: 2020-01-01}}\nspec:\n  \
    service: gateway\n  period: {duration: 1M, timeZone: UTC}\n  slice: 1m\n  measure: Downtime\n  bad: errorRate > 50%\n  minRun: 5m\n  overEnd: \
    split\n  commitment: 99.999%\n  credits: [{below: 99.999%, percent: 10}]\n";

fn minutes(store: &Store, day: &str, minutes: std::ops::Range<u32>, status: u32) {
    let row = |minute: u32| format!("{day}T{:02}:{:02}:00Z,,gateway,/,acme,{status},10", minute / 60, minute % 60);
    let rows: Vec<String> = minutes.map(row).collect();
    store.requests(&rows.iter().map(String::as_str).collect::<Vec<_>>());
}

#[test]
fn an_outage_over_the_end_of_a_month_counts_in_both() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-02-27", 33);
    minutes(&store, "2026-03-31", 1437..1440, 503);
    store.fees(&["2026-03,acme,gateway,EUR,100,,", "2026-04,acme,gateway,EUR,100,,"]);
    store.apply(&[AGREEMENT.to_string()]);
    // What decides March comes with April.
    let said = store.said_at("2026-04-01T00:02:00Z", 1, &["2026-03", "--issue"]);
    assert!(said.contains("of service gateway there is no row, exclusion or incident on 2026-04-01"), "{said}");
    assert!(said.contains("its newest row is of 2026-03-31 23:59"), "{said}");
    minutes(&store, "2026-04-01", 0..3, 503);
    store.said_at("2026-04-01T00:04:00Z", 1, &["2026-03", "--issue"]);
    minutes(&store, "2026-04-01", 3..6, 200);
    store.said_at("2026-04-01T00:06:00Z", 0, &["2026-03", "--issue"]);
    let figures = "availability_exact, amount, complete";
    assert_eq!(store.sql(figures, "credits('2026-03')"), ["14879/14880,10.000000,true"]);
    store.silent("", "2026-04-02", 31);
    assert_eq!(store.sql(figures, "credits('2026-04')"), ["14399/14400,10.000000,true"]);
    let pages = folder.path().join("pages");
    store.said(0, &["2026-03", "--pages", pages.to_str().unwrap()]);
    let page = std::fs::read_to_string(pages.join("2026-03-acme.md")).unwrap();
    for line in [
        "5 min or more in a row, also where they go on over an end of what is judged, which counts its own part",
        "One that goes on over an end of what is judged is shown as far as it is judged.",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
    store.said(0, &["2026-03", "--verify"]);

    // Rows of April decide March: they are not deleted in silence, and what they are now is compared.
    let delete = ["delete", "requests", "--where", "time = TIMESTAMP '2026-04-01T00:01:00Z'", "--reason", "x"];
    let said = fails(1, nines().arg("--store").arg(&store.0).args(delete));
    assert!(said.contains("a statement was issued from some of these rows: a for 'acme', gateway, 2026-03"), "{said}");
    store.requests(&["2026-04-01T00:01:00Z,,gateway,/,acme,200,10"]);
    let said = store.said(0, &["2026-03", "--moved"]);
    assert!(said.contains("2026-04-01: rows may have changed"), "{said}");
    assert!(said.contains("1 of 1 statement moved since issued"), "{said}");
    assert_eq!(store.sql(figures, "credits('2026-03')"), ["1/1,0.000000,true"]);
}

#[test]
fn what_cannot_be_followed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::new(folder.path());
    store.silent("", "2026-03-01", 1);
    let file = folder.path().join("refused.yaml");
    for (from, to, why) in [
        ("minRun: 5m", "minRun: 25h", "'overEnd: split' would look further than a day beyond the period"),
        (
            "overEnd: split",
            "overEnd: split\n  exclusions: {categories: [Attack], bridge: true}",
            "'overEnd: split' and 'bridge: true' exclude each other",
        ),
        ("overEnd: split", "overEnd: begin", "'overEnd' cannot be 'begin'; expected cut or split"),
        (
            "measure: Downtime\n  bad: errorRate > 50%\n  minRun: 5m",
            "measure: MeanErrorRate",
            "'overEnd' means nothing for MeanErrorRate, which knows no runs of bad slices",
        ),
    ] {
        std::fs::write(&file, AGREEMENT.replace(from, to)).unwrap();
        let said = fails(1, nines().arg("--store").arg(&store.0).arg("apply").arg(&file));
        assert!(said.contains(why), "{to}: {said}");
    }
}
