//! Rows deleted, versions restored and given up, stores copied: what is said of it, and what is left.

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::{fails, nines, query, run};

fn on(store: &Path, args: &[&str]) -> assert_cmd::Command {
    let mut command = nines();
    command.env("NINES_NO_COMPACT", "1").arg("--store").arg(store).args(args);
    command
}

/// Requests of two customers in the minutes of two days, in Berlin's last October.
fn filled(store: &Path) {
    let rows = (0..2 * 1440).step_by(60).flat_map(|minute| {
        let at = 1_793_404_800 + minute * 60;
        ["acme", "nova"]
            .map(|customer| format!("{at},login,{customer},{},{}\n", if minute % 120 == 0 { 503 } else { 200 }, 10))
    });
    let file = store.with_extension("csv");
    std::fs::write(&file, format!("time,service,customer,status,requests\n{}", rows.collect::<String>())).unwrap();
    run(on(store, &["ingest", "requests"]).arg(&file).args(["--source", "edge", "--batch", "first"]));
}

fn count(store: &Path) -> Vec<String> {
    query(store, "SELECT customer, count(*), sum(requests) FROM requests GROUP BY customer ORDER BY customer")
}

/// Whether the bytes of a file in or below a folder hold a text.
fn holds(folder: &Path, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(holds(&path, text));
        } else if std::fs::read(&path).unwrap().windows(text.len()).any(|window| window == text.as_bytes()) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn deleted_rows_are_gone_for_good_once_no_version_has_them() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    assert_eq!(count(&store), ["acme,48,480", "nova,48,480"]);
    let delete = |more: &[&str]| on(&store, &[&["delete", "requests", "--where"], more].concat());
    // Midnight in Berlin is 23:00 UTC.
    let day = "customer = 'acme' AND time < '2026-11-01'";
    let dry = run(delete(&[day, "--reason", "x", "--dry-run"]).args(["--time-zone", "Europe/Berlin"]));
    assert_eq!(dry, "requests  23 rows of 2026-10-31 01:00 to 2026-10-31 23:00 would be deleted\n");
    assert_eq!(count(&store), ["acme,48,480", "nova,48,480"]);
    let dry = run(&mut delete(&[day, "--reason", "x", "--dry-run"]));
    assert!(dry.contains("24 rows of 2026-10-31 00:00"), "{dry}");
    let done = run(&mut delete(&["customer = 'acme'", "--reason", "acme asked for it"]));
    assert!(done.contains("48 rows") && done.contains("version 2 of requests"), "{done}");
    assert_eq!(count(&store), ["nova,48,480"]);
    assert!(run(&mut on(&store, &["log", "requests"])).contains("acme asked for it"));
    assert!(
        run(&mut delete(&["customer = 'acme'", "--reason", "again"])).contains("no row matches; nothing was changed")
    );
    assert!(holds(&store.join("requests"), "acme").len() > 1);
    run(&mut on(&store, &["gc", "requests", "--now"]));
    let left = holds(&store.join("requests"), "acme");
    assert!(left.len() == 1 && left[0].ends_with("00000000000000000002.json"), "only why: {left:?}");
    assert!(run(&mut on(&store, &["check"])).contains("all of it is as it was written"));

    for (condition, why) in [
        ("1 = 1; DROP TABLE x", "expected one condition"),
        ("true ORDER BY time LIMIT 1", "expected one condition"),
        ("nosuch = 1", "there is no column nosuch"),
        ("customer IN (SELECT customer FROM fees)", "may not hold a query"),
        ("customer", "non-boolean"),
        ("random() < 0.5", "the same of a row each time"),
    ] {
        let said = fails(1, &mut delete(&[condition, "--reason", "x"]));
        assert!(said.contains(why), "{condition}: {said}");
    }
    assert!(
        fails(1, &mut on(&store, &["delete", "fees", "--where", "true", "--reason", "x"])).contains("is withdrawn")
    );
    assert_eq!(count(&store), ["nova,48,480"]);
    let old = run(&mut delete(&["time < now() - interval '100 years'", "--reason", "x"]));
    assert!(old.contains("no row matches"), "{old}");
}

