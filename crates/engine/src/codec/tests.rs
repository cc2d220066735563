//! Leaves that were written and read again count the same parts.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec as plan_of, physical_plan_to_bytes_with_extension_codec as bytes_of,
};

use super::Codec;
use crate::evaluate::{AnswerExec, CountExec};
use crate::{Engine, Parameters, Role, Session, SessionSettings, Settings};

const DEFINITIONS: &str = r"
apiVersion: openslo/v1
kind: Service
metadata: {name: s1, labels: {business: b}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: up}
spec:
  service: s1
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {endpoint: ['/*']}}}}}}
  timeWindow: [{duration: 1M, calendar: {timeZone: Asia/Shanghai}}]
  budgetingMethod: RatioTimeslices
  objectives: [{target: 0.9, timeSliceWindow: 1h}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: quick}
spec:
  service: s2
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 0.9, threshold: 275ms, each: endpoint}}}}}}
  budgetingMethod: Timeslices
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: as-quick}
spec:
  service: s2
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/latency, spec: {quantile: 0.9, baseline: previous month}}}}}}
  budgetingMethod: Occurrences
  objectives: [{target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: sent}
spec:
  service: s1
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: sent, noData: ok}}}}}}
  budgetingMethod: Timeslices
  objectives: [{target: 0.7}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: probed}
spec:
  service: s1
  indicator: {spec: {thresholdMetric: {metricSource: {type: nines/gauge, spec: {name: up, hold: 10m}}}}}
  budgetingMethod: Timeslices
  objectives: [{op: gte, value: 1, target: 0.9}]
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: told}
spec:
  service: s1
  indicator: {spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/sql, spec: {from: requests, where: status > 0, good: requests * CAST(status < 400 AS BIGINT), total: requests}}}}}}
  budgetingMethod: Timeslices
  objectives: [{target: 0.9}]
";

const ROWS: [&str; 5] = [
    "INSERT INTO requests (time, business, service, endpoint, status, cause, requests, latency)
     SELECT to_timestamp(1788220800 + 300 * m), 'b', 's' || (1 + m % 2), '/' || (m % 3), CASE WHEN m % 7 = 0 THEN 500 ELSE 200 END,
            CASE WHEN m % 14 = 0 THEN 'upstream_timeout' ELSE '' END, 1,
            named_struct('zero', CAST(0 AS BIGINT), 'buckets',
                         make_array(named_struct('bucket', CAST(m % 120 - 120 AS INT), 'count', CAST(1 AS BIGINT))))
     FROM generate_series(0, 9000) AS t (m)",
    "INSERT INTO events (time, service, name, good, total)
     SELECT to_timestamp(1790812800 + 60 * m), 's1', 'sent', m % 5, 5 FROM generate_series(0, 700) AS t (m)",
    "INSERT INTO gauges (time, service, name, last, min, max, sum, samples)
     SELECT to_timestamp(1790812800 + 420 * m), 's1', 'up', CASE WHEN m % 9 = 0 THEN 0.0 ELSE 1.0 END, 0.0 AS min, 1.0 AS max, 1.0 AS sum, 1
     FROM generate_series(0, 400) AS t (m)",
    "INSERT INTO exclusions (id, category, started, ended) VALUES ('E', 'planned', '2026-10-01 03:10', '2026-10-01 05:00')",
    "INSERT INTO incidents (id, service, started, fixed, telemetry_lost) VALUES ('I', 's1', '2026-10-02 03:10', '2026-10-02 05:00', true)",
];

async fn session(store: &str) -> (Session, Codec) {
    let engine = Engine::open_or_create(Settings::new(store), None).await.unwrap();
    let codec = Codec::of(&engine).unwrap();
    // A reader keeps no day, so that all of them are counted each time.
    let settings = SessionSettings { role: Role::Reader, ..SessionSettings::default() };
    (engine.session(settings).await.unwrap(), codec)
}

/// The leaves that a question counts by.
async fn leaves(session: &Session, sql: &str) -> Vec<Arc<CountExec>> {
    let statement = session.parse(sql).unwrap();
    let planned = session.plan(&statement[0], &Parameters::default()).await.unwrap();
    let plan = session.physical_plan(&planned).await.unwrap();
    collect(datafusion::physical_plan::execute_stream(Arc::clone(&plan), session.task()).unwrap()).await.unwrap();
    let mut leaves = Vec::new();
    plan.apply(|node| {
        leaves.extend(node.downcast_ref::<AnswerExec>().into_iter().flat_map(AnswerExec::leaves));
        Ok(TreeNodeRecursion::Continue)
    })
    .unwrap();
    leaves
}

/// The parts of a leaf, each partition's in its order.
async fn parts(leaf: &Arc<dyn ExecutionPlan>, session: &Session) -> Vec<Vec<RecordBatch>> {
    let mut parts = Vec::new();
    for partition in 0..leaf.output_partitioning().partition_count() {
        parts.push(collect(leaf.execute(partition, session.task()).unwrap()).await.unwrap());
    }
    parts
}

#[tokio::test(flavor = "multi_thread")]
async fn leaves_count_the_same_wherever_they_run() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let store = store.to_str().unwrap();
    let writer = Session::open_or_create(Settings::new(store), None).await.unwrap();
    for sql in ROWS {
        let statement = writer.parse(sql).unwrap();
        collect(writer.run(&statement[0], &Parameters::default()).await.unwrap().batches).await.unwrap();
    }
    writer.apply(&[("definitions.yaml".to_string(), DEFINITIONS.to_string())]).await.unwrap();
    let ((here, codec), (there, other)) = (session(store).await, session(store).await);
    let mut tables = Vec::new();
    for sql in [
        "SELECT * FROM report('2026-09-25', '2026-10-03')",
        "SELECT * FROM culprits('2026-10-01', '2026-10-03')",
        "SELECT * FROM slices('2026-10-01', '2026-10-02')",
        "SELECT * FROM burn_alerts('2026-10-01', '2026-10-03')",
    ] {
        for leaf in leaves(&here, sql).await {
            tables.push(leaf.task.table);
            let leaf: Arc<dyn ExecutionPlan> = leaf;
            let expected = parts(&leaf, &here).await;
            let bytes = bytes_of(Arc::clone(&leaf), &codec).unwrap();
            let read = plan_of(&bytes, &there.task(), &other).unwrap();
            assert_eq!(parts(&read, &there).await, expected, "{sql}");
            assert!(expected.iter().flatten().any(|rows| rows.num_rows() > 0), "{sql} counts nothing");
        }
    }
    tables.sort();
    tables.dedup();
    assert_eq!(tables.len(), 3, "each raw table has a leaf");
}
