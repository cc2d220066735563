//! What is read as of an earlier time is what was read then, and leaves nothing behind.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use nines_store::{Compaction, StoreErrorKind, TableKind};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::shown;
use crate::{Chosen, Engine, EngineError, Issuing, Load, Session, SessionSettings, Settings};

const ROWS: &str = "SELECT time, service, status, requests FROM requests ORDER BY time, service, status";
const REPORT: &str = "SELECT objective, target, slo, slo_error_time, failures FROM report('2026-10-01', '2026-10-03')";

fn definition(target: &str) -> (String, String) {
    let text = format!(
        "apiVersion: openslo/v1
kind: SLO
metadata: {{name: success, annotations: {{nines/effective-from: 2026-09-01}}}}
spec:
  service: s0
  indicator:
    metadata: {{name: success}}
    spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/availability, spec: {{party: service}}}}}}}}}}
  timeWindow: [{{duration: 28d, isRolling: true}}]
  budgetingMethod: Timeslices
  objectives: [{{target: {target}, timeSliceTarget: 0.5, timeSliceWindow: 1m}}]
"
    );
    ("slo.yaml".to_string(), text)
}

/// Something that somebody does to a store.
#[derive(Debug, Clone)]
enum Step {
    /// Stores or corrects a minute of one of two days.
    Insert {
        day: u32,
        minute: u32,
        service: u32,
        good: u32,
        bad: u32,
    },
    /// Promises something else.
    Apply(u32),
    Compact,
}

fn step() -> impl Strategy<Value = Step> {
    let insert = (1..=2u32, 0..4u32, 0..2u32, 0..5u32, 0..5u32);
    let insert = insert.prop_map(|(day, minute, service, good, bad)| Step::Insert { day, minute, service, good, bad });
    prop_oneof![6 => insert, 1 => (0..9u32).prop_map(Step::Apply), 1 => Just(Step::Compact)]
}

async fn take(session: &Session, step: &Step) {
    match step {
        Step::Insert { day, minute, service, good, bad } => {
            let key = format!("'2026-10-{day:02} 00:{minute:02}', 's{service}'");
            let rows = format!("({key}, 200, {good}), ({key}, 503, {bad})");
            session
                .sql(&format!("INSERT INTO requests (time, service, status, requests) VALUES {rows}"))
                .await
                .unwrap();
        }
        Step::Apply(target) => {
            // The text of a version in force may be corrected.
            session.apply(&[definition(&format!("0.9{target}"))]).await.unwrap();
        }
        Step::Compact => {
            session.compact(TableKind::Requests, &Compaction::default()).await.unwrap();
        }
    }
}

async fn versions(session: &Session) -> BTreeMap<TableKind, Option<u64>> {
    let mut versions = BTreeMap::new();
    for &kind in TableKind::ALL {
        let version = match session.store() {
            Some(store) => store.table(kind).snapshot().await.unwrap().version(),
            None => None,
        };
        versions.insert(kind, version);
    }
    versions
}

async fn opened(store: &str, text: &str) -> crate::Result<Session> {
    let settings = SessionSettings { as_of: Some(text.to_string()), ..SessionSettings::default() };
    Engine::open(Settings::new(store)).await?.session(settings).await
}

async fn as_of(store: &str, text: &str) -> Session {
    opened(store, text).await.unwrap()
}

async fn answers(session: &Session) -> [String; 2] {
    [shown(session, ROWS).await.unwrap(), shown(session, REPORT).await.unwrap()]
}

/// The latest time in ms that any log says.
async fn latest(session: &Session) -> i64 {
    let mut latest = i64::MIN;
    for &kind in TableKind::ALL {
        let history = session.store().unwrap().table(kind).history(1).await.unwrap();
        latest = latest.max(history.versions.iter().filter_map(|version| version.timestamp).max().unwrap_or(i64::MIN));
    }
    latest
}

#[test]
fn every_version_is_read_as_it_was_when_it_was_the_newest() {
    static STORES: AtomicU32 = AtomicU32::new(0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config { cases: 6, failure_persistence: None, ..Config::default() });
    let drawn = runner.run(&prop::collection::vec(step(), 2..7), |steps| {
        runtime.block_on(async {
            let store = format!("memory://as-of-{}", STORES.fetch_add(1, Ordering::Relaxed));
            let session = Session::open_or_create(Settings::new(&*store), None).await.unwrap();
            session.apply(&[definition("0.5")]).await.unwrap();
            let mut seen = Vec::new();
            for step in &steps {
                tokio::time::sleep(Duration::from_millis(2)).await;
                take(&session, step).await;
                // What is kept of days counts as stored, too.
                let answers = answers(&session).await;
                seen.push((versions(&session).await, latest(&session).await, answers));
            }
            let before = versions(&session).await;
            for (versions, latest, answers_then) in &seen {
                let pinned = versions.iter().filter_map(|(kind, version)| Some((kind.name(), (*version)?)));
                let pinned: Vec<String> = pinned.map(|(name, version)| format!("{name}={version}")).collect();
                let instant = chrono::DateTime::from_timestamp_micros(latest * 1000 + 999).unwrap().to_rfc3339();
                let raw = versions[&TableKind::Requests].map(|version| format!("requests={version}"));
                let definitions = versions[&TableKind::Definitions].unwrap();
                let some = raw.into_iter().chain([format!("definitions={definitions}")]).collect::<Vec<_>>().join(",");
                for text in [pinned.join(","), some, instant] {
                    // A table that was not there yet has no version that could be named.
                    if versions[&TableKind::Requests].is_none() && text.contains('=') {
                        continue;
                    }
                    let then = as_of(&store, &text).await;
                    prop_assert_eq!(&answers(&then).await, answers_then, "as of {}", text);
                }
            }
            prop_assert_eq!(&versions(&session).await, &before, "nothing is written");
            let last = seen.last().map(|(_, _, answers)| answers);
            prop_assert_eq!(Some(&answers(&session).await), last);
            Ok(())
        })
    });
    drawn.unwrap();
}