#[test]
fn rows_from_which_a_statement_was_estimated_stay_too() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    let agreement = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: gold}\nspec:\n  service: login\n  party: service\n  \
                     period: {duration: 1M, timeZone: UTC}\n  slice: 60s\n  measure: MeanErrorRate\n  commitment: 99.9%\n  \
                     lostTelemetry: {estimateFrom: 7d}\n  credits: [{below: 99.9%, percent: 10}]\n";
    let file = folder.path().join("gold.yaml");
    std::fs::write(&file, agreement).unwrap();
    run(on(&store, &["apply"]).arg(&file));
    query(
        &store,
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-11', 'acme', 'login', 'EUR', 100)",
    );
    query(
        &store,
        "INSERT INTO incidents (id, service, started, fixed, telemetry_lost) \
         VALUES ('i', 'login', '2026-11-01T03:00:00Z', '2026-11-01T03:30:00Z', true)",
    );
    run(&mut on(&store, &["credits", "2026-11", "--issue", "--incomplete"]));
    let rows = "customer = 'acme' AND time < '2026-10-31T06:00:00Z'";
    let said = fails(1, &mut on(&store, &["delete", "requests", "--where", rows, "--reason", "x"]));
    assert!(said.contains("gold for 'acme', login, 2026-11"), "{said}");
    run(&mut on(&store, &["delete", "requests", "--where", rows, "--reason", "asked by acme", "--even-issued"]));
}

#[test]
fn deleted_rows_do_not_come_back_unasked_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let log = folder.path().join("access.log");
    let line = |second: u32| {
        format!("203.0.113.9 - - [03/Aug/2026:10:00:{second:02} +0000] \"GET /a HTTP/1.1\" 200 12 \"-\" \"-\" 0.050\n")
    };
    std::fs::write(&log, (0..9).map(line).collect::<String>()).unwrap();
    let ingest =
        |more: &[&str]| run(on(&store, &["ingest", "requests"]).arg(&log).args(["--service", "web"]).args(more));
    ingest(&[]);
    assert!(!ingest(&[]).contains("deleted"));
    run(&mut on(&store, &["delete", "requests", "--where", "true", "--reason", "x"]));
    run(&mut on(&store, &["gc", "--now"]));
    let said = ingest(&[]);
    assert!(said.contains("version 2 has deleted rows of requests since") && said.contains("--replace"), "{said}");
    assert_eq!(query(&store, "SELECT count(*) FROM requests"), ["0"]);
    ingest(&["--replace"]);
    assert_eq!(query(&store, "SELECT sum(requests) FROM requests"), ["9"]);
    let said = fails(2, &mut on(&store, &["delete", "requests", "--where", "true", "--reason", " "]));
    assert!(said.contains("expected why the rows go"), "{said}");
}

