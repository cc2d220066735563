//! The binary from the outside, and SQL files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_log;
mod as_written;
mod budgets;
mod caches;
mod case;
mod compact;
mod compare;
mod corrections;
mod credits;
mod damaged;
mod definitions;
mod demo;
mod dry_run;
mod earlier_format;
mod evaluation;
mod fields;
mod follow;
mod formats;
mod growth;
mod history;
mod hostile;
mod ingest;
mod interrupted;
mod kill;
mod latencies;
mod log_formats;
mod logs;
mod manual;
mod metrics;
mod nezha;
mod notebooks;
mod objectives;
mod plan;
mod processes;
mod queries;
mod raw;
mod readme;
mod recipes;
mod records;
mod redelivery;
mod resources;
mod retention;
mod shell;
mod shown;
mod skip_bad;
mod slt;
mod tables;
mod travel;
mod unmatched;
mod unmeasured;
mod unreadable;
mod upkeep;
mod upptime;
mod views;

use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The program, in an environment of its own.
fn nines() -> Command {
    let mut command = Command::cargo_bin("nines").unwrap();
    command.env_remove("NINES_STORE");
    command
}

/// Runs a command that must succeed; what it printed.
fn run(command: &mut Command) -> String {
    let done = command.output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(done.stdout).unwrap()
}

/// Runs a command that must fail with this exit code; what it said.
fn fails(code: i32, command: &mut Command) -> String {
    let done = command.output().unwrap();
    assert_eq!(done.status.code(), Some(code), "{command:?}: {}", String::from_utf8_lossy(&done.stdout));
    String::from_utf8(done.stderr).unwrap()
}

/// The rows of a query as CSV, without the header.
fn query(store: &Path, sql: &str) -> Vec<String> {
    let text = run(nines().arg("--store").arg(store).args(["sql", "--format", "csv", sql]));
    text.lines().skip(1).map(str::to_string).collect()
}

/// How much of something a test does: what the environment's variable says, or this.
fn count(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().unwrap())
}

/// Public data beside the project, or under `NINES_SHARED`. Tests that read it are skipped where there is none; where there
/// is some, what a test asks for must be there.
fn shared(path: &str) -> Option<PathBuf> {
    let given = std::env::var_os("NINES_SHARED").map(PathBuf::from);
    let is_given = given.is_some();
    let folder = given.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared")).join("data");
    if !is_given && !folder.exists() {
        eprintln!("skipped: {} is absent (set NINES_SHARED to the folder that holds data/)", folder.display());
        return None;
    }
    let path = folder.join(path);
    assert!(path.exists(), "{} is absent", path.display());
    Some(path)
}
