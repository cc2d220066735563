//! Renders a page of every kind of chart from made-up history, to look at: `demo OUT.html`, `demo OUT.md`, or `demo` alone
//! for the terminal.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{
    Array, ArrayRef, Date32Array, Decimal128Array, Float64Array, Int64Array, ListArray, RecordBatch, StringArray,
    StructArray, TimestampMicrosecondArray,
};
use nines_engine::datafusion::arrow::buffer::{OffsetBuffer, ScalarBuffer};
use nines_engine::datafusion::arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use nines_notebook::{Block, CellAnswer, Moment, Notebook, Page, page};

const NOTEBOOK: &str = include_str!("demo.md");
const MINUTE: i64 = 60_000_000;
const DAY: i64 = 1440 * MINUTE;
/// 2026-01-01 in Shanghai.
const BEGIN: i64 = 1_767_196_800_000_000;
const YEAR: i64 = 365 * DAY;

/// A generator of numbers that is the same everywhere (xorshift).
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as f64 / (1u64 << 53) as f64
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let notebook = Notebook::parse("demo.md", NOTEBOOK).map_err(|mistakes| mistakes[0].clone())?;
    let moment = Moment { now: BEGIN + YEAR, zone: Tz::Asia__Shanghai };
    let values =
        notebook.resolve(&BTreeMap::new(), &BTreeMap::new(), moment).map_err(|mistakes| mistakes.join("\n"))?;
    let results = results();
    let begun = Instant::now();
    let mut page = Page::new(&notebook, &values, "demo");
    page.rows = 8;
    page.made = Some("Made on 2027-01-01 00:00 (Asia/Shanghai) with Nines 0.1.0.".to_string());
    for block in &notebook.blocks {
        match block {
            Block::Text(text) => page.text(text, &values),
            Block::Cell(cell) => {
                let found = cell.name.as_ref().and_then(|name| results.get(name.as_str()));
                let outcome = match found {
                    Some(batch) => {
                        Ok(CellAnswer { schema: batch.schema(), batches: vec![batch.clone()], advice: None })
                    }
                    None => Err("there is no table slo_dayz; did you mean 'slo_days'?".to_string()),
                };
                page.cell(cell, outcome);
            }
        }
    }
    let path = std::env::args().nth(1);
    let text = match path.as_deref() {
        None => page::terminal(&page, 100, std::env::var_os("NO_COLOR").is_none()),
        Some(path) if path.ends_with(".md") => page::markdown(&page),
        Some(_) => page::html(&page),
    };
    match path {
        Some(path) => {
            std::fs::write(&path, &text)?;
            println!("{path}: {} bytes in {:?}", text.len(), begun.elapsed());
        }
        None => print!("{text}"),
    }
    Ok(())
}

fn results() -> BTreeMap<&'static str, RecordBatch> {
    let mut dice = Dice(42);
    BTreeMap::from([
        ("year", strip(&mut dice, 100)),
        ("few", strip(&mut dice, 5)),
        ("curve", curve(&mut dice)),
        ("worst", worst()),
        ("budget", budget(&mut dice)),
        ("days", days(&mut dice)),
        ("grid", grid(&mut dice)),
        ("hours", hours(&mut dice)),
        ("phones", phones(&mut dice)),
        ("day", day(&mut dice)),
        ("none", batch(vec![("service", text(&[]))])),
        ("wrong", worst()),
    ])
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true)))
        .unwrap_or_else(|error| {
            eprintln!("{error}");
            std::process::exit(1)
        })
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

fn instants(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
}

const NAMES: [&str; 10] = [
    "登录成功率",
    "login-success",
    "消息发送 P99 延迟（业务高峰期）",
    "checkout/add-to-cart availability across all regions and tenants",
    "upload",
    "支付网关",
    "search-latency-p90",
    "profile_fetch_latency_for_vip_customers",
    "播放",
    "notifications",
];

