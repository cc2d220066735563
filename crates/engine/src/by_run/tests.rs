//! The answer is the same by runs and by DataFusion's operator: drawn stores and questions.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::arrow::array::{ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray};
use datafusion::arrow::util::pretty::pretty_format_batches;
use proptest::prelude::*;
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use crate::{Engine, Session, SessionSettings, Settings};

/// Rows of one key, one after the other.
#[derive(Debug, Clone)]
struct Series {
    service: &'static str,
    endpoint: &'static str,
    status: i32,
    /// Minutes since the first day.
    from: i64,
    rows: i64,
    /// Minutes from one row to the next.
    step: i64,
    requests: i64,
}

const START: i64 = 1_767_225_600;

fn series() -> impl Strategy<Value = Series> {
    let service = select(vec!["a", "b", "a service with a long name"]);
    let endpoint = select(vec!["/", "/x", "/an/endpoint/with/a/long/name", "/an/endpoint/with/a/long/name/too"]);
    let status = select(vec![200, 204, 404, 500, 503]);
    let requests = select(vec![0, 1, 3, 100, i64::from(i32::MAX), 1 << 40]);
    let of = (service, endpoint, status, 0..7 * 1440i64, 1..150i64, select(vec![1, 1, 1, 2, 7, 100]), requests);
    of.prop_map(|(service, endpoint, status, from, rows, step, requests)| Series {
        service,
        endpoint,
        status,
        from,
        rows,
        step,
        requests,
    })
}

/// What is stored, append by append.
fn appends() -> impl Strategy<Value = Vec<Vec<Series>>> {
    prop::collection::vec(prop::collection::vec(series(), 1..9), 1..4)
}

fn rows(of: &[Series]) -> RecordBatch {
    let all: Vec<_> = of.iter().flat_map(|series| (0..series.rows).map(move |row| (series, row))).collect();
    let each = || all.iter().copied();
    let text = |name: fn(&Series) -> &str| Arc::new(StringArray::from_iter_values(each().map(|(of, _)| name(of))));
    let times = each().map(|(of, row)| (START + 60 * (of.from + row * of.step)) * 1_000_000);
    let columns: [(&str, ArrayRef); 5] = [
        ("at", Arc::new(TimestampMicrosecondArray::from_iter_values(times).with_timezone("UTC"))),
        ("service", text(|of| of.service)),
        ("endpoint", text(|of| of.endpoint)),
        ("status", Arc::new(Int32Array::from_iter_values(each().map(|(of, _)| of.status)))),
        ("requests", Arc::new(Int64Array::from_iter_values(each().map(|(of, row)| of.requests + row % 3)))),
    ];
    RecordBatch::try_from_iter(columns).unwrap()
}

const GOOD: &str = "CASE WHEN status < 500 THEN requests ELSE 0 END";

/// Questions of whose rows the order is given, or of which there is one.
fn question() -> impl Strategy<Value = String> {
    let timeline = select(vec![
        format!("ratio_timeline(time, {GOOD}, requests, 0.9)"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.9, 3600)"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.5, 7200, '2026-01-02T03:00:00Z', '2026-01-05T00:00:00Z')"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.99, 60, '2026-01-02T03:00:00Z', '2026-01-02T13:00:00Z')"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.9, 604800)"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.9, 420)"),
        format!("ratio_timeline(time, {GOOD}, requests, 0.9) FILTER (WHERE status <> 404)"),
        "ratio_timeline(time, requests - 1, nullif(requests, 3), 0.9)".to_string(),
        "ratio_timeline(time, nullif(requests, 3), requests, 1) IGNORE NULLS".to_string(),
        format!("ratio_timeline(time + INTERVAL '30 minutes', {GOOD}, requests, 0.9, 60)"),
        format!("ratio_timeline(time, {GOOD}, requests, CASE WHEN status = 404 THEN 0.5 ELSE 0.9 END)"),
        format!("ratio_timeline(DISTINCT time, {GOOD}, requests, 0.9)"),
        "timeline(time, status < 500)".to_string(),
        "timeline(time, CASE WHEN status <> 204 THEN status < 500 END, 86400)".to_string(),
        "timeline(time, status < 500) IGNORE NULLS".to_string(),
    ]);
    let more = select(vec![
        "",
        ", sum(requests), count(*), avg(status)",
        ", min(time), max(requests), count(DISTINCT status)",
        ", timeline(time, requests > 1, 3600)",
        ", error_seconds(timeline(time, status < 300)), count(*) FILTER (WHERE status < 300)",
    ]);
    let keys = select(vec![
        "service, endpoint",
        "service",
        "business, service, endpoint, status",
        "status",
        "endpoint, date_trunc('hour', time)",
        "to_date(time)",
        "status % 3, service",
        "",
    ]);
    let condition = select(vec![
        "",
        "WHERE service = 'a'",
        "WHERE time >= '2026-01-02T00:00:00Z' AND time < '2026-01-04T12:34:00Z'",
        "WHERE requests % 5 <> 1",
        "WHERE endpoint LIKE '%long%' AND status > 200",
        "WHERE service = 'nobody'",
    ]);
    // Mostly the table as it is stored, in whose order the operator works.
    let from = select(vec![
        "requests",
        "requests",
        "requests",
        "(SELECT * FROM requests WHERE status <> 503) AS requests",
        "(SELECT time, business, service, endpoint, status, requests FROM requests ORDER BY time, service, endpoint, status LIMIT 500) AS requests",
        "(SELECT * FROM requests UNION ALL SELECT * FROM requests) AS requests",
    ]);
    (timeline, more, keys, condition, from).prop_map(|(timeline, more, keys, condition, from)| match keys {
        "" => format!("SELECT {timeline}{more} FROM {from} {condition}"),
        keys => format!("SELECT {keys}, {timeline}{more} FROM {from} {condition} GROUP BY {keys} ORDER BY {keys}"),
    })
}