#[test]
fn a_copy_that_was_not_finished_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let (store, copy) = (folder.path().join("store"), folder.path().join("copy"));
    filled(&store);
    let [file] = &std::fs::read_dir(store.join("requests/date=2026-10-31"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect::<Vec<_>>()[..]
    else {
        panic!("one file")
    };
    let sound = std::fs::read(file).unwrap();
    std::fs::write(file, &sound[1..]).unwrap();
    let backup = || on(&store, &["backup", copy.to_str().unwrap()]);
    assert!(fails(1, &mut backup()).contains("is no store. Remove it"));
    let said = fails(1, &mut on(&copy, &["check"]));
    assert!(said.contains("a copy of a store that was not finished") && !said.contains("write it again"), "{said}");
    std::fs::write(file, sound).unwrap();
    std::fs::remove_dir_all(&copy).unwrap();
    run(&mut backup());
    assert!(run(&mut on(&copy, &["check"])).contains("all of it is as it was written"));
    assert!(!copy.join("_nines/unfinished.json").exists());
    let ordinary = store.with_extension("csv");
    let said = fails(1, on(&store, &["backup"]).arg(&ordinary));
    assert!(said.contains("it is a file") && !said.contains("Remove"), "{said}");
}

#[test]
fn what_is_said_of_deleted_rows_is_true_whatever_the_condition_reads() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let rows = (0..300).map(|at| {
        let latency = if at % 3 == 0 { "2" } else { "0.1" };
        format!("{},login,200,10,{}\n", 1_793_404_800 + at * 60, if at % 10 == 0 { "" } else { latency })
    });
    let file = folder.path().join("r.csv");
    std::fs::write(&file, format!("time,service,status,requests,latency_seconds\n{}", rows.collect::<String>()))
        .unwrap();
    run(on(&store, &["ingest", "requests"]).arg(&file).args(["--source", "edge"]));
    let count = |condition: &str| {
        query(&store, &format!("SELECT count(*) FROM requests WHERE {condition}")).remove(0).parse::<u64>().unwrap()
    };
    for condition in [
        "latency_sum IS NULL",
        "latency IS NULL AND latency_le IS NULL",
        "histogram_quantile(0.5, latency) > 1",
        "requests > 10",
    ] {
        let (meant, all) = (count(condition), count("true"));
        let delete = |more: &[&str]| {
            let said =
                run(&mut on(&store, &[&["delete", "requests", "--where", condition, "--reason", "x"], more].concat()));
            assert_eq!(said.contains(&format!("  {meant} rows of")), meant > 0, "{condition}, {meant}: {said}");
        };
        delete(&["--dry-run"]);
        assert_eq!(count("true"), all);
        delete(&[]);
        assert_eq!((count(condition), count("true")), (0, all - meant), "{condition}");
    }
    assert!(count("true") < 300);
}

#[test]
fn rows_from_which_a_statement_was_issued_stay_unless_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    let agreement = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: gold}\nspec:\n  service: login\n  party: service\n  \
                     period: {duration: 1M, timeZone: UTC}\n  slice: 60s\n  measure: MeanErrorRate\n  commitment: 99.9%\n  \
                     credits: [{below: 99.9%, percent: 10}]\n";
    let file = folder.path().join("gold.yaml");
    std::fs::write(&file, agreement).unwrap();
    run(on(&store, &["apply"]).arg(&file));
    query(
        &store,
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'login', 'EUR', 100)",
    );
    run(&mut on(&store, &["credits", "2026-10", "--issue", "--incomplete"]));
    let rows = "time < '2026-10-31T06:00:00Z'";
    let said = fails(1, &mut on(&store, &["delete", "requests", "--where", rows, "--reason", "x"]));
    assert!(said.contains("gold for 'acme', login, 2026-10") && said.contains("--even-issued"), "{said}");
    // Of nobody to whom anything was issued, and of a time for which nothing was.
    let others = format!("{rows} AND customer = 'nobody' OR time >= '2026-11-01'");
    run(&mut on(&store, &["delete", "requests", "--where", &others, "--reason", "x"]));
    // Nor what lies between rows that go.
    run(&mut on(
        &store,
        &["delete", "requests", "--where", "time < '2026-10-01' OR time >= '2026-12-01'", "--reason", "x"],
    ));
    run(&mut on(&store, &["delete", "requests", "--where", rows, "--reason", "asked by acme", "--even-issued"]));
    // Also once no entry tells of it any more, and whatever retention removes elsewhere.
    run(&mut on(&store, &["gc", "--now"]));
    // What is left does not say what was owed.
    let done = on(&store, &["credits", "2026-10", "--issue", "--incomplete"]).output().unwrap();
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert_eq!(done.status.code(), Some(3), "{said}");
    assert!(said.contains("stays as it was issued: rows of requests were deleted since (version 3"), "{said}");
    assert!(said.contains("reason: asked by acme") && said.contains("--even-deleted"), "{said}");
    assert_eq!(query(&store, "SELECT max(revision) FROM statements"), ["1"]);
    let revised = run(&mut on(&store, &["credits", "2026-10", "--issue", "--incomplete", "--even-deleted"]));
    assert!(revised.contains("and 1 revision ") && revised.contains("waiting    1 statement"), "{revised}");
}

