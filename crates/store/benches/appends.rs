//! One-minute appends of 1,000 series: how long until they are durable, and how much of that is the disk's.
//!
//! `cargo bench --workspace --bench appends -- FOLDER…` appends 300 minutes in each of the folders (by default the
//! current one and `/dev/shm`, where a sync costs nothing), by turns, and prints the times.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod rows;

use std::time::{Duration, Instant};

use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::stream;
use nines_store::{Batch, Once, Store, TableKind};
use rows::minute;

const MINUTES: i64 = 300;

fn main() {
    // Cargo passes --bench.
    let mut folders: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    if folders.is_empty() {
        folders = vec![".".to_string(), "/dev/shm".to_string()];
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut stores = Vec::new();
        for folder in &folders {
            let place = tempfile::tempdir_in(folder).unwrap();
            let store = Store::open_or_create(place.path().join("store").to_str().unwrap(), None).await.unwrap();
            stores.push((folder, place, store.table(TableKind::Requests), Vec::<Duration>::new()));
        }
        let session = SessionContext::new();
        for at in 0..MINUTES {
            for (_, _, table, times) in &mut stores {
                let batch = minute(table, at);
                let rows = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), stream::iter([Ok(batch)])));
                let once = Once::batch(Batch::new("bench", at.to_string(), at as u64));
                let start = Instant::now();
                table.append(rows, once, session.task_ctx()).await.unwrap();
                times.push(start.elapsed());
            }
        }
        for (folder, _, _, times) in &mut stores {
            times.sort_unstable();
            let at = |share: f64| times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3;
            println!(
                "{folder}: median {:.1} ms, p90 {:.1} ms, p99 {:.1} ms of {MINUTES} appends",
                at(0.5),
                at(0.9),
                at(0.99)
            );
        }
    });
}
