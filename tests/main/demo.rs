//! `nines demo`.

use std::path::PathBuf;

use crate::{fails, nines, query, run};

/// Six days of the demo's history, until the end of October 2026.
pub fn demo_store() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("demo");
    run(nines().arg("demo").arg(&store).args(["--days", "6", "--until", "2026-10-31"]));
    (folder, store)
}

#[test]
fn the_demo_shows_every_service_and_what_else_to_ask_with_records_and_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("业务 demo");
    let shown = run(nines().arg("demo").arg(&store).args(["--days", "20", "--until", "2026-10-31"]));
    for column in ["slo", "slo_error_time", "mtbf", "mttr", "target", "budget_remaining"] {
        assert!(shown.contains(&format!(" {column} ")), "{shown}");
    }
    assert!(shown.contains("login") && shown.contains("12 rows"), "{shown}");
    let widest = shown.lines().filter(|line| line.starts_with(['│', '┌'])).map(|line| line.chars().count()).max();
    assert!(widest <= Some(100), "{shown}");
    let next = shown.lines().filter(|line| line.contains(" --store '")).collect::<Vec<_>>();
    assert_eq!(next.len(), 5, "{shown}");
    for command in &next {
        let answer = run(assert_cmd::Command::new("sh").args(["-c", command]));
        assert!(answer.contains(" rows\n") && !answer.contains("\n0 rows"), "{command}: {answer}");
    }
    let pages = shown.lines().filter(|line| line.ends_with(".html")).collect::<Vec<_>>();
    assert_eq!(pages.len(), 4, "{shown}");
    for (page, told) in pages.iter().zip(["Company", "chat", "login", "login: report of"]) {
        let file = &page[page.find(store.to_str().unwrap()).unwrap()..];
        let html = std::fs::read_to_string(file).unwrap();
        assert!(html.contains(&format!("<h1>{told}")) && html.contains("t-error"), "{file}");
    }
    let failures = run(assert_cmd::Command::new("sh").args(["-c", next[0]]));
    assert!(failures.contains("INC-00"), "its worst failures are recorded incidents: {failures}");
    let services = query(&store, "SELECT count(DISTINCT business), count(DISTINCT service) FROM requests");
    assert_eq!(services, ["3,12"]);
    let definitions = query(&store, "SELECT kind, count(*) FROM definitions GROUP BY kind ORDER BY kind");
    assert_eq!(definitions, ["SLI,1", "SLO,31", "Service,12"]);
    assert_eq!(query(&store, "SELECT count(DISTINCT objective) FROM slos"), ["33"]);
    let rows =
        "SELECT count(*) > 20, count(DISTINCT id) = count(*), bool_and(started < detected AND detected <= located
                       AND located <= fixed AND fixed < verified), bool_and(title <> '' AND severity <> '')
                FROM incidents";
    assert_eq!(query(&store, rows), ["true,true,true,true"]);
    let shared = "SELECT service FROM incidents WHERE title LIKE '%database outage' ORDER BY service";
    assert!(query(&store, shared).len().is_multiple_of(3), "one row for each service that it reached");
    let maintenance = "SELECT service, started, ended, announced < started FROM exclusions WHERE id LIKE 'MNT%'";
    assert_eq!(query(&store, maintenance), ["transcode,2026-10-17T18:00:00Z,2026-10-17T20:00:00Z,true"]);
    // What it keeps is what there is: asking again adds nothing.
    let kept = "SELECT count(*) FROM slo_days";
    let before = query(&store, kept);
    assert!(
        before[0].parse::<usize>().unwrap() >= 33 * 20 - 20,
        "but for days on which a baseline has no month before: {before:?}"
    );
    query(&store, "SELECT objective, good FROM timelines('2026-10-12', '2026-11-01')");
    assert_eq!(query(&store, kept), before);
    let excluded =
        "SELECT count(*) FROM slices('2026-10-17', '2026-10-18') WHERE state = 'excluded' AND service = 'transcode'";
    assert_ne!(query(&store, excluded), ["0"]);
    let again = fails(2, nines().arg("demo").arg(&store));
    assert!(again.contains("is not empty; name another folder, or remove it"), "{again}");
}
