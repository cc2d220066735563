//! A month of one-minute appends of 1,000 series by one process, with what looks after the table: files merged after each append, old
//! versions given up each simulated day, a question each simulated hour.
//!
//! `cargo bench --workspace --bench month -- FOLDER [DAYS] [MINUTES]` appends DAYS (30) simulated days to a store in FOLDER, goes on until
//! MINUTES (0) of real time are over, and prints a line per day: times of appends, files, bytes, memory. What grows with time is seen.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

mod rows;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use futures::stream;
use nines_store::{Batch, Compaction, Gc, Once, Provider, Store, Table, TableKind};
use rows::{SERIES, minute};

/// That of the program, with its options: with those of others memory would seem to grow.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
#[expect(unsafe_code, reason = "jemalloc reads its options under this name")]
#[cfg(target_os = "linux")]
#[unsafe(export_name = "_rjem_malloc_conf")]
pub static OPTIONS: &[u8; 60] = b"background_thread:true,dirty_decay_ms:1000,muzzy_decay_ms:0\0";

const DAY: i64 = 1440;
/// For how long versions can be read, in real time.
const KEEP: Duration = Duration::from_secs(60);

/// Files and bytes in and below a folder.
fn on_disk(folder: &std::path::Path) -> (usize, u64) {
    let mut sum = (0, 0);
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let Ok(metadata) = entry.metadata() else { continue };
        let (files, bytes) = if metadata.is_dir() { on_disk(&entry.path()) } else { (1, metadata.len()) };
        sum = (sum.0 + files, sum.1 + bytes);
    }
    sum
}

/// Megabytes that the process holds.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|kilobytes| kilobytes.parse::<u64>().ok()).unwrap_or_default() / 1024
}

fn share(times: &mut [Duration], share: f64) -> f64 {
    times.sort_unstable();
    times[(share * (times.len() - 1) as f64) as usize].as_secs_f64() * 1e3
}

async fn requests_since(session: &SessionContext, table: &Table, minutes: i64) -> i64 {
    session.deregister_table("requests").unwrap();
    session.register_table("requests", Arc::new(Provider::newest(table.clone()))).unwrap();
    let from = 1_790_812_800 + minutes * 60;
    let sql = format!("SELECT sum(requests) FROM requests WHERE time >= to_timestamp({from})");
    let rows = session.sql(&sql).await.unwrap().collect().await.unwrap();
    rows[0].column(0).as_primitive::<Int64Type>().value(0)
}

fn main() {
    // Cargo passes --bench.
    let mut arguments = std::env::args().skip(1).filter(|argument| !argument.starts_with("--"));
    let folder = arguments.next().unwrap_or_else(|| ".".to_string());
    let days: i64 = arguments.next().map_or(30, |days| days.parse().unwrap());
    let minutes: u64 = arguments.next().map_or(0, |minutes| minutes.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let place = std::path::Path::new(&folder).join("month");
        let store = Store::open_or_create(place.to_str().unwrap(), None).await.unwrap();
        let (table, session) = (store.table(TableKind::Requests), SessionContext::new());
        let (started, mut day) = (Instant::now(), 0);
        println!("day  append ms p50 p99  merge ms p50 max  question ms p50  live files  on disk  MB  memory MB");
        while day < days || started.elapsed() < Duration::from_secs(60 * minutes) {
            let (mut appends, mut merges, mut questions) = (Vec::new(), Vec::new(), Vec::new());
            for at in day * DAY..(day + 1) * DAY {
                let batch = minute(&table, at);
                let rows = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), stream::iter([Ok(batch)])));
                let once = Once::batch(Batch::new("bench", at.to_string(), at as u64));
                let start = Instant::now();
                table.append(rows, once, session.task_ctx()).await.unwrap();
                appends.push(start.elapsed());
                let start = Instant::now();
                table.write_checkpoint().await;
                let how = Compaction::after_write(Duration::from_secs(2), 256 << 20);
                table.compact(&how, session.task_ctx()).await.unwrap();
                merges.push(start.elapsed());
                if at % 60 == 59 {
                    let start = Instant::now();
                    assert!(requests_since(&session, &table, at - 59).await > 0);
                    questions.push(start.elapsed());
                }
            }
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_micros() as i64;
            table.gc(&Gc::keep(KEEP, now)).await.unwrap();
            let live = table.snapshot().await.unwrap().files().count();
            let (files, bytes) = on_disk(&place);
            println!(
                "{day:3}  {:8.1} {:6.1}  {:8.1} {:6.0}  {:15.1}  {live:10}  {files:7}  {:4}  {:6}",
                share(&mut appends, 0.5),
                share(&mut appends, 0.99),
                share(&mut merges, 0.5),
                share(&mut merges, 1.0),
                share(&mut questions, 0.5),
                bytes >> 20,
                memory()
            );
            day += 1;
        }
        let rows = table.snapshot().await.unwrap().rows();
        assert_eq!(rows, Some(day as u64 * 1440 * SERIES as u64), "every row is there, once");
        println!("{} rows in {:.0} s", rows.unwrap(), started.elapsed().as_secs_f64());
    });
}
