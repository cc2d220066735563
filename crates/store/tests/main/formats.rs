//! Stores of every format ever released stay readable and writable: the last one's and this one's lie under `tests/formats`.
//!
//! `NINES_FORMAT=FOLDER cargo test -p nines-store --test main formats -- --ignored` writes the store of today's format.

use std::fs;
use std::path::Path;

use nines_store::{Batch, Mark, Once, Outcome, Provider, Store, Table, TableKind};

use crate::fixture::{DAY, MINUTE, OCTOBER, answer, append, context, querying, requests, row, stream_of};

/// Rows of three days, a correction, a batch by name, and so many versions that the log has a checkpoint.
async fn fill(store: &Store) {
    let table = store.table(TableKind::Requests);
    let batch = |id: &str| Once::batch(Batch::new("edge", id, 7));
    let rows = [row(OCTOBER, "login", 10), row(OCTOBER + MINUTE, "login", 20), row(OCTOBER + DAY, "pay", 30)];
    table.append(stream_of(vec![requests(&rows)]), batch("first"), context().task_ctx()).await.unwrap();
    append(&table, vec![requests(&[row(OCTOBER + MINUTE, "login", 25)])]).await.unwrap();
    for at in 0..48 {
        let mut once = Once::default();
        once.marks = vec![Mark::lasting("position", (at > 0).then_some(at), at + 1)];
        table.append(stream_of(vec![requests(&[])]), once, context().task_ctx()).await.unwrap();
    }
    append(&table, vec![requests(&[row(OCTOBER + 2 * DAY, "pay", 40)])]).await.unwrap();
    append(&table, vec![requests(&[row(OCTOBER + 2 * DAY, "pay", 41)])]).await.unwrap();
}

const ROWS: [&str; 4] = [
    "2026-10-01T00:00:00Z|login|10",
    "2026-10-01T00:01:00Z|login|25",
    "2026-10-02T00:00:00Z|pay|30",
    "2026-10-03T00:00:00Z|pay|41",
];

async fn rows(provider: Provider) -> Vec<String> {
    answer(&querying(provider), "select time, service, requests from t order by time").await
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// Reads what the format's store holds, and writes on.
async fn holds(format: &str) {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats").join(format), folder.path());
    let open = || async { Store::open(folder.path().to_str().unwrap()).await.unwrap().table(TableKind::Requests) };
    let table = open().await;
    assert_eq!(table.snapshot().await.unwrap().version(), Some(52));
    assert_eq!(rows(Provider::newest(table.clone())).await, ROWS);
    assert_eq!(rows(Provider::at(table.clone(), 1)).await[1], "2026-10-01T00:01:00Z|login|20");
    assert_eq!(rows(Provider::at(table.clone(), 51)).await[3], "2026-10-03T00:00:00Z|pay|40");
    assert_eq!(table.snapshot().await.unwrap().mark("position").await.unwrap(), Some(48));

    let again = Once::batch(Batch::new("edge", "first", 7));
    let told = table.append(stream_of(vec![requests(&[])]), again, context().task_ctx()).await.unwrap();
    // The batch may be remembered no longer, by the clock; a stream without rows says nothing then.
    assert!(matches!(told.outcome, Outcome::Delivered(Some(1)) | Outcome::Empty), "{told:?}");
    let corrected = append(&table, vec![requests(&[row(OCTOBER, "login", 11)])]).await.unwrap();
    assert_eq!((corrected.version(), corrected.changes.replaced), (Some(53), 1));
    let after: Vec<String> = ROWS.iter().map(|row| row.replace("login|10", "login|11")).collect();
    let fresh: Table = open().await;
    assert_eq!(rows(Provider::newest(fresh.clone())).await, after);
    assert_eq!(fresh.snapshot().await.unwrap().rows(), Some(4));
}

#[tokio::test]
async fn files_with_one_checksum_and_entries_without_a_hash_are_read_and_written_on() {
    holds("k1").await;
}

#[tokio::test]
async fn files_with_sums_of_blocks_and_entries_with_heads_are_read_and_written_on() {
    holds("k2").await;
}

#[tokio::test]
#[ignore = "writes a store into a folder that NINES_FORMAT names"]
async fn write_a_store() {
    let folder = std::env::var("NINES_FORMAT").unwrap();
    fill(&Store::open_or_create(&folder, None).await.unwrap()).await;
}
