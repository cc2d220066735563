//! Heavy statements that are ended leave nothing behind.

use std::num::NonZeroUsize;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;

use crate::{Session, Settings};

/// When a statement is ended, and how long it may take to be gone.
const AFTER: Duration = Duration::from_millis(200);
const GONE: Duration = Duration::from_secs(1);

/// Statements that would take from minutes to for ever, each for a reason of its own.
const HEAVY: [(&str, &str); 12] = [
    (
        "pairs that come to nothing",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) JOIN generate_series(1, 3000000) b (y) ON a.x + b.y < 0",
    ),
    (
        "all pairs",
        "SELECT sum(a.x * b.y) FROM generate_series(1, 300000) a (x) CROSS JOIN generate_series(1, 3000000) b (y)",
    ),
    (
        "one key for all",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) JOIN generate_series(1, 3000000) b (y) ON a.x % 1 = b.y % 1",
    ),
    (
        "one key for all, in vain",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) JOIN generate_series(1, 3000000) b (y) ON a.x % 1 = b.y % 1 AND a.x + b.y < 0",
    ),
    (
        "a semi join",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) WHERE a.x % 1 IN (SELECT y % 1 FROM generate_series(1, 3000000) b (y) WHERE y > 0)",
    ),
    (
        "an anti join",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) WHERE NOT EXISTS (SELECT 1 FROM generate_series(1, 3000000) b (y) WHERE a.x % 1 = b.y % 1 AND a.x > b.y + 10000000)",
    ),
    (
        "an outer join",
        "SELECT count(*) FROM generate_series(1, 300000) a (x) FULL JOIN generate_series(1, 3000000) b (y) ON a.x > b.y + 10000000",
    ),
    ("a sort", "SELECT x FROM generate_series(1, 100000000) a (x) ORDER BY x % 1000003 DESC, x"),
    ("lists", "SELECT count(*) FROM (SELECT unnest(range(1, 60)) FROM generate_series(1, 1000000000) a (x))"),
    ("recursion", "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT (n + 1) % 1000 FROM r) SELECT count(*) FROM r"),
    ("groups", "SELECT x % 50000000, count(*) FROM generate_series(1, 1000000000) a (x) GROUP BY 1"),
    (
        "a growing window",
        "SELECT max(m) FROM (SELECT min(x % 7919) OVER (ORDER BY x ROWS BETWEEN 5000 PRECEDING AND 5000 FOLLOWING) AS m FROM generate_series(1, 100000000) a (x))",
    ),
];

async fn session() -> Session {
    let settings = Settings {
        partitions: NonZeroUsize::new(2),
        memory_limit: Some(256 << 20),
        ..Settings::new("memory://running")
    };
    Session::open(settings).await.unwrap()
}

/// Waits until nothing is left of a statement; how long that took.
async fn gone(session: &Session, tasks: usize, what: &str) -> Duration {
    let begun = Instant::now();
    let metrics = Handle::current().metrics();
    let pool = &session.context().runtime_env().memory_pool;
    loop {
        let (alive, reserved) = (metrics.num_alive_tasks(), pool.reserved());
        if alive <= tasks && reserved == 0 {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < GONE, "{what}: {} tasks are alive and {reserved} bytes held", alive - tasks);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_statement_that_is_ended_leaves_neither_tasks_nor_memory() {
    let session = session().await;
    for (what, sql) in HEAVY {
        let tasks = Handle::current().metrics().num_alive_tasks();
        // As the shell ends it.
        let running = session.clone();
        let statement = tokio::spawn(async move { running.sql(sql).await.map(|_| ()) });
        tokio::time::sleep(AFTER).await;
        assert!(!statement.is_finished(), "{what} is not heavy: {:?}", statement.await);
        session.cancel();
        let told = tokio::time::timeout(GONE, statement).await.expect(what).unwrap().unwrap_err().to_string();
        assert_eq!(told, "cancelled", "{what}");
        let after = gone(&session, tasks, what).await;
        // As a library does that no longer waits.
        let dropped = tokio::time::timeout(AFTER, session.sql(sql)).await;
        assert!(dropped.is_err(), "{what}: {dropped:?}");
        println!("{what}: {after:?}, {:?}", gone(&session, tasks, what).await);
    }
    // The session goes on.
    session
        .sql("SELECT count(*) FROM generate_series(1, 1000) a (x) JOIN generate_series(1, 1000) b (y) ON x + y = 7")
        .await
        .unwrap();
}

#[tokio::test]
async fn to_end_a_session_is_to_end_no_other() {
    let (mine, yours) = (session().await, session().await);
    let statement = yours.parse("SELECT count(*) AS n FROM generate_series(1, 3000000) a (x)").unwrap().remove(0);
    let answer = yours.run(&statement, &Default::default()).await.unwrap();
    mine.cancel();
    let rows = datafusion::physical_plan::common::collect(answer.batches).await.unwrap();
    assert_eq!(rows.iter().map(|batch| batch.num_rows()).sum::<usize>(), 1);
}

#[tokio::test]
async fn joins_that_are_watched_find_what_they_would() {
    let session = session().await;
    for (condition, inner, left, semi, anti) in [
        ("a.x = b.y", 50, 100, 50, 50),
        ("a.x = b.y AND a.x > 60", 40, 100, 40, 60),
        ("a.x < b.y - 100", 1225, 149 + 1225 - 49 - 49, 49, 51),
    ] {
        let of = |join: &str| {
            format!(
                "SELECT count(*) FROM generate_series(1, 100) a (x) {join} generate_series(51, 150) b (y) ON {condition}"
            )
        };
        let exists = |not: &str| {
            format!(
                "SELECT count(*) FROM generate_series(1, 100) a (x) WHERE {not} EXISTS (SELECT 1 FROM generate_series(51, 150) b (y) WHERE {condition})"
            )
        };
        for (sql, expected) in [(of("JOIN"), inner), (of("LEFT JOIN"), left), (exists(""), semi), (exists("NOT"), anti)]
        {
            let rows = session.sql(&sql).await.unwrap();
            let counted = rows[0].column(0);
            let counted =
                datafusion::arrow::array::AsArray::as_primitive::<datafusion::arrow::datatypes::Int64Type>(counted);
            if condition.contains("- 100") && sql.contains("LEFT") {
                // Every pair, and those without one.
                assert_eq!(counted.value(0), inner + anti, "{sql}");
                continue;
            }
            assert_eq!(counted.value(0), expected, "{sql}");
        }
    }
}
