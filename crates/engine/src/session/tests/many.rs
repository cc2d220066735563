//! Sessions of one engine: what each has is its own, what they share is the store.

use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono_tz::TZ_VARIANTS;
use datafusion::arrow::array::{Int64Array, RecordBatch};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use futures::StreamExt;
use futures::future::join_all;
use nines_store::TableKind;

use super::settings::filled;
use super::{asked, cells, said, shown};
use crate::{Engine, Limits, Parameters, Role, Session, SessionSettings, Settings};

const REPORT: &str = "SELECT objective, slo FROM report('2026-10-01', '2026-10-05')";

/// The one value of an answer.
async fn one(session: &Session, sql: &str) -> String {
    let mut cells = cells(session, sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    cells.remove(0)
}

async fn with(session: &Engine, settings: SessionSettings) -> Session {
    session.session(settings).await.unwrap()
}

async fn of_role(session: &Engine, role: Role) -> Session {
    with(session, SessionSettings { role, ..SessionSettings::default() }).await
}

async fn limited(session: &Engine, limits: Limits) -> Session {
    with(session, SessionSettings { limits, ..SessionSettings::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_sessions_have_their_own_zones_and_names() {
    let session = Engine::open(Settings::new("memory://fifty")).await.unwrap();
    let sessions = (0..50usize).map(async |number| {
        let zone = TZ_VARIANTS[number * 11];
        let settings = SessionSettings { time_zone: zone.name().parse().unwrap(), ..SessionSettings::default() };
        (number, zone, with(&session, settings).await)
    });
    let sessions = join_all(sessions).await;
    let work = sessions.into_iter().map(|(number, zone, session)| {
        tokio::spawn(async move {
            asked(&session, &format!("PREPARE mine AS SELECT $1 + {number}")).await.unwrap();
            let kept =
                RecordBatch::try_from_iter([("n", Arc::new(Int64Array::from(vec![number as i64])) as _)]).unwrap();
            session.keep("kept", kept.schema(), vec![kept]).unwrap();
            for _ in 0..5 {
                assert_eq!(one(&session, "EXECUTE mine(100)").await, (100 + number).to_string());
                assert_eq!(one(&session, "SELECT n FROM kept").await, number.to_string());
                let midnight = "SELECT TIMESTAMP '2026-07-01 00:00:00' = to_timestamp('2026-07-01 00:00:00')";
                assert_eq!(one(&session, midnight).await, "true");
                assert_eq!(session.time_zone().name(), zone.name());
            }
            // Setting it changes nobody else's.
            asked(&session, "SET TIME ZONE 'Asia/Shanghai'").await.unwrap();
            assert_eq!(session.time_zone().name(), "Asia/Shanghai");
            session.settings().time_zone.name() == zone.name()
        })
    });
    for done in join_all(work).await {
        assert!(done.unwrap());
    }
}

#[tokio::test]
async fn a_reader_reads_and_writes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let session = Engine::open(Settings::new(folder.path().display().to_string())).await.unwrap();
    let reader = of_role(&session, Role::Reader).await;
    let version = async |kind: TableKind| session.store().unwrap().table(kind).snapshot().await.unwrap().version();
    let kept = [version(TableKind::SloDays).await, version(TableKind::SloFacts).await];
    assert!(shown(&reader, REPORT).await.unwrap().contains("availability"));
    assert_eq!([version(TableKind::SloDays).await, version(TableKind::SloFacts).await], kept);
    for allowed in [
        "SET TIME ZONE 'Asia/Shanghai'",
        "RESET timezone",
        "PREPARE p AS SELECT sum(requests) + $1 FROM requests",
        "EXECUTE p(1)",
        "DEALLOCATE p",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM requests",
        "DESCRIBE requests",
        "SHOW TABLES",
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 3) SELECT unnest([n]), row_number() OVER () FROM r",
        "SELECT 1 UNION SELECT 2 ORDER BY 1 LIMIT 1",
    ] {
        asked(&reader, allowed).await.unwrap_or_else(|error| panic!("{allowed}: {error}"));
    }
    let file = folder.path().join("out.csv");
    let (file, csv) = (file.display().to_string(), folder.path().join("in.csv"));
    std::fs::write(&csv, "a\n1\n").unwrap();
    let refused = [
        "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-05', 'web', 200, 1)".to_string(),
        "EXPLAIN INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-05', 'web', 200, 1)"
            .to_string(),
        "CREATE TABLE t AS SELECT 1 AS a".to_string(),
        "CREATE VIEW v AS SELECT 1 AS a".to_string(),
        "CREATE SCHEMA s".to_string(),
        "DROP TABLE IF EXISTS t".to_string(),
        "SET datafusion.execution.batch_size = 7".to_string(),
        "SET datafusion.runtime.memory_limit = '1G'".to_string(),
        "RESET datafusion.execution.batch_size".to_string(),
        format!("COPY (SELECT 1) TO '{file}'"),
        format!("CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '{}'", csv.display()),
    ];
    for sql in &refused {
        let said = said(&reader, sql).await;
        assert!(said.contains("is not allowed here: the session only reads the store"), "{sql}: {said}");
    }
    assert!(said(&reader, &format!("SELECT * FROM '{}'", csv.display())).await.contains("there is no table"));
    assert!(!std::path::Path::new(&file).exists());
    // A writer writes rows and keeps days, and still no files.
    let writer = of_role(&session, Role::Writer).await;
    asked(&writer, &refused[0]).await.unwrap();
    asked(&writer, "CREATE VIEW v AS SELECT 1 AS a").await.unwrap();
    for at in [7, 9, 10] {
        let said = said(&writer, &refused[at]).await;
        assert!(said.contains("is not allowed here: the session stays within the store"), "{}: {said}", refused[at]);
    }
    assert_ne!(shown(&writer, REPORT).await.unwrap(), "");
    assert!(version(TableKind::SloDays).await > kept[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn limits_end_what_goes_beyond_them() {
    let session =
        Engine::open(Settings { memory_limit: Some(1 << 30), ..Settings::new("memory://limits") }).await.unwrap();
    let rows = limited(&session, Limits { rows: Some(100), ..Limits::default() }).await;
    assert_eq!(asked(&rows, "SELECT * FROM generate_series(1, 100)").await.unwrap().len(), 1);
    let told = said(&rows, "SELECT * FROM generate_series(1, 101)").await;
    assert!(told.contains("more than 100 rows") && told.contains("LIMIT 100"), "{told}");

    let time = limited(&session, Limits { time: Some(Duration::from_millis(300)), ..Limits::default() }).await;
    let begun = Instant::now();
    let told =
        said(&time, "SELECT sum(a.x * b.y) FROM generate_series(1, 300000) a (x), generate_series(1, 3000000) b (y)")
            .await;
    assert!(told.contains("ran for 0.3 s") && begun.elapsed() < Duration::from_secs(5), "{told}");
    assert_eq!(one(&time, "SELECT 1").await, "1");

    let memory = limited(&session, Limits { memory: Some(4 << 20), ..Limits::default() }).await;
    // A hash table that cannot spill.
    let join =
        "SELECT count(*) FROM generate_series(1, 2000000) a (x) JOIN generate_series(1, 2000000) b (y) ON a.x = b.y";
    let told = said(&memory, join).await;
    assert!(told.contains("session"), "{told}");
    assert_eq!(one(&of_role(&session, Role::Admin).await, join).await, "2000000");
    assert_eq!(session.runtime().memory_pool.reserved(), 0);

    let single = limited(&session, Limits { statements: Some(1), ..Limits::default() }).await;
    let [statement] = single.parse("SELECT * FROM generate_series(1, 1000000)").unwrap().try_into().unwrap();
    let mut running = single.run(&statement, &Parameters::default()).await.unwrap();
    running.batches.next().await.unwrap().unwrap();
    assert!(said(&single, "SELECT 1").await.contains("1 statements of this session run already"));
    drop(running);
    assert_eq!(one(&single, "SELECT 1").await, "1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_hundred_statements_are_cancelled_and_no_other_session_s() {
    let session = Engine::open(Settings::new("memory://cancels")).await.unwrap();
    let [mine, other] = [of_role(&session, Role::Admin).await, of_role(&session, Role::Admin).await];
    let long = "SELECT sum(a.x * b.y) FROM generate_series(1, 300000) a (x), generate_series(1, 3000000) b (y)";
    let [statement] = mine.parse(long).unwrap().try_into().unwrap();
    let mut theirs = other.run(&statement, &Parameters::default()).await.unwrap();
    for _ in 0..100 {
        let mut answer = mine.run(&statement, &Parameters::default()).await.unwrap();
        let ended = tokio::spawn(async move { answer.batches.next().await.unwrap().unwrap_err() });
        tokio::task::yield_now().await;
        mine.cancel();
        let error = ended.await.unwrap().to_string();
        assert!(error.contains("cancelled"), "{error}");
    }
    let waiting = tokio::time::timeout(Duration::from_millis(100), theirs.batches.next()).await;
    assert!(waiting.is_err(), "the other session's statement goes on");
    drop(theirs);
    let begun = Instant::now();
    while session.runtime().memory_pool.reserved() > 0 {
        assert!(begun.elapsed() < Duration::from_secs(1));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_statement_is_described_without_values() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let session = Session::open(Settings::new(folder.path().display().to_string())).await.unwrap();
    let described = async |sql: &str| {
        let [statement] = session.parse(sql).unwrap().try_into().unwrap();
        session.describe(&statement).await.unwrap()
    };
    let grouped =
        described("SELECT service, sum(requests) AS n FROM requests WHERE status = $1 AND service = $2 GROUP BY 1")
            .await;
    let names: Vec<&str> = grouped.schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["service", "n"]);
    assert_eq!(grouped.parameters.len(), 2);
    assert!(grouped.parameters[0].as_ref().is_some_and(DataType::is_integer), "{:?}", grouped.parameters);
    let report = described("SELECT * FROM report($1, $2) WHERE slo < $3").await;
    assert!(report.schema.field_with_name("slo_error_time").is_ok());
    assert_eq!(report.parameters.len(), 3);
    assert_eq!(report.parameters[2], Some(DataType::Float64));
    let time = described("SELECT time FROM requests WHERE time >= $1").await;
    let utc = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    assert_eq!((time.schema.field(0).data_type(), &time.parameters[..]), (&utc, &[Some(utc.clone())][..]));
    assert_eq!(described("SELECT 1").await.parameters, []);
}

#[tokio::test]
async fn a_store_that_somebody_else_creates_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store").display().to_string();
    let session = Session::open(Settings::new(&store)).await.unwrap();
    assert_eq!(one(&session, "SELECT count(*) FROM requests").await, "0");
    assert!(session.store().is_none());
    let other = Session::open(Settings::new(&store)).await.unwrap();
    asked(&other, "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-05', 'web', 200, 7)")
        .await
        .unwrap();
    assert_eq!(one(&session, "SELECT sum(requests) FROM requests").await, "7");
}
