//! `nines ingest`: files in, one commit, a summary.

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use nines_engine::ingest::Progress;
use nines_engine::{Engine, Load, Loaded, Settings};

use crate::args::Ingest;
use crate::error::{Result, doing};
use crate::output::instant;

pub(crate) async fn run(settings: Settings, args: Ingest) -> Result<()> {
    let load = Load {
        format: args.format.0,
        select: args.select,
        business: args.business,
        service: args.service,
        source: args.source,
        ..Load::new(args.table, args.files)
    };
    // A wrong name must not leave a new, empty store behind.
    for file in &load.files {
        doing(file.display(), std::fs::File::open(file).map(drop))?;
    }
    let engine = Engine::open_or_create(settings, args.slice).await?;
    let progress = Arc::new(Progress::new());
    let bar = Bar::start(progress.clone());
    let loaded = engine.load(&load, progress.clone()).await;
    bar.stop().await;
    let text = summary(&loaded?, &load, &engine, progress.rejected());
    doing("writing the summary", std::io::stdout().write_all(text.as_bytes()))
}

fn summary(loaded: &Loaded, load: &Load, engine: &Engine, rejected: u64) -> String {
    let commit = &loaded.commit;
    let table = load.table.name();
    let mut text = format!("read        {} rows\nrejected    {}\n", HumanCount(loaded.read), HumanCount(rejected));
    let Some(version) = commit.version() else {
        text.push_str("written     nothing: the input holds no rows\n");
        return text;
    };
    let (rows, bytes) = (HumanCount(commit.rows), HumanBytes(commit.bytes));
    let files = if commit.files == 1 { "1 file".to_string() } else { format!("{} files", commit.files) };
    let written = if load.table.is_series() { "aggregates" } else { "rows" };
    text.push_str(&format!("written     {rows} {written} in {files}, {bytes}\n"));
    if let (Some((first, last)), Some(store)) = (commit.time_range, engine.store()) {
        let zone = &engine.settings().time_zone;
        let end = last + store.slice_seconds() * 1_000_000;
        text.push_str(&format!("time range  {} to {}\n", instant(first, zone), instant(end, zone)));
    }
    text.push_str(&format!("version     {version} of {table} in {}\n", engine.settings().store));
    text
}

/// A progress bar on a terminal, fed by a task that looks at the counters.
struct Bar(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Bar {
    fn start(progress: Arc<Progress>) -> Bar {
        if !std::io::stderr().is_terminal() {
            return Bar(None);
        }
        let template = "{bar:30} {binary_bytes}/{binary_total_bytes}  {msg}  {elapsed}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(0).with_style(style);
        let shown = bar.clone();
        let task = tokio::spawn(async move {
            loop {
                bar.set_length(progress.total_bytes());
                bar.set_position(progress.bytes_read());
                let read = HumanCount(progress.rows_read());
                // Files are read long before they are sorted and written.
                let done = progress.bytes_read() >= progress.total_bytes();
                bar.set_message(if done {
                    format!("{read} rows, sorting and writing")
                } else {
                    format!("{read} rows")
                });
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        });
        Bar(Some((shown, task)))
    }

    async fn stop(self) {
        if let Some((bar, task)) = self.0 {
            task.abort();
            bar.finish_and_clear();
        }
    }
}
