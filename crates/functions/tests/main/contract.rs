//! What DataFusion promises of aggregates holds for ours: beside a naive computation, whole and grouped, in windows that
//! grow and that slide, with DISTINCT, FILTER and ORDER BY, for any partitions, batches and memory.
//!
//! `NINES_SEED` runs one seed, `NINES_ROUNDS` as many as it says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Float64Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::execution::memory_pool::FairSpillPool;
use datafusion::execution::runtime_env::RuntimeEnvBuilder;
use datafusion::physical_plan::{ExecutionPlan, collect};
use datafusion::prelude::{SessionConfig, SessionContext};
use nines_functions::{TimelineArrayBuilder, sources_array};
use nines_timeline::{Builder, Interval, MICROS, State, Timeline, error_sources, normalize, union};

use crate::{query, register};

const MINUTE: i64 = 60 * MICROS;
const TARGET: (i64, i64) = (9, 10);

/// A row of every kind of argument.
#[derive(Debug, Clone)]
struct Row {
    k: i64,
    g: i64,
    keep: bool,
    time: Option<i64>,
    ok: Option<bool>,
    good: Option<i64>,
    total: Option<i64>,
    n: Option<i64>,
    x: Option<f64>,
    name: Option<&'static str>,
    t: Option<Timeline>,
    /// Zero count, bucket, count.
    h: Option<(i64, i64, i64)>,
}

struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 20) % n
    }

    fn maybe<T>(&mut self, value: impl FnOnce(&mut Self) -> T) -> Option<T> {
        (self.below(6) > 0).then(|| value(self))
    }
}

fn timeline(rng: &mut Rng) -> Timeline {
    let width = [15, 30, 60, 120][rng.below(4) as usize] * MICROS;
    let start = 2 * MINUTE * rng.below(4) as i64;
    let slices = 8 + rng.below(8) as i64 * 8;
    let mut builder = Builder::new(Interval::new(start, start + slices * width), width).unwrap();
    for at in 0..slices {
        let state =
            [State::Ok, State::Ok, State::Ok, State::Error, State::NoData, State::Excluded][rng.below(6) as usize];
        builder.push(start + at * width, start + (at + 1) * width, state);
    }
    builder.finish()
}

fn row(rng: &mut Rng, k: i64) -> Row {
    let total = rng.maybe(|rng| rng.below(4) as i64 * 5);
    Row {
        k,
        g: rng.below(4) as i64,
        keep: rng.below(3) > 0,
        time: rng.maybe(|rng| rng.below(9) as i64 * MINUTE + rng.below(2) as i64 * 7),
        ok: rng.maybe(|rng| rng.below(4) > 0),
        good: rng.maybe(|rng| total.unwrap_or(5) - rng.below(2).min(total.unwrap_or(0) as u64) as i64),
        total,
        n: rng.maybe(|rng| (rng.below(5) as i64 - 2) * [1, 1 << 60][rng.below(2) as usize]),
        // Multiples of 2^-10 that floats cannot add up without rounding.
        x: rng.maybe(|rng| (rng.below(2_000) as f64 - 1_000.0) / 1024.0 * [1.0, 2f64.powi(60)][rng.below(2) as usize]),
        name: rng.maybe(|rng| ["a", "b", "c"][rng.below(3) as usize]),
        t: rng.maybe(timeline),
        h: rng.maybe(|rng| (rng.below(3) as i64, rng.below(3) as i64 - 1, rng.below(3) as i64 + 1)),
    }
}

/// An aggregate: its arguments in SQL, and what it is of rows.
struct Aggregate {
    name: &'static str,
    arguments: &'static str,
    naive: fn(&[&Row]) -> String,
    /// The arguments of a row as text, by which DISTINCT tells rows apart.
    same: fn(&Row) -> String,
}

