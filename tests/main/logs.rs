//! Access logs that grow, are rotated and packed: every line counts once.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

use crate::{fails, nines, query, run};

/// One request every seven seconds, each of its own endpoint.
fn lines(host: &str, range: std::ops::Range<usize>) -> String {
    let line = |n: usize| {
        let (hour, minute, second) = (n * 7 / 3600, n * 7 / 60 % 60, n * 7 % 60);
        let status = if n.is_multiple_of(10) { 500 } else { 200 };
        format!(
            "{} - - [14/Oct/2026:{hour:02}:{minute:02}:{second:02} +0000] \"GET /{} HTTP/1.1\" {status} 1\n",
            if n == 0 { "1.2.3.4" } else { host },
            n % 3
        )
    };
    range.map(line).collect()
}

/// Requests per minute and status, counted line by line.
fn naive(logs: &[&str]) -> Vec<String> {
    let mut counts = BTreeMap::<(&str, &str), usize>::new();
    for line in logs.iter().flat_map(|log| log.split_inclusive('\n')).filter(|line| line.ends_with('\n')) {
        let (_, rest) = line.split_once("2026:").unwrap();
        let status = rest.split(' ').nth(5).unwrap();
        *counts.entry((&rest[..5], status)).or_default() += 1;
    }
    counts.iter().map(|((minute, status), n)| format!("2026-10-14T{minute}:00Z,{status},{n}")).collect()
}

/// A store of its own, and logs beside it.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> PathBuf {
        self.0.path().join("store")
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.0.path().join(name), text).unwrap();
    }

    fn ingest(&self, more: &[&str]) -> Command {
        let mut command = nines();
        command.current_dir(self.0.path()).args(["--store", "store", "ingest", "requests"]).args(more);
        command
    }

    /// What is stored per minute and status.
    fn counted(&self) -> Vec<String> {
        let sql = "SELECT time, status, sum(requests) FROM requests GROUP BY time, status ORDER BY time, status";
        query(&self.store(), sql)
    }
}

pub(crate) fn packed(text: &str) -> Vec<u8> {
    let mut child = std::process::Command::new("gzip")
        .arg("-c")
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let text = text.to_string();
    let writer = std::thread::spawn(move || input.write_all(text.as_bytes()).unwrap());
    let packed = child.wait_with_output().unwrap().stdout;
    writer.join().unwrap();
    packed
}

fn known(name: &str) -> String {
    format!("already ingested: {name} holds nothing new\n")
}

#[test]
fn a_log_that_grew_adds_exactly_its_new_lines() {
    let place = Place::new();
    for end in [100, 101, 101, 2000, 4000] {
        let text = lines("h", 0..end);
        place.write("access.log", &text);
        run(&mut place.ingest(&["access.log", "--service", "web"]));
        assert_eq!(place.counted(), naive(&[&text]), "{end} lines");
    }
    let said = run(&mut place.ingest(&["access.log", "--service", "web"]));
    assert_eq!(said, known("access.log"));
    let sources = query(&place.store(), "SELECT DISTINCT source FROM requests ORDER BY 1");
    assert_eq!(sources.len(), 4, "{sources:?}");
    assert!(sources.iter().all(|source| source.starts_with("log/") && source.contains(".0@")), "{sources:?}");
}

/// Its requests would count twice, and nobody but the user can tell.
#[test]
fn a_log_that_is_read_both_ways_is_told() {
    let place = Place::new();
    place.write("access.log", lines("h", 0..100));
    let told = "there are rows of access logs (source 'log/…') and counts of source ''";
    let both = |first: &[&str], second: &[&str]| {
        std::fs::remove_dir_all(place.store()).ok();
        let first = run(&mut place.ingest(&[&["access.log"], first].concat()));
        let second = run(&mut place.ingest(&[&["access.log"], second].concat()));
        assert!(!first.contains(told), "{first}");
        second
    };
    assert!(both(&[], &["--aggregates"]).contains(told));
    assert!(both(&["--aggregates"], &[]).contains(told));
    assert!(!both(&["--aggregates"], &["--source", "edge"]).contains(told));
    assert!(!both(&["--aggregates"], &["--aggregates"]).contains(told));
}

