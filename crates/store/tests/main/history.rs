//! What the log tells of a table's versions, and which one was the newest at a time.

use std::fs;
use std::path::PathBuf;

use nines_store::{Batch, Before, Compaction, Mark, Once, Origin, Provider, Store, StoreErrorKind, Table, TableKind};

use crate::fixture::{DAY, MINUTE, OCTOBER, append, context, file_store, requests, row, stream_of};
use crate::model::rows_of;

struct Logged {
    folder: PathBuf,
    table: Table,
    _temporary: tempfile::TempDir,
}

impl Logged {
    async fn new() -> Self {
        let (temporary, store) = file_store().await;
        let table = store.table(TableKind::Requests);
        Self { folder: store.url().to_file_path().unwrap(), table, _temporary: temporary }
    }

    async fn minutes(&self, minutes: std::ops::Range<i64>) {
        for minute in minutes {
            append(&self.table, vec![requests(&[row(OCTOBER + minute * MINUTE, "web", 1)])]).await.unwrap();
        }
    }

    fn entry(&self, version: u64) -> PathBuf {
        self.folder.join(format!("requests/_delta_log/{version:020}.json"))
    }

    /// Entries of other writers with these timestamps in ms, from version 0 on.
    async fn with_times(times: &[Option<i64>]) -> Self {
        let log = Self::new().await;
        log.minutes(0..1).await;
        fs::remove_dir_all(log.folder.join("requests/_nines")).unwrap();
        fs::remove_file(log.entry(1)).unwrap();
        let first = fs::read_to_string(log.entry(0)).unwrap();
        let actions: Vec<&str> = first.lines().skip(1).collect();
        for (version, time) in times.iter().enumerate() {
            // Where it stands in the entry is its writer's business.
            let mut lines =
                if version == 0 { actions.clone() } else { vec![r#"{"txn":{"appId":"other","version":1}}"#] };
            let info = match time {
                Some(time) => format!(r#"{{"commitInfo":{{"timestamp":{time},"engineInfo":"Apache-Spark/4.0"}}}}"#),
                None if version % 2 == 0 => r#"{"commitInfo":{"operation":"WRITE"}}"#.to_string(),
                None => r#"{"txn":{"appId":"more","version":1}}"#.to_string(),
            };
            lines.insert(if version % 3 == 0 { lines.len() } else { 0 }, &info);
            fs::write(log.entry(version as u64), lines.join("\n")).unwrap();
        }
        let store = Store::open(log.folder.to_str().unwrap()).await.unwrap();
        Self { table: store.table(TableKind::Requests), ..log }
    }
}

#[tokio::test]
async fn each_version_says_who_did_what() {
    let log = Logged::new().await;
    assert_eq!(log.table.history(20).await.unwrap(), nines_store::History::default());
    let before = chrono::Utc::now().timestamp_millis();
    let mut once = Once::batch(Batch::new("edge/1", "first", 7));
    once.marks = vec![Mark::lasting("log/access", None, 5)];
    let rows = [row(OCTOBER, "web", 1), row(OCTOBER + DAY, "web", 2), row(OCTOBER + DAY, "api", 2)];
    log.table.append(stream_of(vec![requests(&rows)]), once, context().task_ctx()).await.unwrap();
    // A correction of one row, more rows, fewer files.
    append(&log.table, vec![requests(&[row(OCTOBER + DAY, "web", 9)])]).await.unwrap();
    log.minutes(1..3).await;
    log.table.compact(&Compaction::default(), context().task_ctx()).await.unwrap();

    let history = log.table.history(20).await.unwrap();
    assert_eq!(history.before, Before::Nothing);
    let operations: Vec<&str> = history.versions.iter().map(|v| v.operation.as_deref().unwrap()).collect();
    assert_eq!(operations, ["OPTIMIZE", "WRITE", "WRITE", "MERGE", "WRITE", "CREATE TABLE"]);
    let ours = concat!("nines ", env!("CARGO_PKG_VERSION"));
    for (at, version) in history.versions.iter().enumerate() {
        assert_eq!(
            (version.version, version.origin, version.engine.as_deref()),
            (5 - at as u64, Origin::Nines, Some(ours))
        );
        assert_eq!(version.changes_rows, (1..5).contains(&at), "{version:?}");
        assert_eq!(version.changes_table, at == 5);
        let now = chrono::Utc::now().timestamp_millis();
        assert!(version.timestamp.is_some_and(|at| (before..=now).contains(&at)));
    }
    let (first, corrected) = (&history.versions[4], &history.versions[3]);
    assert_eq!(first.batches, [("edge/1".to_string(), "first".to_string())]);
    assert_eq!(first.marks, ["log/access"]);
    assert_eq!((first.added.files, first.added.rows, first.removed.files), (2, Some(3), 0));
    assert_eq!((corrected.added.rows, corrected.removed.rows), (Some(2), Some(2)));
    assert!(corrected.batches.is_empty() && corrected.marks.is_empty());
    // What is added and removed is what makes the versions.
    for pair in history.versions.windows(2) {
        let [later, earlier] = pair else { panic!() };
        let sum = async |version| {
            let snapshot = log.table.snapshot_at(version).await.unwrap();
            let bytes: u64 = snapshot.files().map(|file| file.size()).sum();
            (snapshot.rows().unwrap(), snapshot.files().count() as u64, bytes)
        };
        let (rows, files, bytes) = sum(later.version).await;
        let (rows_before, files_before, bytes_before) = sum(earlier.version).await;
        assert_eq!(rows + later.removed.rows.unwrap(), rows_before + later.added.rows.unwrap());
        assert_eq!(files + later.removed.files, files_before + later.added.files);
        assert_eq!(bytes + later.removed.bytes.unwrap(), bytes_before + later.added.bytes.unwrap());
    }
    let newest = log.table.history(2).await.unwrap();
    assert_eq!((newest.versions.as_slice(), newest.before), (&history.versions[..2], Before::More));
    assert_eq!(log.table.history(6).await.unwrap(), history);
    assert_eq!(log.table.history(0).await.unwrap().before, Before::More);
}

#[tokio::test]
async fn a_damaged_entry_is_named_and_a_lost_one_too() {
    let log = Logged::new().await;
    log.minutes(0..60).await;
    let open = async || Store::open(log.folder.to_str().unwrap()).await.unwrap().table(TableKind::Requests);
    // Opening the table reads from the checkpoint on; the history reads all.
    let sound = fs::read(log.entry(7)).unwrap();
    let mut flipped = sound.clone();
    flipped[100] ^= 1;
    for bytes in [flipped, Vec::new()] {
        fs::write(log.entry(7), &bytes).unwrap();
        let table = open().await;
        table.snapshot().await.unwrap();
        for error in [table.history(100).await.unwrap_err(), table.version_at(i64::MAX).await.unwrap_err()] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt);
            assert!(error.to_string().contains("00000000000000000007.json is damaged"), "{error}");
        }
        assert_eq!(table.history(20).await.unwrap().versions.len(), 20);
    }
    fs::remove_file(log.entry(7)).unwrap();
    let table = open().await;
    for error in [table.history(100).await.unwrap_err(), table.version_at(i64::MAX).await.unwrap_err()] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains("00000000000000000007.json is missing"), "{error}");
    }
    fs::write(log.entry(7), &sound).unwrap();

    // What is given up is the oldest.
    let history = open().await.history(100).await.unwrap();
    let times: Vec<i64> = history.versions.iter().rev().map(|version| version.timestamp.unwrap() * 1000).collect();
    (0..45).for_each(|version| fs::remove_file(log.entry(version)).unwrap());
    let table = open().await;
    let kept = table.history(100).await.unwrap();
    assert_eq!((kept.versions.as_slice(), kept.before), (&history.versions[..16], Before::Gone));
    assert_eq!(table.history(16).await.unwrap().before, Before::Gone);
    assert_eq!(table.history(15).await.unwrap().before, Before::More);
    assert_eq!(table.version_at(times[60]).await.unwrap(), Some(60));
    assert_eq!(
        table.version_at(times[52]).await.unwrap(),
        times.iter().position(|at| *at > times[52]).map(|at| at as u64 - 1)
    );
    let gone = table.version_at(times[0] - 1).await.unwrap_err();
    assert_eq!(gone.kind(), StoreErrorKind::NotFound);
    assert!(
        gone.to_string().contains("no longer retained") && gone.to_string().contains("nines log requests"),
        "{gone}"
    );
}

