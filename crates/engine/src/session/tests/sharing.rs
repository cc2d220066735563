//! What is evaluated once serves the other calls of a statement, and the statements of a notebook.

use super::settings::filled;
use super::shown;
use crate::{Engine, Role, Session, SessionSettings, Settings};

const REPORT: &str = "SELECT objective, slo, slo_error_time FROM report('2026-10-01', '2026-10-05')";

/// A session that keeps no day, so that every question counts.
async fn reader(folder: &std::path::Path) -> Session {
    filled(folder).await;
    let engine = Engine::open(Settings::new(folder.display().to_string())).await.unwrap();
    engine.session(SessionSettings { role: Role::Reader, ..SessionSettings::default() }).await.unwrap()
}

/// How many rows leaves read for a question, and how many days they need not count.
async fn counted(session: &Session, sql: &str) -> (usize, usize) {
    let plan = shown(session, &format!("EXPLAIN ANALYZE {sql}")).await.unwrap();
    let sum = |operator: &str, metric: &str| {
        let lines = plan.lines().filter(|line| line.contains(operator));
        lines.filter_map(|line| line.split_once(metric)).map(|(_, rest)| number(rest)).sum()
    };
    (sum("CountExec", "input_rows="), sum("ResolveExec", "days_shared="))
}

fn number(text: &str) -> usize {
    text.chars().take_while(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn two_calls_of_a_statement_count_once() {
    let folder = tempfile::tempdir().unwrap();
    let session = reader(folder.path()).await;
    let (rows, shared) = counted(&session, REPORT).await;
    assert!(rows > 0 && shared == 0, "{rows} {shared}");
    let both = format!("SELECT * FROM ({REPORT}) AS a JOIN ({REPORT}) AS b USING (objective) ORDER BY objective");
    let (twice, shared) = counted(&session, &both).await;
    assert_eq!(twice, rows, "both together read as much as one");
    assert!(shared > 0);
    let wider = REPORT.replace("2026-10-05", "2026-10-06");
    let overlapping = format!("SELECT * FROM ({REPORT}) AS a JOIN ({wider}) AS b USING (objective) ORDER BY objective");
    assert!(counted(&session, &overlapping).await.0 <= rows + 1, "days that both ask for are counted once");
    let single = shown(&session, &format!("{REPORT} ORDER BY objective")).await.unwrap();
    let left = shown(&session, &both.replace("SELECT *", "SELECT objective, a.slo, a.slo_error_time")).await.unwrap();
    let right = shown(&session, &both.replace("SELECT *", "SELECT objective, b.slo, b.slo_error_time")).await.unwrap();
    assert_eq!((left, right), (single.clone(), single));
}

/// How many days are kept.
async fn kept(session: &Session) -> String {
    shown(session, "SELECT count(*) FROM slo_days").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn days_are_kept_whoever_counted_them() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let open = async || Session::open(Settings::new(folder.path().display().to_string())).await.unwrap();
    let session = open().await;
    let none = kept(&session).await;
    let sharing = session.sharing();
    // Its rows are not all read, so that it ends before its days are kept; or it keeps them: who asks next sees to it that they are.
    shown(&session, &format!("{REPORT} LIMIT 1")).await.unwrap();
    shown(&session, REPORT).await.unwrap();
    drop(sharing);
    let all = kept(&session).await;
    assert_ne!(all, none);
    // The one row is of the day that is not over.
    assert_eq!(counted(&open().await, REPORT).await.0, 1, "every day that is over is kept");
    // What another question counted, which keeps nothing, is kept by who takes it.
    let other = tempfile::tempdir().unwrap();
    filled(other.path()).await;
    let session = Session::open(Settings::new(other.path().display().to_string())).await.unwrap();
    let _sharing = session.sharing();
    shown(&session, "SELECT * FROM culprits('2026-10-01', '2026-10-05')").await.unwrap();
    shown(&session, REPORT).await.unwrap();
    assert_eq!(kept(&session).await, all);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_cells_of_a_notebook_count_once_until_something_is_stored() {
    let folder = tempfile::tempdir().unwrap();
    let session = reader(folder.path()).await;
    let rows = counted(&session, REPORT).await.0;
    assert_eq!(counted(&session, REPORT).await, (rows, 0), "statements by themselves share nothing");
    let before = shown(&session, REPORT).await.unwrap();
    let pool = std::sync::Arc::clone(&session.task().runtime_env().memory_pool);
    let free = pool.reserved();
    let sharing = session.sharing();
    assert_eq!(counted(&session, REPORT).await, (rows, 0));
    let (again, shared) = counted(&session, REPORT).await;
    assert!(again == 0 && shared > 0, "{again} {shared}");
    assert_eq!(shown(&session, REPORT).await.unwrap(), before);
    assert!(pool.reserved() > free, "what is shared takes memory that is told");
    let writer = Session::open(Settings::new(folder.path().display().to_string())).await.unwrap();
    let insert = "INSERT INTO requests (time, service, customer, status, requests) VALUES ('2026-10-04 00:01', 'web', 'acme', 503, 10)";
    shown(&writer, insert).await.unwrap();
    assert_eq!(counted(&session, REPORT).await.1, 0, "what was stored since is counted");
    assert_ne!(shown(&session, REPORT).await.unwrap(), before);
    drop(sharing);
    assert_eq!(pool.reserved(), free);
    assert_eq!(counted(&session, REPORT).await.1, 0);
}
