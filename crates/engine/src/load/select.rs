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
        let (format, extension) = first(files, format)?;
        let extension = extension.as_str();
        let context = self.context();
        let line = Schema::new(vec![Field::new("line", DataType::Utf8, true)]);
        let frame = match format {
            Format::Csv => {
                let csv = CsvReadOptions::new().file_extension(extension).delimiter(delimiter(extension));
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

/// All that the names of the files say about how they are read.
pub(super) fn read_as(files: &[PathBuf], format: Option<Format>) -> Result<String> {
    let (format, extension) = first(files, format)?;
    Ok(format!("{format} {}", delimiter(&extension)))
}

/// What the first file decides for all: format and extension. DataFusion refuses files whose names do not end alike.
fn first(files: &[PathBuf], format: Option<Format>) -> Result<(Format, String)> {
    let Some(first) = files.first() else {
        return Err(EngineError::Usage("no file to load".to_string()));
    };
    let format = match format {
        Some(format) => format,
        None => detect(first)?,
    };
    let name = first.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    Ok((format, name.split_once('.').map_or("", |(_, extension)| extension).to_string()))
}

fn delimiter(extension: &str) -> u8 {
    if extension.starts_with("tsv") { b'\t' } else { b',' }
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
