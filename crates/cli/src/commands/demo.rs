//! `nines demo`: a store of believable history with its definitions, what it says about each service, and pages of it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate};
use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::StreamExt;
use indicatif::{HumanCount, ProgressBar};
use nines_engine::ingest::clock;
use nines_engine::store::{DEFAULT_SLICE_SECONDS, Once, TableKind};
use nines_engine::{Parameter, Parameters, Session};

use super::{page, refresh};
use crate::args::{Demo, PageFormat, Running};
use crate::demo::{self, Spec};
use crate::error::{CliError, Result, doing};
use crate::notebooks;
use crate::opened::{self, Opening};
use crate::output::{Format, Output, say};

/// Every service over a range.
const REPORT: &str = include_str!("../../../../queries/report.sql");
/// The length of that range: the window of most objectives.
const REPORTED_DAYS: i64 = 28;
/// The folder of the pages, in the store.
const PAGES: &str = "pages";

pub(crate) async fn run(opening: Opening, args: Demo) -> Result<()> {
    let folder = args.folder.display().to_string();
    if is_occupied(&args.folder) {
        return Err(CliError::Usage(format!("{folder} is not empty; name another folder, or remove it")));
    }
    let end = end_of_history(args.until)?;
    let spec = Spec { seed: args.seed, days: args.days, end, slice_seconds: DEFAULT_SLICE_SECONDS };
    let mut opening = opening;
    opening.engine.store = folder.clone();
    let session = opened::open_or_create(opening, Some(DEFAULT_SLICE_SECONDS)).await?;
    let begun = Instant::now();
    let requests = fill(&session, TableKind::Requests, demo::requests(&spec)).await?;
    let events = fill(&session, TableKind::Events, demo::events(&spec)).await?;
    let gauges = fill(&session, TableKind::Gauges, demo::gauges(&spec)).await?;
    say(&format!(
        "{} days of history in {folder}: {} rows of requests, {} of events, {} of gauges, made in {:.1} s\n",
        args.days,
        HumanCount(requests),
        HumanCount(events),
        HumanCount(gauges),
        begun.elapsed().as_secs_f64()
    ))?;
    let begun = Instant::now();
    let incidents = fill(&session, TableKind::Incidents, std::iter::once(demo::incident_records(&spec))).await?;
    let exclusions = fill(&session, TableKind::Exclusions, std::iter::once(demo::exclusion_records(&spec))).await?;
    let files: Vec<_> = demo::DEFINITIONS.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
    session.apply(&files).await?;
    let objectives = refresh::fill(&session, None, None).await?.map_or(0, |filled| filled.objectives);
    say(&format!(
        "{incidents} records of incidents, {exclusions} of exclusions; {objectives} objectives defined, and evaluated in \
         {:.1} s\n\n",
        begun.elapsed().as_secs_f64()
    ))?;
    let from = (spec.end - REPORTED_DAYS * demo::DAY).max(spec.start());
    say(&format!("Every service from {} up to {}, all its objectives together:\n\n", date(from), date(spec.end)))?;
    let parameters = [("from", from), ("to", spec.end)];
    let parameters = parameters.map(|(name, at)| (name.to_string(), Parameter::Text(date(at))));
    for statement in session.parse(REPORT)? {
        let answer = session.run(&statement, &parameters.iter().cloned().collect::<Parameters>()).await?;
        let output = Output { format: Format::Table, file: None, time_zone: session.settings().time_zone.name() };
        output.write(answer.schema, answer.batches).await?;
    }
    say(&next(&folder, &spec, from))?;
    say("\nThe same as pages for a browser:\n\n")?;
    for (what, file) in pages(&session, &args.folder.join(PAGES), &spec).await? {
        say(&format!("{what:<20}{}\n", file.display()))?;
    }
    Ok(())
}

