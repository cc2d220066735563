//! An ingest that is killed at any moment is stored as a whole or not at all, and stored for good once it said so.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{count, query};

/// How many batches a store takes before the next one is begun.
const BATCHES: u64 = 50;
const SOURCES: [&str; 2] = ["a", "日志"];

/// (source, day, minute, service), and by (status, cause) the number of requests.
type Unit = (usize, i64, i64, usize);
type Units = BTreeMap<Unit, BTreeMap<(i64, &'static str), i64>>;

/// A batch of one source: new rows, a correction of some that are there, or the same for other reasons.
fn batch(rng: &mut StdRng, stored: &Units) -> (usize, Units) {
    let source = rng.random_range(0..SOURCES.len());
    let said = |rng: &mut StdRng| {
        let rows = (0..rng.random_range(1..4)).map(|_| {
            let status = [200, 404, 503][rng.random_range(0..3)];
            ((status, ["", "timeout", "上游"][rng.random_range(0..3)]), rng.random_range(1..1000))
        });
        rows.collect::<BTreeMap<_, _>>()
    };
    let earlier: Vec<&Unit> = stored.keys().filter(|unit| unit.0 == source).collect();
    let mut units = Units::new();
    if earlier.is_empty() || rng.random_bool(0.4) {
        // New days come, and rows are late.
        let last = stored.keys().map(|unit| unit.1).max().unwrap_or(0);
        let day = rng.random_range((last - 2).max(0)..=last + 1);
        for _ in 0..rng.random_range(1..30) {
            let unit = (source, day + rng.random_range(0..2), rng.random_range(0..1440), rng.random_range(0..3));
            units.insert(unit, said(rng));
        }
    } else if rng.random_bool(0.5) {
        for _ in 0..rng.random_range(1..10) {
            units.insert(*earlier[rng.random_range(0..earlier.len())], said(rng));
        }
    } else {
        for _ in 0..rng.random_range(1..10) {
            let unit = *earlier[rng.random_range(0..earlier.len())];
            let rows = stored[&unit].iter().map(|((status, _), n)| ((*status, "relabelled"), *n));
            units.insert(unit, rows.collect());
        }
    }
    (source, units)
}

fn time(day: i64, minute: i64) -> i64 {
    1_790_812_800 + day * 86_400 + minute * 60
}

fn service(number: usize) -> &'static str {
    ["login", "支付", "upload"][number]
}

fn ingest(store: &Path, folder: &Path, source: usize, units: &Units) -> Command {
    let mut text = "time,service,status,cause,requests\n".to_string();
    for ((_, day, minute, of), rows) in units {
        for ((status, cause), n) in rows {
            text.push_str(&format!("{},{},{status},{cause},{n}\n", time(*day, *minute), service(*of)));
        }
    }
    let file: PathBuf = folder.join("batch.csv");
    std::fs::write(&file, text).unwrap();
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
    command.env_remove("NINES_STORE").arg("--store").arg(store).args(["ingest", "requests"]).arg(file);
    command.args(["--source", SOURCES[source]]).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn shown(units: &Units) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for ((source, day, minute, of), told) in units {
        let row = |((status, cause), n): (&(i64, &str), &i64)| {
            format!("{},{},{},{status},{cause},{n}", SOURCES[*source], time(*day, *minute), service(*of))
        };
        rows.extend(told.iter().map(row));
    }
    rows.sort();
    rows
}

/// All rows, read as anybody reads them. A store that is not there yet has none.
fn read(store: &Path) -> Vec<String> {
    if !store.join("nines.json").exists() {
        return Vec::new();
    }
    let sql = "SELECT source, CAST(date_part('epoch', time) AS BIGINT) AS time, service, status, cause, requests
               FROM requests";
    let mut rows = query(store, sql);
    rows.sort();
    rows
}

/// How many files a folder holds, at whatever depth.
fn files(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let of = |path: PathBuf| if path.is_dir() { files(&path) } else { 1 };
    entries.map(|entry| of(entry.unwrap().path())).sum()
}

/// Whether it ended by itself, and well, before it was killed.
fn killed_after(mut child: Child, delay: Duration) -> bool {
    std::thread::sleep(delay);
    let _ = child.kill();
    let done = child.wait_with_output().unwrap();
    let acknowledged = done.status.success();
    assert!(acknowledged || done.status.code().is_none(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!acknowledged || !done.stdout.is_empty());
    acknowledged
}

/// Kills in the life of a store, and what they hit.
struct Life {
    seed: u64,
    kills: u64,
    counts: BTreeMap<&'static str, u64>,
}

impl Drop for Life {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("failed at kill {} of NINES_SEED={}, which draws the same batches again", self.kills, self.seed);
        }
    }
}

