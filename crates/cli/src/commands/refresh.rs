//! `nines refresh`: evaluates ahead of questions, so that they find their days kept.

use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate};
use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use nines_engine::store::TableKind;
use nines_engine::{Engine, EngineError, Settings};

use super::record;
use crate::args::Refresh;
use crate::error::{CliError, Result};
use crate::opened;
use crate::output::say;

/// Days evaluated, and kept, at once.
const DAYS: u64 = 31;

pub(crate) async fn run(settings: Settings, args: Refresh) -> Result<()> {
    let engine = opened::open(settings).await?;
    // UTC days, rounded outwards.
    let day = |name: &str, text: &Option<String>, later: i64| -> Result<Option<NaiveDate>> {
        let Some(text) = text else { return Ok(None) };
        let at = DateTime::from_timestamp_micros(record::time(name, text, &engine)?.saturating_add(later));
        at.map(|at| Some(at.date_naive())).ok_or_else(|| CliError::Usage(format!("{name} is beyond the calendar")))
    };
    let begun = Instant::now();
    let Some(filled) = fill(&engine, day("--from", &args.from, 0)?, day("--to", &args.to, 86_400_000_000 - 1)?).await?
    else {
        return say(&format!(
            "nothing is stored in {} yet, so there is nothing to evaluate\n",
            engine.settings().store
        ));
    };
    let Filled { objectives, days, from, kept } = filled;
    say(&format!(
        "{} over {} from {from}, in {:.1} s; {} of objectives kept, of days that are over\n",
        counted(objectives as u64, "objective"),
        counted(days, "day"),
        begun.elapsed().as_secs_f64(),
        counted(kept, "day")
    ))
}

fn counted(number: u64, what: &str) -> String {
    format!("{} {what}{}", HumanCount(number), if number == 1 { "" } else { "s" })
}

/// What was evaluated, and what is kept now.
pub(super) struct Filled {
    pub objectives: usize,
    pub days: u64,
    pub from: NaiveDate,
    pub kept: u64,
}

/// Evaluates every objective from day to day, without bounds over all days that have rows. `None` if none has.
pub(super) async fn fill(engine: &Engine, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Option<Filled>> {
    let Some((first, last)) = stored_days(engine).await? else { return Ok(None) };
    let from = from.unwrap_or(first);
    let to = to.unwrap_or(last + Days::new(1));
    let days = (to - from).num_days().max(0).unsigned_abs();
    let bar = ProgressBar::new(days).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} days {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut at = from;
    let mut objectives = 0;
    while at < to {
        let next = (at + Days::new(DAYS)).min(to);
        bar.set_message(at.to_string());
        let sql = format!("SELECT objective, good FROM timelines('{at}T00:00:00Z', '{next}T00:00:00Z')");
        let rows: usize = engine.sql(&sql).await?.iter().map(|batch| batch.num_rows()).sum();
        objectives = objectives.max(rows);
        bar.inc((next - at).num_days().unsigned_abs());
        at = next;
    }
    bar.finish_and_clear();
    let kept = match engine.store() {
        Some(store) => {
            let days = store.table(TableKind::SloDays).snapshot().await.map_err(EngineError::from)?;
            days.files().iter().filter_map(|file| file.rows()).sum::<u64>()
        }
        None => 0,
    };
    Ok(Some(Filled { objectives, days, from, kept }))
}

/// The first and the last day that has rows.
async fn stored_days(engine: &Engine) -> Result<Option<(NaiveDate, NaiveDate)>> {
    let Some(store) = engine.store() else { return Ok(None) };
    let mut found: Option<(i32, i32)> = None;
    for kind in [TableKind::Requests, TableKind::Events, TableKind::Gauges] {
        let snapshot = store.table(kind).snapshot().await.map_err(EngineError::from)?;
        if let Some((first, last)) = snapshot.days() {
            found = Some(found.map_or((first, last), |(low, high)| (low.min(first), high.max(last))));
        }
    }
    let date = |day: i32| NaiveDate::from_epoch_days(day);
    Ok(found.and_then(|(first, last)| Some((date(first)?, date(last)?))))
}
