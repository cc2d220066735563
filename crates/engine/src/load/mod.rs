//! Files into a table: read as they are, or through a SQL mapping, and appended in one commit.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{CsvReadOptions, JsonReadOptions, ParquetReadOptions};
use futures::StreamExt;
use nines_ingest::{Format, Options, Progress, conform};
use nines_store::{Commit, Once, TableKind};

use crate::{Engine, EngineError, Parameters, Result};

/// What to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table to fill.
    pub table: TableKind,
    /// The files, stored together or not at all.
    pub files: Vec<PathBuf>,
    /// Their format; `None`: told from name and content.
    pub format: Option<Format>,
    /// A query over the table `input`, the files as they are, that yields the table's columns. Of a log, `input`
    /// has one column, `line`.
    pub select: Option<String>,
    /// What fills columns that the input leaves empty.
    pub business: Option<String>,
    /// Likewise.
    pub service: Option<String>,
    /// Likewise.
    pub source: Option<String>,
}

impl Load {
    /// These files into this table, nothing filled in.
    pub fn new(table: TableKind, files: Vec<PathBuf>) -> Self {
        Load { table, files, format: None, select: None, business: None, service: None, source: None }
    }
}

/// What a load did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Lines or rows of input.
    pub read: u64,
    /// What was stored.
    pub commit: Commit,
}

impl Engine {
    /// Loads files into a table in one commit. `progress` is advanced while files are read as they are.
    pub async fn load(&self, load: &Load, progress: Arc<Progress>) -> Result<Loaded> {
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let mut options = Options::new(load.table, store.slice_seconds());
        options.business.clone_from(&load.business);
        options.service.clone_from(&load.service);
        options.source.clone_from(&load.source);
        options.time_zone = self.settings().time_zone.parse().unwrap_or(options.time_zone);
        let mapped = Arc::new(AtomicU64::new(0));
        let rows = match &load.select {
            Some(select) => self.mapped(load, select, options, mapped.clone()).await?,
            None => nines_ingest::stream(nines_ingest::read(&load.files, load.format, options, progress.clone())?),
        };
        let commit = store
            .table(load.table)
            .append(rows, Once::default(), self.context().task_ctx())
            .await
            .map_err(ingest_first)?;
        Ok(Loaded { read: progress.rows_read() + mapped.load(Relaxed), commit })
    }

    /// The rows of the mapping query, fitted to the table.
    async fn mapped(
        &self,
        load: &Load,
        select: &str,
        options: Options,
        counted: Arc<AtomicU64>,
    ) -> Result<SendableRecordBatchStream> {
        let input = self.input(&load.files, load.format).await?;
        self.context().register_table("input", input.into_view())?;
        let answer = match self.parse(select)?.as_slice() {
            [statement] => self.run(statement, &Parameters::default()).await,
            other => Err(EngineError::Usage(format!("--select takes one query, got {}", other.len()))),
        };
        self.context().deregister_table("input")?;
        let schema = load.table.schema(options.slice_seconds);
        let fitted = answer?.batches.map(move |batch| {
            let batch = batch?;
            let before = counted.fetch_add(batch.num_rows() as u64, Relaxed);
            let fitted =
                conform(&batch, &options).map_err(|error| error.after_rows(before).in_file("the result of --select"));
            fitted.map_err(|error| DataFusionError::External(Box::new(error)))
        });
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, fitted)))
    }

    /// The files as a table, columns as DataFusion finds them.
    async fn input(&self, files: &[PathBuf], format: Option<Format>) -> Result<DataFrame> {
        let paths = files.iter().map(|file| text(file)).collect::<Result<Vec<_>>>()?;
        let Some(first) = files.first() else {
            return Err(EngineError::Usage("no file to load".to_string()));
        };
        let format = match format {
            Some(format) => format,
            None => detect(first)?,
        };
        let name = first.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        // DataFusion refuses files whose names do not end as it expects.
        let extension = name.split_once('.').map_or("", |(_, extension)| extension);
        let context = self.context();
        let line = Schema::new(vec![Field::new("line", DataType::Utf8, true)]);
        let frame = match format {
            Format::Csv => {
                let delimiter = if extension.starts_with("tsv") { b'\t' } else { b',' };
                let csv = CsvReadOptions::new().file_extension(extension).delimiter(delimiter);
                context.read_csv(paths, csv).await?
            }
            Format::JsonLines => {
                let json = JsonReadOptions { file_extension: extension, ..JsonReadOptions::default() };
                context.read_json(paths, json).await?
            }
            Format::Parquet => {
                let parquet = ParquetReadOptions { file_extension: extension, ..ParquetReadOptions::default() };
                context.read_parquet(paths, parquet).await?
            }
            // A line is a CSV record of one field: separator and quote are control characters that no log holds.
            Format::Log => {
                let lines = CsvReadOptions::new().has_header(false).delimiter(1).quote(2).file_extension(extension);
                context.read_csv(paths, lines.schema(&line)).await?
            }
            other => return Err(EngineError::Usage(format!("--select cannot read {}", other.name()))),
        };
        Ok(frame)
    }
}

fn text(path: &Path) -> Result<String> {
    let text = path.to_str().ok_or_else(|| EngineError::Usage(format!("{} is not UTF-8", path.display())))?;
    match path.try_exists() {
        Ok(true) => Ok(text.to_string()),
        _ => Err(EngineError::Usage(format!("{text}: no such file"))),
    }
}

/// The format by name and first bytes.
fn detect(path: &Path) -> Result<Format> {
    use std::io::Read;
    let mut first = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_end(&mut first));
    file.map_err(|error| EngineError::Usage(format!("{}: {error}", path.display())))?;
    Ok(Format::detect(path, &first)?)
}

/// An input error that came through the store's stream is the input's, not the store's.
fn ingest_first(error: nines_store::StoreError) -> EngineError {
    use std::error::Error;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ingest) = cause.downcast_ref::<nines_ingest::IngestError>() {
            return EngineError::Usage(ingest.to_string());
        }
        source = cause.source();
    }
    EngineError::Store(error)
}