impl Life {
    /// `typical` is how long an ingest takes that is left alone; what else the machine does changes that.
    fn run(&mut self, kills: u64, typical: &mut Duration) {
        let mut rng = StdRng::seed_from_u64(self.seed);
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("业务");
        let mut stored = Units::new();
        while self.kills < kills {
            self.kills += 1;
            let (source, units) = batch(&mut rng, &stored);
            let (before, files_before) = (shown(&stored), files(&store));
            stored.extend(units.clone());
            let after = shown(&stored);
            let mut command = ingest(&store, folder.path(), source, &units);
            let delay = typical.mul_f64(rng.random_range(0.0..1.3));
            let acknowledged = killed_after(command.spawn().unwrap(), delay);
            let began = files(&store) > files_before;
            let seen = read(&store);
            let hit = match (acknowledged, seen == after, seen == before) {
                (true, true, _) => "acknowledged",
                (false, true, false) => "committed",
                (false, _, true) if began => "begun",
                (false, _, true) => "before",
                _ => panic!("neither before nor after: {seen:#?}\nbefore: {before:#?}\nafter: {after:#?}"),
            };
            *self.counts.entry(hit).or_default() += 1;
            let started = Instant::now();
            let again = command.output().unwrap();
            if seen == before {
                *typical = (*typical * 4 + started.elapsed()) / 5;
            }
            assert!(again.status.success(), "{hit}: {}", String::from_utf8_lossy(&again.stderr));
            if self.kills.is_multiple_of(10) || self.kills == kills {
                assert_eq!(read(&store), after, "{hit}");
            }
            if rng.random_bool(0.3) {
                self.upkeep(&mut rng, &store, folder.path(), &after, *typical);
            }
        }
    }
}

impl Life {
    /// What looks after a store is killed as well, and leaves the same rows, and nothing that is wrong. A copy that was killed is no
    /// store.
    fn upkeep(&mut self, rng: &mut StdRng, store: &Path, folder: &Path, rows: &[String], typical: Duration) {
        let copy = folder.join(format!("copy {}", self.kills));
        let what = [&["compact"][..], &["gc", "--now"], &["gc", "--keep", "1s"], &["backup"]][rng.random_range(0..4)];
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
        command.env_remove("NINES_STORE").arg("--store").arg(store).args(what);
        if what == ["backup"] {
            command.arg(&copy);
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let ended = killed_after(command.spawn().unwrap(), typical.mul_f64(rng.random_range(0.0..1.5)));
        *self.counts.entry(if ended { "upkeep" } else { "upkeep killed" }).or_default() += 1;
        assert_eq!(read(store), rows, "{what:?}");
        let sound = |store: &Path| {
            let check =
                Command::new(assert_cmd::cargo::cargo_bin("nines")).arg("--store").arg(store).arg("check").output();
            let check = check.unwrap();
            assert!(check.status.success(), "{what:?}: {check:?}");
        };
        sound(store);
        if what == ["backup"] && copy.join("nines.json").exists() {
            sound(&copy);
            assert_eq!(read(&copy), rows);
        }
    }
}

/// How long an ingest takes that is left alone.
fn typical() -> Duration {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = StdRng::seed_from_u64(0);
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let (source, units) = batch(&mut rng, &Units::new());
            let mut command = ingest(&folder.path().join("store"), folder.path(), source, &units);
            let started = Instant::now();
            assert!(command.output().unwrap().status.success());
            started.elapsed()
        })
        .collect();
    times.sort();
    times[2]
}

#[test]
fn a_killed_ingest_is_stored_whole_or_not_at_all() {
    let started = Instant::now();
    let mut typical = typical();
    let mut left = count("NINES_KILLS", 25);
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let one = std::env::var("NINES_SEED").ok().map(|seed| seed.parse().unwrap());
    for seed in one.map_or(0..u64::MAX, |seed| seed..seed + 1) {
        let mut life = Life { seed, kills: 0, counts: BTreeMap::new() };
        life.run(left.min(BATCHES), &mut typical);
        for (hit, number) in &life.counts {
            *counts.entry(hit).or_default() += number;
        }
        left -= life.kills;
        if left == 0 {
            break;
        }
    }
    let kills: u64 = counts.values().sum();
    println!("{kills} kills of ingests of {typical:.1?} in {:.1?}: {counts:?}", started.elapsed());
}
