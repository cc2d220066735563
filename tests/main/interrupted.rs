//! What an interrupted command says of what it stored is so, whenever it was interrupted.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use crate::{count, nines, query, run};

/// A command that stores something under a name of its own.
struct Writer {
    name: &'static str,
    table: &'static str,
    command: fn(&Path, &Path, u64) -> Command,
}

fn on(store: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
    command.env_remove("NINES_STORE").arg("--store").arg(store);
    command
}

const WRITERS: [Writer; 7] = [
    Writer {
        name: "ingest",
        table: "requests",
        command: |store, folder, n| {
            let files: Vec<PathBuf> = (0..2)
                .map(|part| {
                    let rows: String = (0..2000)
                        .map(|row| format!("{},web{part},200,{n}\n", 1_790_812_800 + 60 * (row + 7 * n)))
                        .collect();
                    let file = folder.join(format!("{part}.csv"));
                    std::fs::write(&file, format!("time,service,status,requests\n{rows}")).unwrap();
                    file
                })
                .collect();
            let mut command = on(store);
            command.args(["ingest", "requests"]).args(files).args(["--source", &format!("s{n}")]);
            command
        },
    },
    Writer {
        name: "INSERT",
        table: "events",
        command: |store, _, n| {
            let mut command = on(store);
            command.args([
                "sql",
                "--format",
                "csv",
                &format!(
                    "INSERT INTO events (time, service, name, good, total) VALUES ('2026-10-01', 'web', 'n{n}', 1, 1);
                 INSERT INTO events (time, service, name, good, total) VALUES ('2026-10-01', 'pay', 'n{n}', 1, 1)"
                ),
            ]);
            command
        },
    },
    Writer {
        name: "apply",
        table: "definitions",
        command: |store, folder, n| {
            let file = folder.join("service.yaml");
            std::fs::write(&file, format!("apiVersion: openslo/v1\nkind: Service\nmetadata: {{name: web{n}}}\n"))
                .unwrap();
            let mut command = on(store);
            command.arg("apply").arg(file);
            command
        },
    },
    Writer {
        name: "incident",
        table: "incidents",
        command: |store, _, n| {
            let mut command = on(store);
            command.args(["incident", &format!("I{n}"), "--started", "2026-10-01 10:00"]);
            command
        },
    },
    Writer {
        name: "exclude",
        table: "exclusions",
        command: |store, _, n| {
            let mut command = on(store);
            command.args(["exclude", "2026-10-01 10:00", "2026-10-01 11:00", "--category", &format!("C{n}")]);
            command.args(["--reason", "a test"]);
            command
        },
    },
    Writer {
        name: "credits --issue",
        table: "statements",
        command: |store, folder, n| {
            if version(store, "fees").is_none() {
                let months = (0..120).map(month);
                let fees: String = months.clone().map(|month| format!("{month},acme,gateway,EUR,100\n")).collect();
                let rows: String = months.map(|month| format!("{month}-15T10:00:00Z,gateway,acme,200,7\n")).collect();
                for (table, text) in [
                    ("fees", format!("period,customer,service,currency,amount\n{fees}")),
                    ("requests", format!("time,service,customer,status,requests\n{rows}")),
                ] {
                    let file = folder.join(format!("{table}.csv"));
                    std::fs::write(&file, text).unwrap();
                    run(nines().arg("--store").arg(store).args(["ingest", table]).arg(file));
                }
                let file = folder.join("agreement.yaml");
                std::fs::write(&file, AGREEMENT).unwrap();
                run(nines().arg("--store").arg(store).arg("apply").arg(file));
            }
            let mut command = on(store);
            command.args(["credits", &month(n), "--issue", "--incomplete"]);
            command
        },
    },
    Writer {
        name: "refresh",
        table: "slo_days",
        command: |store, folder, n| {
            if version(store, "events").is_none() {
                let rows: String = (1..29).map(|day| format!("2026-10-{day:02}T10:00:00Z,web,e,1,2\n")).collect();
                let file = folder.join("events.csv");
                std::fs::write(&file, format!("time,service,name,good,total\n{rows}")).unwrap();
                run(nines().arg("--store").arg(store).args(["ingest", "events"]).arg(file));
            }
            // Each time there is something new to evaluate.
            let file = folder.join("slo.yaml");
            std::fs::write(&file, SLO.replace("NAME", &format!("o{n}"))).unwrap();
            run(nines().arg("--store").arg(store).arg("apply").arg(file));
            let mut command = on(store);
            command.arg("refresh");
            command
        },
    },
];

/// A month for each number.
fn month(n: u64) -> String {
    format!("{}-{:02}", 2010 + n / 12, n % 12 + 1)
}

const AGREEMENT: &str = "
apiVersion: nines/v1
kind: Agreement
metadata: {name: gateway}
spec:
  service: gateway
  period: {duration: 1M, timeZone: UTC}
  slice: 60s
  measure: MeanErrorRate
  commitment: 99.9%
  credits: [{below: 99.9%, percent: 10}]
";

const SLO: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: {name: NAME}
spec:
  service: web
  indicator:
    metadata: {name: NAME}
    spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: e}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9, timeSliceWindow: 1m}]
";

