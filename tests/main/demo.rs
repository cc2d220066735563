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
fn the_demo_shows_every_service_and_three_commands() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("业务 demo");
    let shown = run(nines().arg("demo").arg(&store).args(["--days", "20", "--until", "2026-10-31"]));
    for column in ["slo", "slo_error_time", "slo_error_time_info", "mtbf", "mttr"] {
        assert!(shown.contains(column), "{shown}");
    }
    assert!(shown.contains("login") && shown.contains("12 rows"), "{shown}");
    let next = shown.lines().filter(|line| line.contains(" --store '")).collect::<Vec<_>>();
    assert_eq!(next.len(), 3, "{shown}");
    for command in next {
        let answer = run(assert_cmd::Command::new("sh").args(["-c", command]));
        assert!(answer.contains(" rows\n") && !answer.contains("\n0 rows"), "{command}: {answer}");
    }
    let services = query(&store, "SELECT count(DISTINCT business), count(DISTINCT service) FROM requests");
    assert_eq!(services, ["3,12"]);
    let again = fails(2, nines().arg("demo").arg(&store));
    assert!(again.contains("is not empty; name another folder, or remove it"), "{again}");
}
