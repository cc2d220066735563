//! `nines backup`: a copy of a store beside its writers.

use std::io::IsTerminal;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use nines_engine::store::Amount;

use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{counted, say};

pub(crate) async fn run(opening: Opening, args: args::Backup) -> Result<()> {
    let session = opened::open(opening).await?;
    if session.store().is_none() {
        return Err(CliError::Usage(format!("there is no store at {}", session.store_url())));
    }
    let mut how = nines_engine::store::Backup::default();
    how.since = args.since;
    let bar = if std::io::stderr().is_terminal() { ProgressBar::new_spinner() } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{spinner} {bytes} copied");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    let (shown, copied) = (bar.clone(), how.copied.clone());
    let watching = tokio::spawn(async move {
        loop {
            shown.set_position(copied.load(Relaxed));
            shown.tick();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    });
    let done = session.backup(&args.to, &how).await;
    watching.abort();
    bar.finish_and_clear();
    let done = done?;
    let told = |Amount { files, bytes, .. }: Amount| {
        format!("{} ({})", counted(files as u64, "data file", "data files"), HumanBytes(bytes))
    };
    let mut text = format!("{} copied", told(done.copied));
    if done.shared.files > 0 {
        text.push_str(&format!(", {} shared with the earlier copy", told(done.shared)));
    }
    text.push_str(&format!("; {} is a store with\n", args.to));
    for (kind, version) in &done.versions {
        text.push_str(&format!("  {} up to version {version}\n", kind.name()));
    }
    say(&text)
}
