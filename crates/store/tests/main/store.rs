use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, StringArray};
use nines_store::{Backup, Known, Once, Store, StoreErrorKind, TableKind};

use crate::fixture::{MINUTE, OCTOBER, append, batch, context, requests, row, stream_of, times};

#[tokio::test]
async fn a_store_keeps_the_granularity_it_was_created_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("new/store");
    let path = path.to_str().unwrap();
    assert_eq!(Store::open(path).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    let store = Store::open_or_create(path, Some(15)).await.unwrap();
    assert_eq!(store.slice_seconds(), 15);
    assert_eq!(Store::open_or_create(path, None).await.unwrap().slice_seconds(), 15);
    assert_eq!(Store::open(store.url().as_str()).await.unwrap().slice_seconds(), 15);
    let error = Store::open_or_create(path, Some(60)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible);
    assert!(error.to_string().contains("has slices of 15 s, not 60 s"), "{error}");
    let marker = std::fs::read_to_string(folder.path().join("new/store/nines.json")).unwrap();
    assert_eq!(marker, "{\"format\":1,\"slice_seconds\":15,\"min_reader\":\"0.1.0\",\"min_writer\":\"0.1.0\"}\n");
}

#[tokio::test]
async fn a_folder_without_marker_is_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    std::fs::write(folder.path().join("nines.json"), "{\"format\":3,\"slice_seconds\":60}").unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible, "{error}");
    std::fs::write(folder.path().join("nines.json"), "{\"format\":1,\"slice").unwrap();
    let error = Store::open(folder.path().to_str().unwrap()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
}

#[tokio::test]
async fn impossible_granularities_and_places_are_refused() {
    for seconds in [0, -60, 7, 86_401] {
        let error = Store::open_or_create("memory://store-refused", Some(seconds)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::InvalidArgument, "{error}");
    }
    let error = Store::open("s3://bucket/store").await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidArgument, "{error}");
}

/// What `nines.json` demands: the least versions that read and that write.
#[tokio::test]
async fn a_store_of_a_newer_version_is_refused_by_name() {
    let (_folder, path) = filled().await;
    let marker = format!("{path}/nines.json");
    let demand = |reader: &str, writer: &str| {
        // Whatever else a newer version says there is not looked at.
        let line = r#"{"format":2,"slice_seconds":60,"min_reader":"READER","min_writer":"WRITER","sealed":[1]}"#;
        std::fs::write(&marker, line.replace("READER", reader).replace("WRITER", writer)).unwrap();
    };
    let batch = || vec![requests(&[row(OCTOBER + MINUTE, "web", 5)])];
    let opened = Store::open(&path).await.unwrap();
    demand("0.1.0", "0.1.0");
    let store = Store::open(&path).await.unwrap();
    append(&store.table(TableKind::Requests), batch()).await.unwrap();
    demand("0.1.0", "0.10.2");
    let store = Store::open(&path).await.unwrap();
    assert_eq!(store.table(TableKind::Requests).snapshot().await.unwrap().rows(), Some(2));
    // Who opened it before is told so, too.
    for store in [store, opened] {
        let refused = append(&store.table(TableKind::Requests), batch()).await.unwrap_err();
        assert_eq!(refused.kind(), StoreErrorKind::Incompatible);
        assert!(refused.to_string().contains("can be written by nines 0.10.2 and later versions"), "{refused}");
    }
    demand("1.0.0", "1.0.0");
    let refused = Store::open(&path).await.unwrap_err();
    assert_eq!(refused.kind(), StoreErrorKind::Incompatible);
    assert!(refused.to_string().contains("can be read by nines 1.0.0 and later versions"), "{refused}");
    demand("soon", "1.0.0");
    assert_eq!(Store::open(&path).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    // What the first versions wrote.
    std::fs::write(&marker, r#"{"format":1,"slice_seconds":60}"#).unwrap();
    append(&Store::open(&path).await.unwrap().table(TableKind::Requests), batch()).await.unwrap();
}

/// A store on disk without rows, and its path.
async fn empty() -> (tempfile::TempDir, String, Store) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store").to_str().unwrap().to_string();
    let store = Store::open_or_create(&path, None).await.unwrap();
    (folder, path, store)
}

/// A store on disk with rows in requests, and its path.
async fn filled() -> (tempfile::TempDir, String) {
    let (folder, path, store) = empty().await;
    append(&store.table(TableKind::Requests), vec![requests(&[row(OCTOBER, "web", 10)])]).await.unwrap();
    (folder, path)
}

/// Every way to open it fails, with a message that says this, and changes nothing in the folder.
async fn cannot_be_opened(path: &str, kind: StoreErrorKind, said: &str) {
    let before = names_below(path);
    for error in [
        Store::open(path).await.unwrap_err(),
        Store::open_or_create(path, None).await.unwrap_err(),
        Store::open_or_create(path, Some(15)).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(said), "{error}");
    }
    assert_eq!(names_below(path), before);
}

