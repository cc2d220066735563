//! Plans that travel: every question of `queries/` is written down, read by another engine over the same store, and answers the same.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use datafusion_proto::bytes::{
    physical_plan_from_bytes_with_extension_codec as plan_of, physical_plan_to_bytes_with_extension_codec as bytes_of,
};
use nines_engine::datafusion::arrow::array::RecordBatch;
use nines_engine::datafusion::arrow::util::pretty::pretty_format_batches;
use nines_engine::datafusion::physical_plan::common::collect;
use nines_engine::{Codec, Engine, Parameter, Parameters, Role, Session, SessionSettings, Settings};
use nines_notebook::{Cell, CellAnswer, Given, Notebook, Watch};

use crate::demo::demo_store;

/// Two engines over one store, as two processes have them: one plans, the other runs.
struct Both {
    here: Session,
    codec: Codec,
    there: Session,
    other: Codec,
}

impl Both {
    async fn over(store: &Path, role: Role) -> Both {
        let settings = Settings::new(store.to_str().unwrap());
        let here = Engine::open(settings.clone()).await.unwrap();
        let there = Engine::open(settings).await.unwrap();
        let (codec, other) = (Codec::of(&here).unwrap(), Codec::of(&there).unwrap());
        let zone = "Asia/Shanghai".parse().unwrap();
        let of_zone = SessionSettings { time_zone: zone, role, ..SessionSettings::default() };
        Both {
            here: here.session(of_zone).await.unwrap(),
            codec,
            // Where it runs nothing is set: what was meant came with the plan.
            there: there.session(SessionSettings::default()).await.unwrap(),
            other,
        }
    }

    /// The rows of a text's statements, sorted, here and there; how many statements travelled.
    async fn same(&self, sql: &str, parameters: &Parameters, name: &str) -> usize {
        let mut travelled = 0;
        for statement in self.here.parse(sql).unwrap() {
            let answer = self.here.run(&statement, parameters).await.unwrap();
            let expected = rows(&collect(answer.batches).await.unwrap());
            let planned = self.here.plan(&statement, parameters).await.unwrap();
            let plan = self.here.physical_plan(&planned).await.unwrap();
            let bytes = bytes_of(plan, &self.codec).unwrap_or_else(|error| panic!("{name} is not written: {error}"));
            let plan = plan_of(&bytes, &self.there.task(), &self.other);
            let plan = plan.unwrap_or_else(|error| panic!("{name} is not read: {error}"));
            // What was read can be sent on: the plan that runs travelled twice.
            let again = bytes_of(plan, &self.other).unwrap();
            let plan = plan_of(&again, &self.there.task(), &self.other).unwrap();
            let there = self.there.execute_physical(plan).unwrap();
            let there = collect(there).await.unwrap_or_else(|error| panic!("{name} does not run: {error}"));
            assert_eq!(rows(&there), expected, "{name}: {sql}");
            travelled += 1;
        }
        travelled
    }
}

/// The rows as text, sorted: without ORDER BY they come in any order.
fn rows(batches: &[RecordBatch]) -> Vec<String> {
    let text = pretty_format_batches(batches).unwrap().to_string();
    let mut lines: Vec<String> = text.lines().filter(|line| line.starts_with('|')).map(str::to_string).collect();
    lines.sort();
    lines
}

fn files(extension: &str) -> Vec<std::path::PathBuf> {
    let queries = Path::new(env!("CARGO_MANIFEST_DIR")).join("queries");
    let mut files: Vec<_> = std::fs::read_dir(queries).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|own| own == extension));
    files.sort();
    files
}

/// The cells of a notebook that answered, with the values that their parameters had.
#[derive(Default)]
struct Cells(Vec<(String, Parameters)>);

impl Watch for Cells {
    fn begins(&mut self, _: usize, _: usize) {}