fn strip(dice: &mut Dice, rows: usize) -> RecordBatch {
    let mut names = Vec::new();
    let mut runs: [Vec<Vec<(i64, i64)>>; 3] = Default::default();
    for row in 0..rows {
        names.push(NAMES.get(row).map_or_else(|| format!("objective-{row:03}"), ToString::to_string));
        let (mut errors, mut none, mut out) = (Vec::new(), Vec::new(), Vec::new());
        match row {
            // One minute of a year.
            1 => errors.push((BEGIN + 200 * DAY, BEGIN + 200 * DAY + MINUTE)),
            4 => none.push((BEGIN, BEGIN + 90 * DAY)),
            8 => {}
            _ => {
                let count = if row % 7 == 0 { 2000 } else { 20 + (dice.next() * 300.0) as usize };
                let mut starts: Vec<i64> = (0..count).map(|_| (dice.next() * 525_600.0) as i64).collect();
                starts.sort_unstable();
                let mut free = 0;
                for start in starts {
                    let start = start.max(free);
                    let length = 1 + (dice.next().powi(6) * 400.0) as i64;
                    free = (start + length + 1).min(525_600);
                    if start < free - 1 {
                        errors.push((BEGIN + start * MINUTE, BEGIN + (free - 1) * MINUTE));
                    }
                }
            }
        }
        if row % 5 == 0 {
            out.push((BEGIN + 150 * DAY, BEGIN + 158 * DAY));
            errors.retain(|(start, end)| *end <= BEGIN + 150 * DAY || *start >= BEGIN + 158 * DAY);
        }
        runs[0].push(errors);
        runs[1].push(none);
        runs[2].push(out);
    }
    let lists: Vec<ArrayRef> = runs.into_iter().map(list).collect();
    let mut columns = vec![
        instants(vec![BEGIN; rows]),
        instants(vec![BEGIN + YEAR; rows]),
        Arc::new(Int64Array::from(vec![60; rows])) as ArrayRef,
    ];
    columns.extend(lists);
    let names_of = ["started", "ended", "slice_seconds", "errors", "no_data", "excluded"];
    let fields: Fields =
        names_of.iter().zip(&columns).map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let timelines = StructArray::new(fields, columns, None);
    batch(vec![("objective", Arc::new(StringArray::from(names))), ("timeline", Arc::new(timelines))])
}

fn list(rows: Vec<Vec<(i64, i64)>>) -> ArrayRef {
    let mut offsets = vec![0i32];
    offsets.extend(rows.iter().scan(0, |end, row| {
        *end += row.len() as i32;
        Some(*end)
    }));
    let all: Vec<(i64, i64)> = rows.into_iter().flatten().collect();
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields: Fields = vec![Field::new("started", time.clone(), true), Field::new("ended", time, true)].into();
    let columns =
        vec![instants(all.iter().map(|run| run.0).collect()), instants(all.iter().map(|run| run.1).collect())];
    let items = StructArray::new(fields.clone(), columns, None);
    let field = Arc::new(Field::new("element", DataType::Struct(fields), true));
    Arc::new(ListArray::new(field, OffsetBuffer::new(ScalarBuffer::from(offsets)), Arc::new(items), None))
}

