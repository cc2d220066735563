//! Several processes write one table at once.

use std::process::{Command, Stdio};

use crate::query;

const PROCESSES: usize = 8;
const COMMITS: usize = 4;

#[test]
fn concurrent_appends_all_land() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let binary = assert_cmd::cargo::cargo_bin("nines");
    let writers = (0..PROCESSES).map(|process| {
        let (store, binary, folder) = (store.clone(), binary.clone(), folder.path().to_path_buf());
        std::thread::spawn(move || {
            for commit in 0..COMMITS {
                let file = folder.join(format!("{process}-{commit}.csv"));
                let rows = (0..50).map(|minute| format!("{},w{process},{}\n", 1_790_000_000 + minute * 60, commit + 1));
                std::fs::write(&file, format!("time,service,requests\n{}", rows.collect::<String>())).unwrap();
                let mut command = Command::new(&binary);
                command.arg("--store").arg(&store).args(["ingest", "requests"]).arg(&file);
                let done = command.args(["--source", &commit.to_string()]).stdout(Stdio::null()).output().unwrap();
                assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            }
        })
    });
    let writers = writers.collect::<Vec<_>>();
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    let rows = query(&store, "SELECT count(*), sum(requests), count(DISTINCT service) FROM requests");
    let commits = (1..=COMMITS).sum::<usize>();
    assert_eq!(rows, [format!("{},{},{PROCESSES}", PROCESSES * COMMITS * 50, PROCESSES * commits * 50)]);
}
