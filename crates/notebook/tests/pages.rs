//! From a notebook and Arrow batches to a page, in all its forms.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic as tests do")]

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, DictionaryArray, Float64Array, Int64Array, ListArray,
    RecordBatch, StringArray, StringViewArray, StructArray, TimestampMicrosecondArray,
};
use nines_engine::datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use nines_engine::datafusion::arrow::datatypes::{DataType, Field, Fields, Int32Type, TimeUnit};
use nines_notebook::{Block, CellAnswer, Chart, ChartKind, ChartSpec, Moment, Notebook, Page, Units, page, term};
use unicode_width::UnicodeWidthStr;

const MINUTE: i64 = 60_000_000;
const YEAR: i64 = 525_600 * MINUTE;
/// 2026-01-01T00:00Z.
const BEGIN: i64 = 1_767_225_600_000_000;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(name, array)| (name, array, true))).unwrap()
}

fn times(values: Vec<i64>) -> ArrayRef {
    Arc::new(TimestampMicrosecondArray::from(values).with_timezone("UTC"))
}

fn text(values: &[&str]) -> ArrayRef {
    Arc::new(StringArray::from(values.to_vec()))
}

/// Timelines of a year, each with these errors; the last row is NULL.
fn timelines(errors: &[Vec<(i64, i64)>]) -> ArrayRef {
    let rows = errors.len() + 1;
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let fields: Fields = vec![Field::new("started", time.clone(), true), Field::new("ended", time, true)].into();
    let list = |rows: Vec<Vec<(i64, i64)>>| -> ArrayRef {
        let lengths = rows.iter().map(Vec::len).collect::<Vec<_>>();
        let all: Vec<(i64, i64)> = rows.into_iter().flatten().collect();
        let columns = vec![times(all.iter().map(|r| r.0).collect()), times(all.iter().map(|r| r.1).collect())];
        let items = StructArray::new(fields.clone(), columns, None);
        let field = Arc::new(Field::new("element", items.data_type().clone(), true));
        Arc::new(ListArray::new(field, OffsetBuffer::from_lengths(lengths), Arc::new(items), None))
    };
    let mut given = errors.to_vec();
    given.push(Vec::new());
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("started", times(vec![BEGIN; rows])),
        ("ended", times(vec![BEGIN + YEAR; rows])),
        ("slice_seconds", Arc::new(Int64Array::from(vec![60; rows]))),
        ("errors", list(given)),
        ("no_data", list(vec![Vec::new(); rows])),
        ("excluded", list(vec![Vec::new(); rows])),
    ];
    let fields: Fields =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), true)).collect();
    let nulls = NullBuffer::from((0..rows).map(|row| row + 1 < rows).collect::<Vec<_>>());
    Arc::new(StructArray::new(fields, columns.into_iter().map(|(_, array)| array).collect(), Some(nulls)))
}

/// A page of this notebook whose every cell has this result.
fn page(notebook: &str, batch: &RecordBatch) -> Page {
    let notebook = Notebook::parse("n.md", notebook).unwrap();
    let moment = Moment { now: BEGIN + YEAR, zone: Tz::UTC };
    let values = notebook.resolve(&BTreeMap::new(), &BTreeMap::new(), moment).unwrap();
    let mut page = Page::new(&notebook, &values, "n");
    for block in &notebook.blocks {
        match block {
            Block::Text(text) => page.text(text, &values),
            Block::Cell(cell) => {
                let answer = CellAnswer { schema: batch.schema(), batches: vec![batch.clone()], advice: None };
                page.cell(cell, Ok(answer));
            }
        }
    }
    page
}

