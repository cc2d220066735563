//! Files whose rows are samples.

use std::sync::Arc;

use futures::StreamExt;
use nines_ingest::table::AsText;
use nines_ingest::{Collected, Limits, Options, Progress, SampleRows, clock};
use nines_store::TableKind;

use super::what::{MetricFiles, RowsOf};
use crate::load::blocking;
use crate::{Result, Session};

/// What asks for the rows of files as they are.
const ALL: &str = "SELECT * FROM input";

impl Session {
    /// Collects the samples that are rows of files, or of a query over them.
    pub(super) async fn collect_rows(
        &self,
        load: &MetricFiles,
        rows: &RowsOf,
        mut collected: Collected,
        progress: Arc<Progress>,
    ) -> Result<Collected> {
        for file in &load.files {
            let format = rows.format.map_or_else(|| nines_ingest::detect(file), Ok)?;
            *collected.formats.entry(format.to_string()).or_default() += 1;
        }
        // What a query computes with is read as what it looks like; a label is read as it is written.
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect();
        let as_text = match rows.select {
            Some(_) => AsText::Named(names(&["metric"])),
            None => AsText::AllBut(names(&["time", "value"])),
        };
        let select = rows.select.as_deref().unwrap_or(ALL);
        let statement = self.one_query(select)?;
        let (input, _) = self.input_of(&load.files, rows.format, as_text, Arc::clone(&progress)).await?;
        let answer = self.over_input(&statement, input).await?;
        let mut options = Options::new(TableKind::Requests, nines_store::DEFAULT_SLICE_SECONDS);
        options.time_zone = self.settings().time_zone.tz();
        options.limits = (!load.any_time).then(|| Limits::at(clock::now()));
        let name = match (&rows.select, load.files.as_slice()) {
            (Some(_), _) => "the result of --select".to_string(),
            (None, [file]) => file.display().to_string(),
            (None, _) => "the rows of all files".to_string(),
        };
        let mut read = SampleRows::new(options, name);
        let mut batches = answer.batches;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            progress.add_rows(batch.num_rows() as u64);
            let add = move || {
                read.read(&batch, &mut |sample| collected.add(&sample))?;
                Ok((read, collected))
            };
            (read, collected) = blocking(add).await?;
        }
        Ok(collected)
    }
}