#[tokio::test]
async fn a_time_is_the_last_entry_before_the_first_later_one_whatever_clocks_did() {
    let all: [&[Option<i64>]; 6] = [
        &[Some(10), Some(20), Some(15), None, Some(30), Some(25), Some(40)],
        &[Some(50), Some(10), Some(20)],
        &[None, None, Some(10), Some(5), Some(10)],
        &[None, None],
        &[Some(10), Some(10), Some(9), Some(10)],
        &[Some(1), Some(900), Some(2), Some(3), Some(1000)],
    ];
    for times in all {
        let log = Logged::with_times(times).await;
        let moments = times.iter().flatten().flat_map(|time| [time * 1000 - 1, time * 1000]);
        let mut moments: Vec<i64> = moments.chain([i64::MIN, 0, i64::MAX]).collect();
        moments.sort_unstable();
        let mut last = None;
        for micros in moments {
            let later = times.iter().position(|time| time.is_some_and(|time| time.saturating_mul(1000) > micros));
            let expected = later.unwrap_or(times.len()).checked_sub(1).map(|version| version as u64);
            assert_eq!(log.table.version_at(micros).await.unwrap(), expected, "{times:?} at {micros}");
            assert!(last <= expected, "later times are later versions");
            last = expected;
            let snapshot = log.table.snapshot_as_of(micros).await.unwrap();
            assert_eq!(snapshot.version(), expected);
        }
    }
}

