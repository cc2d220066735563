//! Files through a query: the table `input`, and its rows fitted to a stored table.

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
use nines_ingest::{Format, Options, conform};
use url::Url;

use crate::{Engine, EngineError, Load, Parameters, Result};

impl Engine {
    /// The rows of the mapping query, fitted to the table.
    pub(super) async fn mapped(
        &self,
        load: &Load,
        select: &str,
        options: Options,
        counted: Arc<AtomicU64>,
    ) -> Result<SendableRecordBatchStream> {
        let [statement] = self.parse(select)?.try_into().map_err(|statements: Vec<_>| {
            EngineError::Usage(format!("--select takes one query, got {}", statements.len()))
        })?;
        let input = self.input(&load.files, load.format).await?;
        self.context().register_table("input", input.into_view())?;
        let answer = self.run(&statement, &Parameters::default()).await;
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

    /// The files as a table, columns as DataFusion finds them, of several files by their names.
    async fn input(&self, files: &[PathBuf], format: Option<Format>) -> Result<DataFrame> {
        let (format, _) = first(files, format)?;
        let mut all: Option<DataFrame> = None;
        for file in files {
            // Files read as one would take their columns from the first, by place.
            let frame = self.one_input(file, format).await?;
            all = Some(match all {
                Some(before) => before.union_by_name(frame)?,
                None => frame,
            });
        }
        all.ok_or_else(|| EngineError::Usage("no file to load".to_string()))
    }

    async fn one_input(&self, file: &Path, format: Format) -> Result<DataFrame> {
        let (path, extension) = (location(file)?, extension(file));
        let context = self.context();
        let line = Schema::new(vec![Field::new("line", DataType::Utf8, true)]);
        let frame = match format {
            Format::Csv => {
                let csv = CsvReadOptions::new().file_extension(&extension).delimiter(delimiter(&extension));
                context.read_csv(path, csv).await?
            }
            Format::JsonLines => {
                let json = JsonReadOptions { file_extension: &extension, ..JsonReadOptions::default() };
                context.read_json(path, json).await.map_err(|error| no_lines(file, &error))?
            }
            Format::Parquet => {
                let parquet = ParquetReadOptions { file_extension: &extension, ..ParquetReadOptions::default() };
                context.read_parquet(path, parquet).await?
            }
            // A line is a CSV record of one field: separator and quote are control characters that no log holds.
            Format::Log => {
                let lines = CsvReadOptions::new().has_header(false).delimiter(1).quote(2).file_extension(&extension);
                context.read_csv(path, lines.schema(&line)).await?
            }
            other => return Err(EngineError::Usage(format!("--select cannot read {}", other.name()))),
        };
        Ok(frame)
    }
}

/// JSON that is not one object per line is refused like this even before its rows are read.
fn no_lines(file: &Path, error: &DataFusionError) -> EngineError {
    EngineError::Usage(format!(
        "{}: {}. Write each object on one line: jq -c . FILE, or jq -c '.[]' FILE for an array",
        file.display(),
        crate::error::message(error)
    ))
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
        None => detect(first)?,
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
    use std::io::Read;
    let failed = |error: std::io::Error| EngineError::Usage(format!("{}: {error}", file.display()));
    let kind = std::fs::metadata(file).map_err(failed)?.file_type();
    if !kind.is_file() && !kind.is_dir() {
        let problem = format!("{}: --select cannot read a pipe; write it to a file first", file.display());
        return Err(EngineError::Usage(problem));
    }
    let mut magic = Vec::new();
    std::fs::File::open(file).and_then(|file| file.take(2).read_to_end(&mut magic)).map_err(failed)?;
    if magic == [0x1f, 0x8b] {
        let problem = format!("{}: --select cannot read a packed file; unpack it first", file.display());
        return Err(EngineError::Usage(problem));
    }
    let path = std::path::absolute(file).map_err(failed)?;
    let url = Url::from_file_path(&path)
        .map_err(|()| EngineError::Usage(format!("{}: the path cannot be written as a URL", file.display())))?;
    Ok(url.into())
}

/// The format by name and first bytes.
fn detect(path: &Path) -> Result<Format> {
    use std::io::Read;
    let mut first = Vec::new();
    let file = std::fs::File::open(path).and_then(|file| file.take(4096).read_to_end(&mut first));
    file.map_err(|error| EngineError::Usage(format!("{}: {error}", path.display())))?;
    Ok(Format::detect(path, &first)?)
}
