//! Statements that ask for far more memory than there is end in time and in bounds, each with an error or its answer.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// What each may take at most, with a limit of 256 MB.
const LIMIT: &str = "256MB";
const PEAK: u64 = (512 << 20) + if cfg!(debug_assertions) { CODE } else { 0 };
/// How much more of its own code a debug build maps than a release build does.
const CODE: u64 = 96 << 20;
const PATIENCE: Duration = Duration::from_secs(30);

const HOSTILE: [&str; 24] = [
    "SELECT length(repeat('x', 2000000000))",
    "SELECT sum(length(repeat('x', 1000000))) FROM generate_series(1, 100000)",
    "SELECT sum(length(repeat('x', CAST(x AS INT)))) FROM generate_series(1, 1000000) a (x)",
    "SELECT length(lpad('x', 2000000000))",
    "SELECT sum(length(rpad(CAST(x AS VARCHAR), 10000000, '业'))) FROM generate_series(1, 100000) a (x)",
    "SELECT cardinality(range(1, 4000000000))",
    "SELECT cardinality(generate_series(TIMESTAMP '1990-01-01', TIMESTAMP '2026-01-01', INTERVAL '1 microsecond'))",
    "SELECT sum(cardinality(range(1, x * 1000))) FROM generate_series(1, 100000) a (x)",
    "SELECT cardinality(array_repeat('xxxxxxxxxxxxxxxxxxxx', 500000000))",
    "SELECT cardinality(array_repeat(array_repeat(array_repeat(1, 2000), 2000), 2000))",
    "SELECT cardinality(array_resize(make_array(1, 2), 2000000000, 7))",
    "SELECT length(string_agg(repeat('x', 100000), ',')) FROM generate_series(1, 100000)",
    "SELECT cardinality(array_agg(repeat('x', 10000) || x)) FROM generate_series(1, 1000000) a (x)",
    "SELECT length(replace(repeat('x', 500000), 'x', repeat('y', 1000)))",
    "SELECT length(regexp_replace(repeat('x', 1000000), '', repeat('y', 1000), 'g'))",
    "SELECT length(array_to_string(range(1, 50000), repeat('-', 10000)))",
    "SELECT length(concat(a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a)) FROM (SELECT repeat(CAST(x AS VARCHAR), 3000000) AS a FROM generate_series(1, 10000) t (x))",
    "SELECT length(e) FROM (SELECT d || d || d || d AS e FROM (SELECT c || c || c || c AS d FROM (SELECT b || b || b || b AS c FROM (SELECT repeat(CAST(x AS VARCHAR), 1000000) AS b FROM generate_series(1, 1000) t (x)))))",
    "SELECT repeat('x', 20000000) FROM generate_series(1, 10000)",
    "SELECT count(DISTINCT repeat('x', 1000) || x) FROM generate_series(1, 100000000) a (x)",
    "SELECT max(length(s)) FROM (SELECT unnest(range(1, 100000)) AS n, repeat(CAST(x AS VARCHAR), 3000) AS s FROM generate_series(1, 1000) a (x))",
    "SELECT x, array_agg(y) FROM generate_series(1, 300) a (x) CROSS JOIN generate_series(1, 100000) b (y) GROUP BY x",
    "SELECT a.s || b.s FROM (SELECT repeat('x', 100000) || x AS s FROM generate_series(1, 1000) t (x)) a CROSS JOIN (SELECT repeat('y', 100000) || x AS s FROM generate_series(1, 1000) t (x)) b ORDER BY 1 DESC LIMIT 3",
    "SELECT max(length(w)) FROM (SELECT string_agg(repeat('x', 1000), '') OVER (ORDER BY x) AS w FROM generate_series(1, 100000) a (x))",
];

/// The most that a process held so far, in bytes, while it lives.
fn peak(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

#[test]
fn hostile_statements_stay_in_bounds() {
    let folder = tempfile::tempdir().unwrap();
    let (mut refused, mut answered) = (0, 0);
    for sql in HOSTILE {
        let mut command = Command::new(assert_cmd::cargo::cargo_bin("nines"));
        command.env_remove("NINES_STORE").arg("--store").arg(folder.path().join("none"));
        command.args(["--memory-limit", LIMIT, "sql", "--format", "csv", sql]);
        let begun = Instant::now();
        let out = std::fs::File::create(folder.path().join("out")).unwrap();
        let mut child = command.stdout(out).stderr(Stdio::piped()).spawn().unwrap();
        let mut most = 0;
        let status = loop {
            most = most.max(peak(child.id()).unwrap_or(0));
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > PATIENCE {
                child.kill().unwrap();
                panic!("{sql} does not end");
            }
            std::thread::sleep(Duration::from_millis(2));
        };
        let said = String::from_utf8(child.wait_with_output().unwrap().stderr).unwrap();
        println!(
            "{:>5} ms {:>4} MiB {:?} {sql:.80} {said:.160}",
            begun.elapsed().as_millis(),
            most >> 20,
            status.code()
        );
        assert!(most < PEAK, "{sql} took {} MiB: {said}", most >> 20);
        match status.code() {
            Some(0) => answered += 1,
            Some(1) => {
                assert!(said.contains("memory") || said.contains("MiB"), "{sql}: {said}");
                refused += 1;
            }
            other => panic!("{sql}: {other:?}, {said}"),
        }
    }
    println!("{refused} refused, {answered} answered");
    assert!(refused > HOSTILE.len() / 2);
}