#[tokio::test]
async fn a_table_that_was_not_there_yet_is_empty() {
    let log = Logged::new().await;
    assert_eq!(log.table.version_at(i64::MAX).await.unwrap(), None);
    let before = chrono::Utc::now().timestamp_micros();
    log.minutes(0..2).await;
    let snapshot = log.table.snapshot_as_of(before - 1_000_000).await.unwrap();
    assert_eq!((snapshot.version(), snapshot.files().count()), (None, 0));
    assert!(rows_of(&context(), Provider::pinned(snapshot)).await.unwrap().is_empty());
    let now = log.table.snapshot_as_of(chrono::Utc::now().timestamp_micros()).await.unwrap();
    assert_eq!(now.version(), Some(2));
}

#[tokio::test]
async fn a_log_without_a_checkpoint_is_read_however_long_it_is() {
    const ENTRIES: u64 = 4_500;
    let log = Logged::with_times(&[Some(1)]).await;
    for version in 1..ENTRIES {
        let entry = format!(r#"{{"commitInfo":{{"timestamp":{},"operation":"WRITE"}}}}"#, version * 10);
        fs::write(log.entry(version), entry).unwrap();
    }
    let table = Store::open(log.folder.to_str().unwrap()).await.unwrap().table(TableKind::Requests);
    assert_eq!(table.snapshot().await.unwrap().version(), Some(ENTRIES - 1));
    assert_eq!(table.version_at(30_005 * 1000).await.unwrap(), Some(3_000));
    assert_eq!(table.history(usize::MAX).await.unwrap().versions.len(), ENTRIES as usize);
    // One that is lost is named.
    fs::remove_file(log.entry(4_200)).unwrap();
    let table = Store::open(log.folder.to_str().unwrap()).await.unwrap().table(TableKind::Requests);
    for error in [table.snapshot().await.unwrap_err(), table.version_at(i64::MAX).await.unwrap_err()] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt);
        assert!(error.to_string().contains("00000000000000004200.json is missing"), "{error}");
    }
}

#[tokio::test]
async fn nobody_who_appends_waits_for_a_checkpoint() {
    let log = Logged::new().await;
    let there =
        |version: u64| log.folder.join(format!("requests/_delta_log/{version:020}.checkpoint.parquet")).exists();
    log.minutes(0..50).await;
    assert_eq!(log.table.snapshot().await.unwrap().version(), Some(50));
    assert!(!there(50), "the 50th version was acknowledged first");
    log.table.write_checkpoint().await;
    assert!(there(50));
    log.minutes(50..100).await;
    assert!(!there(100));
    log.minutes(100..101).await;
    assert!(there(100), "the next append makes up for it");

    // One that cannot be written is told of, and undoes nothing.
    log.minutes(101..150).await;
    fs::create_dir(log.folder.join(format!("requests/_nines/{:020}.checkpoint", 150))).unwrap();
    log.table.write_checkpoint().await;
    let notices = log.table.store().take_notices();
    assert!(notices.len() == 1 && notices[0].contains("version 150"), "{notices:?}");
    fs::remove_dir(log.folder.join(format!("requests/_nines/{:020}.checkpoint", 150))).unwrap();
    let fresh = Store::open(log.folder.to_str().unwrap()).await.unwrap().table(TableKind::Requests);
    assert_eq!(rows_of(&context(), Provider::newest(fresh)).await.unwrap().len(), 150);
}

#[tokio::test]
async fn days_change_with_their_rows_and_not_with_their_files() {
    let log = Logged::new().await;
    let days = [OCTOBER, OCTOBER + DAY, OCTOBER + 2 * DAY];
    append(&log.table, vec![requests(&days.map(|day| row(day, "web", 1)))]).await.unwrap();
    let read = log.table.snapshot().await.unwrap().version().unwrap();
    let changed = async |service| log.table.changed_days(read, "service", service).await.unwrap();
    assert_eq!(changed("web").await, nines_store::ChangedDays::default());
    append(&log.table, vec![requests(&[row(OCTOBER, "api", 1)])]).await.unwrap();
    append(&log.table, vec![requests(&[row(OCTOBER + DAY, "web", 2)])]).await.unwrap();
    append(&log.table, vec![requests(&[row(OCTOBER + DAY + MINUTE, "web", 2)])]).await.unwrap();
    log.table.compact(&Compaction::default(), context().task_ctx()).await.unwrap();
    let told = async |service| {
        let changed = changed(service).await;
        assert!(!changed.gone);
        changed.days.iter().map(|(day, by)| format!("{day} {}", by.version - read)).collect::<Vec<_>>()
    };
    assert_eq!(told("web").await, ["2026-10-02 3"]);
    // The correction replaced a file, and the entry does not say of which services that one was.
    assert_eq!(told("api").await, ["2026-10-01 1", "2026-10-02 2"]);
}