#[test]
fn a_rotated_and_a_packed_copy_are_the_same_log() {
    let place = Place::new();
    let text = lines("h", 0..500);
    place.write("access.log", &text);
    run(&mut place.ingest(&["access.log"]));
    place.write("access.log.1", &text);
    assert_eq!(run(&mut place.ingest(&["access.log.1"])), known("access.log.1"));
    place.write("access.log.2.gz", packed(&text));
    assert_eq!(run(&mut place.ingest(&["access.log.2.gz"])), known("access.log.2.gz"));
    assert_eq!(place.counted(), naive(&[&text]));
    // It was rotated with lines that nobody had read yet.
    let text = lines("h", 0..600);
    place.write("access.log.3.gz", packed(&text));
    assert!(run(&mut place.ingest(&["access.log.3.gz"])).starts_with("read        100 rows\n"));
    assert_eq!(place.counted(), naive(&[&text]));
}

#[test]
fn logs_that_begin_with_the_same_line_all_count() {
    let place = Place::new();
    let (mut a, mut b) = (lines("a", 0..300), lines("b", 0..400));
    for more in [300..450, 400..410, 410..999] {
        place.write("a.log", &a);
        place.write("b.log", &b);
        run(&mut place.ingest(&["a.log"]));
        run(&mut place.ingest(&["b.log"]));
        assert_eq!(place.counted(), naive(&[&a, &b]));
        a += &lines("a", more.clone());
        b += &lines("b", more);
    }
}

#[test]
fn one_command_counts_copies_of_a_log_once() {
    let place = Place::new();
    let (old, new, other) = (lines("h", 0..300), lines("h", 0..500), lines("i", 0..400));
    place.write("a.log", &new);
    place.write("a.log.gz", packed(&new));
    place.write("a.log.1", &old);
    place.write("b.log", &other);
    let said = run(&mut place.ingest(&["a.log", "a.log.gz", "b.log", "a.log.1"]));
    assert!(said.contains(&known("a.log.gz")) && said.contains("read        900 rows\n"), "{said}");
    assert_eq!(place.counted(), naive(&[&new, &other]));
}

#[test]
fn an_old_copy_is_recognised_and_what_is_unknown_is_refused() {
    let place = Place::new();
    for end in [100, 200, 300] {
        place.write("a.log", lines("h", 0..end));
        run(&mut place.ingest(&["a.log"]));
    }
    place.write("old.log", lines("h", 0..200));
    assert_eq!(run(&mut place.ingest(&["old.log"])), known("old.log"));
    for (name, text) in [("cut.log", lines("h", 0..150)), ("other.log", lines("i", 0..200))] {
        place.write(name, text);
        let said = fails(1, &mut place.ingest(&[name]));
        assert!(said.starts_with(&format!("error: {name}: of a file that begins with the same line ")), "{said}");
        assert!(said.contains("--source NAME"), "{said}");
    }
    assert_eq!(place.counted(), naive(&[&lines("h", 0..300)]));
    run(&mut place.ingest(&["other.log", "--source", "i"]));
    assert_eq!(place.counted(), naive(&[&lines("h", 0..300), &lines("i", 0..200)]));
}

#[test]
fn an_incomplete_last_line_waits_until_it_is_complete() {
    let place = Place::new();
    let text = lines("h", 0..3);
    let (begun, _) = text.split_at(text.len() - 5);
    place.write("a.log", begun);
    let said = run(&mut place.ingest(&["a.log"]));
    let line = text.lines().last().unwrap().len() + 1 - 5;
    let left = format!(
        "left        an incomplete last line of {line} bytes, for the next time; if the file is finished, end it with a \
         newline\n"
    );
    assert!(said.starts_with("read        2 rows\n") && said.ends_with(&left), "{said}");
    assert_eq!(run(&mut place.ingest(&["a.log"])), known("a.log") + &left);
    place.write("a.log", &text);
    let said = run(&mut place.ingest(&["a.log"]));
    assert!(said.starts_with("read        1 row\n") && !said.contains("left"), "{said}");
    assert_eq!(place.counted(), naive(&[&text]));
    place.write("b.log", "1.2.3");
    let said = run(&mut place.ingest(&["b.log"]));
    assert_eq!(
        said,
        "nothing to read: b.log holds no complete line\n\
         left        an incomplete last line of 5 bytes, for the next time; if the file is finished, end it with a newline\n"
    );
    place.write("c.log", "");
    assert_eq!(run(&mut place.ingest(&["c.log"])), "nothing to read: c.log holds no complete line\n");
}

