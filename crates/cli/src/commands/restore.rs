//! `nines restore`: an earlier version of a table as the newest.

use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: args::Restore) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let done = session.restore(args.table, args.to, args.dry_run).await?;
    let (name, to, before) = (args.table.name(), args.to, done.before);
    let rows = |(_, rows): (usize, u64)| counted(rows, "row", "rows");
    let changes = format!(
        "files with {} of version {to} count again, files with {} of version {before} do not",
        rows(done.returned),
        rows(done.removed)
    );
    let mut text = match done.version {
        Some(version) => format!("{name}  {changes}; version {version} of {name} has the rows of version {to}\n"),
        None if args.dry_run => format!("{name}  would be as in version {to}: {changes}\n"),
        None => format!("{name}  version {before} has the rows of version {to} already; nothing was changed\n"),
    };
    if done.undone > 0 && (done.version.is_some() || args.dry_run) {
        text.push_str(&format!(
            "{name}  {} in files, recorded since, forgotten: what was ingested after version {to} can \
             be ingested again\n",
            counted(done.undone as u64, "batch or position", "batches and positions")
        ));
    }
    say(&text)
}
