//! Files through a query: the table `input`, and its rows fitted to a stored table.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::ParquetReadOptions;
use futures::StreamExt;
use nines_ingest::table::Source;
use nines_ingest::{Format, Options, Progress, conform};
use url::Url;

use crate::files::FileProvider;
use crate::{Engine, EngineError, Load, Parameters, Result};

impl Engine {
    /// The rows of the mapping query, fitted to the table.
    pub(super) async fn mapped(
        &self,
        load: &Load,
        select: &str,
        options: Options,
        counted: Arc<AtomicU64>,
        progress: Arc<Progress>,
    ) -> Result<Mapped> {
        let [statement] = self.parse(select)?.try_into().map_err(|statements: Vec<_>| {
            EngineError::Usage(format!("--select takes one query, got {}", statements.len()))
        })?;
        let schema = load.table.schema(options.slice_seconds);
        // Whatever its values look like, a column that the table keeps as text is text.
        let texts = schema.fields().iter().filter(|field| field.data_type().is_string());
        let texts = texts.map(|field| field.name().clone()).collect();
        let (input, rows) = self.input(load, texts, progress).await?;
        self.context().register_table("input", input.into_view())?;
        let answer = self.run(&statement, &Parameters::default()).await;
        self.context().deregister_table("input")?;
        let fitted = answer?.batches.map(move |batch| {
            let batch = batch?;
            let before = counted.fetch_add(batch.num_rows() as u64, Relaxed);
            let fitted =
                conform(&batch, &options).map_err(|error| error.after_rows(before).in_file("the result of --select"));
            fitted.map_err(|error| DataFusionError::External(Box::new(error)))
        });
        Ok(Mapped { rows: Box::pin(RecordBatchStreamAdapter::new(schema, fitted)), input: rows })
    }

    /// The files as a table, columns by their names, and what counts the rows that are read of them.
    async fn input(
        &self,
        load: &Load,
        texts: Vec<String>,
        progress: Arc<Progress>,
    ) -> Result<(DataFrame, Arc<AtomicU64>)> {
        let (mut sources, mut parquet) = (Vec::new(), Vec::new());
        for file in &load.files {
            match load.format.map_or_else(|| nines_ingest::detect(file), Ok)? {
                Format::Parquet => parquet.push(file),
                format => sources.push(Source::new(file, Some(format))),
            }
        }
        let context = self.context();
        let mut counted = Arc::default();
        let mut all: Option<DataFrame> = None;
        if !sources.is_empty() {
            let provider = FileProvider::open(sources, texts, &self.settings().time_zone, progress).await?;
            counted = provider.counted();
            all = Some(context.read_table(Arc::new(provider))?);
        }
        for file in parquet {
            let extension = extension(file);
            let parquet = ParquetReadOptions { file_extension: &extension, ..ParquetReadOptions::default() };
            let frame = context.read_parquet(location(file)?, parquet).await?;
            // Files read as one would take their columns from the first, by place.
            all = Some(match all {
                Some(before) => before.union_by_name(frame)?,
                None => frame,
            });
        }
        let all = all.ok_or_else(|| EngineError::Usage("no file to load".to_string()))?;
        Ok((all, counted))
    }
}

/// The rows of a mapping query.
pub(super) struct Mapped {
    /// Fitted to the table.
    pub rows: SendableRecordBatchStream,
    /// Rows of the input that the query has read so far, those of Parquet aside.
    pub input: Arc<AtomicU64>,
}

/// All that the names of the files say about how they are read.
pub(super) fn read_as(files: &[PathBuf], format: Option<Format>) -> Result<String> {
    let (format, extension) = first(files, format)?;
    Ok(format!("{format} {}", delimiter(&extension)))
}

/// What the first file decides for all: format, and extension.
fn first(files: &[PathBuf], format: Option<Format>) -> Result<(Format, String)> {
    let Some(first) = files.first() else {
        return Err(EngineError::Usage("no file to load".to_string()));
    };
    let format = match format {
        Some(format) => format,
        None => nines_ingest::detect(first)?,
    };
    Ok((format, extension(first)))
}

/// DataFusion wants to be told how the name ends.
fn extension(file: &Path) -> String {
    let name = file.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    name.split_once('.').map_or("", |(_, extension)| extension).to_string()
}

fn delimiter(extension: &str) -> u8 {
    if extension.starts_with("tsv") { b'\t' } else { b',' }
}

/// Where a file is, as DataFusion takes it: a bare path with `[` or `*` in it would be a pattern.
fn location(file: &Path) -> Result<String> {
    let failed = |error: std::io::Error| EngineError::Usage(format!("{}: {error}", file.display()));
    let url = Url::from_file_path(std::path::absolute(file).map_err(failed)?)
        .map_err(|()| EngineError::Usage(format!("{}: the path cannot be written as a URL", file.display())))?;
    Ok(url.into())
}
