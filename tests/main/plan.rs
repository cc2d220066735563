//! What the plan of an evaluation reads: one scan per raw table whatever the number of objectives, and only what is asked for.

use datafusion::arrow::array::{Array, AsArray};
use nines_engine::{Session, Settings};

const DAYS: i64 = 4;
const SERVICES: usize = 40;

/// Forty services over four days in each raw table, with three objectives each.
async fn session(name: &str) -> Session {
    let session = Session::open_or_create(Settings::new(format!("memory://plan-{name}")), None).await.unwrap();
    let times = format!(
        "generate_series(TIMESTAMP '2026-10-01', TIMESTAMP '2026-10-01' + INTERVAL '{DAYS} days' - INTERVAL '1 hour', INTERVAL '1 hour')"
    );
    let services = format!("(SELECT 'service-' || s AS service FROM generate_series(0, {}) AS t(s))", SERVICES - 1);
    for insert in [
        "INSERT INTO requests (time, business, service, status, requests)
         SELECT time, 'shop', service, 200, 10",
        "INSERT INTO events (time, business, service, name, good, total)
         SELECT time, 'shop', service, 'order', 9, 10",
        "INSERT INTO gauges (time, business, service, name, samples, sum, min, max, last)
         SELECT time, 'shop', service, 'queue', 1, 5.0 AS sum, 5.0 AS min, 5.0 AS max, 5.0 AS last",
    ] {
        let sql = format!("{insert} FROM {services} CROSS JOIN (SELECT value AS time FROM {times} AS t(value))");
        session.sql(&sql).await.unwrap();
    }
    let slo = |name: &str, service: &str, indicator: &str, objective: &str| {
        format!(
            "---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: {name}}}\nspec:\n  service: {service}\n  \
             indicator: {{metadata: {{name: i}}, spec: {indicator}}}\n  \
             timeWindow: [{{duration: 28d, isRolling: true}}]\n  budgetingMethod: Timeslices\n  objectives: [{objective}]\n"
        )
    };
    let ratio = |source: &str| format!("{{ratioMetric: {{rawType: success, raw: {{metricSource: {source}}}}}}}");
    let mut text = String::new();
    for number in 0..SERVICES {
        let service = format!("service-{number}");
        let availability = ratio("{type: nines/availability}");
        let events = ratio("{type: nines/events, spec: {name: order}}");
        let gauge = "{thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: queue}}}}";
        let target = "{target: 0.99, timeSliceTarget: 0.9}";
        text += &slo(&format!("up-{number}"), &service, &availability, target);
        text += &slo(&format!("orders-{number}"), &service, &events, target);
        text += &slo(&format!("queue-{number}"), &service, gauge, "{op: lt, value: 10, target: 0.99}");
    }
    session.apply(&[("plan.yaml".to_string(), text)]).await.unwrap();
    session
}

/// The physical plan of a query that ran: what has to be read is found out then.
async fn plan(session: &Session, sql: &str) -> String {
    let rows = session.sql(&format!("EXPLAIN ANALYZE {sql}")).await.unwrap();
    let plans = rows[0].column(1).as_string::<i32>();
    plans.value(plans.len() - 1).to_string()
}

fn scans(plan: &str) -> Vec<&str> {
    plan.lines().filter(|line| line.contains("DataSourceExec")).collect()
}

async fn count(session: &Session, sql: &str) -> i64 {
    let rows = session.sql(sql).await.unwrap();
    rows[0].column(0).as_primitive::<datafusion::arrow::datatypes::Int64Type>().value(0)
}

#[tokio::test]
async fn one_scan_per_raw_table_whatever_the_number_of_objectives() {
    let session = session("scans").await;
    let report = "SELECT * FROM report('2026-10-01', '2026-10-05', 'business')";
    let found = plan(&session, report).await;
    assert!(found.contains("AnswerExec: report") && found.contains("objectives=120"), "{found}");
    assert_eq!(scans(&found).len(), 3, "{found}");
    // Only what objectives need is read.
    assert!(!found.contains("latency") && !found.contains("endpoint"), "{found}");

    let again = plan(&session, report).await;
    // The newest day is not over: it is counted again, alone.
    let files: Vec<usize> = scans(&again).iter().map(|scan| scan.matches(".parquet").count()).collect();
    assert_eq!(files, [1, 1, 1], "{again}");
    assert!(again.contains("days_kept=360"), "{again}");
}

