//! Parquet and Arrow IPC files.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::ipc::writer::FileWriter;
use datafusion::error::DataFusionError;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::basic::{Compression, ZstdLevel};
use datafusion::parquet::errors::ParquetError;
use datafusion::parquet::file::properties::WriterProperties;

use super::sink::Sink;
use crate::error::{CliError, Result};

pub(super) struct Parquet<W: Write + Send>(ArrowWriter<W>);

impl<W: Write + Send> Parquet<W> {
    pub fn new(writer: W, schema: SchemaRef) -> Result<Self> {
        let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default()));
        Ok(Parquet(ArrowWriter::try_new(writer, schema, Some(properties.build())).map_err(parquet)?))
    }
}

impl<W: Write + Send> Sink for Parquet<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.0.write(batch).map_err(parquet)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut writer = self.0.into_inner().map_err(parquet)?;
        crate::error::doing("writing the result", writer.flush())
    }
}

fn parquet(error: ParquetError) -> CliError {
    DataFusionError::from(error).into()
}

pub(super) struct Ipc<W: Write>(FileWriter<W>);

impl<W: Write> Ipc<W> {
    pub fn new(writer: W, schema: SchemaRef) -> Result<Self> {
        Ok(Ipc(FileWriter::try_new(writer, &schema)?))
    }
}

impl<W: Write> Sink for Ipc<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let mut writer = self.0.into_inner()?;
        crate::error::doing("writing the result", writer.flush())
    }
}
