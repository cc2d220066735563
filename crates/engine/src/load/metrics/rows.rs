//! Files whose rows are samples.

use std::path::PathBuf;
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
        let statement = self.one_query(rows.select.as_deref().unwrap_or(ALL))?;
        let mut options = Options::new(TableKind::Requests, nines_store::DEFAULT_SLICE_SECONDS);
        options.time_zone = self.settings().time_zone.tz();
        options.repeated_hour = rows.repeated_hour;
        options.limits = (!load.any_time).then(|| Limits::at(clock::now()));
        // A query may join files; rows as they are have a file, which errors name.
        let inputs: Vec<(&[PathBuf], String)> = match rows.select {
            Some(_) => vec![(&load.files, "the result of --select".to_string())],
            None => load.files.iter().map(|file| (std::slice::from_ref(file), file.display().to_string())).collect(),
        };
        for (files, name) in inputs {
            let (input, _) = self.input_of(files, rows.format, as_text.clone(), Arc::clone(&progress)).await?;
            let mut batches = self.over_input(&statement, input).await?.batches;
            let mut read = SampleRows::new(options.clone(), name);
            while let Some(batch) = batches.next().await {
                let batch = batch?;
                progress.add_rows(batch.num_rows() as u64);
                let add = move || {
                    read.read(&batch, &mut |sample| collected.add(&sample))?;
                    Ok((read, collected))
                };
                (read, collected) = blocking(add).await?;
            }
        }
        Ok(collected)
    }
}
