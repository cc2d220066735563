//! `nines ingest --follow` and `nines follow`: files are read on while they grow, and what is new is stored when its slice is over.

use std::collections::HashSet;
use std::mem::discriminant;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nines_engine::ingest::Progress;
use nines_engine::store::Outcome;
use nines_engine::{EngineError, FileState, Follower, Load, Loaded, Session, Warning};
use tokio::sync::mpsc::UnboundedReceiver;

use super::ingest;
use crate::args::{Follow, Ingest};
use crate::error::{CliError, Result, doing};
use crate::interrupts;
use crate::opened::{self, Opening};
use crate::output::{can_be_written, counted, instant, note, say};

/// How often a round is tried again at once whose files were written anew while they were read.
const TRIES: usize = 3;

/// After so many rounds the files of tables are merged, if there are many.
const TIDY: u64 = 15;

/// When rounds come, in seconds.
#[derive(Debug, Clone, Copy)]
struct Pace {
    /// `None`: the width of a slice.
    every: Option<i64>,
    /// After the end of a slice.
    lag: Option<i64>,
}

/// The files of a command line.
pub(super) async fn of_files(opening: Opening, args: Ingest) -> Result<()> {
    let (slice, pace) = (args.slice, Pace { every: args.every, lag: args.lag });
    run(opening, vec![ingest::load(args, <[_]>::to_vec)], slice, pace).await
}

/// What a file says is followed.
pub(crate) async fn of_file(opening: Opening, args: Follow) -> Result<()> {
    let loads = args.entries()?.into_iter().map(|entry| ingest::load(entry, <[_]>::to_vec)).collect();
    run(opening, loads, args.slice, Pace { every: args.every, lag: args.lag }).await
}

/// Follows the files of these loads until Ctrl-C or SIGTERM.
async fn run(opening: Opening, loads: Vec<Load>, slice: Option<i64>, pace: Pace) -> Result<()> {
    for file in loads.iter().filter_map(|load| load.skip_bad.as_ref()) {
        can_be_written(file)?;
    }
    let mut followed = Vec::new();
    for load in loads {
        followed.push(Followed { what: what(&load), follower: Follower::new(load)?, said: HashSet::new() });
    }
    let mut ends = doing("listening for signals", interrupts::listen_also_to_terminate())?;
    let session = opened::open_or_create(opening, slice).await?;
    let width = session.store().map_or(60, |store| store.slice_seconds());
    let every = pace.every.unwrap_or(width);
    for each in &followed {
        say(&format!("following {} of {}, every {every} s; Ctrl-C ends it\n", each.what, session.store_url()))?;
    }
    let mut rounds: u64 = 0;
    loop {
        for each in &mut followed {
            match each.round(&session).await {
                Ok(()) => {}
                // A store that cannot be written now may be written later; the lines stay where they are. At the start it is a
                // mistake of somebody's.
                Err(CliError::Engine(error))
                    if matches!(error, EngineError::Changed(_))
                        || matches!(error, EngineError::Store(_)) && rounds > 0 =>
                {
                    note(format_args!("error: {error}\nnothing of it is stored; it is tried again in {every} s"));
                }
                Err(error) => return Err(error.at(each.what.clone())),
            }
        }
        rounds += 1;
        if rounds.is_multiple_of(TIDY) {
            opened::tidy().await;
        }
        if let Some(()) = ended_within(&mut ends, until_next(every, pace.lag.unwrap_or(0))).await {
            break;
        }
    }
    tokio::select! {
        done = last_round(&mut followed, &session) => done,
        _ = ends.recv() => Err(CliError::Interrupted(opened::landed().await)),
    }
}

async fn last_round(followed: &mut [Followed], session: &Session) -> Result<()> {
    for each in followed {
        each.round(session).await.map_err(|error| error.at(each.what.clone()))?;
    }
    say("stopped: every complete line is stored\n")
}

/// Whether a signal came within this time.
async fn ended_within(ends: &mut UnboundedReceiver<()>, time: Duration) -> Option<()> {
    tokio::time::timeout(time, ends.recv()).await.ok().flatten()
}

