use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Instant;

use datafusion::object_store::memory::InMemory;
use nines_store::{Gc, Mark, Once, Outcome, Provider, Store, TableKind};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use tokio::sync::Barrier;
use tokio::task::JoinSet;

use crate::draw;
use crate::fixture::{MINUTE, OCTOBER, answer, append, context, file_store, querying, requests, row, stream_of};
use crate::model::{check_files, difference, fresh, rows_of};
use crate::naive::{Cell, Changes, Rows, combined, replace, to_batch};
use crate::seed::{Replay, count, seeds};

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

/// Each writes and corrects rows of its own source and now and then of one that all share, over the same days.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_writers_end_as_if_they_came_one_by_one() {
    const WRITERS: u64 = 8;
    let (started, kind) = (Instant::now(), TableKind::Requests);
    let commits = count("NINES_COMMITS", 8);
    for seed in seeds("NINES_RACES", 1) {
        let _replay = Replay::new(seed);
        let objects = Arc::new(InMemory::new());
        let barrier = Arc::new(Barrier::new(WRITERS as usize));
        let mut running = JoinSet::new();
        for writer in 0..WRITERS {
            let (objects, barrier) = (Arc::clone(&objects), Arc::clone(&barrier));
            let mut rng = StdRng::seed_from_u64(seed * WRITERS + writer);
            running.spawn(async move {
                let (session, table) = (context(), fresh(&objects, kind).await);
                barrier.wait().await;
                let mut done = Vec::new();
                for _ in 0..commits {
                    let mut rows = draw::stream(&mut rng, kind);
                    rows.truncate(15);
                    let source = if rng.random_bool(0.2) { "shared".to_string() } else { format!("writer {writer}") };
                    for (key, _) in &mut rows {
                        let at = key.len() - 2;
                        key[at] = Cell::Text(source.clone());
                    }
                    let stream = stream_of(vec![to_batch(kind, &rows)]);
                    let told = table.append(stream, Once::default(), session.task_ctx()).await.unwrap();
                    done.push((told, combined(kind, &rows).unwrap()));
                }
                done
            });
        }
        let mut done: Vec<_> = running.join_all().await.into_iter().flatten().collect();
        // What changed nothing has no version; it holds as long as its rows are there, which the others' order says.
        done.retain(|(told, _)| told.outcome != Outcome::Unchanged);
        done.sort_by_key(|(told, _)| told.version());
        let mut rows = Rows::new();
        for (place, (told, batch)) in done.iter().enumerate() {
            assert_eq!(told.outcome, Outcome::Stored(place as u64 + 1), "each commit has its own version");
            let (after, changes) = replace(kind, &rows, batch);
            assert_eq!(Changes::from(told.changes), changes, "at version {}", place + 1);
            rows = after;
        }
        let table = fresh(&objects, kind).await;
        let read = rows_of(&context(), Provider::newest(table.clone())).await.unwrap();
        assert!(read == rows, "{}", difference(&read, &rows));
        check_files(&objects, &table.snapshot().await.unwrap()).await;
        println!("{WRITERS} writers, {} commits of {} rows in {:.1?}", done.len(), rows.len(), started.elapsed());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn writers_and_readers_do_not_notice_that_versions_are_given_up() {
    const WRITERS: i64 = 3;
    const COMMITS: i64 = 12;
    let objects = Arc::new(InMemory::new());
    let over = Arc::new(AtomicBool::new(false));
    append(&fresh(&objects, TableKind::Requests).await, vec![requests(&[row(OCTOBER, "first", 1)])]).await.unwrap();
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let objects = Arc::clone(&objects);
        writers.spawn(async move {
            let mut table = fresh(&objects, TableKind::Requests).await;
            for commit in 0..COMMITS {
                // A process for every other commit.
                if commit % 2 == 0 {
                    table = fresh(&objects, TableKind::Requests).await;
                }
                let name = format!("position/{writer}");
                let before = table.snapshot().await.unwrap().mark(&name).await.unwrap();
                assert_eq!(before, (commit > 0).then_some(commit));
                let mut once = Once::default();
                once.marks = vec![Mark::lasting(&name, before, commit + 1)];
                let time = OCTOBER + (1 + writer * COMMITS + commit) * MINUTE;
                let rows = stream_of(vec![requests(&[row(time, "login", 1)])]);
                table.append(rows, once, context().task_ctx()).await.unwrap();
            }
        });
    }
    let mut others = JoinSet::new();
    for which in 0..3 {
        let (objects, over) = (Arc::clone(&objects), Arc::clone(&over));
        others.spawn(async move {
            let mut done = 0;
            while !over.load(Relaxed) {
                let table = fresh(&objects, TableKind::Requests).await;
                match which {
                    0 => drop(table.gc(&Gc::newest(OCTOBER)).await.unwrap()),
                    1 => assert!(table.snapshot().await.unwrap().rows() > Some(0)),
                    _ => assert!(table.snapshot().await.unwrap().mark("nobody").await.unwrap().is_none()),
                }
                done += 1;
            }
            done
        });
    }
    while let Some(ended) = writers.join_next().await {
        ended.unwrap();
    }
    over.store(true, Relaxed);
    let done: Vec<i32> = others.join_all().await;
    assert!(done.iter().all(|done| *done > 0), "{done:?}");
    let table = fresh(&objects, TableKind::Requests).await;
    assert_eq!(table.snapshot().await.unwrap().rows(), Some((1 + WRITERS * COMMITS) as u64));
    assert!(table.store().take_notices().is_empty());
    let checked = table.check(&context().task_ctx(), &Arc::default()).await.unwrap();
    assert!(checked.problems.is_empty(), "{checked:#?}");
}