fn names_below(folder: impl AsRef<std::path::Path>) -> Vec<String> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        names.push(path.display().to_string());
        if path.is_dir() {
            names.extend(names_below(path));
        }
    }
    names.sort();
    names
}

#[tokio::test]
async fn a_store_that_lost_its_description_is_not_a_new_one() {
    let (_folder, path) = filled().await;
    std::fs::remove_file(format!("{path}/nines.json")).unwrap();
    cannot_be_opened(&path, StoreErrorKind::Corrupt, "has lost its nines.json").await;
    cannot_be_opened(
        &path,
        StoreErrorKind::Corrupt,
        r#"{"format":1,"slice_seconds":60,"min_reader":"0.1.0","min_writer":"0.1.0"}"#,
    )
    .await;
    // A log that is gone as well leaves the files of the table.
    std::fs::remove_dir_all(format!("{path}/requests/_delta_log")).unwrap();
    cannot_be_opened(&path, StoreErrorKind::Corrupt, "has lost its nines.json").await;
    // Once the folder is empty, or holds what is none of ours, a store can be made of it.
    std::fs::remove_dir_all(format!("{path}/requests")).unwrap();
    cannot_be_opened(&path, StoreErrorKind::Corrupt, "has lost its nines.json").await;
    std::fs::remove_dir_all(format!("{path}/_nines")).unwrap();
    std::fs::create_dir_all(format!("{path}/requests")).unwrap();
    std::fs::write(format!("{path}/requests/october.csv"), "time,status\n").unwrap();
    assert_eq!(Store::open(&path).await.unwrap_err().kind(), StoreErrorKind::NotFound);
    Store::open_or_create(&path, None).await.unwrap();
}

#[tokio::test]
async fn a_table_is_not_a_store() {
    let (_folder, path) = filled().await;
    cannot_be_opened(&format!("{path}/requests"), StoreErrorKind::InvalidArgument, "is a table, not a store").await;
}

#[tokio::test]
async fn a_table_that_lost_its_log_is_neither_read_nor_written() {
    let (_folder, path) = filled().await;
    let log = format!("{path}/requests/_delta_log");
    let entries = |keep: &str| {
        for entry in std::fs::read_dir(&log).unwrap() {
            let entry = entry.unwrap();
            if keep.is_empty() || !entry.file_name().to_str().unwrap().contains(keep) {
                std::fs::remove_file(entry.path()).unwrap();
            }
        }
    };
    for way in ["the first entry", "all entries", "the folder"] {
        match way {
            "the first entry" => entries("00001"),
            "all entries" => entries(""),
            _ => std::fs::remove_dir_all(&log).unwrap(),
        }
        let before = names_below(&path);
        let table = Store::open(&path).await.unwrap().table(TableKind::Requests);
        let read = table.snapshot().await.unwrap_err();
        let rows = stream_of(vec![requests(&[row(OCTOBER, "web", 1)])]);
        let written = table.append(rows, Once::default(), context().task_ctx()).await.unwrap_err();
        for error in [read, written] {
            assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{way}: {error}");
            assert!(error.to_string().contains("requests/_delta_log"), "{way}: {error}");
        }
        assert_eq!(names_below(&path), before, "{way}");
        // Other tables are as they were.
        let events = Store::open(&path).await.unwrap().table(TableKind::Events);
        assert_eq!(events.snapshot().await.unwrap().version(), None);
    }
}