#[test]
fn what_is_restored_is_as_it_was_and_what_came_since_can_come_again() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    let more = folder.path().join("more.csv");
    std::fs::write(
        &more,
        "time,service,customer,status,requests\n1793404800,login,acme,200,7\n1793404860,pay,nova,200,1\n",
    )
    .unwrap();
    let ingest = || run(on(&store, &["ingest", "requests"]).arg(&more).args(["--source", "edge", "--batch", "second"]));
    ingest();
    let (second, first) = (["acme,48,477", "nova,49,481"], ["acme,48,480", "nova,48,480"]);
    assert_eq!(count(&store), second);
    let dry = run(&mut on(&store, &["restore", "requests", "--to", "1", "--dry-run"]));
    assert!(dry.contains("would be as in version 1") && count(&store) == second, "{dry}");
    let done = run(&mut on(&store, &["restore", "requests", "--to", "1"]));
    assert!(
        done.contains("version 3 of requests has the rows of version 1") && done.contains("1 batch or position"),
        "{done}"
    );
    assert_eq!(count(&store), first);
    assert!(run(&mut on(&store, &["restore", "requests", "--to", "1"])).contains("has the rows of version 1 already"));
    // It was taken back, so it is new.
    ingest();
    assert_eq!(count(&store), second);
    run(&mut on(&store, &["restore", "requests", "--to", "2"]));
    assert_eq!(count(&store), second);
    assert!(fails(1, &mut on(&store, &["restore", "requests", "--to", "99"])).contains("version 99"));
    assert!(fails(1, &mut on(&store, &["restore", "statements", "--to", "0"])).contains("stays issued"));
    assert!(fails(1, &mut on(&store, &["restore", "events", "--to", "0"])).contains("never written"));
}

/// A process that ends with its holder.
struct Writer(Child);

impl Drop for Writer {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_copy_beside_writers_is_sound_and_has_whole_batches() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    filled(&store);
    let program = assert_cmd::cargo::cargo_bin("nines");
    let writers: Vec<Writer> = (0..8)
        .map(|writer| {
            // Each batch is of one source, has two rows, and is said again with other numbers.
            let script = format!(
                "i=0; while true; do i=$((i+1)); printf 'time,service,requests\\n%s,a,%s\\n%s,b,%s\\n' $((1793404800 + i % 7 * 60)) $i \
                 $((1793491200 + i % 7 * 60)) $i > {0}/{writer}.csv; '{1}' --store {2} ingest requests {0}/{writer}.csv --source w{writer} \
                 --aggregates >/dev/null 2>&1; done",
                folder.path().display(),
                program.display(),
                store.display()
            );
            let mut command = std::process::Command::new("sh");
            command.arg("-c").arg(script).stdout(Stdio::null()).stderr(Stdio::null());
            Writer(command.spawn().unwrap())
        })
        .collect();
    let until = Instant::now() + Duration::from_secs(20);
    let written = || query(&store, "SELECT count(DISTINCT source) FROM requests") == ["9"];
    while !written() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(100));
    }
    let mut earlier: Option<String> = None;
    for copy in ["one", "two", "three"] {
        let to = folder.path().join(copy);
        let mut backup = on(&store, &["backup"]);
        backup.arg(&to);
        if let Some(earlier) = &earlier {
            backup.arg("--since").arg(folder.path().join(earlier));
        }
        run(&mut backup);
        assert!(run(&mut on(&to, &["check"])).contains("all of it is as it was written"));
        let broken = "SELECT source, requests FROM requests WHERE source LIKE 'w%' GROUP BY 1, 2 HAVING count(*) <> 2";
        assert_eq!(query(&to, broken), [] as [&str; 0], "half a batch");
        assert_eq!(count(&to)[1..], ["acme,48,480", "nova,48,480"]);
        earlier = Some(copy.to_string());
    }
    drop(writers);
    assert!(run(&mut on(&store, &["check"])).contains("all of it is as it was written"));
    // Nothing is mixed into what is there.
    assert!(fails(1, on(&store, &["backup"]).arg(folder.path().join("one"))).contains("is not empty"));
    assert!(fails(1, on(&store, &["backup"]).arg(store.join("inside"))).contains("inside the store"));
    assert!(
        fails(1, on(&store, &["backup"]).arg(folder.path().join("four")).arg("--since").arg(folder.path()))
            .contains("no earlier copy")
    );
}
