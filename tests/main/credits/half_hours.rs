//! Slices are laid from local midnight, so that in zones of half hours, too, each belongs to exactly one month.

use super::{apply, fees};
use crate::{fails, nines, query, run};

fn agreement(zone: &str, slice: &str) -> String {
    format!(
        "apiVersion: nines/v1\nkind: Agreement\nmetadata: {{name: blob, annotations: {{nines/effective-from: 2026-04-01}}}}\n\
         spec:\n  service: blob\n  period: {{duration: 1M, timeZone: {zone}}}\n  slice: {slice}\n  measure: MeanErrorRate\n  \
         commitment: 99.9%\n  credits: [{{below: 99.9%, percent: 10}}]\n"
    )
}

#[test]
fn hourly_slices_in_a_zone_of_half_hours() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("rows.csv");
    let rows = "time,service,customer,status,requests\n2026-04-30T18:40:00Z,blob,acme,500,10\n\
                2026-05-10T00:00:00Z,blob,acme,200,10\n2026-05-31T18:10:00Z,blob,acme,500,10\n\
                2026-06-30T18:29:00Z,blob,acme,200,10\n";
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(&file));
    let paid: Vec<String> =
        ["04", "05", "06"].iter().map(|month| format!("2026-{month},acme,blob,INR,50000,,,\n")).collect();
    fees(&store, &paid.concat());
    apply(&store, &agreement("Asia/Kolkata", "1h"));
    let month = |month: &str| {
        let columns = "slices, valid, failed, availability, amount";
        query(&store, &format!("SELECT {columns} FROM credits('2026-{month}')")).remove(0)
    };
    assert_eq!(month("05"), "744,30,20,99.731183,5000.000000");
    assert_eq!([month("04"), month("06")], ["720,0,0,100.000000,0.000000", "720,10,0,100.000000,0.000000"]);
}

/// A slice that lies in two UTC days is one slice, however many partitions read it.
#[test]
fn a_slice_across_midnight_utc_is_judged_whole() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("rows.csv");
    let mut rows = "time,service,customer,status,requests\n".to_string();
    // The slice from 23:30 to 00:30 UTC, every day: one of four requests fails, on either side of midnight.
    for day in 1..30 {
        let before = if day % 2 == 0 { 500 } else { 200 };
        let after = 700 - before;
        rows.push_str(&format!(
            "2026-05-{day:02}T23:40:00Z,blob,acme,{before},1\n2026-05-{day:02}T23:41:00Z,blob,acme,200,1\n"
        ));
        rows.push_str(&format!(
            "2026-05-{:02}T00:10:00Z,blob,acme,{after},1\n2026-05-{:02}T00:20:00Z,blob,acme,200,1\n",
            day + 1,
            day + 1
        ));
    }
    std::fs::write(&file, rows).unwrap();
    run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(&file));
    apply(&store, &agreement("Asia/Kolkata", "1h").replace("  commitment", "  minRequests: 4\n  commitment"));
    for partitions in [1, 3, 7] {
        let set = format!("SET datafusion.execution.target_partitions = {partitions};");
        let sql = format!("{set} SELECT slices, valid, failed, availability_exact FROM credits('2026-05')");
        let text = run(nines().arg("--store").arg(&store).args(["sql", "--format", "csv", &sql]));
        assert_eq!(text.lines().last(), Some("744,116,29,2947/2976"), "{partitions} partitions");
    }
}

#[test]
fn slices_divide_every_day_of_their_zone() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("a.yaml");
    let refused = |zone: &str, slice: &str| {
        std::fs::write(&file, agreement(zone, slice)).unwrap();
        fails(1, nines().arg("--store").arg(&store).arg("apply").arg(&file))
    };
    let said = refused("Australia/Lord_Howe", "1h");
    assert!(said.contains("a.yaml:7:10: slices of 1 h do not divide every day of Australia/Lord_Howe"), "{said}");
    assert!(said.contains("as 30 min or less do"), "{said}");
    assert!(refused("America/New_York", "4h").contains("as 1 h or less do"));
    for (zone, slice) in [("Asia/Kolkata", "1d"), ("Australia/Lord_Howe", "30m"), ("America/New_York", "1h")] {
        apply(&store, &agreement(zone, slice));
    }
}
