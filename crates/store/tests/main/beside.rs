//! What stands beside the log: records of checkpoints and heads of entries that are missing.

use std::sync::Arc;

use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use futures::TryStreamExt;
use nines_store::{Backup, Checked, Gc, Mark, Once, Provider, StoreErrorKind, TableKind};

use crate::fixture::{MINUTE, OCTOBER, answer, append, context, file_store, querying, requests, row, stream_of};
use crate::model::{fresh, rows_of};

const NEWEST: u64 = 53;

fn checkpoint(version: u64) -> Path {
    Path::from(format!("requests/_delta_log/{version:020}.checkpoint.parquet"))
}

fn entry(version: u64) -> Path {
    Path::from(format!("requests/_delta_log/{version:020}.json"))
}

fn record(version: u64) -> Path {
    Path::from(format!("requests/_nines/{version:020}.checkpoint"))
}

fn head(version: u64) -> Path {
    Path::from(format!("requests/_nines/{version:020}.head"))
}

/// So many versions that one has a checkpoint.
async fn filled() -> Arc<InMemory> {
    let objects = Arc::new(InMemory::new());
    let table = fresh(&objects, TableKind::Requests).await;
    append(&table, vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    for at in 0..NEWEST as i64 - 1 {
        let mut once = Once::default();
        once.marks = vec![Mark::lasting("position", (at > 0).then_some(at), at + 1)];
        table.append(stream_of(vec![requests(&[])]), once, context().task_ctx()).await.unwrap();
    }
    table.write_checkpoint().await;
    objects
}

/// The same, of which only the newest version is left.
async fn collected() -> Arc<InMemory> {
    let objects = filled().await;
    fresh(&objects, TableKind::Requests).await.gc(&Gc::newest(OCTOBER)).await.unwrap();
    objects
}

async fn remove(objects: &InMemory, paths: &[Path]) {
    for path in paths {
        objects.delete(path).await.unwrap();
    }
}

async fn check(objects: &Arc<InMemory>) -> Checked {
    fresh(objects, TableKind::Requests).await.check(&context().task_ctx(), &Arc::default()).await.unwrap()
}

fn says(checked: &Checked, object: &Path, what: &str) -> bool {
    let is_it = |problem: &nines_store::Problem| problem.object == object.as_ref() && problem.problem.contains(what);
    checked.problems.iter().any(is_it)
}

async fn refused(objects: &Arc<InMemory>) -> String {
    let error = fresh(objects, TableKind::Requests).await.snapshot().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
    error.to_string()
}

#[tokio::test]
async fn a_checkpoint_without_its_record_is_not_used() {
    let objects = filled().await;
    assert_eq!(check(&objects).await.problems, []);
    remove(&objects, &[record(50)]).await;
    // It says nothing of the table, and nobody believes it.
    objects.put(&checkpoint(50), "nothing".into()).await.unwrap();
    let table = fresh(&objects, TableKind::Requests).await;
    let counted = answer(&querying(Provider::newest(table.clone())), "select count(*) from t").await;
    assert_eq!(counted, ["1"]);
    let notices = table.store().take_notices();
    assert!(notices.len() == 1 && notices[0].contains(record(50).as_ref()), "{notices:?}");
    let checked = check(&objects).await;
    assert!(says(&checked, &checkpoint(50), record(50).as_ref()), "{checked:#?}");
    append(&table, vec![requests(&[row(OCTOBER + MINUTE, "web", 1)])]).await.unwrap();
    // Nor does a copy need it.
    table.store().backup("memory://without-a-record", &Backup::default()).await.unwrap();
    let copy = nines_store::Store::open("memory://without-a-record").await.unwrap().table(TableKind::Requests);
    assert_eq!(rows_of(&context(), Provider::newest(copy.clone())).await.unwrap().len(), 2);
    assert_eq!(copy.check(&context().task_ctx(), &Arc::default()).await.unwrap().problems, []);
    table.gc(&Gc::keep(std::time::Duration::from_secs(3600), chrono::Utc::now().timestamp_micros())).await.unwrap();

    // Where the entries are gone, nothing else says what the table holds.
    let objects = collected().await;
    assert_eq!(check(&objects).await.problems, []);
    remove(&objects, &[record(NEWEST)]).await;
    let told = refused(&objects).await;
    assert!(told.contains(checkpoint(NEWEST).as_ref()) && told.contains(record(NEWEST).as_ref()), "{told}");
    assert!(told.contains("backup"), "{told}");
    let checked = check(&objects).await;
    assert!(says(&checked, &checkpoint(NEWEST), record(NEWEST).as_ref()), "{checked:#?}");
    assert!(checked.foreign_checkpoints.is_empty());
    // Heads alone say that the log was ours.
    remove(&objects, &[entry(NEWEST), entry(NEWEST + 1), head(NEWEST + 1)]).await;
    assert!(refused(&objects).await.contains(record(NEWEST).as_ref()));
}

#[tokio::test]
async fn a_checkpoint_of_another_writer_is_used_where_it_has_to_be() {
    let objects = collected().await;
    let gone = [record(NEWEST), head(NEWEST), entry(NEWEST + 1), head(NEWEST + 1)];
    remove(&objects, &gone).await;
    let foreign = r#"{"commitInfo":{"timestamp":1790812800000,"operation":"WRITE","engineInfo":"Apache-Spark/4.0"}}"#;
    objects.put(&entry(NEWEST), foreign.into()).await.unwrap();
    let table = fresh(&objects, TableKind::Requests).await;
    assert_eq!(rows_of(&context(), Provider::newest(table.clone())).await.unwrap().len(), 1);
    assert!(table.store().take_notices().is_empty());
    let checked = check(&objects).await;
    assert_eq!((checked.foreign_checkpoints, checked.problems), (vec![NEWEST], Vec::new()));
}

#[tokio::test]
async fn heads_that_are_missing_are_said() {
    let objects = filled().await;
    remove(&objects, &[head(NEWEST)]).await;
    assert_eq!(check(&objects).await.problems, [], "its writer may have died");
    remove(&objects, &[head(0), head(7), head(8)]).await;
    let checked = check(&objects).await;
    assert_eq!(checked.problems.len(), 2, "{checked:#?}");
    assert!(says(&checked, &head(0), "backup") && says(&checked, &head(7), "up to that of version 8"), "{checked:#?}");
    let all: Vec<_> = objects.list(Some(&Path::from("requests/_nines"))).try_collect().await.unwrap();
    remove(&objects, &all.into_iter().map(|object| object.location).collect::<Vec<_>>()).await;
    let checked = check(&objects).await;
    assert!(says(&checked, &head(0), &format!("up to that of version {}", NEWEST - 1)), "{checked:#?}");
    assert!(says(&checked, &checkpoint(50), "record"), "{checked:#?}");
}

#[tokio::test]
async fn a_checkpoint_that_stands_for_what_was_given_up_is_named_when_it_is_gone() {
    let objects = collected().await;
    remove(&objects, &[checkpoint(NEWEST)]).await;
    let told = refused(&objects).await;
    assert!(told.contains(checkpoint(NEWEST).as_ref()) && !told.contains(entry(0).as_ref()), "{told}");
    let sound = collected().await;
    let table = fresh(&sound, TableKind::Requests).await;
    let none = table.snapshot_at(99).await.unwrap_err();
    assert_eq!(none.kind(), StoreErrorKind::NotFound);
    assert!(
        none.to_string().ends_with(&format!("no version 99; it has versions {NEWEST} to {}", NEWEST + 1)),
        "{none}"
    );
    // Nothing is read instead of one that is damaged.
    let objects = collected().await;
    objects.put(&checkpoint(NEWEST), "nothing".into()).await.unwrap();
    let table = fresh(&objects, TableKind::Requests).await;
    assert!(table.snapshot().await.unwrap_err().to_string().contains(checkpoint(NEWEST).as_ref()));
    assert!(table.store().take_notices().is_empty());
}

#[tokio::test]
async fn a_copy_shares_no_files_with_the_store_itself_and_what_is_not_complete_is_said() {
    let (folder, store) = file_store().await;
    append(&store.table(TableKind::Requests), vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    let path = store.url().to_file_path().unwrap();
    let alias = folder.path().join("alias");
    std::os::unix::fs::symlink(&path, &alias).unwrap();
    let to = folder.path().join("copy").to_str().unwrap().to_string();
    for since in [path.as_path(), alias.as_path()] {
        let mut how = Backup::default();
        how.since = Some(since.to_str().unwrap().to_string());
        let refused = store.backup(&to, &how).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::InvalidArgument, "{refused}");
        assert!(refused.to_string().contains("the store itself"), "{refused}");
    }
    let refused = store.backup(alias.join("copy").to_str().unwrap(), &Backup::default()).await.unwrap_err();
    assert!(refused.to_string().contains("inside the store"), "{refused}");
    std::fs::remove_dir_all(alias.join("copy")).unwrap();
    let file = store.table(TableKind::Requests).snapshot().await.unwrap().files().next().unwrap().path().to_string();
    std::fs::remove_file(path.join(file)).unwrap();
    let failed = store.backup(&to, &Backup::default()).await.unwrap_err();
    assert_eq!(failed.kind(), StoreErrorKind::Corrupt, "{failed}");
    assert!(failed.to_string().contains("Remove it before the same is run again"), "{failed}");
}

#[tokio::test]
async fn files_of_earlier_versions_that_another_program_cleaned_up_can_be_given_up() {
    let objects = Arc::new(InMemory::new());
    let table = fresh(&objects, TableKind::Requests).await;
    append(&table, vec![requests(&[row(OCTOBER, "web", 1)])]).await.unwrap();
    let first = table.snapshot().await.unwrap().files().next().unwrap().path().clone();
    append(&table, vec![requests(&[row(OCTOBER, "web", 2)])]).await.unwrap();
    remove(&objects, std::slice::from_ref(&first)).await;
    let checked = check(&objects).await;
    assert!(checked.problems.len() == 1 && says(&checked, &first, "nines gc requests --now"), "{checked:#?}");
    let now = chrono::Utc::now().timestamp_micros();
    fresh(&objects, TableKind::Requests).await.gc(&Gc::newest(now)).await.unwrap();
    assert_eq!(check(&objects).await.problems, []);
    // What the newest version needs is not to be given up.
    let table = fresh(&objects, TableKind::Requests).await;
    let newest = table.snapshot().await.unwrap().files().next().unwrap().path().clone();
    remove(&objects, std::slice::from_ref(&newest)).await;
    let checked = check(&objects).await;
    assert!(says(&checked, &newest, "backup") && !says(&checked, &newest, "earlier versions"), "{checked:#?}");
}
