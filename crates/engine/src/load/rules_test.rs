//! A row is refused by all ways into a table, or by none: whatever is drawn is loaded from a file and inserted with SQL.

use std::io::Write;
use std::sync::Arc;

use futures::TryStreamExt;
use nines_store::TableKind;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::{Load, Parameters, Session, Settings};

/// A row: its columns, each as in JSON and as in SQL.
type Row = Vec<(&'static str, String, String)>;

fn plain(name: &'static str, value: impl ToString) -> (&'static str, String, String) {
    (name, value.to_string(), value.to_string())
}

fn text(name: &'static str, value: &str) -> (&'static str, String, String) {
    (name, format!("{value:?}"), format!("'{value}'"))
}

/// A time of day, or none.
fn instant(name: &'static str, hour: Option<u8>) -> Option<(&'static str, String, String)> {
    Some(text(name, &format!("2026-10-01 {:02}:00:00", hour?)))
}

fn requests() -> impl Strategy<Value = Row> {
    let histogram = prop::option::of((0i64..3, 0i64..3));
    let le = prop::option::of(prop::collection::vec(0i64..4, 0..3));
    (prop::sample::select(vec![-1i64, 0, 200, 999, 1000]), -1i64..5, histogram, le).prop_map(
        |(status, requests, histogram, le)| {
            let mut row =
                vec![text("time", "2026-10-01 12:00:00"), plain("status", status), plain("requests", requests)];
            if let Some((zero, count)) = histogram.filter(|(_, count)| *count > 0) {
                row.push((
                    "latency",
                    format!(r#"{{"zero": {zero}, "buckets": [{{"bucket": 5, "count": {count}}}]}}"#),
                    format!(
                        "named_struct('zero', {zero}, 'buckets', make_array(named_struct('bucket', 5, 'count', {count})))"
                    ),
                ));
            }
            if let Some(counts) = le.filter(|counts| !counts.is_empty()) {
                let items = |item: fn(usize, &i64) -> String| {
                    counts.iter().enumerate().map(|(le, count)| item(le, count)).collect::<Vec<_>>().join(", ")
                };
                row.push((
                    "latency_le",
                    format!("[{}]", items(|le, count| format!("{{\"le\": {le}, \"count\": {count}}}"))),
                    format!("make_array({})", items(|le, count| format!("named_struct('le', {le}, 'count', {count})"))),
                ));
            }
            row
        },
    )
}

fn events() -> impl Strategy<Value = Row> {
    (-2i64..6, -2i64..6)
        .prop_map(|(good, total)| vec![text("time", "2026-10-01 12:00:00"), plain("good", good), plain("total", total)])
}

fn gauges() -> impl Strategy<Value = Row> {
    (-1i64..4, -6i64..7, -3i64..3, -3i64..3, -3i64..3).prop_map(|(samples, sum, min, max, last)| {
        let numbers = [("sum", sum), ("min", min), ("max", max), ("last", last)].map(|(name, n)| plain(name, n));
        [vec![text("time", "2026-10-01 12:00:00"), plain("samples", samples)], numbers.to_vec()].concat()
    })
}

fn incidents() -> impl Strategy<Value = Row> {
    let hour = || prop::option::of(0u8..4);
    (prop::sample::select(vec!["", " ", "i"]), 0u8..4, hour(), hour(), hour(), hour()).prop_map(
        |(id, started, detected, located, fixed, verified)| {
            let phases = [("detected", detected), ("located", located), ("fixed", fixed), ("verified", verified)];
            let phases = phases.into_iter().filter_map(|(name, hour)| instant(name, hour));
            [text("id", id)].into_iter().chain(instant("started", Some(started))).chain(phases).collect()
        },
    )
}

fn exclusions() -> impl Strategy<Value = Row> {
    (prop::sample::select(vec!["", "e"]), prop::sample::select(vec!["", "Attack"]), 0u8..3, 0u8..3).prop_map(
        |(id, category, started, ended)| {
            let times = [instant("started", Some(started)), instant("ended", Some(ended))].into_iter().flatten();
            [text("id", id), text("category", category)].into_iter().chain(times).collect()
        },
    )
}

fn fees() -> impl Strategy<Value = Row> {
    let period = prop::sample::select(vec!["2026-10", "2026-13", "October", ""]);
    let currency = prop::sample::select(vec!["EUR", "eur", "EURO", "RMB", ""]);
    let hour = || prop::option::of(0u8..3);
    (period, currency, -1i64..3, -1i64..3, hour(), hour()).prop_map(
        |(period, currency, amount, vouchers, from, until)| {
            let times = [instant("active_from", from), instant("active_until", until)].into_iter().flatten();
            [
                text("period", period),
                text("currency", currency),
                plain("amount", amount),
                plain("voucher_amount", vouchers),
            ]
            .into_iter()
            .chain(times)
            .collect()
        },
    )
}

/// Whether a file with this row is taken.
async fn loaded(session: &Session, kind: TableKind, row: &Row) -> bool {
    let members = row.iter().map(|(name, json, _)| format!("{name:?}: {json}")).collect::<Vec<_>>().join(", ");
    let mut file = tempfile::NamedTempFile::with_suffix(".jsonl").unwrap();
    writeln!(file, "{{{members}}}").unwrap();
    let load = Load { aggregates: kind.is_series(), ..Load::new(kind, vec![file.path().to_path_buf()]) };
    session.load(&load, Arc::default()).await.is_ok()
}

/// Whether an INSERT of this row is taken.
async fn inserted(session: &Session, kind: TableKind, row: &Row) -> bool {
    let names = row.iter().map(|(name, ..)| *name).collect::<Vec<_>>().join(", ");
    let values = row.iter().map(|(.., sql)| sql.as_str()).collect::<Vec<_>>().join(", ");
    let sql = format!("INSERT INTO {} ({names}) VALUES ({values})", kind.name());
    let statement = session.parse(&sql).unwrap().remove(0);
    match session.run(&statement, &Parameters::default()).await {
        Ok(answer) => answer.batches.try_collect::<Vec<_>>().await.is_ok(),
        Err(_) => false,
    }
}

#[test]
fn what_a_file_may_not_say_an_insert_may_not_either() {
    let cases = std::env::var("NINES_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(48);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let session = runtime.block_on(Session::open_or_create(Settings::new("memory://rules"), None)).unwrap();
    let tables: [(TableKind, BoxedStrategy<Row>); 6] = [
        (TableKind::Requests, requests().boxed()),
        (TableKind::Events, events().boxed()),
        (TableKind::Gauges, gauges().boxed()),
        (TableKind::Incidents, incidents().boxed()),
        (TableKind::Exclusions, exclusions().boxed()),
        (TableKind::Fees, fees().boxed()),
    ];
    for (kind, rows) in tables {
        let (mut taken, mut refused) = (0, 0);
        let mut runner =
            TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) });
        let checked = runner.run(&rows, |row| {
            let (file, insert) =
                runtime.block_on(async { (loaded(&session, kind, &row).await, inserted(&session, kind, &row).await) });
            prop_assert_eq!(file, insert, "{}: {:?}", kind.name(), row);
            Ok(())
        });
        checked.unwrap();
        // Both must have been drawn, or nothing was tried.
        let mut drawn = TestRunner::deterministic();
        for _ in 0..cases {
            let row = rows.new_tree(&mut drawn).unwrap().current();
            match runtime.block_on(loaded(&session, kind, &row)) {
                true => taken += 1,
                false => refused += 1,
            }
        }
        assert!(taken > 0 && refused > 0, "{}: {taken} taken, {refused} refused", kind.name());
    }
}

/// What is stored of a fee can be credited, and what can be credited is stored: both crates know the same currencies.
#[test]
fn fees_are_in_the_currencies_in_which_credits_are_paid() {
    let letters = || (b'A'..=b'Z').map(char::from);
    let codes =
        letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| String::from_iter([a, b, c]))));
    let mut paid = 0;
    for code in codes {
        let digits = nines_slo::minor_digits(&code);
        assert_eq!(nines_store::is_currency(&code), digits.is_some(), "{code}");
        paid += usize::from(digits.is_some());
    }
    assert!(paid > 150, "{paid}");
}
