//! Random rows of a small universe, so that batches overlap, repeat and correct each other.

use datafusion::arrow::array::RecordBatch;
use nines_store::TableKind;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use crate::fixture::{DAY, MINUTE, OCTOBER};
use crate::naive::{Cell, Cells, Row, Rows, to_batch};

const BUSINESSES: [&str; 2] = ["shop", "业务"];
const SERVICES: [&str; 3] = ["login", "支付", "upload"];
const ENDPOINTS: [&str; 2] = ["", "/v1/确认"];
const CUSTOMERS: [&str; 2] = ["", "acme"];
const STATUSES: [i64; 4] = [0, 200, 404, 503];
const CAUSES: [&str; 3] = ["", "timeout", "上游"];
const SOURCES: [&str; 3] = ["a", "b", "日志"];
const NAMES: [&str; 2] = ["queue", "pool"];
/// Slices over three days.
const SLICES: i64 = 40;

pub fn one<T: Clone>(rng: &mut StdRng, of: &[T]) -> T {
    of.choose(rng).unwrap().clone()
}

fn slice(number: i64) -> i64 {
    OCTOBER + number * 3 / SLICES * DAY + number % 14 * 7 * MINUTE
}

/// The rows of a batch: of one source and a window of time, mostly.
pub fn stream(rng: &mut StdRng, kind: TableKind) -> Vec<Row> {
    let source = rng.random_bool(0.8).then(|| one(rng, &SOURCES));
    let from = rng.random_range(0..SLICES);
    let window = from..(from + rng.random_range(1..=12)).min(SLICES);
    let mut rows: Vec<Row> = Vec::new();
    // Whether columns that came in later are filled.
    let grown = rng.random_bool(0.3);
    for _ in 0..rng.random_range(1..=40) {
        let time = slice(rng.random_range(window.clone()));
        let source = source.unwrap_or_else(|| one(rng, &SOURCES));
        let key = key(rng, kind, source, time, grown);
        let told = rows.iter().any(|(other, _)| *other == key);
        if kind.is_series() || !told {
            rows.push((key.clone(), measures(rng, kind)));
        }
        if kind.is_series() && rng.random_bool(0.2) {
            rows.push((key, measures(rng, kind)));
        } else if !kind.is_series() && rng.random_bool(0.05) {
            rows.extend(rows.choose(rng).cloned());
        }
    }
    rows.shuffle(rng);
    rows
}