#[tokio::test]
async fn a_table_whose_folder_is_gone_is_not_one_that_never_was() {
    let (_folder, path) = filled().await;
    std::fs::remove_dir_all(format!("{path}/requests")).unwrap();
    let store = Store::open(&path).await.unwrap();
    let table = store.table(TableKind::Requests);
    let read = table.snapshot().await.unwrap_err();
    let rows = || stream_of(vec![requests(&[row(OCTOBER, "web", 1)])]);
    let written = table.append(rows(), Once::default(), context().task_ctx()).await.unwrap_err();
    for error in [read, written] {
        assert_eq!(error.kind(), StoreErrorKind::Corrupt, "{error}");
        assert!(error.to_string().contains("_nines/requests.json"), "{error}");
    }
    let checked = table.check(&context().task_ctx(), &Arc::default()).await.unwrap();
    assert_eq!(checked.problems.len(), 1, "{checked:?}");
    // The way out, if that is what is meant.
    std::fs::remove_file(format!("{path}/_nines/requests.json")).unwrap();
    table.append(rows(), Once::default(), context().task_ctx()).await.unwrap();
    assert!(std::fs::exists(format!("{path}/_nines/requests.json")).unwrap());
    // A table of an earlier version says so from the next append on.
    std::fs::remove_file(format!("{path}/_nines/requests.json")).unwrap();
    let table = Store::open(&path).await.unwrap().table(TableKind::Requests);
    table.append(rows(), Once::default(), context().task_ctx()).await.unwrap();
    assert!(std::fs::exists(format!("{path}/_nines/requests.json")).unwrap());
    // So does a copy.
    let copy = format!("{path}-copy");
    Store::open(&path).await.unwrap().backup(&copy, &Backup::default()).await.unwrap();
    assert!(std::fs::exists(format!("{copy}/_nines/requests.json")).unwrap());
    std::fs::remove_dir_all(&copy).unwrap();
}

#[tokio::test]
async fn an_append_that_is_refused_creates_no_table() {
    let (_folder, path, store) = empty().await;
    let table = store.table(TableKind::Requests);
    let rows = stream_of(vec![requests(&[row(OCTOBER + 1, "web", 1)])]);
    let error = table.append(rows, Once::default(), context().task_ctx()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::InvalidRows, "{error}");
    assert_eq!(names_below(&path).len(), 1, "nines.json alone: {:?}", names_below(&path));
}

#[tokio::test]
async fn slices_that_the_description_does_not_know_are_refused() {
    let (_folder, path) = filled().await;
    std::fs::write(
        format!("{path}/nines.json"),
        "{\"format\":1,\"slice_seconds\":15,\"min_reader\":\"0.1.0\",\"min_writer\":\"0.1.0\"}\n",
    )
    .unwrap();
    let store = Store::open(&path).await.unwrap();
    let error = store.table(TableKind::Requests).snapshot().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible, "{error}");
    assert!(error.to_string().contains("slices of 60 s, and nines.json says 15 s"), "{error}");
    // Nor does a new table get slices that the others do not have.
    let text = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let ones = || Arc::new(Int64Array::from(vec![1])) as ArrayRef;
    let events = stream_of(vec![batch(vec![
        ("time", Arc::new(times([OCTOBER].into_iter()))),
        ("service", text("web")),
        ("name", text("saved")),
        ("good", ones()),
        ("total", ones()),
    ])]);
    let error = store.table(TableKind::Events).append(events, Once::default(), context().task_ctx()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Incompatible, "{error}");
    assert_eq!(names_below(&path).iter().filter(|name| name.contains("events")).count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_became_of_an_append_is_known_whenever_it_was_dropped() {
    let (_folder, path) = filled().await;
    let store = Store::open(&path).await.unwrap();
    let table = store.table(TableKind::Requests);
    let mut hits = [0; 2];
    for polls in 0..60 {
        let before = store.commits().len();
        let version = Store::open(&path).await.unwrap().table(TableKind::Requests).snapshot().await.unwrap().version();
        let rows = stream_of(vec![requests(&[row(OCTOBER + (polls + 1) * MINUTE, "web", 1)])]);
        let mut appended = Box::pin(table.append(rows, Once::default(), context().task_ctx()));
        for _ in 0..polls {
            if futures::poll!(&mut appended).is_ready() {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_micros(500)).await;
        }
        drop(appended);
        store.settled().await;
        let said: Vec<(u64, Known)> =
            store.commits()[before..].iter().map(|begun| (begun.version, begun.known)).collect();
        let now = Store::open(&path).await.unwrap().table(TableKind::Requests).snapshot().await.unwrap().version();
        match said.as_slice() {
            [] => assert_eq!(now, version, "after {polls} polls"),
            [(stored, Known::Stored)] => assert_eq!((now, now), (Some(*stored), version.map(|version| version + 1))),
            other => panic!("{other:?} after {polls} polls"),
        }
        hits[usize::from(now != version)] += 1;
    }
    assert!(hits.iter().all(|hits| *hits > 0), "{hits:?}");
}