async fn opened(folder: &Path, memory_limit: Option<usize>) -> Session {
    let settings = Settings { memory_limit, ..Settings::new(folder.display().to_string()) };
    let engine = Engine::open_or_create(settings, None).await.unwrap();
    engine.session(SessionSettings::default()).await.unwrap()
}

async fn stored(appends: &[Vec<Series>]) -> (tempfile::TempDir, Session) {
    let folder = tempfile::tempdir().unwrap();
    let session = opened(folder.path(), None).await;
    for append in appends {
        let rows = rows(append);
        session.keep("rows", rows.schema(), vec![rows]).unwrap();
        let insert = "INSERT INTO requests (time, service, endpoint, status, requests)
                      SELECT at, service, endpoint, status, max(requests) FROM rows GROUP BY at, service, endpoint, status";
        session.sql(insert).await.unwrap();
    }
    (folder, session)
}

/// The answer as text, or that there is none.
async fn answer(session: &Session, by_run: &str, partitions: usize, batch: usize, question: &str) -> String {
    for (name, value) in [
        ("nines.by_run", by_run),
        ("datafusion.execution.target_partitions", &partitions.to_string()),
        ("datafusion.execution.batch_size", &batch.to_string()),
    ] {
        session.sql(&format!("SET {name} = '{value}'")).await.unwrap();
    }
    match session.sql(question).await {
        Ok(rows) => pretty_format_batches(&rows).unwrap().to_string(),
        // Which of several rows an error names is chance.
        Err(_) => "an error".to_string(),
    }
}

/// The answer as text; `None` if there was too little memory for it.
async fn with_memory(session: &Session, question: &str) -> Option<String> {
    match session.sql(question).await {
        Ok(rows) => Some(pretty_format_batches(&rows).unwrap().to_string()),
        Err(error) => {
            assert!(format!("{error:?}").contains("ResourcesExhausted"), "{error:?}");
            None
        }
    }
}

/// The operators of a question, as EXPLAIN shows them.
async fn explained(session: &Session, explain: &str, question: &str) -> String {
    let rows = session.sql(&format!("{explain} {question}")).await.unwrap();
    pretty_format_batches(&rows).unwrap().to_string()
}

/// How many aggregates are done by runs, and of these day after day.
async fn planned(session: &Session, question: &str) -> (usize, usize) {
    let plan = explained(session, "EXPLAIN", question).await;
    (plan.matches("RunsExec").count(), plan.matches("day after day").count())
}

#[test]
fn answers_are_the_same_by_runs() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let drawn = (appends(), prop::collection::vec((question(), select(vec![1, 2, 7]), select(vec![1, 7, 8192])), 10));
    // PROPTEST_CASES=5120 draws twenty times as many stores.
    let config = Config { cases: Config::default().cases / 25, ..Config::default() };
    let (by_runs, by_day) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let done = TestRunner::new(config).run(&drawn, |(appends, questions)| {
        runtime.block_on(async {
            let (_folder, session) = stored(&appends).await;
            for (question, partitions, batch) in questions {
                let known = answer(&session, "never", partitions, batch, &question).await;
                for by_run in ["auto", "always"] {
                    let asked = answer(&session, by_run, partitions, batch, &question).await;
                    prop_assert_eq!(&asked, &known, "{} partitions, batches of {}: {}", partitions, batch, question);
                }
                let (runs, days) = planned(&session, &question).await;
                by_runs.fetch_add(runs, Relaxed);
                by_day.fetch_add(days, Relaxed);
            }
            Ok(())
        })
    });
    done.unwrap();
    let (by_runs, by_day) = (by_runs.into_inner(), by_day.into_inner());
    assert!(by_runs > 15 && by_day > 5, "{by_runs} by runs, {by_day} day after day");
}

