//! However single rows are cut into files and files into pieces, in whatever order they come and however often, they add up to
//! the same as all at once. For a longer run: `NINES_CASES=2000`.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use nines_store::TableKind;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use crate::{Load, Session, Settings};

/// A row: its second, what it is of, and what was measured.
type Row = (u32, u8, u8);

/// Rows, where they are cut into files, how each file grows, and which file grows next.
#[derive(Debug, Clone)]
struct Delivery {
    rows: Vec<Row>,
    files: Vec<usize>,
    steps: Vec<Vec<usize>>,
    turns: Vec<usize>,
}

fn deliveries() -> impl Strategy<Value = Delivery> {
    let rows = prop::collection::vec((0u32..300, 0u8..3, 0u8..3), 1..30);
    let steps = prop::collection::vec(prop::collection::vec(1usize..30, 1..4), 4);
    (rows, prop::collection::vec(0usize..30, 0..3), steps, prop::collection::vec(0usize..4, 0..16))
        .prop_map(|(rows, files, steps, turns)| Delivery { rows, files, steps, turns })
}

/// A line of CSV or JSON. Times are unique, so that no file begins as another one does.
fn line(kind: TableKind, json: bool, n: usize, (second, of, measured): Row) -> String {
    let time = format!("2026-10-01T00:{:02}:{:02}.{n:06}Z", second / 60, second % 60);
    match (kind, json) {
        (TableKind::Gauges, false) => format!("{time},name-{of},{measured}\n"),
        (TableKind::Gauges, true) => format!("{{\"time\":\"{time}\",\"name\":\"name-{of}\",\"value\":{measured}}}\n"),
        (TableKind::Events, false) => format!("{time},name-{of},{}\n", measured % 2),
        (TableKind::Events, true) => {
            format!("{{\"time\":\"{time}\",\"name\":\"name-{of}\",\"ok\":{}}}\n", measured % 2)
        }
        (_, false) => format!("{time},/{of},{}\n", 200 + u32::from(measured)),
        (_, true) => {
            format!("{{\"time\":\"{time}\",\"endpoint\":\"/{of}\",\"status\":{}}}\n", 200 + u32::from(measured))
        }
    }
}

fn header(kind: TableKind, json: bool) -> &'static str {
    match kind {
        _ if json => "",
        TableKind::Gauges => "time,name,value\n",
        TableKind::Events => "time,name,ok\n",
        _ => "time,endpoint,status\n",
    }
}

async fn ingest(session: &Session, kind: TableKind, file: &Path, text: &str) {
    std::fs::write(file, text).unwrap();
    let load = Load { source: Some("edge".into()), ..Load::new(kind, vec![file.to_path_buf()]) };
    session.load(&load, Arc::default()).await.unwrap();
}

/// An engine over a store of its own.
async fn session() -> Session {
    static STORES: AtomicUsize = AtomicUsize::new(0);
    let store = format!("memory://pieces-{}", STORES.fetch_add(1, Relaxed));
    Session::open_or_create(Settings::new(store.as_str()), None).await.unwrap()
}

/// What is stored, whatever the pieces.
async fn sums(session: &Session, kind: TableKind) -> String {
    let sql = match kind {
        TableKind::Gauges => "SELECT time, name, samples, sum, min, max FROM gauges ORDER BY 1, 2",
        TableKind::Events => "SELECT time, name, sum(good), sum(total) FROM events GROUP BY 1, 2 ORDER BY 1, 2",
        _ => "SELECT time, endpoint, status, sum(requests) FROM requests GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    };
    let rows = session.sql(sql).await.unwrap();
    datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
}

async fn compare(kind: TableKind, json: bool, delivery: &Delivery) -> (String, String) {
    let folder = tempfile::tempdir().unwrap();
    let extension = if json { "jsonl" } else { "csv" };
    let lines: Vec<String> = delivery.rows.iter().enumerate().map(|(n, row)| line(kind, json, n, *row)).collect();
    let head = header(kind, json);
    let whole = session().await;
    ingest(&whole, kind, &folder.path().join(format!("whole.{extension}")), &(head.to_string() + &lines.concat()))
        .await;

    let mut cuts: Vec<usize> =
        delivery.files.iter().map(|cut| cut % (lines.len() + 1)).chain([0, lines.len()]).collect();
    cuts.sort_unstable();
    let parts: Vec<&[String]> = cuts.windows(2).map(|cut| &lines[cut[0]..cut[1]]).collect();
    // How much of each file was delivered, and what is to come.
    let mut steps: Vec<Vec<usize>> = parts
        .iter()
        .zip(&delivery.steps)
        .map(|(part, steps)| {
            let mut steps: Vec<usize> = steps.iter().map(|step| step % (part.len() + 1)).chain([part.len()]).collect();
            steps.sort_unstable_by(|a, b| b.cmp(a));
            steps
        })
        .collect();
    let pieces = session().await;
    let turns = delivery.turns.iter().copied().chain((0..parts.len()).flat_map(|file| [file; 5]));
    for (turn, file) in turns.enumerate().filter(|(_, file)| *file < parts.len()) {
        // At the end, and in between by chance, what was delivered comes once more.
        let step = if steps[file].len() > 1 { steps[file].pop() } else { steps[file].last().copied() };
        let text: String = parts[file][..step.unwrap_or_default()].concat();
        // A half line, as a writer leaves it, and another name, as a rotation does.
        let half = if turn % 3 == 0 && !json { "2026-10-01T00:00" } else { "" };
        let name = folder.path().join(format!("{file}-{}.{extension}", turn % 2));
        ingest(&pieces, kind, &name, &(head.to_string() + &text + half)).await;
    }
    (sums(&whole, kind).await, sums(&pieces, kind).await)
}

#[test]
fn pieces_add_up_to_the_whole() {
    let cases = std::env::var("NINES_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(12);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    for kind in [TableKind::Requests, TableKind::Events, TableKind::Gauges] {
        let mut runner =
            TestRunner::new(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(cases) });
        let checked = runner.run(&deliveries(), |delivery| {
            let json = delivery.rows.len() % 2 == 0;
            let (whole, pieces) = runtime.block_on(compare(kind, json, &delivery));
            prop_assert_eq!(whole, pieces);
            Ok(())
        });
        checked.unwrap();
    }
}
