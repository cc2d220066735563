//! The log as a chain: entries that follow each other, heads beside them, and entries of other Delta writers among them.

use std::fs;
use std::path::PathBuf;

use nines_store::{Once, Origin, Outcome, Provider, Store, StoreErrorKind, Table, TableKind};

use crate::fixture::{MINUTE, OCTOBER, answer, append, context, file_store, querying, requests, row, stream_of};

struct Log {
    folder: PathBuf,
    _temporary: tempfile::TempDir,
}

impl Log {
    async fn of(versions: i64) -> Self {
        let (temporary, store) = file_store().await;
        for at in 0..versions {
            append_to(&store.table(TableKind::Requests), at).await;
        }
        let folder = store.url().to_file_path().unwrap();
        Self { folder, _temporary: temporary }
    }

    fn entry(&self, version: u64) -> PathBuf {
        self.folder.join(format!("requests/_delta_log/{version:020}.json"))
    }

    fn head(&self, version: u64) -> PathBuf {
        self.folder.join(format!("requests/_nines/{version:020}.head"))
    }

    async fn open(&self) -> Table {
        Store::open(self.folder.to_str().unwrap()).await.unwrap().table(TableKind::Requests)
    }

    /// Reading and writing fail with an error that names one of these files.
    async fn refuses(&self, named: &[PathBuf]) {
        let table = self.open().await;
        let read = table.snapshot().await.unwrap_err();
        let rows = stream_of(vec![requests(&[row(OCTOBER, "web", 1)])]);
        let written = table.append(rows, Once::default(), context().task_ctx()).await.unwrap_err();
        for error in [read, written] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
            let is_named = |path: &PathBuf| error.to_string().contains(path.file_name().unwrap().to_str().unwrap());
            assert!(named.iter().any(is_named), "{error}");
        }
    }
}

async fn append_to(table: &Table, at: i64) {
    append(table, vec![requests(&[row(OCTOBER + at * MINUTE, "web", 1)])]).await.unwrap();
}

async fn count(table: &Table) -> String {
    answer(&querying(Provider::newest(table.clone())), "select count(*) from t").await.remove(0)
}

#[tokio::test]
async fn a_log_that_is_shorter_than_its_heads_is_an_error() {
    let log = Log::of(4).await;
    for lost in [vec![4], vec![3], vec![2, 3, 4], vec![3, 4]] {
        let kept: Vec<Vec<u8>> = lost.iter().map(|&version| fs::read(log.entry(version)).unwrap()).collect();
        lost.iter().for_each(|&version| fs::remove_file(log.entry(version)).unwrap());
        log.refuses(&[log.entry(lost[0])]).await;
        lost.iter().zip(kept).for_each(|(&version, bytes)| fs::write(log.entry(version), bytes).unwrap());
    }
    assert_eq!(count(&log.open().await).await, "4");
    // Whoever has read on is told as well.
    let table = log.open().await;
    table.snapshot().await.unwrap();
    fs::remove_file(log.entry(4)).unwrap();
    assert_eq!(table.snapshot().await.unwrap_err().kind(), StoreErrorKind::Corrupt);
}

#[tokio::test]
async fn a_missing_head_is_put_by_the_next_writer() {
    let log = Log::of(3).await;
    assert!((0..=3).all(|version| log.head(version).exists()), "heads of all entries");
    let head = fs::read(log.head(3)).unwrap();
    fs::remove_file(log.head(3)).unwrap();
    assert_eq!(count(&log.open().await).await, "3");
    append_to(&log.open().await, 3).await;
    assert_eq!(fs::read(log.head(3)).unwrap(), head, "it says what it said");
    // So it is where nothing but the answer rests on the entry.
    fs::remove_file(log.head(4)).unwrap();
    let again = append(&log.open().await, vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    assert_eq!(again.outcome, Outcome::Unchanged);
    assert!(log.head(4).exists());
}

#[tokio::test]
async fn entries_of_another_history_are_an_error() {
    let (log, other) = (Log::of(4).await, Log::of(5).await);
    // Each is sound, and of this table and version.
    fs::copy(other.entry(3), log.entry(3)).unwrap();
    log.refuses(&[log.entry(3), log.entry(4)]).await;
    let log = Log::of(4).await;
    fs::copy(other.entry(4), log.entry(4)).unwrap();
    log.refuses(&[log.entry(4)]).await;
    let log = Log::of(4).await;
    fs::copy(other.head(4), log.head(4)).unwrap();
    log.refuses(&[log.entry(4)]).await;
    // An end of another history, with its heads.
    let log = Log::of(4).await;
    fs::copy(other.entry(5), log.entry(5)).unwrap();
    fs::copy(other.head(5), log.head(5)).unwrap();
    log.refuses(&[log.entry(5)]).await;
}

#[tokio::test]
async fn entries_of_other_writers_are_told_apart_and_written_on() {
    let log = Log::of(2).await;
    let foreign = r#"{"commitInfo":{"timestamp":1790812800000,"operation":"WRITE","engineInfo":"Apache-Spark/4.0"}}"#;
    fs::write(log.entry(3), foreign).unwrap();
    let table = log.open().await;
    assert_eq!(table.snapshot().await.unwrap().version(), Some(3));
    append_to(&table, 7).await;
    let table = log.open().await;
    assert_eq!(count(&table).await, "3");
    let mut origins = Vec::new();
    for version in 0..=4 {
        origins.push(table.origin_of(version).await.unwrap());
    }
    assert_eq!(origins, [Origin::Nines, Origin::Nines, Origin::Nines, Origin::Foreign, Origin::Nines]);
    assert_eq!(table.origin_of(5).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    assert!(!table.snapshot().await.unwrap().files().any(|file| file.foreign()));
    // The entry after it says what it was.
    fs::write(log.entry(3), foreign.replace("4.0", "4.1")).unwrap();
    log.refuses(&[log.entry(3)]).await;
}
