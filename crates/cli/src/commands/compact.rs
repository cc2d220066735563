//! `nines compact`: the files of tables, merged.

use std::io::IsTerminal;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use nines_engine::store::{Compacted, Compaction, TableKind};

use crate::args::Compact;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: Compact) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let mut nothing = true;
    for &kind in TableKind::ALL.iter().filter(|&&kind| args.table.is_none_or(|table| table == kind)) {
        let mut how = Compaction::default();
        (how.upgrade, how.adopt, how.dry_run) = (args.upgrade, args.adopt, true);
        let due = session.compact(kind, &how).await?;
        if due.before.files == 0 {
            continue;
        }
        nothing = false;
        if args.dry_run {
            say(&format!("{}  {} would be merged\n", kind.name(), files(&due)))?;
            continue;
        }
        how.dry_run = false;
        let bar = Bar::start(kind, due.before.bytes, &how);
        let done = session.compact(kind, &how).await;
        bar.stop();
        say(&told(kind, &done?))?;
    }
    if nothing {
        say(
            "nothing to merge: no table has several small files for a day that is over, or many for one that is not\n",
        )?;
    }
    Ok(())
}

fn files(of: &Compacted) -> String {
    format!(
        "{} of {}, {}",
        counted(of.before.files as u64, "file", "files"),
        counted(of.partitions as u64, "partition", "partitions"),
        HumanBytes(of.before.bytes)
    )
}

fn told(kind: TableKind, done: &Compacted) -> String {
    let mut text = match done.version {
        Some(version) => format!(
            "{}  {} are {} now, {}; version {version} of {}\n",
            kind.name(),
            files(done),
            HumanCount(done.after.files as u64),
            HumanBytes(done.after.bytes),
            kind.name()
        ),
        None => format!("{}  nothing was merged\n", kind.name()),
    };
    if done.left.files > 0 {
        text.push_str(&format!(
            "{}  {} files were replaced by writers meanwhile and left as they are\n",
            kind.name(),
            HumanCount(done.left.files as u64)
        ));
    }
    text
}

/// How much is merged, where somebody looks.
struct Bar(ProgressBar, tokio::task::JoinHandle<()>);

impl Bar {
    fn start(kind: TableKind, bytes: u64, how: &Compaction) -> Bar {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::new(bytes) } else { ProgressBar::hidden() };
        let style = ProgressStyle::with_template("{msg} {bar:40} {bytes}/{total_bytes}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(kind.name());
        let (shown, merged) = (bar.clone(), how.merged.clone());
        let watching = tokio::spawn(async move {
            loop {
                shown.set_position(merged.load(Relaxed));
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Bar(bar, watching)
    }

    fn stop(self) {
        self.1.abort();
        self.0.finish_and_clear();
    }
}