/// The newest version of a table, from its log.
fn version(store: &Path, table: &str) -> Option<u64> {
    let entries = std::fs::read_dir(store.join(table).join("_delta_log")).ok()?;
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.strip_suffix(".json")?.parse().ok()).max()
}

/// Interrupted after a while; its exit code and what it said of its failure, if it came to that.
fn interrupted_after(mut child: Child, delay: Duration) -> (Option<i32>, String) {
    std::thread::sleep(delay);
    if child.try_wait().unwrap().is_none() {
        Command::new("kill").args(["-INT", &child.id().to_string()]).stderr(Stdio::null()).status().unwrap();
    }
    let done = child.wait_with_output().unwrap();
    (done.status.code(), String::from_utf8(done.stderr).unwrap())
}

/// The versions of a table that a message says are stored.
fn versions_in(said: &str, table: &str) -> Vec<u64> {
    let numbers =
        |text: &str| text.split(|c: char| !c.is_ascii_digit()).filter_map(|n| n.parse().ok()).collect::<Vec<u64>>();
    if let Some((_, rest)) = said.split_once(&format!("versions of {table}, ")) {
        return numbers(rest);
    }
    match said.split_once(&format!(" of {table}")) {
        Some((before, _)) => numbers(before).last().copied().into_iter().collect(),
        None => Vec::new(),
    }
}

#[test]
fn what_an_interrupted_command_says_is_so() {
    let seed = count("NINES_SEED", 1);
    let mut rng = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let rounds = count("NINES_INTERRUPTS", 70);
    let mut hits = std::collections::BTreeMap::<&str, u64>::new();
    let mut typical = [Duration::ZERO; WRITERS.len()];
    for round in 0..rounds {
        let which = (round as usize) % WRITERS.len();
        let writer = &WRITERS[which];
        let store = folder.path().join(writer.name.replace(' ', "_"));
        let command = |n| {
            let mut command = (writer.command)(&store, folder.path(), n);
            // Files that are merged after what was stored are a version of their own, of which nothing is said.
            command.env("NINES_NO_COMPACT", "1");
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            command
        };
        if typical[which].is_zero() {
            let mut first = command(rounds);
            let started = Instant::now();
            assert!(first.status().unwrap().success());
            typical[which] = started.elapsed();
        }
        let mut next = command(round);
        let before = version(&store, writer.table);
        let delay = typical[which].mul_f64(rng.random_range(0.2..1.2));
        let (code, said) = interrupted_after(next.spawn().unwrap(), delay);
        let after = version(&store, writer.table);
        let context =
            format!("{} {round} of seed {seed}, after {delay:?}: {said:?}, {before:?} to {after:?}", writer.name);
        let hit = match code {
            Some(0) => "done",
            // Before it listens, the signal ends it without a word.
            None => {
                assert_eq!(said, "", "{context}");
                assert_eq!(after, before, "{context}");
                "not begun"
            }
            Some(130) if said.contains("nothing was stored") => {
                assert_eq!(after, before, "{context}");
                "nothing"
            }
            Some(130) => {
                let begins = match writer.table {
                    "slo_days" => "error: interrupted; what was evaluated before that is kept: ",
                    _ => "error: interrupted; stored before that, and it stays: ",
                };
                assert!(said.starts_with(begins), "{context}");
                let told = versions_in(&said, writer.table);
                assert_eq!(told.last().copied(), after, "{context}");
                assert_eq!(told.first().copied(), before.map(|before| before + 1), "{context}");
                "stored"
            }
            other => panic!("{other:?}: {context}"),
        };
        *hits.entry(hit).or_default() += 1;
    }
    println!("{rounds} interrupts: {hits:?}");
    assert!(hits.get("nothing").is_some_and(|nothing| *nothing > 0), "{hits:?}");
}

#[test]
fn a_statement_that_would_take_hours_ends_at_once() {
    for sql in [
        "SELECT count(*) FROM generate_series(1, 300000) a (x) JOIN generate_series(1, 3000000) b (y) ON x + y < 0",
        "SELECT count(*) FROM generate_series(1, 100000000000)",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let child =
            on(&folder.path().join("none")).args(["sql", sql]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
        let begun = Instant::now();
        let (code, said) = interrupted_after(child.unwrap(), Duration::from_millis(700));
        assert_eq!((code, said.as_str()), (Some(130), "error: interrupted; nothing was stored\n"), "{sql}");
        assert!(begun.elapsed() < Duration::from_secs(4), "{sql}: {:?}", begun.elapsed());
    }
}

#[test]
fn an_error_after_something_was_stored_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let insert = "INSERT INTO events (time, service, name, good, total) VALUES ('2026-10-01', 'web', 'e', 1, 1)";
    let done = nines()
        .arg("--store")
        .arg(&store)
        .args(["sql", &format!("{insert}; SELECT nonsense FROM events")])
        .output()
        .unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.ends_with("stored before that, and it stays: version 1 of events\n"), "{said}");
    let refresh = nines().arg("--store").arg(&store).args(["sql", "SELECT nonsense FROM events"]).output().unwrap();
    assert!(!String::from_utf8(refresh.stderr).unwrap().contains("stored before"));
    assert_eq!(query(&store, "SELECT count(*) FROM events"), ["1"]);
    run(nines().arg("--store").arg(&store).arg("refresh"));
}