#[test]
fn a_bad_line_is_named_by_its_line_in_the_whole_file() {
    let place = Place::new();
    place.write("a.log", lines("h", 0..10));
    run(&mut place.ingest(&["a.log"]));
    place.write("a.log", lines("h", 0..10) + &lines("h", 10..11) + "what is this\n");
    let said = fails(1, &mut place.ingest(&["a.log"]));
    assert!(said.starts_with("error: a.log:12:1: "), "{said}");
    // Nothing of the piece was stored, so that it can be corrected.
    let text = lines("h", 0..12);
    place.write("a.log", &text);
    run(&mut place.ingest(&["a.log"]));
    assert_eq!(place.counted(), naive(&[&text]));
}

#[test]
fn a_log_counts_for_each_service_that_it_is_ingested_for() {
    let place = Place::new();
    let text = lines("h", 0..50);
    place.write("a.log", &text);
    for service in ["web", "api", "web"] {
        run(&mut place.ingest(&["a.log", "--service", service]));
    }
    let counts = query(&place.store(), "SELECT service, sum(requests) FROM requests GROUP BY service ORDER BY 1");
    assert_eq!(counts, ["api,50", "web,50"]);
}

#[test]
fn logs_and_other_files_go_together() {
    let place = Place::new();
    let csv = "time,status,requests\n2026-10-14T23:00:00Z,200,7\n";
    let row = "2026-10-14T23:00:00Z,200,7";
    place.write("b.csv", csv);
    for end in [50, 60, 60] {
        let text = lines("h", 0..end);
        place.write("a.log", &text);
        let said = run(&mut place.ingest(&["a.log", "b.csv"]));
        assert_eq!(said.contains(&known("b.csv")), end == 60 && said.contains("read "), "{said}");
        let mut expected = naive(&[&text]);
        expected.push(row.to_string());
        assert_eq!(place.counted(), expected);
    }
    let said = run(&mut place.ingest(&["a.log", "b.csv"]));
    assert!(said.contains("already ingested at version 1 of requests; nothing changed\n"), "{said}");
}

#[test]
fn two_writers_of_one_log_count_it_once() {
    let place = Place::new();
    let text = lines("h", 0..2000);
    place.write("a.log", &text);
    let ingest = |path: &Path| {
        let mut command = std::process::Command::new(assert_cmd::cargo::cargo_bin("nines"));
        command.current_dir(path).args(["--store", "store", "ingest", "requests", "a.log"]);
        command.stdout(std::process::Stdio::null()).spawn().unwrap()
    };
    let writers: Vec<_> = (0..4).map(|_| ingest(place.0.path())).collect();
    for mut writer in writers {
        assert!(writer.wait().unwrap().success());
    }
    assert_eq!(place.counted(), naive(&[&text]));
}

#[test]
fn a_whole_number_is_a_latency_only_in_a_unit_that_was_given() {
    let line = |end: &str| format!("h - - [14/Oct/2026:09:00:01 +0000] \"GET / HTTP/1.1\" 200 1 \"-\" \"-\"{end}\n");
    let text = line(" 1736") + &line(" 0") + &line(" -") + &line("") + &line(" 0.250");
    let ingested = |unit: &[&str]| {
        let place = Place::new();
        place.write("a.log", &text);
        let said = run(place.ingest(&["a.log"]).args(unit));
        let sql = "SELECT sum(latency_sum), sum(histogram_count(latency)), sum(requests) FROM requests";
        (said, query(&place.store(), sql).remove(0))
    };
    let (said, stored) = ingested(&[]);
    assert_eq!(stored, "0.25,1,5");
    let warned = "latency     2 lines end in a whole number, such as 1736, which says no unit: it was not read as a latency. \
                  Say its unit with --latency-unit s, ms, us or ns\n";
    assert!(said.ends_with(warned), "{said}");
    for (unit, expected) in [("s", "1736.25,3,5"), ("ms", "1.986,3,5"), ("us", "0.251736,3,5")] {
        let (said, stored) = ingested(&["--latency-unit", unit]);
        assert_eq!(stored, expected);
        assert_eq!(said.contains("1 line ends in a number with a decimal point: it was read as seconds"), unit != "s");
        assert!(!said.contains("says no unit"), "{said}");
    }
    let place = Place::new();
    place.write("a.log", line(" 1736"));
    let said = fails(2, &mut place.ingest(&["a.log", "--latency-unit", "h"]));
    assert!(said.contains("expected s, ms, us or ns"), "{said}");
    // The unit is that of the lines which are new.
    run(&mut place.ingest(&["a.log", "--latency-unit", "ms"]));
    place.write("a.log", line(" 1736") + &line(" 5"));
    run(&mut place.ingest(&["a.log", "--latency-unit", "s"]));
    assert_eq!(query(&place.store(), "SELECT sum(latency_sum) FROM requests"), ["6.736"]);
}
