//! `nines demo`: a store of believable history, and what it says about each service.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use chrono::{Days, NaiveDate, Utc};
use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use indicatif::{HumanCount, ProgressBar};
use nines_engine::store::{DEFAULT_SLICE_SECONDS, Once, TableKind};
use nines_engine::{Engine, Parameters, Settings};

use crate::args::Demo;
use crate::demo::{self, Spec};
use crate::error::{CliError, Result};
use crate::output::{Format, Output, say};

/// The whitepaper's view per service.
const SERVICES: &str = include_str!("../../../../queries/services.sql");

pub(crate) async fn run(settings: Settings, args: Demo) -> Result<()> {
    let folder = args.folder.display().to_string();
    if is_occupied(&args.folder) {
        return Err(CliError::Usage(format!("{folder} is not empty; name another folder, or remove it")));
    }
    let end = end_of_history(args.until)?;
    let spec = Spec { seed: args.seed, days: args.days, end, slice_seconds: DEFAULT_SLICE_SECONDS };
    let settings = Settings { store: folder.clone(), ..settings };
    let engine = Engine::open_or_create(settings, Some(DEFAULT_SLICE_SECONDS)).await?;
    let begun = Instant::now();
    let requests = fill(&engine, TableKind::Requests, demo::requests(&spec)).await?;
    let events = fill(&engine, TableKind::Events, demo::events(&spec)).await?;
    let gauges = fill(&engine, TableKind::Gauges, demo::gauges(&spec)).await?;
    let seconds = begun.elapsed().as_secs_f64();
    say(&format!(
        "{} days of history in {folder}: {} rows of requests, {} of events, {} of gauges, made in {seconds:.1} s\n\n",
        args.days,
        HumanCount(requests),
        HumanCount(events),
        HumanCount(gauges)
    ))?;
    for statement in engine.parse(SERVICES)? {
        let answer = engine.run(&statement, &Parameters::default()).await?;
        let output = Output { format: Format::Table, file: None, time_zone: &engine.settings().time_zone };
        output.write(answer.schema, answer.batches).await?;
    }
    say(&next(&folder, &spec))
}

/// Appends generated batches in one commit; the number of rows.
async fn fill(
    engine: &Engine,
    kind: TableKind,
    batches: impl Iterator<Item = RecordBatch> + Send + 'static,
) -> Result<u64> {
    let Some(store) = engine.store() else { return Ok(0) };
    let schema = kind.schema(store.slice_seconds());
    let spinner = ProgressBar::new_spinner().with_message(format!("making {}", kind.name()));
    let ticking = spinner.clone();
    let batches = futures::stream::iter(batches).map(Ok).inspect(move |_| ticking.tick());
    let rows = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), batches));
    let commit = store.table(kind).append(rows, Once::default(), engine.context().task_ctx()).await;
    spinner.finish_and_clear();
    Ok(commit.map_err(nines_engine::EngineError::from)?.rows)
}

/// What to try next; every command works as printed, in the folder where the demo was run.
fn next(folder: &str, spec: &Spec) -> String {
    let (from, to) = demo::worst_login_week(spec);
    let date = |micros: i64| chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%d");
    let week = format!("service = 'login' AND time >= '{}' AND time < '{}'", date(from), date(to));
    let nines = format!("{} --store '{folder}' sql", program());
    format!(
        "\nslo is the share of measured minutes within the objective; times are seconds. \
         Login had a bad week. When did it fail, why, and what else can be asked?\n\n\
         {nines} \"SELECT unnest(failure_intervals(ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, \
         requests, 0.99), 300)) AS failure FROM requests WHERE {week}\"\n\n\
         {nines} \"SELECT endpoint, status, cause, sum(requests) AS requests FROM requests WHERE status >= 400 AND {week} \
         GROUP BY endpoint, status, cause ORDER BY requests DESC LIMIT 5\"\n\n\
         {nines} \"SELECT name, syntax FROM functions WHERE section = 'Timelines'\"\n"
    )
}

/// How this program can be called again: by name where the shell finds it, else by its path.
fn program() -> String {
    let called = std::env::args().next().unwrap_or_default();
    if called.contains('/') { called } else { "nines".to_string() }
}

fn is_occupied(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or_else(|_| folder.exists(), |mut entries| entries.next().is_some())
}

/// Midnight UTC after the last day, in microseconds.
fn end_of_history(until: Option<NaiveDate>) -> Result<i64> {
    let end = match until {
        Some(last) => last.checked_add_days(Days::new(1)),
        None => Some(Utc::now().date_naive()),
    };
    let midnight = end.and_then(|end| end.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc().timestamp_micros());
    midnight.ok_or_else(|| CliError::Usage("the last day is beyond the calendar".to_string()))
}