#[test]
fn one_bad_minute_in_a_year_is_seen_in_every_form() {
    let minute = BEGIN + 123_456 * MINUTE;
    let rows =
        batch(vec![("objective", text(&["登录", "none"])), ("t", timelines(&[vec![(minute, minute + MINUTE)]]))]);
    let page = page("```sql chart=timeline table hide\nSELECT 1\n```\n", &rows);
    let html = page::html(&page);
    // On the page and on a phone, two pixels each.
    let marks: Vec<&str> =
        html.split("class=\"t-error\" d=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert_eq!(marks.len(), 2, "{marks:?}");
    assert!(marks.iter().all(|mark| mark.contains("h2v") && mark.matches('M').count() == 1), "{marks:?}");
    assert!(html.contains("登录\nerror 2026-03-27 17:36 – 17:37 (1 min)"));
    let told = "1 min in error, 2026";
    assert!(html.contains(told) && html.contains("<td class=\"nil\">–</td>"));
    let terminal = page::terminal(&page, 80, false);
    assert_eq!(terminal.lines().next().unwrap().matches('▄').count(), 1, "{terminal}");
    assert!(page::terminal(&page, 80, true).contains("\x1b[31m▄\x1b[0m"));
    assert!(page::markdown(&page).contains(&format!("| 登录 | {told} |")));
}

#[test]
fn a_hundred_objectives_over_a_year_stay_small_however_bad() {
    // Every other minute of every tenth day, the worst that a strip can be made of.
    let bad = |row: i64| {
        let days = (0..365).filter(move |day| (day + row) % 10 == 0);
        days.flat_map(|day| (0..720).map(move |slot| BEGIN + (day * 1440 + slot * 2) * MINUTE))
            .map(|at| (at, at + MINUTE))
    };
    let errors: Vec<Vec<(i64, i64)>> = (0..100).map(|row| bad(row).collect()).collect();
    let names: Vec<String> = (0..=100).map(|row| format!("objective {row} 业务")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let rows = batch(vec![("objective", text(&names)), ("t", timelines(&errors))]);
    let html = page::html(&page("```sql chart=timeline\nSELECT 1\n```\n", &rows));
    assert!(html.len() < 1_000_000, "{} bytes", html.len());
    assert_eq!(html.matches("class=\"t-error\"").count(), 200);
}

#[test]
fn a_page_fetches_nothing_and_is_the_same_each_time() {
    let rows = batch(vec![
        ("time", times((0..50).map(|n| BEGIN + n * 3600 * 1_000_000).collect())),
        ("slo", Arc::new(Float64Array::from((0..50).map(|n| 0.99 + f64::from(n) * 1e-4).collect::<Vec<_>>()))),
    ]);
    let notebook = "---\ntitle: <b>{{p}}\nparameters: {p: \"<i>&业务\"}\n---\n{{p}} ![x](https://example.com/x.png)\n\n\
                    ```sql chart=line unit=% title=\"<script>\"\nSELECT '<'\n```\n\n```sql chart=bar\nSELECT 1\n```\n\n\
                    ```sql chart=heatmap\nSELECT 1\n```\n";
    let made = page(notebook, &rows);
    let html = page::html(&made);
    assert_eq!(html, page::html(&made));
    assert!(html.contains("<title>&lt;b&gt;&lt;i&gt;&amp;业务</title>"));
    assert!(
        !html.contains("<b>&lt;") && !html.contains("<script>\"") && !html.contains("<img") && !html.contains("<link")
    );
    assert!(!html.contains("src=") && html.matches("https://").count() == 1);
    // Colours that drawings are made with have all become classes.
    assert!(!html.contains("#0100") && !html.contains("#0101") && !html.contains("#0102"));
    assert_eq!(html.matches("<svg class=\"wide\"").count(), 3);
    assert_eq!(html.matches("<svg class=\"narrow\"").count(), 3);
}

#[test]
fn a_result_that_cannot_be_drawn_says_why_and_is_shown_as_a_table() {
    let rows = batch(vec![("service", text(&["登录", "b"])), ("n", Arc::new(Int64Array::from(vec![12_345, 2])))]);
    let shown = page("```sql chart=line x=n y=service\nSELECT 1\n```\n", &rows);
    assert!(shown.failed());
    let html = page::html(&shown);
    assert!(html.contains("column y=service is text, expected numbers; the columns are service and n"), "{html}");
    assert!(html.contains("<td class=\"n\">12,345</td>"));
    let good = page("```sql chart=bar\nSELECT 1\n```\n", &rows);
    assert!(!good.failed());
    let empty = rows.slice(0, 0);
    assert!(page::html(&page("```sql chart=bar\nSELECT 1\n```\n", &empty)).contains("No rows."));
}

#[test]
fn long_tables_end_with_how_much_is_left() {
    let rows = batch(vec![("n", Arc::new(Int64Array::from((0..1284).collect::<Vec<_>>())) as ArrayRef)]);
    let page = page("```sql\nSELECT 1\n```\n", &rows);
    assert!(page::html(&page).contains("… and 1,234 more rows"));
    assert!(page::markdown(&page).contains("… and 1,234 more rows"));
    assert!(page::terminal(&page, 80, false).contains("… and 1,234 more rows"));
}

fn chart(kind: ChartKind, spec: ChartSpec, rows: &RecordBatch) -> Result<Chart, String> {
    let spec = ChartSpec { kind, ..spec };
    let batches = std::slice::from_ref(rows);
    Chart::new(&spec, &Units::default(), &rows.schema(), batches, Tz::Asia__Shanghai, None)
}

#[test]
fn numbers_and_labels_may_be_of_any_type() {
    let numbers: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(Float64Array::from(vec![Some(1.0), None, Some(3.0)])),
        Arc::new(Decimal128Array::from(vec![Some(100), None, Some(300)]).with_precision_and_scale(5, 2).unwrap()),
    ];
    let labels: Vec<ArrayRef> = vec![
        text(&["a", "a", "业"]),
        Arc::new(StringViewArray::from(vec!["a", "a", "业"])),
        Arc::new(vec!["a", "a", "业"].into_iter().collect::<DictionaryArray<Int32Type>>()),
    ];
    let xs: Vec<ArrayRef> =
        vec![times(vec![BEGIN, BEGIN + MINUTE, BEGIN]), Arc::new(Date32Array::from(vec![20_454, 20_455, 20_454]))];
    for number in &numbers {
        for label in &labels {
            for x in &xs {
                let rows = batch(vec![("x", x.clone()), ("who", label.clone()), ("y", number.clone())]);
                let Chart::Lines(lines) = chart(ChartKind::Line, ChartSpec::default(), &rows).unwrap() else {
                    panic!("no lines")
                };
                let names: Vec<&str> = lines.series.iter().map(|series| series.name.as_str()).collect();
                assert_eq!(names, ["a", "业"]);
                let values: Vec<Option<f64>> = lines.series[0].points.iter().map(|point| point.1).collect();
                assert_eq!(values, [Some(1.0), None]);
                assert_eq!(lines.series[1].points[0].1, Some(3.0));
            }
        }
    }
    // A date is its midnight in the zone.
    let rows = batch(vec![("day", xs[1].clone()), ("y", numbers[0].clone())]);
    let Chart::Lines(lines) = chart(ChartKind::Line, ChartSpec::default(), &rows).unwrap() else { panic!("no lines") };
    assert_eq!(lines.series[0].points[0].0 as i64, BEGIN - 8 * 60 * MINUTE);
    let flags = batch(vec![
        ("up", Arc::new(BooleanArray::from(vec![true, false])) as ArrayRef),
        ("n", Arc::new(Int64Array::from(vec![1, 2]))),
    ]);
    let Chart::Bars(bars) = chart(ChartKind::Bar, ChartSpec::default(), &flags).unwrap() else { panic!("no bars") };
    assert_eq!(bars.labels, ["true", "false"]);
}

#[test]
fn what_is_wrong_with_a_chart_is_told_with_the_columns_there_are() {
    let rows = batch(vec![("service", text(&["a", "a"])), ("n", Arc::new(Int64Array::from(vec![1, 2])))]);
    let wrong = |kind, spec| chart(kind, spec, &rows).unwrap_err();
    let named = |name: &str| Some(name.to_string());
    assert_eq!(
        wrong(ChartKind::Line, ChartSpec { x: named("time"), ..ChartSpec::default() }),
        "there is no column x=time; the columns are service and n"
    );
    assert_eq!(
        wrong(ChartKind::Line, ChartSpec { x: named("service"), ..ChartSpec::default() }),
        "column x=service is text, expected times or numbers; the columns are service and n"
    );
    assert_eq!(
        wrong(ChartKind::Bar, ChartSpec::default()),
        "column x=service has 'a' more than once; group the rows, or tell them apart with series="
    );
    assert_eq!(
        wrong(ChartKind::Timeline, ChartSpec::default()),
        "chart=timeline takes a column of timelines, or the columns started and ended; the columns are service and n"
    );
    assert_eq!(
        wrong(ChartKind::Heatmap, ChartSpec::default()),
        "no column holds days to draw along; name one with x=; the columns are service and n"
    );
}

#[test]
fn intervals_make_a_strip_too() {
    let ended = TimestampMicrosecondArray::from(vec![Some(BEGIN + MINUTE), None]).with_timezone("UTC");
    let rows = batch(vec![
        ("service", text(&["登录", "登录"])),
        ("started", times(vec![BEGIN, BEGIN + 5 * MINUTE])),
        ("ended", Arc::new(ended)),
    ]);
    let spec = ChartSpec { kind: ChartKind::Timeline, ..ChartSpec::default() };
    let batches = std::slice::from_ref(&rows);
    let about = Some((BEGIN, BEGIN + 10 * MINUTE));
    let made = Chart::new(&spec, &Units::default(), &rows.schema(), batches, Tz::UTC, about).unwrap();
    let drawn = term::terminal(&made, term::Look { width: 40, colour: false });
    // Errors for one minute and, open, for the last five.
    assert_eq!(drawn.lines().next().unwrap(), "登录 │███···········█████████████│ 6 min", "{drawn}");
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 200, failure_persistence: None, ..Default::default() })]
    #[test]
    fn whatever_the_values_are_there_is_a_chart_or_a_reason(
        points in proptest::collection::vec((
            proptest::prop_oneof![proptest::prelude::any::<i64>(), BEGIN..BEGIN + YEAR],
            proptest::prop_oneof![
                proptest::prelude::any::<f64>(),
                -1.0..1.0f64,
                proptest::sample::select(vec![0.0, f64::NAN, f64::INFINITY, 1e308, -1e308, 1e-308]),
            ],
            proptest::option::of("[a-c业]{0,30}"),
            proptest::option::of(0..YEAR),
        ), 1..30),
        kind in proptest::sample::select(ChartKind::ALL.to_vec()),
        stack in proptest::bool::ANY,
        target in proptest::option::of(-1e3..1e3f64),
        unit in proptest::sample::select(vec!["%", "seconds", "none", "EUR"]),
        width in 0..150usize,
        along in proptest::option::of(proptest::sample::select(vec!["started", "n", "who", "at"])),
    ) {
        let ends = points.iter().map(|p| Some(p.0.saturating_add(p.3?))).collect::<Vec<_>>();
        let rows = batch(vec![
            ("started", times(points.iter().map(|p| p.0).collect())),
            ("ended", Arc::new(TimestampMicrosecondArray::from(ends).with_timezone("UTC"))),
            ("who", Arc::new(StringArray::from(points.iter().map(|p| p.2.clone()).collect::<Vec<_>>()))),
            ("n", Arc::new(Float64Array::from(points.iter().map(|p| p.1).collect::<Vec<_>>()))),
            ("at", Arc::new(Int64Array::from(points.iter().map(|p| p.0).collect::<Vec<_>>()))),
        ]);
        let spec = ChartSpec { kind, stack, target, x: along.map(str::to_string), ..ChartSpec::default() };
        let batches = std::slice::from_ref(&rows);
        let made = Chart::new(&spec, &Units::read(unit), &rows.schema(), batches, Tz::America__New_York, None);
        if let Ok(chart) = &made {
            let drawn = term::terminal(chart, term::Look { width, colour: false });
            for line in drawn.lines() {
                proptest::prop_assert!(line.width() <= width.max(30), "{} wide: {drawn}", line.width());
            }
            term::terminal(chart, term::Look { width, colour: true });
        }
        let options = format!("chart={} unit={unit}{}", kind.name(), if stack { " stack" } else { "" });
        let along = along.map_or(String::new(), |name| format!(" x={name}"));
        let html = page::html(&page(&format!("```sql {options}{along}\nSELECT 1\n```\n"), &rows));
        proptest::prop_assert!(!html.contains("NaN") && !html.contains("inf\""));
    }
}
