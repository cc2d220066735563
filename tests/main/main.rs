//! The binary from the outside, and SQL files.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod access_log;
mod corrections;
mod demo;
mod evaluation;
mod formats;
mod ingest;
mod kill;
mod logs;
mod nezha;
mod processes;
mod queries;
mod readme;
mod records;
mod redelivery;
mod slt;
mod tables;

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

/// Public data beside the project. Tests that read it are skipped where it is absent.
fn shared(path: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = folder.join(path);
    if !path.exists() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    Some(path)
}