fn key(rng: &mut StdRng, kind: TableKind, source: &str, time: i64, grown: bool) -> Cells {
    let mut cell = |name: &str| -> Cell {
        match name {
            "business" => one(rng, &BUSINESSES).into(),
            "service" => one(rng, &SERVICES).into(),
            "endpoint" => one(rng, &ENDPOINTS).into(),
            "customer" => one(rng, &CUSTOMERS).into(),
            "status" => Cell::Number(one(rng, &STATUSES)),
            "cause" => one(rng, &CAUSES).into(),
            "name" => one(rng, &NAMES).into(),
            "labels" | "span" if !grown => Cell::Null,
            "labels" => [Cell::Null, r#"{"zone":"a"}"#.into(), r#"{"zone":"b"}"#.into()].choose(rng).unwrap().clone(),
            "span" => [Cell::Null, "first half".into(), "second half".into()].choose(rng).unwrap().clone(),
            "source" => source.into(),
            "time" => Cell::Instant(time),
            "id" => Cell::Text(format!("INC-{}", rng.random_range(0..12))),
            "period" => Cell::Text(format!("2026-{:02}", rng.random_range(9..=12))),
            other => panic!("no key {other}"),
        }
    };
    kind.key().iter().map(|name| cell(name)).collect()
}

/// Measures at random.
pub fn measures(rng: &mut StdRng, kind: TableKind) -> Cells {
    let maybe = |rng: &mut StdRng, cell: Cell| if rng.random_bool(0.7) { cell } else { Cell::Null };
    match kind {
        TableKind::Requests => {
            let sum = Cell::Quarters(rng.random_range(0..40));
            let mut buckets: Vec<(i32, i64)> = Vec::new();
            for bucket in [-200, -1, 0, 3, 40] {
                if rng.random_bool(0.4) {
                    buckets.push((bucket, rng.random_range(1..5)));
                }
            }
            let zero = rng.random_range(0..2);
            let below = rng.random_range(0..4);
            let within = below + rng.random_range(0..4);
            // A request has at most one latency.
            let latencies = zero + buckets.iter().map(|(_, count)| count).sum::<i64>();
            let requests = latencies.max(within) + rng.random_range(0..3);
            let histogram = Cell::Histogram((zero, buckets));
            let counts = Cell::CountsLe(vec![(100_000, below), (500_000, within)]);
            let histogram = maybe(rng, histogram);
            // Counts alone are refused beside latencies of the same key.
            let counts = if histogram == Cell::Null { Cell::Null } else { maybe(rng, counts) };
            vec![Cell::Number(requests), maybe(rng, sum), histogram, counts]
        }
        TableKind::Events => {
            let good = rng.random_range(0..5);
            vec![Cell::Number(good), Cell::Number(good + rng.random_range(0..3))]
        }
        TableKind::Gauges => {
            let samples: Vec<i64> = (0..rng.random_range(1..4)).map(|_| rng.random_range(-8..40)).collect();
            let (least, greatest) = (samples.iter().min().copied(), samples.iter().max().copied());
            let numbers = [Some(samples.iter().sum()), least, greatest, samples.last().copied()];
            let numbers = numbers.into_iter().flatten().map(Cell::Quarters);
            [Cell::Number(samples.len() as i64)].into_iter().chain(numbers).collect()
        }
        TableKind::Incidents => {
            let started = OCTOBER + rng.random_range(0..100) * MINUTE;
            let mut cells: Cells = [one(rng, &BUSINESSES), one(rng, &SERVICES), one(rng, &["slow", "宕机"]), "sev1"]
                .map(Cell::from)
                .to_vec();
            cells.push(Cell::Instant(started));
            for phase in 1..=4 {
                cells.push(maybe(rng, Cell::Instant(started + phase * MINUTE)));
            }
            cells.extend([Cell::Flag(rng.random_bool(0.2)), "".into(), Cell::Flag(rng.random_bool(0.2))]);
            let services =
                Cell::Texts(SERVICES[..rng.random_range(0..=3)].iter().map(|name| name.to_string()).collect());
            cells.push(if rng.random_bool(0.1) { services } else { Cell::Null });
            cells
        }
        TableKind::Exclusions => {
            let started = OCTOBER + rng.random_range(0..100) * MINUTE;
            let scope = [one(rng, &BUSINESSES), one(rng, &SERVICES), one(rng, &CUSTOMERS), "maintenance"];
            let mut cells: Cells = scope.map(Cell::from).to_vec();
            cells.extend([Cell::Instant(started), Cell::Instant(started + MINUTE), "moved".into()]);
            cells.extend([maybe(rng, Cell::Instant(started - DAY)), Cell::Flag(rng.random_bool(0.2))]);
            let recurs = rng.random_bool(0.1);
            let of_series = |cell| if recurs { cell } else { Cell::Null };
            cells.extend([of_series("FREQ=DAILY".into()), of_series("UTC".into())]);
            let until = maybe(rng, Cell::Instant(started + 10 * DAY));
            cells.push(of_series(until));
            cells
        }
        TableKind::Fees => {
            let amount = rng.random_range(0..1000) * 10_000;
            let voucher = amount * rng.random_range(0..2);
            let from = maybe(rng, Cell::Instant(OCTOBER));
            let later = |rng: &mut StdRng, cell| if rng.random_bool(0.1) { cell } else { Cell::Null };
            let (plan, withdrawn) = (later(rng, "gold".into()), later(rng, Cell::Flag(true)));
            let currency = one(rng, &["EUR", "CNY"]).into();
            vec![currency, Cell::Money(amount), Cell::Money(voucher), from, Cell::Null, withdrawn, plan]
        }
        other => panic!("no measures of {other:?}"),
    }
}

/// A correction: rows that were delivered, all or a few, of which some are told otherwise now.
pub fn correction(rng: &mut StdRng, kind: TableKind, earlier: &Rows) -> Vec<Row> {
    let few = rng.random_bool(0.5);
    let mut rows: Vec<Row> = earlier
        .iter()
        .filter(|_| !few || rng.random_bool(0.1))
        .map(|(key, measures)| (key.clone(), measures.clone()))
        .collect();
    if rows.is_empty() {
        rows.extend(earlier.iter().next().map(|(key, measures)| (key.clone(), measures.clone())));
    }
    let told_otherwise = if few { 1.0 } else { 0.03 };
    for (_, told) in &mut rows {
        if rng.random_bool(told_otherwise) {
            *told = measures(rng, kind);
        }
    }
    rows.shuffle(rng);
    rows
}

/// The same requests for another reason: a cause of all rows, or of some, is called something else.
pub fn relabelled(rng: &mut StdRng, kind: TableKind, earlier: &Rows) -> Vec<Row> {
    let cause = kind.key().iter().position(|name| *name == "cause").unwrap();
    let share = one(rng, &[0.1, 1.0]);
    let mut rows: Vec<Row> = earlier.clone().into_iter().collect();
    for (key, _) in &mut rows {
        if rng.random_bool(share) {
            key[cause] = one(rng, &["relabelled", "timeout"]).into();
        }
    }
    rows.shuffle(rng);
    rows
}

/// A stream cut into batches, some of them empty.
pub fn cut(rng: &mut StdRng, kind: TableKind, rows: &[Row]) -> Vec<RecordBatch> {
    let mut batches = Vec::new();
    let mut rest = rows;
    while !rest.is_empty() {
        let (next, after) = rest.split_at(rng.random_range(0..=rest.len().min(25)));
        batches.push(to_batch(kind, next));
        rest = after;
    }
    batches.push(to_batch(kind, &[]));
    batches
}