/// The dashboards and a weekly report, in the folder `pages` of the store, which is no table's.
async fn pages(session: &Session, folder: &Path, spec: &Spec) -> Result<Vec<(&'static str, PathBuf)>> {
    let (monday, next_monday) = demo::worst_login_week(spec);
    let login = || {
        let week = format!("{} to {}", date(monday), date(next_monday));
        vec![("service".to_string(), "login".to_string()), ("period".to_string(), week)]
    };
    doing(folder.display(), std::fs::create_dir_all(folder))?;
    let mut written = Vec::new();
    for (what, name, parameters) in [
        ("the company", "company", Vec::new()),
        ("its worst business", "business", Vec::new()),
        ("login's worst week", "feature", login()),
        ("the week's report", "weekly", login()),
    ] {
        let named = notebooks::shipped(name)?;
        let running = Running { parameters, now: None };
        let page = page::made(session, &named, &page::given(&running), &running).await?;
        notebooks::check(&page, name)?;
        let file = folder.join(format!("{name}.html"));
        page::put(&page, PageFormat::Html, Some(&file))?;
        written.push((what, file));
    }
    Ok(written)
}

/// Appends generated batches in one commit; the number of rows.
async fn fill(
    session: &Session,
    kind: TableKind,
    batches: impl Iterator<Item = RecordBatch> + Send + 'static,
) -> Result<u64> {
    let Some(store) = session.store() else { return Ok(0) };
    let schema = kind.schema(store.slice_seconds());
    let spinner = ProgressBar::new_spinner().with_message(format!("making {}", kind.name()));
    let ticking = spinner.clone();
    // A short history may have none of a kind; a table is made by its first row.
    let batches = batches.filter(|batch| batch.num_rows() > 0);
    let batches = futures::stream::iter(batches).map(Ok).inspect(move |_| ticking.tick());
    let rows = Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&schema), batches));
    let commit = store.table(kind).append(rows, Once::default(), session.task()).await;
    spinner.finish_and_clear();
    Ok(commit.map_err(nines_engine::EngineError::from)?.rows)
}

/// What to try next; every command works as printed, in the folder where the demo was run.
fn next(folder: &str, spec: &Spec, from: i64) -> String {
    let (monday, next_monday) = demo::worst_login_week(spec);
    let week = format!("'{}', '{}'", date(monday), date(next_monday));
    let range = format!("'{}', '{}'", date(from), date(spec.end));
    let nines = format!("{} --store '{folder}'", program());
    format!(
        "\nslo is the share of measured time within every objective, target and budget_remaining are the service's own; times \
         are\nseconds. Login had a bad week. When did it fail, and which incident was it?\n\n\
         {nines} sql \"SELECT started, seconds, objectives, incident \
         FROM failures({week}) WHERE service = 'login' ORDER BY started\"\n\n\
         Which endpoint and which cause lost these minutes?\n\n\
         {nines} sql \"SELECT objective, endpoint, cause, sum(bad) AS bad, sum(error_slices) AS minutes \
         FROM culprits({week}) WHERE service = 'login' GROUP BY objective, endpoint, cause ORDER BY bad DESC LIMIT 5\"\n\n\
         How is each business doing, and what exactly is promised?\n\n\
         {nines} sql \"SELECT business, slo, slo_change, slo_error_time, round(mtbf) AS mtbf, round(mttr) AS mttr, incidents \
         FROM report({range}, 'business')\"\n\n\
         {nines} slos --service login\n\n\
         And what else can be asked?\n\n\
         {nines} sql \"SELECT name, syntax FROM functions WHERE section IN ('Objectives', 'Timelines')\"\n"
    )
}

/// An instant's day, in UTC.
fn date(micros: i64) -> String {
    chrono::DateTime::from_timestamp_micros(micros).unwrap_or_default().format("%Y-%m-%d").to_string()
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
        None => DateTime::from_timestamp_micros(clock::now()).map(|now| now.date_naive()),
    };
    let midnight = end.and_then(|end| end.and_hms_opt(0, 0, 0)).map(|midnight| midnight.and_utc().timestamp_micros());
    midnight.ok_or_else(|| CliError::Usage("the last day is beyond the calendar".to_string()))
}
