//! Several processes write one table at once.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::{count, query};

const PROCESSES: usize = 8;

/// Commits one file of (minute, service, requests).
fn ingest(store: &Path, file: &Path, source: &str, rows: &[(usize, String, usize)]) {
    let lines = rows.iter().map(|(minute, service, n)| format!("{},{service},{n}\n", 1_790_812_800 + minute * 60));
    std::fs::write(file, format!("time,service,requests\n{}", lines.collect::<String>())).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
    // A merge of files would be a version, too.
    command.env_remove("NINES_STORE").env("NINES_NO_COMPACT", "1");
    command.arg("--store").arg(store).args(["ingest", "requests"]).arg(file);
    let done = command.args(["--source", source]).stdout(Stdio::null()).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Half of the commits are new minutes of a source of the process's own, half correct what it said as the source that
/// all share: other rows than the other processes', in the same files.
#[test]
fn concurrent_appends_and_corrections_all_land() {
    let started = Instant::now();
    let commits = count("NINES_COMMITS", 6) as usize;
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let writers = (0..PROCESSES).map(|process| {
        let (store, folder) = (store.clone(), folder.path().to_path_buf());
        std::thread::spawn(move || {
            let mut said: BTreeMap<(String, usize), usize> = BTreeMap::new();
            for commit in 0..commits {
                let (source, minutes) = match commit % 2 {
                    0 => (format!("own {process}"), commit..commit + 1),
                    // The last few minutes again, one of them for the first time.
                    _ => ("shared".to_string(), commit.saturating_sub(5)..commit + 1),
                };
                let requests = commit * PROCESSES + process + 1;
                let rows: Vec<_> = minutes.map(|minute| (minute, format!("w{process}"), requests)).collect();
                ingest(&store, &folder.join(format!("{process}-{commit}.csv")), &source, &rows);
                said.extend(rows.iter().map(|(minute, ..)| ((source.clone(), *minute), requests)));
            }
            let row = |((source, minute), n)| format!("{source},w{process},{minute},{n}");
            said.into_iter().map(row).collect::<Vec<String>>()
        })
    });
    let writers = writers.collect::<Vec<_>>();
    let mut said: Vec<String> = writers.into_iter().flat_map(|writer| writer.join().unwrap()).collect();
    said.sort();
    let sql = "SELECT source, service, (CAST(date_part('epoch', time) AS BIGINT) - 1790812800) / 60 AS minute, requests
               FROM requests";
    let mut stored = query(&store, sql);
    stored.sort();
    assert_eq!(stored, said);
    let log = std::fs::read_dir(store.join("requests/_delta_log")).unwrap();
    let entries = log.filter_map(|entry| entry.unwrap().path().file_stem()?.to_str()?.parse::<usize>().ok());
    assert_eq!(entries.max(), Some(PROCESSES * commits), "each commit is one version");
    println!("{PROCESSES} processes, {} commits in {:.1?}", PROCESSES * commits, started.elapsed());
}