    fn answered(&mut self, cell: &Cell, parameters: &Parameters, _: &CellAnswer) {
        self.0.push((cell.sql.clone(), parameters.clone()));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_question_answers_the_same_elsewhere() {
    let (_folder, store) = demo_store();
    let both = Both::over(&store, Role::Admin).await;
    let values = [
        ("service", "login"),
        ("from", "2026-10-26"),
        ("to", "2026-11-01"),
        ("target", "0.999"),
        ("shortest", "60"),
        ("month", "2026-10-01"),
    ];
    let mut travelled = 0;
    for file in files("sql") {
        let sql = std::fs::read_to_string(&file).unwrap();
        let used = values.iter().filter(|(name, _)| sql.contains(&format!("${name}")));
        let parameters = used.map(|(name, value)| (name.to_string(), Parameter::from_text(value))).collect();
        travelled += both.same(&sql, &parameters, file.to_str().unwrap()).await;
    }
    for file in files("md") {
        let text = std::fs::read_to_string(&file).unwrap();
        let Ok(notebook) = Notebook::parse("notebook", &text) else { continue };
        let mut cells = Cells::default();
        let clock = 1_793_500_000_000_000;
        let parameters = BTreeMap::new();
        let given = Given { parameters: &parameters, clock, now: None };
        nines_notebook::run(&both.here, &notebook, "notebook", given, &mut cells).await.unwrap();
        for (sql, parameters) in cells.0 {
            travelled += both.same(&sql, &parameters, file.to_str().unwrap()).await;
        }
    }
    assert!(travelled > 60, "{travelled} statements travelled");
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_worked_out_and_agreements_travel_and_what_writes_does_not() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let both = {
        let session = Session::open_or_create(Settings::new(store.to_str().unwrap()), None).await.unwrap();
        let sql = "INSERT INTO requests (time, business, service, customer, endpoint, status, cause, requests)
            SELECT to_timestamp(1790812800 + 60 * m), 'b', 's' || (m % 3), 'c', '/', CASE WHEN m % 7 = 0 THEN 500 ELSE 200 END, '', 10
            FROM generate_series(0, 2 * 1440) AS t (m)";
        let fees =
            "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'c', 's1', 'USD', 100)";
        let excluded = "INSERT INTO exclusions (id, category, started, ended, every, time_zone)
             VALUES ('E', 'M', '2026-10-01 03:00', '2026-10-01 05:00', 'FREQ=DAILY', 'UTC')";
        for sql in [sql, fees, excluded] {
            let [statement] = session.parse(sql).unwrap().try_into().unwrap();
            collect(session.run(&statement, &Parameters::default()).await.unwrap().batches).await.unwrap();
        }
        let definitions = "apiVersion: nines/v1\nkind: Agreement\nmetadata: {name: a}\nspec:\n  service: ['s*']\n  slice: 1m\n  period: \
             {duration: 1M, timeZone: UTC}\n  measure: MeanErrorRate\n  commitment: 99.9%\n  credits: [{below: 99.9%, percent: 10}]\n\
             ---\napiVersion: openslo/v1\nkind: SLO\nmetadata: {name: up}\nspec:\n  service: s1\n  indicator: {spec: {ratioMetric: \
             {rawType: success, raw: {metricSource: {type: nines/sql, spec: {from: requests, good: 'status < 400', total: '1'}}}}}}\n  \
             budgetingMethod: Timeslices\n  objectives: [{target: 0.9}]\n";
        session.apply(&[("a.yaml".to_string(), definitions.to_string())]).await.unwrap();
        let how = nines_engine::Issuing { incomplete: true, ..Default::default() };
        let issued = session.issue("2026-10".parse().unwrap(), &Default::default(), &how).await.unwrap();
        assert_eq!(issued.statements.len(), 1);
        Both::over(&store, Role::Reader).await
    };
    for sql in [
        "SELECT * FROM credits('2026-10')",
        "SELECT * FROM excluded('2026-10-01', '2026-11-01')",
        "SELECT service, amount FROM credits('2026-10') WHERE service = 's1'",
        "SELECT * FROM credit_statements('2026-10')",
        "SELECT customer, status FROM credit_statements('2026-10') WHERE service = 's1' AND status <> 'waiting'",
        "SELECT * FROM slos",
        "SELECT objective, measured_seconds FROM slos WHERE service = 's1'",
        "SELECT * FROM baselines",
        "SELECT * FROM slices('2026-10-01', '2026-10-02') WHERE time < '2026-10-01 03:00:00'",
        "SELECT service, count(*), sum(requests), avg(requests) FROM requests WHERE time >= '2026-10-02' GROUP BY service",
        "SELECT to_date(link) FROM (SELECT service || '2026-10-01T20:00:00Z' AS text, '2026-10-01T20:00:00Z' || '' AS link FROM requests) AS t LIMIT 1",
        "SELECT * FROM report('2026-10-01', '2026-10-03') AS r JOIN requests ON r.service = requests.service ORDER BY time LIMIT 5",
    ] {
        assert_eq!(both.same(sql, &Parameters::default(), "a reader's").await, 1);
    }
    let kept = both.here.parse("SELECT count(*) FROM slo_days").unwrap();
    let kept = collect(both.here.run(&kept[0], &Parameters::default()).await.unwrap().batches).await.unwrap();
    assert!(rows(&kept).iter().any(|row| row.contains("| 0 ")), "what a reader asks keeps nothing elsewhere: {kept:?}");

    let writer = Both::over(&store, Role::Admin).await;
    let insert = writer.here.parse("INSERT INTO fees SELECT * FROM fees").unwrap();
    let planned = writer.here.plan(&insert[0], &Parameters::default()).await.unwrap();
    assert!(writer.here.physical_plan(&planned).await.is_err(), "what writes runs where it was planned");
    let copy = writer.here.parse("COPY (SELECT * FROM fees) TO 'elsewhere.csv'").unwrap();
    let planned = writer.here.plan(&copy[0], &Parameters::default()).await.unwrap();
    assert!(writer.here.physical_plan(&planned).await.is_err(), "files are written where that was planned");
    let elsewhere = Codec::of(&Engine::open(Settings::new("memory://elsewhere")).await.unwrap()).unwrap();
    let report = writer.here.parse("SELECT * FROM report('2026-10')").unwrap();
    let planned = writer.here.plan(&report[0], &Parameters::default()).await.unwrap();
    let bytes = bytes_of(writer.here.physical_plan(&planned).await.unwrap(), &writer.codec).unwrap();
    let refused = plan_of(&bytes, &writer.there.task(), &elsewhere).unwrap_err().to_string();
    assert!(refused.contains("send it to one over the same store"), "{refused}");
    let reader = both.here.execute_physical(Arc::new(nines_engine::datafusion::physical_plan::empty::EmptyExec::new(
        Arc::new(nines_engine::datafusion::arrow::datatypes::Schema::empty()),
    )));
    assert!(reader.is_err(), "only an admin runs what came from elsewhere");
}