const ALL: [Aggregate; 9] = [
    Aggregate {
        name: "timeline",
        arguments: "time, ok, 60",
        naive: |rows| {
            shown_timeline(of_slices(
                rows,
                |row| Some(row.ok),
                |oks| {
                    let known: Vec<bool> = oks.iter().flatten().copied().collect();
                    if known.is_empty() {
                        State::NoData
                    } else if known.iter().all(|ok| *ok) {
                        State::Ok
                    } else {
                        State::Error
                    }
                },
            ))
        },
        same: |row| format!("{:?}", (row.time, row.ok)),
    },
    Aggregate {
        name: "ratio_timeline",
        arguments: "time, good, total, 0.9, 60",
        naive: |rows| {
            shown_timeline(of_slices(
                rows,
                |row| Some(row.good.zip(row.total)),
                |counts| {
                    let (good, total) = counts.iter().flatten().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
                    if total == 0 {
                        State::NoData
                    } else if good * TARGET.1 >= TARGET.0 * total {
                        State::Ok
                    } else {
                        State::Error
                    }
                },
            ))
        },
        same: |row| format!("{:?}", (row.time, row.good, row.total)),
    },
    Aggregate {
        name: "error_union",
        arguments: "t",
        naive: |rows| shown_timeline(union(&rows.iter().filter_map(|row| row.t.as_ref()).collect::<Vec<_>>())),
        same: |row| format!("{:?}", row.t),
    },
    Aggregate {
        name: "error_sources",
        arguments: "name, t",
        naive: |rows| {
            let mut by_name = BTreeMap::<&str, Vec<Interval>>::new();
            let mut any = false;
            for (name, t) in rows.iter().filter_map(|row| Some((row.name?, row.t.as_ref()?))) {
                any = true;
                by_name.entry(name).or_default().extend(t.intervals(State::Error));
            }
            by_name.values_mut().for_each(|errors| *errors = normalize(std::mem::take(errors)));
            let named: Vec<_> = by_name.iter().map(|(name, errors)| (*name, errors.as_slice())).collect();
            shown(&sources_array([any.then(|| error_sources(&named))]), 0)
        },
        same: |row| format!("{:?}", (row.name, &row.t)),
    },
    Aggregate {
        name: "histogram_merge",
        arguments: "h",
        naive: |rows| {
            let mut zero = None;
            let mut buckets = BTreeMap::new();
            for (zeros, bucket, count) in rows.iter().filter_map(|row| row.h) {
                *zero.get_or_insert(0) += zeros;
                *buckets.entry(bucket).or_insert(0) += count;
            }
            let buckets: Vec<String> = buckets.iter().map(|(b, n)| format!("{{bucket: {b}, count: {n}}}")).collect();
            zero.map_or(String::new(), |zero: i64| format!("{{zero: {zero}, buckets: [{}]}}", buckets.join(", ")))
        },
        same: |row| format!("{:?}", row.h),
    },
    Aggregate {
        name: "sum",
        arguments: "n",
        naive: |rows| {
            let known: Vec<i128> = rows.iter().filter_map(|row| row.n).map(i128::from).collect();
            if known.is_empty() { String::new() } else { known.iter().sum::<i128>().to_string() }
        },
        same: |row| format!("{:?}", row.n),
    },
    Aggregate {
        name: "avg",
        arguments: "n",
        naive: |rows| mean(rows.iter().filter_map(|row| row.n).map(|n| i128::from(n) << 10).collect()),
        same: |row| format!("{:?}", row.n),
    },
    Aggregate {
        name: "sum",
        arguments: "x",
        naive: |rows| {
            let known: Vec<i128> = rows.iter().filter_map(|row| row.x).map(fixed).collect();
            if known.is_empty() { String::new() } else { float(known.iter().sum::<i128>() as f64 / 1024.0) }
        },
        same: |row| format!("{:?}", row.x.map(|x| x + 0.0)),
    },
    Aggregate {
        name: "avg",
        arguments: "x",
        naive: |rows| mean(rows.iter().filter_map(|row| row.x).map(fixed).collect()),
        same: |row| format!("{:?}", row.x.map(|x| x + 0.0)),
    },
];

/// In units of 2^-10.
fn fixed(x: f64) -> i128 {
    (x * 1024.0) as i128
}

fn mean(known: Vec<i128>) -> String {
    match known.len() {
        0 => String::new(),
        n => float(known.iter().sum::<i128>() as f64 / 1024.0 / n as f64),
    }
}

fn float(value: f64) -> String {
    shown(&(Arc::new(Float64Array::from(vec![value])) as ArrayRef), 0)
}

fn shown(array: &ArrayRef, row: usize) -> String {
    array_value_to_string(array, row).unwrap()
}

fn shown_timeline(timeline: Option<Timeline>) -> String {
    let mut built = TimelineArrayBuilder::default();
    built.append(timeline.as_ref());
    shown(&(Arc::new(built.finish()) as ArrayRef), 0)
}

