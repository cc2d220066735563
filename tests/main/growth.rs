//! What a question costs does not depend on how many days and files are stored besides those that it asks for.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use nines_engine::{Session, Settings};
use tempfile::TempDir;

use crate::{nines, run};

/// The first day that is stored, and how many there are. The first and the last three have rows.
const FIRST: i32 = 20_100;
const DAYS: i32 = 400;
const LAST: i32 = FIRST + DAYS - 1;
/// How often a question is asked at least, and at most.
const LEAST: usize = 3;
const ROUNDS: usize = 30;

pub const DEFINITION: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: {name: sign-in}
spec:
  service: login
  indicator:
    metadata: {name: sign-in}
    spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/events, spec: {name: sign-in}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, timeSliceTarget: 0.99, timeSliceWindow: 1m}]
";

fn date(day: i32) -> String {
    chrono::DateTime::from_timestamp(i64::from(day) * 86_400, 0).unwrap().format("%Y-%m-%d").to_string()
}

/// A store whose log names so many files a day of the days between, which nobody reads.
fn store(files_a_day: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let mut rows = String::from("time,service,name,good,total\n");
    for day in [FIRST, LAST - 2, LAST - 1, LAST] {
        for minute in 0..1440 {
            let time = i64::from(day) * 86_400 + minute * 60;
            writeln!(rows, "{time},login,sign-in,{},100", if minute % 97 == 0 { 90 } else { 100 }).unwrap();
        }
    }
    fs::write(folder.path().join("rows.csv"), rows).unwrap();
    fs::write(folder.path().join("slo.yaml"), DEFINITION).unwrap();
    let ingest = ["ingest", "events", "rows.csv"];
    for arguments in [&ingest[..], &["apply", "slo.yaml"]] {
        run(nines().current_dir(folder.path()).args(["--store", "store"]).args(arguments));
    }
    name_files(&store, files_a_day);
    folder
}

/// Adds an entry to the log of `events` that adds files which do not exist.
fn name_files(store: &Path, files_a_day: usize) {
    let mut entry =
        String::from("{\"commitInfo\":{\"timestamp\":0,\"operation\":\"WRITE\",\"engineInfo\":\"test\"}}\n");
    for day in FIRST + 1..LAST - 2 {
        let date = date(day);
        for file in 0..files_a_day {
            let side = |time: &str| {
                format!(
                    r#"{{\"business\":\"\",\"service\":\"login\",\"endpoint\":\"\",\"customer\":\"\",\"name\":\"sign-in\",\"source\":\"\",\"time\":\"{date}T{time}:00.000Z\"}}"#
                )
            };
            writeln!(
                entry,
                r#"{{"add":{{"path":"date={date}/k1-{:032x}-00000000.parquet","partitionValues":{{"date":"{date}"}},"size":1000,"modificationTime":0,"dataChange":true,"stats":"{{\"numRecords\":10,\"minValues\":{},\"maxValues\":{}}}"}}}}"#,
                day as usize * 1000 + file,
                side("00:00"),
                side("23:59"),
            )
            .unwrap();
        }
    }
    fs::write(store.join("events/_delta_log").join(format!("{:020}.json", 2)), entry).unwrap();
}

async fn open(store: &TempDir) -> Session {
    Session::open(Settings::new(store.path().join("store").to_str().unwrap())).await.unwrap()
}

async fn time(session: &Session, question: &str) -> Duration {
    let start = Instant::now();
    session.sql(question).await.unwrap();
    start.elapsed()
}

/// The fastest of several answers counts, asked by turns: other work on the machine must not decide.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_question_about_a_day_costs_the_same_however_many_days_are_stored() {
    let (day, next) = (date(LAST - 1), date(LAST));
    let (few, many) = (store(0), store(50));
    let (few, many) = (open(&few).await, open(&many).await);
    for question in [
        format!("SELECT * FROM report('{day}', '{next}')"),
        format!("SELECT * FROM failures('{day}', '{next}')"),
        format!("SELECT * FROM slices('{day}', '{next}')"),
        format!("SELECT sum(good) FROM events WHERE time >= '{day}' AND time < '{next}'"),
        "SELECT max(time) FROM events WHERE time >= now() - INTERVAL '1 day'".to_string(),
    ] {
        let (mut of_few, mut of_many) = (Duration::MAX, Duration::MAX);
        // 20,000 files more; a look at each would cost many times this.
        let is_same = |few: Duration, many: Duration| many < few * 2 + Duration::from_millis(5);
        for round in 0..ROUNDS {
            of_few = of_few.min(time(&few, &question).await);
            of_many = of_many.min(time(&many, &question).await);
            // The first answers read what a process reads once.
            if round >= LEAST && is_same(of_few, of_many) {
                break;
            }
        }
        println!("{question}: {of_few:.1?} and {of_many:.1?}");
        assert!(is_same(of_few, of_many), "{question} took {of_few:?}, with 20,000 files more {of_many:?}");
    }
}