/// How long it is to the next multiple of `every` seconds, and so many more.
fn until_next(every: i64, lag: i64) -> Duration {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let (every, lag) = (Duration::from_secs(every.unsigned_abs().max(1)), Duration::from_secs(lag.unsigned_abs()));
    let since = now.saturating_sub(lag).as_nanos() % every.as_nanos();
    every - Duration::from_nanos(u64::try_from(since).unwrap_or(0))
}

fn what(load: &Load) -> String {
    let files = load.files.iter().map(|file| file.display().to_string()).collect::<Vec<_>>().join(", ");
    format!("{files} into {}", load.table.name())
}

/// What one load follows.
struct Followed {
    what: String,
    follower: Follower,
    /// What was said of it once and holds on.
    said: HashSet<String>,
}

impl Followed {
    /// Stores what is new.
    async fn round(&mut self, session: &Session) -> Result<()> {
        let mut tries = 0;
        loop {
            let round = match self.follower.look() {
                Err(EngineError::Changed(_)) if tries < TRIES => {
                    tries += 1;
                    continue;
                }
                round => round?,
            };
            round.notes.iter().for_each(note);
            if round.is_empty() {
                return Ok(());
            }
            let progress = Arc::new(Progress::new());
            match session.load(&round.load, progress.clone()).await {
                Ok(loaded) => {
                    self.follower.stored(&round, &loaded);
                    return self.tell(&round.load, loaded, &progress, session);
                }
                Err(EngineError::Changed(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn tell(&mut self, load: &Load, mut loaded: Loaded, progress: &Progress, session: &Session) -> Result<()> {
        let zone = session.settings().time_zone.name();
        let mut text = String::new();
        if let Outcome::Stored(version) = loaded.commit.outcome {
            let now = nines_engine::ingest::clock::now();
            let rejected = progress.rejected();
            let rejected =
                if rejected > 0 { format!(", {} rejected", indicatif::HumanCount(rejected)) } else { String::new() };
            text.push_str(&format!(
                "{}  {}{rejected}; {} stored, version {version} of {}\n",
                instant(now - now.rem_euclid(1_000_000), zone),
                counted(loaded.read, "row", "rows"),
                counted(loaded.commit.rows, "aggregate", "aggregates"),
                load.table.name()
            ));
        }
        for (state, said) in [
            (
                FileState::LeftOut,
                "rotated before it was followed, and not read: to store it as well, name it to nines ingest",
            ),
            (FileState::NotYet, "rotated, and cannot be read yet"),
        ] {
            for read in loaded.files.iter().filter(|read| read.found == state) {
                let said = format!("{}: {said}\n", read.file.display());
                if self.said.insert(said.clone()) {
                    text.push_str(&said);
                }
            }
        }
        // Rows that add are what is expected here. What holds for one round holds for the next.
        loaded.warnings.retain(|warning| !matches!(warning, Warning::Overlap(_)) && self.said.insert(kind(warning)));
        text.push_str(&ingest::warned(&loaded, session));
        for (kind, said) in [("units", ingest::units(progress)), ("formats", ingest::formats(progress))] {
            if !said.is_empty() && self.said.insert(kind.to_string()) {
                text.push_str(&said);
            }
        }
        say(&text)
    }
}

/// What tells whether a warning was said already.
fn kind(warning: &Warning) -> String {
    match warning {
        Warning::Unfilled(what) | Warning::Others(what, _) => what.clone(),
        other => format!("{:?}", discriminant(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_come_at_multiples() {
        for (every, lag) in [(60, 0), (3600, 5), (7, 20), (1, 0)] {
            let wait = until_next(every, lag);
            let then = SystemTime::now().duration_since(UNIX_EPOCH).unwrap() + wait;
            let off = (then.as_secs_f64() - lag as f64).rem_euclid(every as f64);
            assert!(wait.as_secs_f64() <= every as f64 && (off < 0.2 || every as f64 - off < 0.2), "{off}");
        }
    }
}
