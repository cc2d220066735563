//! The formats of results.

use std::io::Write;
use std::path::Path;

use clap::ValueEnum;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::sink::Sink;
use super::{columnar, csv, json, markdown, table};
use crate::error::{CliError, Result};

/// A way of printing a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Csv,
    Json,
    Jsonl,
    Markdown,
    Parquet,
    Arrow,
}

impl Format {
    /// Told from a file's name.
    pub fn of_file(file: &Path) -> Result<Format> {
        let ending = file.extension().and_then(|extension| extension.to_str());
        let found =
            Format::value_variants().iter().find(|format| ending.is_some_and(|is| format.endings().contains(&is)));
        found
            .copied()
            .ok_or_else(|| CliError::Usage(format!("{}: which format? Give it with --format", file.display())))
    }

    /// How names of its files end.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Format::Table => &["txt"],
            Format::Csv => &["csv"],
            Format::Json => &["json"],
            Format::Jsonl => &["jsonl", "ndjson"],
            Format::Markdown => &["md", "markdown"],
            Format::Parquet => &["parquet"],
            Format::Arrow => &["arrow", "ipc"],
        }
    }

    /// Whether a terminal cannot show it.
    pub fn is_binary(self) -> bool {
        match self {
            Format::Parquet | Format::Arrow => true,
            Format::Table | Format::Csv | Format::Json | Format::Jsonl | Format::Markdown => false,
        }
    }

    /// What writes it to a writer.
    pub(super) fn sink<'w>(
        self,
        writer: impl Write + Send + 'w,
        schema: SchemaRef,
        time_zone: &str,
        terminal: bool,
    ) -> Result<Box<dyn Sink + Send + 'w>> {
        Ok(match self {
            Format::Table => Box::new(table::Table::new(writer, schema, time_zone, terminal)),
            Format::Markdown => Box::new(markdown::Markdown::new(writer, schema, time_zone)),
            Format::Csv => Box::new(csv::Csv::new(writer, schema)?),
            Format::Json => Box::new(json::Array::new(writer)),
            Format::Jsonl => Box::new(json::Lines::new(writer)),
            Format::Parquet => Box::new(columnar::Parquet::new(writer, schema)?),
            Format::Arrow => Box::new(columnar::Ipc::new(writer, schema)?),
        })
    }

    /// Rows that are all there, written to a writer.
    pub fn write(
        self,
        writer: impl Write + Send,
        schema: &SchemaRef,
        rows: &[RecordBatch],
        time_zone: &str,
    ) -> Result<()> {
        let mut sink = self.sink(writer, SchemaRef::clone(schema), time_zone, false)?;
        for batch in rows {
            sink.write(batch)?;
        }
        sink.finish()
    }
}
