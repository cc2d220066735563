//! Rows in fewer files are the same rows, whoever writes at the same time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::{Duration, Instant};

use datafusion::object_store::memory::InMemory;
use nines_store::{Compaction, Once, Outcome, Provider, Store, StoreErrorKind, Table, TableKind};
use tokio::task::JoinSet;

use crate::fixture::{DAY, MINUTE, OCTOBER, answer, append, context, file_store, querying, requests, row, stream_of};
use crate::model::{check_files, fresh, rows_of};

/// A file per minute.
async fn minutes(table: &Table, day: i64, minutes: std::ops::Range<i64>) {
    for minute in minutes {
        let time = OCTOBER + day * DAY + minute * MINUTE;
        append(table, vec![requests(&[row(time, "login", 1 + minute), row(time, "pay", 7)])]).await.unwrap();
    }
}

async fn compact(table: &Table, how: &Compaction) -> nines_store::Compacted {
    table.compact(how, context().task_ctx()).await.unwrap()
}

#[tokio::test]
async fn days_that_are_over_become_one_file_and_earlier_versions_stay() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::Requests);
    minutes(&table, 0, 0..3).await;
    minutes(&table, 1, 0..9).await;
    minutes(&table, 2, 0..7).await;
    let before = table.snapshot().await.unwrap();
    let look = |mut how: Compaction| {
        how.dry_run = true;
        how
    };
    let would = compact(&table, &look(Compaction::default())).await;
    assert_eq!((would.partitions, would.before.files, would.version), (2, 12, None));
    let done = compact(&table, &Compaction::default()).await;
    assert_eq!((done.partitions, done.before, done.after.files), (2, would.before, 2));
    assert!(done.after.bytes < done.before.bytes / 3, "{done:?}");
    let after = table.snapshot().await.unwrap();
    let files = |first_day: i32| after.files().filter(|file| file.first_day() == Some(first_day)).count();
    let first = (OCTOBER / DAY) as i32;
    assert_eq!((files(first), files(first + 1), files(first + 2)), (1, 1, 7), "the newest day is open");
    assert_eq!(compact(&table, &Compaction::default()).await, nines_store::Compacted::default(), "and no more");

    let session = context();
    let rows = rows_of(&session, Provider::newest(table.clone())).await.unwrap();
    assert_eq!(rows.len(), 38);
    for handle in [table.clone(), Store::open(store.url().as_str()).await.unwrap().table(TableKind::Requests)] {
        let version = before.version().unwrap();
        assert!(rows_of(&session, Provider::at(handle.clone(), version)).await.unwrap() == rows);
        assert_eq!(handle.snapshot().await.unwrap().version(), done.version);
    }
    // An eighth file makes the open day worth it.
    minutes(&table, 2, 7..8).await;
    assert_eq!(compact(&table, &Compaction::default()).await.before.files, 8);
    // The rows of one that was compacted are corrected as any others.
    minutes(&table, 0, 1..2).await;
    assert_eq!(table.snapshot().await.unwrap().rows(), Some(40));
}

#[tokio::test]
async fn limits_leave_the_rest_and_say_so() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::Requests);
    minutes(&table, 0, 0..4).await;
    minutes(&table, 1, 0..4).await;
    minutes(&table, 2, 0..1).await;
    let first = (OCTOBER / DAY) as i32;
    let mut how = Compaction::default();
    how.until = Some(Instant::now());
    assert_eq!(compact(&table, &how).await.left.files, 8);
    let mut how = Compaction::default();
    how.most_bytes = Some(20_000);
    how.partitions = Some(BTreeSet::from([Some(first + 1)]));
    let done = compact(&table, &how).await;
    assert_eq!((done.before.files, done.after.files, done.left.files), (4, 1, 0));
    how.partitions = None;
    how.most_bytes = Some(10);
    assert_eq!(compact(&table, &how).await.left.files, 4);
}

#[tokio::test]
async fn what_was_worked_out_from_the_same_rows_is_stored() {
    let (_folder, store) = file_store().await;
    let table = store.table(TableKind::Requests);
    minutes(&table, 0, 0..2).await;
    minutes(&table, 1, 0..1).await;
    let seen = table.snapshot().await.unwrap().version().unwrap();
    compact(&table, &Compaction::default()).await;
    let rows = |minute| stream_of(vec![requests(&[row(OCTOBER + minute * MINUTE, "late", 1)])]);
    let stored = table.append(rows(1), Once::since(seen), context().task_ctx()).await.unwrap();
    assert_eq!(stored.outcome, Outcome::Stored(seen + 2));
    let refused = table.append(rows(2), Once::since(seen), context().task_ctx()).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Moved);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_and_compactions_do_not_lose_each_others_rows() {
    const WRITERS: i64 = 3;
    const COMMITS: i64 = 25;
    let objects = Arc::new(InMemory::new());
    let over = Arc::new(AtomicBool::new(false));
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let table = fresh(&objects, TableKind::Requests).await;
        writers.spawn(async move {
            for commit in 0..COMMITS {
                // Rows of two days; every third commit corrects one of before.
                let of = if commit % 3 == 2 { commit - 2 } else { commit };
                let time = OCTOBER + (of % 2) * DAY + (writer * COMMITS + of) * MINUTE;
                append(&table, vec![requests(&[row(time, "login", commit + 1)])]).await.unwrap();
            }
        });
    }
    let mut compacting = JoinSet::new();
    for _ in 0..2 {
        let (table, over) = (fresh(&objects, TableKind::Requests).await, Arc::clone(&over));
        compacting.spawn(async move {
            let mut merged = 0;
            while !over.load(Relaxed) {
                merged += compact(&table, &Compaction::default()).await.before.files;
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            merged
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    over.store(true, Relaxed);
    let merged: usize = compacting.join_all().await.into_iter().sum();
    let table = fresh(&objects, TableKind::Requests).await;
    compact(&table, &Compaction::default()).await;
    let snapshot = table.snapshot().await.unwrap();
    check_files(&objects, &snapshot).await;
    assert!(merged > 0);
    let answers = answer(&querying(Provider::pinned(snapshot)), "select count(*), sum(requests) from t").await;
    // Of three commits one corrects: its count is that of the later.
    let corrected = (0..COMMITS).filter(|commit| commit % 3 == 2).count() as i64;
    let sum: i64 = (0..COMMITS)
        .filter(|commit| commit % 3 != 2)
        .map(|commit| if commit % 3 == 0 && commit + 2 < COMMITS { commit + 3 } else { commit + 1 })
        .sum();
    assert_eq!(answers, [format!("{}|{}", WRITERS * (COMMITS - corrected), WRITERS * sum)]);
}
