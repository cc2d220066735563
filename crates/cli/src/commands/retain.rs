//! `nines retain`: raw rows that are older than is kept, removed.

use chrono::DateTime;
use nines_engine::Retaining;
use nines_engine::ingest::clock;

use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: args::Retain) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let age = i64::try_from(args.keep.as_micros()).unwrap_or(i64::MAX);
    let from = DateTime::from_timestamp_micros(clock::now().saturating_sub(age));
    let from = from.ok_or_else(|| CliError::Usage("that long ago there was no calendar".to_string()))?.date_naive();
    let mut how = Retaining::default();
    how.from = from;
    how.reason = format!("rows of the last {} days are kept", args.keep.as_secs() / 86_400);
    (how.dry_run, how.even_owed) = (args.dry_run, args.even_owed);
    let done = session.retain(args.table, &how).await?;
    let name = args.table.name();
    let mut text = match (done.days, done.version) {
        (None, _) => match done.kept_from {
            Some(_) => format!("{name}  nothing was changed\n"),
            None => format!("{name}  no rows before {from}; nothing was changed\n"),
        },
        (Some((first, last)), None) if !args.dry_run => {
            format!(
                "{name}  rows of {first} to {last} were removed by another process meanwhile; nothing was changed\n"
            )
        }
        (Some((first, last)), None) => {
            format!(
                "{name}  {} of {first} to {last} would be removed, and these days sealed\n",
                counted(done.rows, "row", "rows")
            )
        }
        (Some((first, last)), Some(version)) => format!(
            "{name}  removed {} of {first} to {last}; version {version} of {name}. What objectives were in these days is kept for \
             good. Earlier versions still have the rows, until: nines gc {name}\n",
            counted(done.rows, "row", "rows")
        ),
    };
    if let Some(kept) = done.kept_from {
        text.push_str(&format!(
            "{name}  rows from {kept} on stay, not only from {from} on: later days are worked out from them, or they are the newest\n"
        ));
    }
    if let (Some(sealed), Some((_, last))) = (done.sealed_until, done.days)
        && sealed.pred_opt() != Some(last)
    {
        text.push_str(&format!(
            "{name}  days before {sealed} {} sealed: what comes for them later changes no figure\n",
            if args.dry_run { "would be" } else { "are" }
        ));
    }
    say(&text)
}
