//! Files whose rows are samples.

use std::sync::Arc;

use datafusion::dataframe::DataFrame;
use futures::StreamExt;
use nines_ingest::table::{AsText, FileTable, Source};
use nines_ingest::{Collected, Format, Limits, Options, Progress, Rejected, SampleRows, clock};
use nines_store::TableKind;

use super::what::{MetricFiles, RowsOf};
use crate::load::blocking;
use crate::{Result, Session, Statement};

/// Rows that are read together.
const BATCH_ROWS: usize = 8192;

/// What asks for the rows of files as they are.
const ALL: &str = "SELECT * FROM input";

impl Session {
    /// Collects the samples that are rows of files, or of a query over them.
    pub(super) async fn collect_rows(
        &self,
        load: &MetricFiles,
        rows: &RowsOf,
        mut collected: Collected,
        rejected: Option<&Arc<Rejected>>,
        progress: &Arc<Progress>,
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
        let mut options = Options::new(TableKind::Requests, nines_store::DEFAULT_SLICE_SECONDS);
        options.time_zone = self.settings().time_zone.tz();
        options.repeated_hour = rows.repeated_hour;
        options.rejected = rejected.cloned();
        options.limits = (!load.any_time).then(|| Limits::at(clock::now()));
        let Some(select) = &rows.select else {
            for file in &load.files {
                let read = SampleRows::new(options.clone(), file.display().to_string());
                collected = match rows.format.map_or_else(|| nines_ingest::detect(file), Ok)? {
                    Format::Parquet => {
                        let file = std::slice::from_ref(file);
                        let (input, _) = self.input_of(file, rows.format, as_text.clone(), rejected, progress).await?;
                        self.collect_answer(&self.one_query(ALL)?, input, read, collected, progress).await?
                    }
                    format => {
                        let mut source = Source::new(file, Some(format));
                        source.rejected = rejected.cloned();
                        self.collect_text(source, as_text.clone(), read, collected, progress).await?
                    }
                };
            }
            return Ok(collected);
        };
        // A query may join files.
        let (input, _) = self.input_of(&load.files, rows.format, as_text, rejected, progress).await?;
        let read = SampleRows::new(options, "the result of --select");
        self.collect_answer(&self.one_query(select)?, input, read, collected, progress).await
    }

    /// Collects the samples that are records of a text. Errors name their lines.
    async fn collect_text(
        &self,
        source: Source,
        as_text: AsText,
        mut read: SampleRows,
        mut collected: Collected,
        progress: &Arc<Progress>,
    ) -> Result<Collected> {
        let (zone, progress) = (self.settings().time_zone.name().to_string(), Arc::clone(progress));
        let collect = move || {
            let table = Arc::new(FileTable::measure(vec![source], &as_text, &zone, &progress)?);
            progress.add_headers(table.headers(None));
            let columns: Vec<usize> = (0..table.schema().fields().len()).collect();
            let mut rows = table.rows(0, &columns, BATCH_ROWS)?;
            while let Some(batch) = rows.next() {
                let batch = batch?;
                progress.add_rows(batch.num_rows() as u64);
                read.read(&batch, rows.lines(), &mut |sample| collected.add(&sample))?;
            }
            Ok(collected)
        };
        blocking(collect).await
    }

    /// Collects the samples that are rows of a query's answer.
    async fn collect_answer(
        &self,
        statement: &Statement,
        input: DataFrame,
        mut read: SampleRows,
        mut collected: Collected,
        progress: &Progress,
    ) -> Result<Collected> {
        let mut batches = self.over_input(statement, input).await?.batches;
        while let Some(batch) = batches.next().await {
            let batch = batch?;
            progress.add_rows(batch.num_rows() as u64);
            let add = move || {
                read.read(&batch, &[], &mut |sample| collected.add(&sample))?;
                Ok((read, collected))
            };
            (read, collected) = blocking(add).await?;
        }
        Ok(collected)
    }
}
