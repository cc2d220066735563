//! Opening a table with a long log: a year of one-minute commits, of which all but the last are names alone.
//!
//! `cargo bench --workspace --bench opening -- [VERSIONS]`, 525,600 by default, in the current folder.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::fs;
use std::path::Path;
use std::time::Instant;

use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::stream;
use nines_store::{Mark, Once, Store, TableKind};

/// A file has at most so many names.
const NAMES: u64 = 50_000;

/// Gives the objects of version `from` other names up to a version.
fn names(folder: &Path, from: u64, upto: u64, extension: &str) {
    let first = folder.join(format!("{from:020}.{extension}"));
    let mut source = first.clone();
    for version in from + 1..=upto {
        let to = folder.join(format!("{version:020}.{extension}"));
        if version % NAMES == 0 {
            fs::copy(&first, &to).unwrap();
            source = to;
        } else if !to.exists() {
            fs::hard_link(&source, to).unwrap();
        }
    }
}

fn main() {
    let versions: u64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(525_600);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let place = tempfile::tempdir_in(".").unwrap();
    let path = place.path().join("store");
    let path = path.to_str().unwrap();
    runtime.block_on(async {
        let session = SessionContext::new();
        let open = || async { Store::open_or_create(path, None).await.unwrap().table(TableKind::Requests) };
        // A mark is a version without a file.
        let mark = |at: i64| async move {
            let mut once = Once::default();
            once.marks = vec![Mark::lasting("bench", (at > 0).then_some(at), at + 1)];
            once
        };
        let nothing = |table: &nines_store::Table| -> SendableRecordBatchStream {
            Box::pin(RecordBatchStreamAdapter::new(table.schema(), stream::empty()))
        };
        for at in 0..50 {
            let table = open().await;
            table.append(nothing(&table), mark(at).await, session.task_ctx()).await.unwrap();
        }
        // The checkpoint of version 50 is that of another writer for the version that it gets now.
        let log = place.path().join("store/requests/_delta_log");
        let checkpoint = versions / 50 * 50 - 50;
        let entry = "{\"commitInfo\":{\"engineInfo\":\"made up\"}}\n";
        fs::write(log.join(format!("{:020}.json", 51)), entry).unwrap();
        names(&log, 51, checkpoint, "json");
        names(&place.path().join("store/requests/_nines"), 40, checkpoint - 1, "head");
        let named = |version: u64| log.join(format!("{version:020}.checkpoint.parquet"));
        fs::rename(named(50), named(checkpoint)).unwrap();
        fs::write(log.join("_last_checkpoint"), format!("{{\"version\":{checkpoint},\"size\":9}}")).unwrap();
        for at in checkpoint..versions {
            let table = open().await;
            let once = mark(at as i64 - checkpoint as i64 + 50).await;
            table.append(nothing(&table), once, session.task_ctx()).await.unwrap();
        }
        for without in [false, true] {
            if without {
                fs::remove_file(log.join("_last_checkpoint")).unwrap();
            }
            let mut times: Vec<f64> = Vec::new();
            for _ in 0..15 {
                let start = Instant::now();
                let found = open().await.snapshot().await.unwrap();
                times.push(start.elapsed().as_secs_f64() * 1e3);
                assert_eq!(found.version(), Some(versions));
            }
            times.sort_by(f64::total_cmp);
            let hint = if without { "without" } else { "with" };
            println!(
                "opening {versions} versions {hint} _last_checkpoint: median {:.1} ms, best {:.1} ms",
                times[7], times[0]
            );
        }
        let table = open().await;
        table.snapshot().await.unwrap();
        let start = Instant::now();
        for _ in 0..100 {
            table.snapshot().await.unwrap();
        }
        println!("the same again: {:.2} ms", start.elapsed().as_secs_f64() * 10.0);
    });
}
