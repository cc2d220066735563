//! Per-minute success rates, mapped by SQL.

use crate::{nines, query, run, shared};

#[test]
fn error_minutes_of_both_days_are_as_published() {
    let Some(folder) = shared("nezha") else { return };
    let scratch = tempfile::tempdir().unwrap();
    let store = scratch.path().join("store");
    // A percentage of up to 18 digits: in 10^12ths it is an exact count.
    let select = r#"SELECT "TimeStamp" AS time, 'frontend' AS service, 'success' AS name,
                           CAST(round("SuccessRate(%)" * 1e10) AS BIGINT) AS good, 1000000000000 AS total FROM input"#;
    for day in ["2022-08-22", "2022-08-23"] {
        let file = folder.join(format!("rca_data_{day}_front_service.csv"));
        run(nines().arg("--store").arg(&store).args(["ingest", "events"]).arg(file).args(["--select", select]));
    }
    let sql = "SELECT date_trunc('day', time) AS day, error_seconds(ratio_timeline(time, good, total, 1)) / 60,
                      measured_seconds(ratio_timeline(time, good, total, 1)) / 60, min(good)
               FROM events GROUP BY day ORDER BY day";
    let expected = ["2022-08-22T00:00:00Z,22.0,1209.0,114754098361", "2022-08-23T00:00:00Z,24.0,721.0,182539682540"];
    let rows = query(&store, sql);
    assert_eq!(rows, expected);
}