/// Four services' share of good requests, each hour of a month.
fn curve(dice: &mut Dice) -> RecordBatch {
    let (mut names, mut times, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for (n, name) in ["登录成功率", "消息发送", "add to cart", "upload"].into_iter().enumerate() {
        for hour in 0..720 {
            names.push(name);
            times.push(BEGIN + hour * 60 * MINUTE);
            let dip = if (300..306).contains(&hour) && n == 1 { 0.004 } else { 0.0 };
            let value = 1.0 - 0.0002 * (n + 1) as f64 - dice.next().powi(4) * 0.0008 - dip;
            values.push((!(500..540).contains(&hour) || n != 3).then_some(value));
        }
    }
    batch(vec![("time", instants(times)), ("objective", text(&names)), ("slo", Arc::new(Float64Array::from(values)))])
}

fn worst() -> RecordBatch {
    let slo = Decimal128Array::from(vec![99_951, 99_872, 99_990, 100_000, 98_700]).with_precision_and_scale(6, 5);
    let slo: ArrayRef = match slo {
        Ok(slo) => Arc::new(slo),
        Err(_) => Arc::new(Int64Array::from(vec![1; 5])),
    };
    batch(vec![
        (
            "service",
            text(&["login 登录", "checkout of all regions, tenants and currencies", "消息", "upload", "search"]),
        ),
        (
            "owner",
            Arc::new(StringArray::from(vec![Some("identity"), Some("shop"), None, Some("media"), Some("search")])),
        ),
        ("slo", slo),
        ("slo_error_time", Arc::new(Float64Array::from(vec![720.0, 4260.0, 60.0, 0.0, 93_600.0]))),
        ("mttr", Arc::new(Float64Array::from(vec![Some(360.0), Some(532.5), Some(60.0), None, Some(7200.0)]))),
        ("failures", Arc::new(Int64Array::from(vec![2, 8, 1, 0, 13]))),
        ("requests", Arc::new(Int64Array::from(vec![12_345_678, 987_654, 55_123, 4321, 7_700_123]))),
        ("since", instants(vec![BEGIN, BEGIN + 3 * DAY + 61 * MINUTE, BEGIN + DAY, BEGIN, BEGIN])),
    ])
}

fn budget(dice: &mut Dice) -> RecordBatch {
    let weeks: Vec<i32> = (0..12).map(|week| (BEGIN / DAY) as i32 + 1 + week * 7).collect();
    let mut columns: Vec<(&str, ArrayRef)> = vec![("week", Arc::new(Date32Array::from(weeks)))];
    for name in ["login", "消息", "upload"] {
        let minutes: Vec<f64> = (0..12).map(|_| (dice.next().powi(3) * 90.0).round()).collect();
        columns.push((name, Arc::new(Float64Array::from(minutes))));
    }
    batch(columns)
}

fn days(dice: &mut Dice) -> RecordBatch {
    let first = (BEGIN / DAY) as i32 + 1;
    let minutes = (0..365).map(|day| match day {
        40..46 => None,
        _ if dice.next() < 0.7 => Some(0.0),
        _ => Some((dice.next().powi(4) * 240.0).ceil()),
    });
    batch(vec![
        ("day", Arc::new(Date32Array::from((0..365).map(|day| first + day).collect::<Vec<_>>()))),
        ("minutes", Arc::new(Float64Array::from(minutes.collect::<Vec<_>>()))),
    ])
}

fn grid(dice: &mut Dice) -> RecordBatch {
    let (mut services, mut hours, mut errors) = (Vec::new(), Vec::new(), Vec::new());
    for service in ["登录", "checkout of all regions and tenants", "upload"] {
        for hour in 0..24 {
            services.push(service);
            hours.push(format!("{hour:02}:00"));
            errors.push((dice.next() < 0.9).then(|| (dice.next().powi(5) * 900.0) as i64));
        }
    }
    batch(vec![
        ("service", text(&services)),
        ("hour", Arc::new(StringArray::from(hours))),
        ("errors", Arc::new(Int64Array::from(errors))),
    ])
}

fn hours(dice: &mut Dice) -> RecordBatch {
    let first = (BEGIN / DAY) as i32 + 1;
    let (mut names, mut dates, mut minutes) = (Vec::new(), Vec::new(), Vec::new());
    for name in &NAMES[..6] {
        for day in 0..180 {
            names.push(*name);
            dates.push(first + day);
            minutes.push(if dice.next() < 0.85 { 0.0 } else { dice.next().powi(3) * 200.0 });
        }
    }
    batch(vec![
        ("objective", text(&names)),
        ("day", Arc::new(Date32Array::from(dates))),
        ("minutes", Arc::new(Float64Array::from(minutes))),
    ])
}

/// A year of minutes in one line: what downsampling is for.
fn phones(dice: &mut Dice) -> RecordBatch {
    let times: Vec<i64> = (0..525_600).map(|minute| BEGIN + minute * MINUTE).collect();
    let mut level: f64 = 0.12;
    let seconds = (0..525_600).map(|minute| {
        level = (level + (dice.next() - 0.5) * 0.002).clamp(0.08, 0.2);
        if minute == 300_000 { 2.75 } else { level + dice.next().powi(30) * 0.3 }
    });
    let seconds: Vec<f64> = seconds.collect();
    batch(vec![("time", instants(times)), ("p90", Arc::new(Float64Array::from(seconds)))])
}

/// Many lines, minute by minute.
fn day(dice: &mut Dice) -> RecordBatch {
    let (mut names, mut times, mut values) = (Vec::new(), Vec::new(), Vec::new());
    for n in 0..11 {
        for slot in 0..96 {
            names.push(format!("/v1/endpoint/{n}"));
            times.push(BEGIN + slot * 15 * MINUTE);
            values
                .push(((1.0 + (slot as f64 / 15.0 + n as f64).sin()) * 4000.0 + dice.next() * 900.0) as i64 + 500 * n);
        }
    }
    batch(vec![
        ("time", instants(times)),
        ("endpoint", Arc::new(StringArray::from(names))),
        ("requests", Arc::new(Int64Array::from(values))),
    ])
}