/// The timeline of what the rows of each slice say, minute by minute.
fn of_slices<T>(rows: &[&Row], said: fn(&Row) -> Option<T>, judge: fn(&[T]) -> State) -> Option<Timeline> {
    let mut slices = BTreeMap::<i64, Vec<T>>::new();
    for row in rows {
        if let Some((time, said)) = row.time.zip(said(row)) {
            slices.entry(time.div_euclid(MINUTE)).or_default().push(said);
        }
    }
    let (first, last) = (*slices.first_key_value()?.0, *slices.last_key_value()?.0);
    let mut builder = Builder::new(Interval::new(first * MINUTE, (last + 1) * MINUTE), MINUTE).unwrap();
    for slice in first..=last {
        let state = slices.get(&slice).map_or(State::NoData, |said| judge(said));
        builder.push(slice * MINUTE, (slice + 1) * MINUTE, state);
    }
    Some(builder.finish())
}

fn batch(rows: &[Row]) -> RecordBatch {
    let numbers =
        |value: fn(&Row) -> Option<i64>| -> ArrayRef { Arc::new(rows.iter().map(value).collect::<Int64Array>()) };
    let times: TimestampMicrosecondArray = rows.iter().map(|row| row.time).collect();
    let mut timelines = TimelineArrayBuilder::default();
    rows.iter().for_each(|row| timelines.append(row.t.as_ref()));
    RecordBatch::try_from_iter_with_nullable([
        ("k", numbers(|row| Some(row.k)), true),
        ("g", numbers(|row| Some(row.g)), true),
        ("keep", Arc::new(rows.iter().map(|row| Some(row.keep)).collect::<BooleanArray>()), true),
        ("time", Arc::new(times.with_timezone("UTC")), true),
        ("ok", Arc::new(rows.iter().map(|row| row.ok).collect::<BooleanArray>()), true),
        ("good", numbers(|row| row.good), true),
        ("total", numbers(|row| row.total), true),
        ("n", numbers(|row| row.n), true),
        ("x", Arc::new(rows.iter().map(|row| row.x).collect::<Float64Array>()), true),
        ("name", Arc::new(rows.iter().map(|row| row.name).collect::<StringArray>()), true),
        ("t", Arc::new(timelines.finish()), true),
        ("zero", numbers(|row| Some(row.h?.0)), true),
        ("bucket", numbers(|row| Some(row.h?.1)), true),
        ("count", numbers(|row| Some(row.h?.2)), true),
    ])
    .unwrap()
}

fn with_functions(context: SessionContext) -> SessionContext {
    let mut context = context;
    nines_functions::register_all(&mut context, "UTC").unwrap();
    context.add_analyzer_rule(Arc::new(nines_functions::CheckedArithmetic));
    context
}

const VIEW: &str =
    "CREATE VIEW r AS SELECT *, CASE WHEN zero IS NULL THEN NULL ELSE named_struct('zero', zero, 'buckets',
    make_array(named_struct('bucket', CAST(bucket AS INT), 'count', count))) END AS h FROM rows";

/// A session over the rows, cut as given. Aggregation in two steps always gives up its first step, where `skip`.
async fn over(rows: &[Row], partitions: usize, size: usize, skip: bool) -> SessionContext {
    let mut config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(size);
    let options = config.options_mut();
    options.optimizer.repartition_aggregations = true;
    if skip {
        options.execution.skip_partial_aggregation_probe_rows_threshold = 1;
        options.execution.skip_partial_aggregation_probe_ratio_threshold = 0.0;
    }
    let context = with_functions(SessionContext::new_with_config(config));
    let batches = rows.chunks(size.min(rows.len())).map(batch).collect();
    register(&context, "rows", batches, partitions);
    query(&context, VIEW).await.unwrap();
    context
}

/// The rows of an answer as text, the first column apart.
async fn answer(context: &SessionContext, sql: &str) -> Vec<(String, Vec<String>)> {
    let batches = query(context, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    let mut rows = Vec::new();
    for batch in &batches {
        for row in 0..batch.num_rows() {
            let cells: Vec<String> = batch.columns().iter().map(|column| shown(column, row)).collect();
            rows.push((cells[0].clone(), cells[1..].to_vec()));
        }
    }
    rows
}

/// The rows in one group, in order.
fn groups(rows: &[Row]) -> BTreeMap<i64, Vec<&Row>> {
    let mut groups = BTreeMap::<i64, Vec<&Row>>::new();
    rows.iter().for_each(|row| groups.entry(row.g).or_default().push(row));
    groups
}

fn distinct<'a>(aggregate: &Aggregate, rows: &[&'a Row]) -> Vec<&'a Row> {
    let mut seen = BTreeSet::new();
    rows.iter().copied().filter(|row| seen.insert((aggregate.same)(row))).collect()
}