/// The rows that the operator by runs hands on, as EXPLAIN ANALYZE rounds them.
fn handed_on(plan: &str) -> f64 {
    let metrics =
        plan.lines().find(|line| line.contains("RunsExec")).and_then(|line| line.split("output_rows=").nth(1));
    let rows = metrics.and_then(|rows| rows.split([',', ']']).next()).unwrap_or_default();
    let (number, times) = rows.strip_suffix(" K").map_or((rows, 1.0), |number| (number, 1000.0));
    times * number.parse::<f64>().unwrap_or_else(|_| panic!("{plan}"))
}

/// Of rows that are groups of their own nothing is held.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_that_are_groups_of_their_own_are_handed_on() {
    let of = |service, from| Series { service, endpoint: "/", status: 200, from, rows: 2000, step: 1, requests: 7 };
    let (_folder, session) = stored(&[vec![of("a", 0), of("b", 3)]]).await;
    session.sql("SET datafusion.execution.skip_partial_aggregation_probe_rows_threshold = '1000'").await.unwrap();
    for keys in ["service, time", "service"] {
        let question = format!(
            "SELECT {keys}, sum(requests), error_seconds(ratio_timeline(time, {GOOD}, requests, 0.9)) FROM requests
             GROUP BY {keys} ORDER BY {keys}"
        );
        let known = answer(&session, "never", 2, 256, &question).await;
        assert_eq!(answer(&session, "always", 2, 256, &question).await, known, "{keys}");
    }
}

/// Where memory is short, counts of a day leave in pieces, of which none is judged alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn days_that_do_not_fit_in_memory_are_judged_whole() {
    // One day has many rows, so that its counts leave in pieces; the others are judged.
    let of = |number: usize, from: i64, rows: i64, step: i64| Series {
        service: ["a", "b", "c"][number % 3],
        endpoint: ["/", "/a", "/b", "/c", "/d", "/e", "/f", "/g"][number % 8],
        status: [200, 500][number / 3 % 2],
        from,
        rows,
        step,
        requests: 10 + number as i64,
    };
    let busy = (0..24).map(|number| of(number, 0, 1440, 1)).collect();
    let quiet = (0..24).map(|number| of(number, 1440 + number as i64, 50, 170)).collect();
    let appends = [busy, quiet];
    let question = format!(
        "SELECT service, endpoint, date_bin(INTERVAL '10 minutes', time) AS part, error_seconds(ratio_timeline(time, {GOOD}, requests, 0.9)) AS lost
         FROM requests GROUP BY service, endpoint, date_bin(INTERVAL '10 minutes', time) ORDER BY service, endpoint, part"
    );
    let (folder, roomy) = stored(&appends).await;
    let known = answer(&roomy, "never", 2, 512, &question).await;
    assert_eq!(answer(&roomy, "always", 2, 512, &question).await, known);
    let whole = handed_on(&explained(&roomy, "EXPLAIN ANALYZE", &question).await);
    let tight = opened(folder.path(), Some(4 << 20)).await;
    for (name, value) in [
        ("nines.by_run", "always"),
        ("datafusion.execution.target_partitions", "2"),
        ("datafusion.execution.batch_size", "512"),
        ("datafusion.execution.sort_spill_reservation_bytes", "65536"),
    ] {
        tight.sql(&format!("SET {name} = '{value}'")).await.unwrap();
    }
    // Which operator finds how much memory left is chance, and the aggregate above may find none: an answer is right, or there was too
    // little memory; of several some come about in pieces.
    let (mut answers, mut in_pieces) = (0, 0);
    for _ in 0..20 {
        if let Some(found) = with_memory(&tight, &question).await {
            assert_eq!(found, known);
            answers += 1;
        }
        let explained = with_memory(&tight, &format!("EXPLAIN ANALYZE {question}")).await;
        in_pieces += usize::from(explained.is_some_and(|explained| handed_on(&explained) > whole));
        if answers >= 3 && in_pieces >= 3 {
            return;
        }
    }
    panic!("of 20 questions {answers} were answered, and {in_pieces} in pieces");
}