#[tokio::test]
async fn filters_choose_objectives_days_and_rows() {
    let session = session("filters").await;
    let of_service = "SELECT count(*) FROM slices('2026-10-01', '2026-10-05') WHERE service = 'service-7'";
    let found = plan(&session, of_service).await;
    assert!(found.contains("objectives=3") && scans(&found).len() == 3, "{found}");
    assert!(
        scans(&found).iter().all(|scan| scan.contains("predicate=service@") && scan.contains("service-7")),
        "{found}"
    );
    assert_eq!(count(&session, of_service).await, 3 * DAYS * 1440);

    let of_objective = "SELECT count(*) FROM slices('2026-10-01', '2026-10-05')
                        WHERE objective = 'queue-7' AND time >= '2026-10-03' AND time < '2026-10-04'";
    let found = plan(&session, of_objective).await;
    assert!(scans(&found).len() == 1 && scans(&found)[0].contains("gauges/date=2026-10-03"), "{found}");
    assert!(!scans(&found)[0].contains("2026-10-02"), "{found}");
    assert_eq!(count(&session, of_objective).await, 1440);

    // A business is known from rows only; filters on it hold all the same.
    let elsewhere = "SELECT count(*) FROM timelines('2026-10-01', '2026-10-05') WHERE business = 'chat'";
    assert!(scans(&plan(&session, elsewhere).await).is_empty());
    assert_eq!(count(&session, elsewhere).await, 0);
    let either = "SELECT count(*) FROM timelines('2026-10-01', '2026-10-05')
                  WHERE business = 'shop' AND (service = 'service-1' OR objective = 'up-2')";
    assert_eq!(count(&session, either).await, 4);
}

#[tokio::test]
async fn a_join_chooses_objectives_before_anything_is_read() {
    let session = session("join").await;
    let own = "(SELECT 'shop' AS business, 'service-' || n AS service FROM (VALUES (7), (9)) AS t(n)) AS own";
    let report = "report('2026-10-01', '2026-10-05')";
    let joined = format!("SELECT objective, slo FROM {own} JOIN {report} USING (business, service) ORDER BY 1");
    let found = plan(&session, &joined).await;
    assert!(found.contains("objectives=6,") || found.contains("objectives=6]"), "{found}");
    let filtered =
        format!("SELECT objective, slo FROM {report} WHERE service IN ('service-7', 'service-9') ORDER BY 1");
    assert_eq!(told(&session, &joined).await, told(&session, &filtered).await);
    let one = format!("SELECT objective, slo FROM (SELECT 'up-3' AS objective) AS own JOIN {report} USING (objective)");
    assert!(plan(&session, &one).await.contains("objectives=1"));

    // Nothing goes with it: nothing is read, and nothing is said of objectives that do not exist.
    let none = format!("SELECT objective FROM (SELECT 'no-such' AS service) AS own JOIN {report} USING (service)");
    assert_eq!(told(&session, &none).await, "");
    assert!(!plan(&session, &none).await.contains("DataSourceExec"));
    // What is kept of a side that must stay whole is not chosen.
    let left = format!("SELECT count(*) FROM {report} LEFT JOIN {own} USING (business, service)");
    assert_eq!(count(&session, &left).await, 120);
    let outer = format!("SELECT count(*) FROM {own} FULL JOIN {report} USING (business, service)");
    assert_eq!(count(&session, &outer).await, 120);
    // A filter that only grows while rows come decides nothing before they do.
    let first = format!("SELECT objective FROM {report} ORDER BY objective LIMIT 2");
    assert_eq!(told(&session, &first).await, "orders-0\norders-1\n");
    // One call may choose for another.
    let both = format!(
        "SELECT count(*) FROM (SELECT DISTINCT service FROM {report} WHERE service IN ('service-1', 'service-2')) AS own \
         JOIN slices('2026-10-01', '2026-10-02') USING (service)"
    );
    assert_eq!(count(&session, &both).await, 2 * 3 * 1440);
}

async fn told(session: &Session, sql: &str) -> String {
    let rows = session.sql(sql).await.unwrap();
    let mut told = String::new();
    for batch in rows {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|column| {
                datafusion::arrow::util::display::ArrayFormatter::try_new(column, &Default::default()).unwrap()
            })
            .collect();
        for row in 0..batch.num_rows() {
            told += &columns.iter().map(|column| column.value(row).to_string()).collect::<Vec<_>>().join(" ");
            told.push('\n');
        }
    }
    told
}
