//! What goes in, and what is refused.

use std::fs;

use crate::{fails, nines, query, run};

#[test]
fn csv_json_and_parquet_of_the_same_rows_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(
        path("a.csv"),
        "time,service,endpoint,status,requests,latency_seconds\n\
         2026-10-01T00:00:05Z,登录,/token,200,3,0.25\n2026-10-01T00:00:45Z,登录,/token,200,2,0.5\n\
         2026-10-01 00:01:00,登录,/token,503,1,\n",
    )
    .unwrap();
    fs::write(
        path("b.jsonl"),
        "{\"time\":1790812805,\"service\":\"登录\",\"endpoint\":\"/token\",\"status\":200,\"requests\":3,\"latency_seconds\":0.25}\n\
         {\"time\":1790812845,\"service\":\"登录\",\"endpoint\":\"/token\",\"status\":200,\"requests\":2,\"latency_seconds\":0.5}\n\
         {\"time\":\"2026-10-01T08:01:00+08:00\",\"service\":\"登录\",\"endpoint\":\"/token\",\"status\":503,\"requests\":1}\n",
    )
    .unwrap();
    let sql = "SELECT time, service, endpoint, status, requests, latency_sum, histogram_quantile(0.9, latency) AS p90,
                      histogram_count(latency) AS n FROM requests ORDER BY time, status";
    let stored = |name: &str| {
        let store = path(&format!("store-{name}"));
        run(nines().arg("--store").arg(&store).args(["ingest", "requests"]).arg(path(name)));
        query(&store, sql)
    };
    let rows = stored("a.csv");
    assert_eq!(rows[0], "2026-10-01T00:00:00Z,登录,/token,200,5,1.75,0.5,5");
    assert_eq!(rows[1], "2026-10-01T00:01:00Z,登录,/token,503,1,,,");
    assert_eq!(stored("b.jsonl"), rows);
    run(nines()
        .arg("--store")
        .arg(path("store-a.csv"))
        .args(["sql", "SELECT * FROM requests", "-o"])
        .arg(path("c.parquet")));
    assert_eq!(stored("c.parquet"), rows);
    let mapped =
        run(nines().arg("--store").arg(path("mapped")).args(["ingest", "requests"]).arg(path("c.parquet")).args([
            "--select",
            "SELECT time, service, endpoint, status, requests, latency, latency_sum FROM input WHERE status < 500",
        ]));
    assert!(mapped.contains("written     1 aggregate in 1 file,"), "{mapped}");
    assert_eq!(query(&path("mapped"), sql), rows[..1]);
}

#[test]
fn a_bad_line_is_named_and_nothing_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let file = folder.path().join("bad.csv");
    let said = |text: &str, more: &[&str]| {
        fs::write(&file, text).unwrap();
        let mut command = nines();
        command
            .current_dir(folder.path())
            .arg("--store")
            .arg(&store)
            .args(["ingest", "requests", "bad.csv"])
            .args(more);
        fails(1, &mut command)
    };
    insta::assert_snapshot!(said("time,requests\n2026-10-01T00:00:00Z,5\n2026-10-01T00:01:00Z,many\n", &[]));
    insta::assert_snapshot!(said("time,reqests\n2026-10-01T00:00:00Z,5\n", &[]));
    insta::assert_snapshot!(said("time,requests\nyesterday,5\n", &["--select", "SELECT time, requests FROM input"]));
    insta::assert_snapshot!(said("what is this\n", &[]));
    assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["0"]);
    let elsewhere = folder.path().join("elsewhere");
    let said = fails(1, nines().arg("--store").arg(&elsewhere).args(["ingest", "requests", "nosuch.csv"]));
    assert_eq!(said, "error: nosuch.csv: No such file or directory (os error 2)\n");
    assert!(!elsewhere.exists(), "a wrong name must not leave a store behind");
}

#[test]
fn any_text_can_be_mapped_line_by_line() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("queue.txt"));
    fs::write(&file, "2026-10-01T00:00:00Z ok \"quoted\", 3\n2026-10-01T00:00:30Z failed, 1\n").unwrap();
    let select = "SELECT split_part(line, ' ', 1) AS time, 'queue' AS name, 'tasks' AS service,
                         CASE WHEN line LIKE '% ok %' THEN 1 ELSE 0 END AS good, 1 AS total FROM input";
    let mut command = nines();
    command.arg("--store").arg(&store).args(["ingest", "events"]).arg(&file);
    run(command.args(["--format", "log", "--select", select]));
    assert_eq!(query(&store, "SELECT service, name, good, total FROM events"), ["tasks,queue,1,2"]);
}

#[test]
fn the_granularity_is_fixed_when_the_store_is_made() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("a.csv"));
    fs::write(&file, "time,requests\n2026-10-01T00:00:14Z,1\n2026-10-01T00:00:15Z,1\n").unwrap();
    let ingest = |slice: &str| {
        let mut command = nines();
        command.arg("--store").arg(&store).args(["ingest", "requests"]).arg(&file).args(["--slice", slice]);
        command
    };
    run(&mut ingest("15s"));
    assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["2"]);
    // The width comes from the store: nobody says 15 here.
    let sql = "SELECT measured_seconds(timeline(time, status < 500)) FROM requests";
    assert_eq!(query(&store, sql), ["30.0"]);
    let said = fails(1, &mut ingest("60s"));
    assert!(said.contains("15"), "{said}");
}

#[test]
fn the_session_time_zone_is_used_for_reading_and_showing() {
    let folder = tempfile::tempdir().unwrap();
    let (store, file) = (folder.path().join("store"), folder.path().join("a.csv"));
    fs::write(&file, "time,requests\n2026-10-01 00:00:00,1\n2026-10-01 23:59:00,2\n").unwrap();
    let shanghai = || {
        let mut command = nines();
        command.arg("--store").arg(&store).args(["--time-zone", "Asia/Shanghai"]);
        command
    };
    run(shanghai().args(["ingest", "requests"]).arg(&file));
    assert_eq!(query(&store, "SELECT min(time) FROM requests"), ["2026-09-30T16:00:00Z"]);
    let sql = "SELECT date_trunc('day', time) AS day, sum(requests) AS n FROM requests
               WHERE time >= '2026-10-01' AND time < '2026-10-02' GROUP BY day";
    let shown = run(shanghai().args(["sql", "--format", "csv", sql]));
    assert_eq!(shown, "day,n\n2026-10-01T00:00:00+08:00,3\n");
    let shown = run(shanghai().args(["sql", "SELECT max(time) AS last FROM requests"]));
    assert!(shown.contains("2026-10-01 23:59:00+08:00"), "{shown}");
}

#[test]
fn a_mapping_says_what_it_cannot_read() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("faults.json");
    std::fs::write(&file, "{\n  \"at\": 1790000000\n}\n").unwrap();
    let mapped = |file: &str| {
        let mut command = nines();
        command.current_dir(folder.path()).args(["ingest", "incidents", file, "--format", "jsonl"]);
        command.args(["--select", "SELECT 'INC-1' AS id, at AS started FROM input"]);
        command
    };
    let said = fails(1, &mut mapped("faults.json"));
    assert!(said.starts_with("error: faults.json:1:1: ") && said.contains("say --format json"), "{said}");
    let said = run(mapped("/dev/stdin").write_stdin("{\"at\": 1790000000}\n"));
    assert!(said.contains("written     1 row "), "{said}");
    let said = fails(1, mapped("/dev/stdin").write_stdin("[{\"at\": 1790000000}]\n"));
    assert!(said.starts_with("error: /dev/stdin:1:1: "), "{said}");
}
