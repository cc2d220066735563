use std::sync::Arc;

use nines_store::{Provider, Store, TableKind};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::fixture::{MINUTE, OCTOBER, answer, append, file_store, querying, requests, row};

/// Every task opens the store for itself, so that they share nothing but the files.
async fn append_from_tasks(url: &str, tasks: i64, commits: i64) {
    let barrier = Arc::new(Barrier::new(tasks as usize));
    let mut running = JoinSet::new();
    for task in 0..tasks {
        let (url, barrier) = (url.to_owned(), Arc::clone(&barrier));
        running.spawn(async move {
            barrier.wait().await;
            let table = Store::open_or_create(&url, None).await.unwrap().table(TableKind::Requests);
            let mut versions = Vec::new();
            for commit in 0..commits {
                let rows = [row(OCTOBER + (task * commits + commit) * MINUTE, "login", 1)];
                versions.push(append(&table, vec![requests(&rows)]).await.unwrap().version().unwrap());
            }
            versions
        });
    }
    let mut versions: Vec<u64> = running.join_all().await.into_iter().flatten().collect();
    versions.sort_unstable();
    assert_eq!(versions, (1..=(tasks * commits) as u64).collect::<Vec<_>>(), "each commit has its own version");
    let table = Store::open(url).await.unwrap().table(TableKind::Requests);
    let context = querying(Provider::newest(table.clone()));
    let all = (tasks * commits).to_string();
    assert_eq!(answer(&context, "select count(distinct time) from t").await, [all.as_str()]);
    assert_eq!(table.snapshot().await.unwrap().rows(), Some((tasks * commits) as u64));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_appends_lose_no_rows() {
    let (_folder, store) = file_store().await;
    append_from_tasks(store.url().as_str(), 8, 5).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn creators_of_the_same_table_all_succeed() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        append_from_tasks(folder.path().to_str().unwrap(), 4, 1).await;
    }
}

#[tokio::test]
async fn concurrent_appends_in_memory() {
    append_from_tasks("memory://concurrent", 4, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_creators_with_different_granularities_one_wins() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_str().unwrap();
    let (a, b) = tokio::join!(Store::open_or_create(path, Some(15)), Store::open_or_create(path, Some(60)));
    assert!(a.is_ok() != b.is_ok());
    let winner = a.or(b).unwrap().slice_seconds();
    assert_eq!(Store::open(path).await.unwrap().slice_seconds(), winner);
}
