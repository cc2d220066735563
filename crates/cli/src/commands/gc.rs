//! `nines gc`: old versions given up, and what only they need removed.

use indicatif::HumanBytes;
use nines_engine::ingest::clock;
use nines_engine::store::{Amount, Collected, TableKind};

use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: args::Gc) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    for &kind in TableKind::ALL.iter().filter(|&&kind| args.table.is_none_or(|table| table == kind)) {
        let mut how = match args.now {
            true => nines_engine::store::Gc::newest(clock::now()),
            false => nines_engine::store::Gc::keep(args.keep, clock::now()),
        };
        how.dry_run = args.dry_run;
        let done = session.gc(kind, &how).await?;
        if let (Some(oldest), Some(newest)) = (done.oldest, done.newest) {
            say(&told(kind, &done, (oldest, newest), args.dry_run))?;
        }
    }
    Ok(())
}

fn told(kind: TableKind, done: &Collected, (oldest, newest): (u64, u64), dry_run: bool) -> String {
    let name = kind.name();
    let gone = if dry_run { "would be removed" } else { "removed" };
    let mut text = match oldest == newest {
        true => format!("{name}  version {newest} can be read"),
        false => format!("{name}  versions {oldest} to {newest} can be read"),
    };
    if done.data.files + done.log.files + done.left_over.files == 0 {
        text.push_str("; nothing to remove\n");
    } else {
        let parts = [
            (done.data, ("data file", "data files")),
            (done.log, ("log file", "log files")),
            (done.left_over, ("file of a writer that died", "files of writers that died")),
        ];
        let parts = parts.iter().filter(|(amount, _)| amount.files > 0);
        let parts: Vec<String> = parts.map(|(amount, what)| told_of(*amount, *what)).collect();
        text.push_str(&format!("; {gone}: {}\n", parts.join(", ")));
    }
    if done.young.files > 0 {
        let young = told_of(done.young, ("file", "files"));
        text.push_str(&format!(
            "{name}  note: {young} in no version, younger than a day, left alone: a writer may be at work\n"
        ));
    }
    text
}

fn told_of(amount: Amount, (one, many): (&str, &str)) -> String {
    format!("{} ({})", counted(amount.files as u64, one, many), HumanBytes(amount.bytes))
}
