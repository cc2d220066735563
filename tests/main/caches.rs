//! What is kept and can be worked out again: compared, and mended.

use std::path::{Path, PathBuf};

use nines_engine::datafusion::execution::SendableRecordBatchStream;
use nines_engine::datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_engine::store::{Once, TableKind};
use nines_engine::{Session, Settings};

use crate::growth::DEFINITION;
use crate::{fails, nines, query, run};

fn on(store: &Path, args: &[&str]) -> assert_cmd::Command {
    let mut command = nines();
    command.arg("--store").arg(store).args(args);
    command
}

const ASK: &str = "SELECT * FROM report('2026-10-01', '2026-10-21', 'objective')";

/// Twenty days, evaluated and kept.
fn kept(folder: &Path) -> PathBuf {
    let store = folder.join("store");
    let rows = (0..20).flat_map(|day| (0..24).map(move |hour| (day, hour)));
    let rows = rows.map(|(day, hour)| {
        let good = if (day + hour) % 7 == 0 { 5 } else { 10 };
        format!("2026-10-{:02}T{hour:02}:00:00Z,login,sign-in,{good},10\n", day + 1)
    });
    std::fs::write(folder.join("e.csv"), format!("time,service,name,good,total\n{}", rows.collect::<String>()))
        .unwrap();
    std::fs::write(folder.join("slo.yaml"), DEFINITION).unwrap();
    run(on(&store, &["ingest", "events"]).arg(folder.join("e.csv")));
    run(on(&store, &["apply"]).arg(folder.join("slo.yaml")));
    run(&mut on(&store, &["refresh"]));
    store
}

/// Makes rows of `slo_days` say something else, by a version of the table that is sound.
async fn falsify(store: &Path, rows: &str) {
    let session = Session::open(Settings::new(store.to_str().unwrap())).await.unwrap();
    let sql = format!(
        "SELECT objective, definition, date, key, timeline, good + 1 AS good, total, ratio_sum, approximate, ratios, assumed, bound_below, \
         bound_above, last_data FROM slo_days WHERE {rows}"
    );
    let rows = session.sql(&sql).await.unwrap();
    let schema = rows[0].schema();
    let rows: SendableRecordBatchStream =
        Box::pin(RecordBatchStreamAdapter::new(schema, futures::stream::iter(rows.into_iter().map(Ok))));
    let table = session.store().unwrap().table(TableKind::SloDays);
    table.append(rows, Once::default(), session.task()).await.unwrap();
}

#[tokio::test]
async fn kept_days_are_compared_and_mended() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let right = query(&store, ASK);
    let said = run(&mut on(&store, &["check", "--all"]));
    assert!(said.contains("19 kept days of objectives compared with what rows say now (all days)"), "{said}");
    assert!(run(&mut on(&store, &["check"])).contains("of 20 days, all with --all"));

    falsify(&store, "date = '2026-10-03' OR date = '2026-10-05'").await;
    let done = on(&store, &["check", "--all"]).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).to_string();
    assert_eq!(done.status.code(), Some(1), "{told}");
    for day in ["2026-10-03", "2026-10-05"] {
        assert!(told.contains(&format!("sign-in on {day} is something else than rows say now")), "{told}");
    }
    let told = run(&mut on(&store, &["check", "--all", "--repair-caches"]));
    assert!(
        told.contains("sign-in on 2026-10-03 was something else") && told.contains("all of it is as it was written"),
        "{told}"
    );
    assert!(run(&mut on(&store, &["check", "--all"])).contains("19 kept days"));
    assert_eq!(query(&store, ASK), right);
}

#[test]
fn damaged_caches_are_let_go_of() {
    let folder = tempfile::tempdir().unwrap();
    let store = kept(folder.path());
    let right = query(&store, ASK);
    let flip = |path: &Path| {
        let mut bytes = std::fs::read(path).unwrap();
        let at = bytes.len() / 2;
        bytes[at] ^= 4;
        std::fs::write(path, bytes).unwrap();
    };
    let data = std::fs::read_dir(store.join("slo_days")).unwrap().map(|entry| entry.unwrap().path());
    let month = data.into_iter().find(|path| path.to_string_lossy().contains("2026-10")).unwrap();
    flip(&std::fs::read_dir(month).unwrap().next().unwrap().unwrap().path());
    fails(1, &mut on(&store, &["check"]));
    let told = run(&mut on(&store, &["check", "--repair-caches"]));
    assert!(told.contains("slo_days  1 damaged file was let go of"), "{told}");
    run(&mut on(&store, &["check"]));
    assert_eq!(query(&store, ASK), right);

    flip(&store.join("slo_facts/_delta_log/00000000000000000001.json"));
    fails(1, &mut on(&store, &["check"]));
    let told = run(&mut on(&store, &["check", "--repair-caches"]));
    assert!(told.contains("slo_facts  all of it was let go of"), "{told}");
    run(&mut on(&store, &["check"]));
    assert_eq!(query(&store, ASK), right);
    // What nobody can work out again is no cache.
    flip(&store.join("definitions/_delta_log/00000000000000000001.json"));
    fails(1, &mut on(&store, &["check", "--repair-caches"]));
}
