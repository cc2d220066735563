//! A progress bar for files, fed by a task that looks at the counters.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use indicatif::{HumanCount, ProgressBar, ProgressStyle};
use nines_engine::ingest::Progress;

/// A bar on a terminal; nothing elsewhere.
pub(super) struct Bar(Option<(ProgressBar, tokio::task::JoinHandle<()>)>);

impl Bar {
    pub fn start(progress: Arc<Progress>) -> Bar {
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

    pub async fn stop(self) {
        if let Some((bar, task)) = self.0 {
            task.abort();
            bar.finish_and_clear();
        }
    }
}
