//! Every case of `vectors/timelines.json` through SQL: states become rows, and the union, its figures and its
//! intervals come back equal, whatever the order of the rows and however they are split.

use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, AsArray, BooleanArray, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray, UInt32Array,
};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::{Float64Type, Int64Type, TimestampMicrosecondType};
use serde_json::Value;

use crate::{query, register, session};

const MICROS: i64 = 1_000_000;

#[tokio::test]
async fn every_vector_holds_in_order() {
    check(1, |_| 0).await;
}

#[tokio::test]
async fn every_vector_holds_shuffled_over_partitions() {
    // A multiplicative hash orders the rows differently in every case, the same in every run.
    check(3, |row| (row as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)).await;
}

/// Exclusions cannot be rows of measurements; they come as intervals, through exclude().
async fn check(partitions: usize, order: impl Fn(usize) -> u64) {
    let folder = std::env::var_os("NINES_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let path = folder.join("vectors/timelines.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return;
    };
    for case in serde_json::from_str::<Vec<Value>>(&text).unwrap() {
        let name = case["name"].as_str().unwrap();
        let slice = case["slice_seconds"].as_i64().unwrap();
        let recovery = case["recovery_seconds"].as_i64().unwrap();
        let states = case["states"].as_array().unwrap().iter().map(|s| s.as_str().unwrap()).collect::<Vec<_>>();
        let context = session("UTC", partitions);
        register(&context, "rows", rows(&states, slice, &order), partitions);
        register(&context, "exclusions", exclusions(&states, slice), 1);
        let end = states[0].len() as i64 * slice;
        let times = format!("{slice}, to_timestamp(0), to_timestamp({end})");
        for source in
            [format!("timeline(time, ok, {times})"), format!("ratio_timeline(time, good, total, 0.99, {times})")]
        {
            let sql = format!(
                "WITH each AS (
                   SELECT m.name, exclude(m.t, x.intervals) AS t
                   FROM (SELECT name, {source} AS t FROM rows GROUP BY name) m JOIN exclusions x ON m.name = x.name)
                 SELECT CAST(error_seconds(t) AS BIGINT), CAST(measured_seconds(t) AS BIGINT), availability(t),
                        error_intervals(t), failure_count(t, {recovery}), failure_intervals(t, {recovery}),
                        mttr(t, {recovery}), mtbf(t, {recovery})
                 FROM (SELECT name, t FROM each UNION ALL SELECT '~', error_union(t) FROM each) ORDER BY name"
            );
            let batches = query(&context, &sql).await.unwrap_or_else(|error| panic!("{name}: {error}"));
            let found = batches.iter().flat_map(|b| (0..b.num_rows()).map(|row| figures(b, row))).collect::<Vec<_>>();
            let mut expected = case["each"].as_array().unwrap().clone();
            expected.push(case["union"].clone());
            for figures in &mut expected {
                figures.as_object_mut().unwrap().remove("availability_exact");
            }
            assert_eq!(found, expected, "{name}: {source}");
        }
    }
}

/// `name, time, ok, good, total`: a row per measured slice, sometimes two, and a row without counts per
/// unmeasured one.
fn rows(states: &[&str], slice: i64, order: &impl Fn(usize) -> u64) -> Vec<RecordBatch> {
    let (mut names, mut times, mut ok, mut good, mut total) = (vec![], vec![], vec![], vec![], vec![]);
    let mut push = |timeline: usize, time: i64, counts: Option<(i64, i64)>| {
        names.push(timeline.to_string());
        times.push(time);
        ok.push(counts.map(|(good, total)| good == total));
        good.push(counts.map(|counts| counts.0));
        total.push(counts.map(|counts| counts.1));
    };
    for (timeline, states) in states.iter().enumerate() {
        for (i, state) in states.chars().enumerate() {
            let time = i as i64 * slice * MICROS;
            match state {
                'E' => {
                    push(timeline, time, Some((0, 2)));
                    push(timeline, time + 7, Some((98, 98)));
                }
                'o' => push(timeline, time + 13, Some((100, 100))),
                _ => push(timeline, time, None),
            }
        }
    }
    let batch = RecordBatch::try_from_iter([
        ("name", Arc::new(StringArray::from(names)) as Arc<dyn Array>),
        ("time", Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))),
        ("ok", Arc::new(BooleanArray::from(ok))),
        ("good", Arc::new(Int64Array::from(good))),
        ("total", Arc::new(Int64Array::from(total))),
    ])
    .unwrap();
    let mut indices = (0..batch.num_rows() as u32).collect::<Vec<_>>();
    indices.sort_by_key(|&row| order(row as usize));
    let batch = take_record_batch(&batch, &UInt32Array::from(indices)).unwrap();
    (0..batch.num_rows()).step_by(17).map(|at| batch.slice(at, 17.min(batch.num_rows() - at))).collect()
}

/// `name, intervals`: one interval per excluded slice.
fn exclusions(states: &[&str], slice: i64) -> Vec<RecordBatch> {
    use datafusion::arrow::array::{ListBuilder, StructBuilder, TimestampMicrosecondBuilder};
    use datafusion::arrow::datatypes::Field;
    let instant = nines_functions::instant_type();
    let fields = vec![Field::new("started", instant.clone(), false), Field::new("ended", instant, false)];
    let builder = StructBuilder::from_fields(fields, 0);
    let mut lists = ListBuilder::new(builder);
    for states in states {
        for (i, _) in states.chars().enumerate().filter(|(_, state)| *state == 'x') {
            let interval = lists.values();
            for (field, bound) in [i as i64, i as i64 + 1].into_iter().enumerate() {
                let bounds = interval.field_builder::<TimestampMicrosecondBuilder>(field).unwrap();
                bounds.append_value(bound * slice * MICROS);
            }
            interval.append(true);
        }
        lists.append(true);
    }
    let names = (0..states.len()).map(|timeline| timeline.to_string());
    let columns = [
        ("name", Arc::new(StringArray::from_iter_values(names)) as Arc<dyn Array>),
        ("intervals", Arc::new(lists.finish())),
    ];
    vec![RecordBatch::try_from_iter(columns).unwrap()]
}

fn figures(batch: &RecordBatch, row: usize) -> Value {
    let integer = |at: usize| batch.column(at).as_primitive::<Int64Type>().value(row);
    let float = |at: usize| {
        let column = batch.column(at).as_primitive::<Float64Type>();
        column.is_valid(row).then(|| column.value(row))
    };
    let intervals = |at: usize| {
        let items = batch.column(at).as_list::<i32>().value(row);
        let bound = |at: usize, i: usize| {
            items.as_struct().column(at).as_primitive::<TimestampMicrosecondType>().value(i) / MICROS
        };
        (0..items.len()).map(|i| serde_json::json!([bound(0, i), bound(1, i)])).collect::<Value>()
    };
    let lasted = |at: usize| {
        let items = batch.column(at).as_list::<i32>().value(row);
        let seconds = items.as_struct().column_by_name("seconds").unwrap().as_primitive::<Float64Type>().clone();
        seconds.values().iter().map(|seconds| *seconds as i64).collect::<Value>()
    };
    serde_json::json!({
        "error_seconds": integer(0), "measured_seconds": integer(1), "availability": float(2),
        "error_intervals": intervals(3), "failure_count": integer(4), "failure_intervals": intervals(5),
        "failure_seconds": lasted(5),
        "mttr": float(6), "mtbf": float(7),
    })
}