fn kept<'a>(rows: &[&'a Row]) -> Vec<&'a Row> {
    rows.iter().copied().filter(|row| row.keep).collect()
}

/// How a call may be written, and which of the rows it sees count.
type Form = (&'static str, for<'a> fn(&Aggregate, &[&'a Row]) -> Vec<&'a Row>);

const FORMS: [Form; 5] = [
    ("{f}({a})", |_, rows| rows.to_vec()),
    ("{f}({a}) FILTER (WHERE keep)", |_, rows| kept(rows)),
    ("{f}(DISTINCT {a})", distinct),
    ("{f}(DISTINCT {a}) FILTER (WHERE keep)", |aggregate, rows| distinct(aggregate, &kept(rows))),
    ("{f}({a} ORDER BY k DESC)", |_, rows| rows.to_vec()),
];

fn written(form: &str, aggregate: &Aggregate) -> String {
    form.replace("{f}", aggregate.name).replace("{a}", aggregate.arguments)
}

/// A frame: in SQL, and from where to where it goes for row `at` of `n`.
type Frame = (&'static str, fn(usize, usize) -> (usize, usize));

const FRAMES: [Frame; 6] = [
    ("ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", |at, _| (0, at + 1)),
    ("ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", |_, n| (0, n)),
    ("ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", |at, n| (at, n)),
    ("ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING", |at, n| (at.saturating_sub(2), (at + 2).min(n))),
    ("ROWS BETWEEN 2 FOLLOWING AND 4 FOLLOWING", |at, n| ((at + 2).min(n), (at + 5).min(n))),
    ("ROWS BETWEEN 5 PRECEDING AND 3 PRECEDING", |at, _| (at.saturating_sub(5), (at + 1).saturating_sub(3))),
];

async fn check(seed: u64) {
    let mut rng = Rng(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let rows: Vec<Row> = (0..10 + rng.below(22) as i64).map(|k| row(&mut rng, k)).collect();
    let mut shuffled = rows.clone();
    shuffled.sort_by_key(|row| (row.k as u64 + seed).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29));
    let (partitions, size) = ([1, 3, 7][seed as usize % 3], [1, 7, 8192][seed as usize / 3 % 3]);
    let context = over(&shuffled, partitions, size, seed % 2 == 1).await;
    let (groups, whole) = (groups(&rows), rows.iter().collect::<Vec<_>>());
    for (form, counted) in &FORMS {
        let calls: Vec<String> = ALL.iter().map(|aggregate| written(form, aggregate)).collect();
        let naive = |rows: &[&Row]| -> Vec<String> {
            ALL.iter().map(|aggregate| (aggregate.naive)(&counted(aggregate, rows))).collect()
        };
        let said = format!("seed {seed}: {form}");
        let sql = format!("SELECT 0, {} FROM r", calls.join(", "));
        assert_eq!(answer(&context, &sql).await, [("0".to_string(), naive(&whole))], "{said}");
        let sql = format!("SELECT 0, {} FROM r WHERE false", calls.join(", "));
        assert_eq!(answer(&context, &sql).await, [("0".to_string(), naive(&[]))], "{said}, no rows");
        let sql = format!("SELECT g, {} FROM r GROUP BY g ORDER BY g", calls.join(", "));
        let expected: Vec<_> = groups.iter().map(|(g, rows)| (g.to_string(), naive(rows))).collect();
        assert_eq!(answer(&context, &sql).await, expected, "{said}, grouped");
        // Groups that come one after the other are given up as soon as they are over.
        let ordered = "(SELECT * FROM r ORDER BY g LIMIT 100000)";
        let sql = format!("SELECT g, {} FROM {ordered} GROUP BY g ORDER BY g", calls.join(", "));
        assert_eq!(answer(&context, &sql).await, expected, "{said}, in order");
        let sql = format!("SELECT k, {} FROM r GROUP BY k ORDER BY k", calls.join(", "));
        let expected: Vec<_> = rows.iter().map(|row| (row.k.to_string(), naive(&[row]))).collect();
        assert_eq!(answer(&context, &sql).await, expected, "{said}, a group per row");
        // One alone, which DataFusion may plan otherwise than many.
        let one = &ALL[seed as usize % ALL.len()];
        let sql = format!("SELECT g, {} FROM r GROUP BY g ORDER BY g", written(form, one));
        let expected: Vec<_> =
            groups.iter().map(|(g, rows)| (g.to_string(), vec![(one.naive)(&counted(one, rows))])).collect();
        assert_eq!(answer(&context, &sql).await, expected, "{said}, alone");
    }
    // An ORDER BY inside a call has no place in a window.
    for (form, counted) in &FORMS[..4] {
        let (frame, bounds) = FRAMES[rng.below(FRAMES.len() as u64) as usize];
        let calls = ALL
            .iter()
            .map(|aggregate| format!("{} OVER (PARTITION BY g ORDER BY k {frame})", written(form, aggregate)));
        let sql = format!("SELECT k, {} FROM r ORDER BY g, k", calls.collect::<Vec<_>>().join(", "));
        let mut expected = Vec::new();
        for rows in groups.values() {
            for (at, row) in rows.iter().enumerate() {
                let (from, to) = bounds(at, rows.len());
                let seen = &rows[from..to.max(from)];
                let cells = ALL.iter().map(|aggregate| (aggregate.naive)(&counted(aggregate, seen)));
                expected.push((row.k.to_string(), cells.collect::<Vec<_>>()));
            }
        }
        assert_eq!(answer(&context, &sql).await, expected, "seed {seed}: {form} over {frame}");
    }
}

#[tokio::test]
async fn aggregates_are_what_they_are_naively() {
    let number = |variable: &str| std::env::var(variable).ok().map(|number| number.parse::<u64>().unwrap());
    if let Some(seed) = number("NINES_SEED") {
        return check(seed).await;
    }
    for seed in 0..number("NINES_ROUNDS").unwrap_or(9) {
        check(seed).await;
    }
}

fn spills(plan: &Arc<dyn ExecutionPlan>) -> usize {
    let own = plan.metrics().and_then(|metrics| metrics.spill_count()).unwrap_or(0);
    own + plan.children().into_iter().map(spills).sum::<usize>()
}

/// With too little memory groups go to disk and come back as they were.
#[tokio::test]
async fn groups_that_spill_are_the_same() {
    let mut rng = Rng(7);
    let rows: Vec<Row> = (0..2_400).map(|k| Row { g: k % 600, ..row(&mut rng, k) }).collect();
    let mut spilled = 0;
    for form in [FORMS[0].0, FORMS[2].0] {
        for aggregate in &ALL {
            let sql = format!("SELECT g, {} FROM r GROUP BY g ORDER BY g", written(form, aggregate));
            let (expected, _) = within(usize::MAX, &rows, &sql).await.unwrap();
            // The least memory in which it can be done.
            let (mut least, mut last) = (None, String::new());
            for limit in [1, 2, 3, 4, 6, 8, 12, 16] {
                match within(limit << 19, &rows, &sql).await {
                    Err(error) => {
                        last = error.strip_backtrace();
                        assert!(last.contains("Resources exhausted"), "{sql}: {last}");
                    }
                    done => {
                        least = done.ok();
                        break;
                    }
                }
            }
            let (answer, spills) = least.unwrap_or_else(|| panic!("{sql} needs more than 8 MiB: {last}"));
            assert_eq!(answer, expected, "{sql}");
            spilled += usize::from(spills > 0);
        }
    }
    assert!(spilled > ALL.len(), "only {spilled} statements spilled");
}

/// The answer with so much memory, and how often it spilled.
async fn within(bytes: usize, rows: &[Row], sql: &str) -> datafusion::common::Result<(Vec<Vec<String>>, usize)> {
    let mut config = SessionConfig::new().with_target_partitions(2).with_batch_size(256);
    config.options_mut().execution.sort_spill_reservation_bytes = 64 << 10;
    let runtime = RuntimeEnvBuilder::new().with_memory_pool(Arc::new(FairSpillPool::new(bytes)));
    let context = with_functions(SessionContext::new_with_config_rt(config, runtime.build_arc()?));
    register(&context, "rows", rows.chunks(256).map(batch).collect(), 2);
    query(&context, VIEW).await?;
    let plan = context.sql(sql).await?.create_physical_plan().await?;
    let batches = collect(Arc::clone(&plan), context.task_ctx()).await?;
    Ok((shown_all(&batches), spills(&plan)))
}

fn shown_all(batches: &[RecordBatch]) -> Vec<Vec<String>> {
    let row = |batch: &RecordBatch, row: usize| batch.columns().iter().map(|column| shown(column, row)).collect();
    batches.iter().flat_map(|batch| (0..batch.num_rows()).map(move |at| row(batch, at))).collect()
}
