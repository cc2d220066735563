//! What it costs that reads are verified: the same plan over the verified objects and over the folder itself.
//!
//! `cargo bench --workspace --bench verified -- [DAYS]` makes days of 200 series (90 by default), and takes the best of many runs.

#![expect(clippy::unwrap_used, reason = "a benchmark fails by panicking")]

use std::sync::Arc;
use std::time::Instant;

use datafusion::arrow::array::new_null_array;
use datafusion::arrow::array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::datasource::source::DataSourceExec;
use datafusion::object_store::ObjectStore;
use datafusion::object_store::local::LocalFileSystem;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::SessionContext;
use futures::stream;
use nines_store::{Once, Provider, Store, Table, TableKind};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

const SERIES: usize = 200;
const RUNS: usize = 9;

fn day(table: &Table, day: i64) -> RecordBatch {
    let mut random = StdRng::seed_from_u64(day as u64);
    let rows = SERIES * 1440;
    let text =
        |of: &dyn Fn(usize) -> String| -> ArrayRef { Arc::new(StringViewArray::from_iter_values((0..rows).map(of))) };
    let times = (0..rows).map(|row| 1_790_812_800_000_000 + day * 86_400_000_000 + (row % 1440) as i64 * 60_000_000);
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "time" => Arc::new(TimestampMicrosecondArray::from_iter_values(times.clone()).with_timezone("UTC")) as ArrayRef,
        "service" => text(&|row| format!("service-{:02}", row / 1440 / 10)),
        "endpoint" => text(&|row| format!("/endpoint/{:02}", row / 1440 % 10)),
        "status" => Arc::new(Int32Array::from(vec![200; rows])),
        "requests" => Arc::new((0..rows).map(|_| Some(random.random_range(0..5000))).collect::<Int64Array>()),
        _ if field.is_nullable() => new_null_array(field.data_type(), rows),
        _ => text(&|_| String::new()),
    });
    RecordBatch::try_new(Arc::clone(&schema), columns.collect()).unwrap()
}

/// The objects that a plan reads from, by their URL.
fn objects_of(plan: &Arc<dyn ExecutionPlan>) -> Option<datafusion::execution::object_store::ObjectStoreUrl> {
    use datafusion::datasource::physical_plan::FileScanConfig;
    if let Some(scan) = plan.downcast_ref::<DataSourceExec>() {
        return scan.data_source().downcast_ref::<FileScanConfig>().map(|config| config.object_store_url.clone());
    }
    plan.children().into_iter().find_map(objects_of)
}

fn main() {
    let days: i64 = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(90);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let place = tempfile::tempdir_in(".").unwrap();
    runtime.block_on(async {
        let store = Store::open_or_create(place.path().to_str().unwrap(), None).await.unwrap();
        let table = store.table(TableKind::Requests);
        let session = SessionContext::new();
        for at in 0..days {
            let batch = day(&table, at);
            let rows = Box::pin(RecordBatchStreamAdapter::new(batch.schema(), stream::iter([Ok(batch)])));
            table.append(rows, Once::default(), session.task_ctx()).await.unwrap();
        }
        let snapshot = table.snapshot().await.unwrap();
        session.register_table("requests", Arc::new(Provider::pinned(snapshot.clone()))).unwrap();
        let runtime_env = session.runtime_env();
        let folder: Arc<dyn ObjectStore> = Arc::new(LocalFileSystem::new_with_prefix(place.path()).unwrap());
        let best = |times: &mut Vec<f64>| {
            times.sort_by(f64::total_cmp);
            times[0]
        };
        for sql in [
            "select service, endpoint, sum(requests), max(time) from requests where status >= 0 group by 1, 2",
            "select sum(requests) from requests where service = 'service-03' and time < '2026-10-02T00:00:00Z'",
        ] {
            let plan = session.sql(sql).await.unwrap().create_physical_plan().await.unwrap();
            let url = objects_of(&plan).unwrap();
            let verified = runtime_env.object_store(&url).unwrap();
            let mut times = [Vec::new(), Vec::new()];
            for run in 0..2 * RUNS {
                let objects = if run % 2 == 0 { &folder } else { &verified };
                runtime_env.register_object_store(url.as_ref(), Arc::clone(objects));
                let start = Instant::now();
                // A plan that has run keeps what it found.
                let plan = datafusion::physical_plan::execution_plan::reset_plan_states(Arc::clone(&plan)).unwrap();
                collect(plan, session.task_ctx()).await.unwrap();
                times[run % 2].push(start.elapsed().as_secs_f64() * 1e3);
            }
            runtime_env.register_object_store(url.as_ref(), verified);
            let [raw, verified] = times.each_mut().map(best);
            println!("{sql}: {raw:.2} ms, verified {verified:.2} ms ({:+.1} %)", (verified / raw - 1.0) * 100.0);
        }
        // Reads of 16 KiB anywhere in the largest file.
        let plan = session.sql("select * from requests").await.unwrap().create_physical_plan().await.unwrap();
        let verified = runtime_env.object_store(objects_of(&plan).unwrap()).unwrap();
        let file = snapshot.files().max_by_key(|file| file.size()).unwrap();
        let mut random = StdRng::seed_from_u64(1);
        let ranges: Vec<_> = (0..2_000)
            .map(|_| random.random_range(0..file.size() - (16 << 10)))
            .map(|start| start..start + (16 << 10))
            .collect();
        let mut times = [Vec::new(), Vec::new()];
        for run in 0..2 * RUNS {
            let objects = if run % 2 == 0 { &folder } else { &verified };
            let start = Instant::now();
            for range in &ranges {
                objects.get_ranges(file.path(), std::slice::from_ref(range)).await.unwrap();
            }
            times[run % 2].push(start.elapsed().as_secs_f64() * 1e6 / ranges.len() as f64);
        }
        let [raw, verified] = times.each_mut().map(best);
        println!("16 KiB: {raw:.1} µs, verified {verified:.1} µs ({:+.1} %)", (verified / raw - 1.0) * 100.0);
    });
}
