//! Prepared statements: planned again at EXECUTE, as the statement that they are.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{asked, cells, said, session, shown};
use crate::Session;

const ROW: &str = "INSERT INTO requests (time, service, status, requests) VALUES";

/// A minute later in each call, so that every commit adds a row.
async fn write(session: Session, done: Arc<AtomicBool>) {
    for minute in 0..40 {
        asked(&session, &format!("{ROW} ('2026-10-01 00:{minute:02}', 'web', 200, 1)")).await.unwrap();
    }
    done.store(true, Ordering::Release);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_statement_reads_one_version_however_it_is_run() {
    let session = session("memory://one_version", "UTC").await;
    asked(&session, &format!("{ROW} ('2026-10-02', 'web', 200, 1)")).await.unwrap();
    let both = "SELECT (SELECT count(*) FROM requests) AS a, b.n AS b, c.n AS c
                FROM (SELECT count(*) AS n FROM requests) AS b, (SELECT sum(requests) AS n FROM requests) AS c";
    asked(&session, &format!("PREPARE both AS {both}")).await.unwrap();
    asked(
        &session,
        "PREPARE told AS INSERT INTO events (time, service, name, good, total)
                    SELECT to_timestamp(1790812800 + 60 * $1), 'web', 'e',
                           (SELECT count(*) FROM requests) AS good, (SELECT count(*) FROM requests) AS total",
    )
    .await
    .unwrap();
    let done = Arc::new(AtomicBool::new(false));
    let writer = tokio::spawn(write(session.clone(), Arc::clone(&done)));
    let mut seen = std::collections::BTreeSet::new();
    let mut round = 0;
    while !done.load(Ordering::Acquire) {
        let kept = format!("CREATE TABLE kept_{round} AS {both}; SELECT * FROM kept_{round}");
        for sql in ["EXECUTE both", both, kept.as_str()] {
            let row = cells(&session, sql).await.unwrap();
            assert!(row[0] == row[1] && row[1] == row[2], "{sql}: {row:?}");
            seen.insert(row[0].clone());
        }
        asked(&session, &format!("EXECUTE told({round})")).await.unwrap();
        round += 1;
    }
    writer.await.unwrap();
    assert!(seen.len() > 1, "nothing was written in between: {seen:?}");
    let torn = shown(&session, "SELECT count(*) FROM events WHERE good <> total").await.unwrap();
    assert!(torn.contains("| 0 "), "{torn}");
}

#[tokio::test]
async fn values_take_their_places() {
    let session = session("memory://values", "UTC").await;
    asked(&session, "PREPARE typed(INT, VARCHAR) AS SELECT $1 + 1 AS a, $2 AS b, $1 AS c").await.unwrap();
    assert_eq!(cells(&session, "EXECUTE typed(1, 'x')").await.unwrap(), ["2", "x", "1"]);
    assert_eq!(cells(&session, "EXECUTE typed(1 + 1, 'y')").await.unwrap(), ["3", "y", "2"]);
    asked(&session, "PREPARE plain AS SELECT * FROM (VALUES (1), (2), (3)) AS t(n) WHERE n = $1").await.unwrap();
    assert_eq!(cells(&session, "EXECUTE plain(2)").await.unwrap(), ["2"]);
    asked(&session, "PREPARE called AS SELECT count(*) FROM report(from => $1, to => $2, by => $3)").await.unwrap();
    assert_eq!(
        cells(&session, "EXECUTE called('2026-10-01', now() - interval '1 day', 'service')").await.unwrap(),
        ["0"]
    );
    assert!(said(&session, "EXPLAIN EXECUTE plain(2)").await.contains("n"));
    assert_eq!(said(&session, "EXECUTE plain(1, 2)").await, "plain takes 1 values, got 2");
    assert_eq!(said(&session, "EXECUTE typed(1.5, 'x')").await, "$1 of typed is INT, and 1.5 is no whole number");
    assert_eq!(said(&session, "EXECUTE plian(1)").await, "no statement plian is prepared; did you mean 'plain'?");
    assert!(said(&session, "PREPARE plain AS SELECT 1").await.starts_with("plain is prepared already"));
    asked(&session, "DEALLOCATE plain; PREPARE plain AS SELECT $1 AS n").await.unwrap();
    assert_eq!(cells(&session, "EXECUTE plain('z')").await.unwrap(), ["z"]);
    asked(&session, "DEALLOCATE ALL").await.unwrap();
    assert!(said(&session, "EXECUTE plain(1)").await.contains("PREPARE name AS SELECT"));
}

#[tokio::test]
async fn what_is_wrong_is_said_when_it_is_prepared() {
    let session = session("memory://wrong", "UTC").await;
    assert!(said(&session, "PREPARE p AS SELECT * FROM nowhere WHERE a = $1").await.contains("nowhere"));
    assert!(said(&session, "PREPARE p AS SELECT nothing FROM requests WHERE time > $1").await.contains("nothing"));
    assert!(said(&session, "PREPARE p AS SELECT * FROM report(form => $1)").await.contains("did you mean 'from'?"));
    assert!(said(&session, "PREPARE p AS DELETE FROM requests").await.contains("never deleted"));
    assert!(
        said(&session, "PREPARE p AS INSERT INTO slo_days SELECT * FROM slo_days")
            .await
            .contains("not written with SQL")
    );
    assert!(said(&session, "PREPARE p(INT) AS SELECT $1, $2").await.contains("types"));
    assert!(said(&session, "EXECUTE p").await.contains("no statement p is prepared"));
}

#[tokio::test]
async fn a_prepared_insert_is_exact() {
    let session = session("memory://exact", "Asia/Shanghai").await;
    let columns = "(time, service, status, requests)";
    asked(&session, &format!("PREPARE p AS INSERT INTO requests {columns} VALUES ($1, 'web', 200, $2)")).await.unwrap();
    let refused = said(&session, "EXECUTE p('2026-10-01 08:00', 1.7)").await;
    assert!(refused.contains("requests") && refused.contains("1.7"), "{refused}");
    asked(&session, "EXECUTE p('2026-10-01 08:00', 7)").await.unwrap();
    asked(&session, "EXECUTE p('2026-10-01T00:01:00Z', 7)").await.unwrap();
    let stored = "SELECT count(*), sum(requests), max(to_unixtime(time)) FROM requests";
    assert_eq!(cells(&session, stored).await.unwrap(), ["2", "14", "1790812860"]);
}

#[tokio::test]
async fn a_prepared_statement_sees_the_zone_of_its_execution() {
    let session = session("memory://prepared_zone", "UTC").await;
    asked(&session, "PREPARE p AS SELECT to_unixtime(TIMESTAMP '2026-10-01 08:00:00')").await.unwrap();
    assert_eq!(cells(&session, "EXECUTE p").await.unwrap(), ["1790841600"]);
    assert_eq!(cells(&session, "SET TIME ZONE 'Asia/Shanghai'; EXECUTE p").await.unwrap(), ["1790812800"]);
}