#[tokio::test]
async fn what_was_read_is_told_and_what_is_not_there_is_an_error() {
    let store = "memory://as-of-told";
    let session = Session::open_or_create(Settings::new(store), None).await.unwrap();
    let insert = "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-01', 's0', 200, 1)";
    session.sql(insert).await.unwrap();
    session.sql(&insert.replace(", 1)", ", 2)")).await.unwrap();
    let then = as_of(store, "requests=1").await;
    assert_eq!(then.as_of(), None);
    let answer = then.run(&then.parse(ROWS).unwrap()[0], &crate::Parameters::default()).await.unwrap();
    assert_eq!(answer.sources().as_of().unwrap(), "as of requests=1: requests 1");
    assert_eq!(then.as_of(), answer.sources().as_of());
    shown(&then, "SELECT * FROM fees").await.unwrap();
    assert_eq!(then.as_of().unwrap(), "as of requests=1: requests 1");
    assert!(!shown(&then, ROWS).await.unwrap().contains("| 2 "));

    let open = async |text: &str| opened(store, text).await.err();
    let missing = open("requests=9").await.unwrap();
    let EngineError::Store(error) = &missing else { panic!("{missing}") };
    assert_eq!(error.kind(), StoreErrorKind::NotFound);
    assert!(missing.to_string().starts_with("requests in memory://as-of-told/ has no version 9; it has"), "{missing}");
    for (text, said) in [
        ("fees=0", "fees in memory://as-of-told/ was never written and has no version 0"),
        ("statement:abc", "expected the SHA-256 of a statement"),
        ("statement:abcdef01", "no statement begins with abcdef01; list them with: nines sql"),
        ("last thursday", "expected versions as requests=41,definitions=3, a time, or statement:ID"),
    ] {
        let error = open(text).await.unwrap().to_string();
        assert!(error.contains(said), "{text}: {error}");
    }
}

#[tokio::test]
async fn nothing_is_written_as_of_an_earlier_time() {
    let store = "memory://as-of-written";
    let session = Session::open_or_create(Settings::new(store), None).await.unwrap();
    let insert = "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-01', 's0', 200, 1)";
    session.sql(insert).await.unwrap();
    let before = versions(&session).await;
    let then = as_of(store, "now").await;
    let file = tempfile::NamedTempFile::new().unwrap();
    let load = Load::new(TableKind::Requests, vec![file.path().to_path_buf()]);
    let how = Issuing::default();
    let refused = [
        then.sql(insert).await.map(drop),
        then.sql(&format!("EXPLAIN {insert}")).await.map(drop),
        then.apply(&[definition("0.9")]).await.map(drop),
        then.load(&load, std::sync::Arc::default()).await.map(drop),
        then.issue("2026-10".parse().unwrap(), &Chosen::default(), &how).await.map(drop),
        then.compact(TableKind::Requests, &Compaction::default()).await.map(drop),
        then.restore(TableKind::Requests, 0, false).await.map(drop),
        then.gc(TableKind::Requests, &nines_store::Gc::default()).await.map(drop),
        then.delete(TableKind::Requests, &crate::Deleting::default()).await.map(drop),
        then.edit(TableKind::Incidents, "INC-1", |_| Ok::<_, EngineError>(None)).await.map(drop),
    ];
    for (at, refused) in refused.into_iter().enumerate() {
        match refused {
            Err(EngineError::Usage(said)) => {
                assert!(said.starts_with("nothing is written as of an earlier time"), "{said}")
            }
            // An edit that makes nothing writes nothing.
            Ok(()) => assert_eq!(at, 9),
            Err(other) => panic!("{at}: {other}"),
        }
    }
    assert_eq!(versions(&session).await, before);
}

#[tokio::test]
async fn as_of_a_time_it_is_that_time() {
    let store = "memory://as-of-now";
    Session::open_or_create(Settings::new(store), None).await.unwrap();
    let then = as_of(store, "2026-01-20 10:00").await;
    let now =
        shown(&then, "SELECT now() = TIMESTAMP '2026-01-20 10:00:00' AS a, TIMESTAMP 'yesterday' = '2026-01-19' AS b");
    assert_eq!(now.await.unwrap().matches("true").count(), 2);
    assert_eq!(then.periods("last-month", &Chosen::default()).await.unwrap()[0].0.to_string(), "2025-12");
    let slices = "SELECT DISTINCT 1 FROM slices('last month')";
    shown(&then, slices).await.unwrap();
    // What is to come is not known.
    let clock = nines_ingest::clock::now();
    assert!(as_of(store, "9999-01-01").await.now() <= clock + 60_000_000);
    // Versions say nothing of the time.
    assert!(as_of(store, "now").await.now() >= clock);
}
