//! `nines refresh`: evaluates ahead of questions, so that they find their days kept.

use std::collections::BTreeSet;
use std::time::Instant;

use chrono::{DateTime, Days, NaiveDate};
use indicatif::{ProgressBar, ProgressStyle};
use nines_engine::ingest::clock;
use nines_engine::store::TableKind;
use nines_engine::{EngineError, Session};

use super::record;
use crate::args::Refresh;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

/// Days evaluated, and kept, at once.
const DAYS: u64 = 31;

pub(crate) async fn run(opening: Opening, args: Refresh) -> Result<()> {
    let session = opened::open(opening).await?;
    // UTC days, rounded outwards.
    let day = |name: &str, text: &Option<String>, later: i64| -> Result<Option<NaiveDate>> {
        let Some(text) = text else { return Ok(None) };
        let at = DateTime::from_timestamp_micros(record::time(name, text, &session)?.saturating_add(later));
        at.map(|at| Some(at.date_naive())).ok_or_else(|| CliError::Usage(format!("{name} is beyond the calendar")))
    };
    let begun = Instant::now();
    let Some(filled) =
        fill(&session, day("--from", &args.from, 0)?, day("--to", &args.to, 86_400_000_000 - 1)?).await?
    else {
        return say(&format!("nothing is stored in {} yet, so there is nothing to evaluate\n", session.store_url()));
    };
    let Filled { objectives, days, from, kept } = filled;
    say(&format!(
        "{} over {} from {from}, in {:.1} s; {} of objectives kept, of days that are over\n",
        counted(objectives as u64, "objective", "objectives"),
        counted(days, "day", "days"),
        begun.elapsed().as_secs_f64(),
        counted(kept, "day", "days")
    ))
}

/// What was evaluated, and what is kept now.
pub(super) struct Filled {
    pub objectives: usize,
    pub days: u64,
    pub from: NaiveDate,
    pub kept: u64,
}

/// Evaluates every objective from day to day, without bounds from the first day that has rows to the last; of days to come only
/// those that have. `None` if none has.
pub(super) async fn fill(session: &Session, from: Option<NaiveDate>, to: Option<NaiveDate>) -> Result<Option<Filled>> {
    let stored = stored_days(session).await?;
    let (Some(&first), Some(&last)) = (stored.first(), stored.last()) else { return Ok(None) };
    // What is to come is evaluated only where rows are: one of the year 9999 must not be reached day by day.
    let ahead = DateTime::from_timestamp_micros(clock::now()).map_or(last, |now| now.date_naive() + Days::new(2));
    let from = from.unwrap_or(first);
    let to = to.unwrap_or(last + Days::new(1));
    let mut days = 0;
    let bar = ProgressBar::new((to - from).num_days().max(0).unsigned_abs()).with_style(
        ProgressStyle::with_template("{bar:40} {pos}/{len} days {msg}")
            .unwrap_or_else(|_| ProgressStyle::default_bar()),
    );
    let mut at = from;
    let mut objectives = 0;
    while at < to {
        if at >= ahead {
            match stored.range(at..to).next() {
                Some(&day) => at = day,
                None => break,
            }
        }
        let next = (at + Days::new(DAYS)).min(to);
        bar.set_message(at.to_string());
        let sql = format!("SELECT objective, good FROM timelines('{at}T00:00:00Z', '{next}T00:00:00Z')");
        let rows: usize = session.sql(&sql).await?.iter().map(|batch| batch.num_rows()).sum();
        // Answers do without; this command is there to keep.
        if let Some(why) = session.unkept() {
            bar.finish_and_clear();
            return Err(why.into());
        }
        objectives = objectives.max(rows);
        days += (next - at).num_days().unsigned_abs();
        at = next;
        bar.set_position((at - from).num_days().max(0).unsigned_abs());
    }
    bar.finish_and_clear();
    let kept = match session.store() {
        Some(store) => {
            let days = store.table(TableKind::SloDays).snapshot().await.map_err(EngineError::from)?;
            days.files().filter_map(|file| file.rows()).sum::<u64>()
        }
        None => 0,
    };
    Ok(Some(Filled { objectives, days, from, kept }))
}

/// The days that have rows.
async fn stored_days(session: &Session) -> Result<BTreeSet<NaiveDate>> {
    let Some(store) = session.store() else { return Ok(BTreeSet::new()) };
    let mut found = BTreeSet::new();
    for kind in [TableKind::Requests, TableKind::Events, TableKind::Gauges] {
        let snapshot = store.table(kind).snapshot().await.map_err(EngineError::from)?;
        found.extend(snapshot.files().filter_map(|file| file.day()));
    }
    Ok(found)
}
