//! CSV with a header. Nested values, which CSV cannot hold, are JSON in a field.

use std::io::Write;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::csv::{Writer, WriterBuilder};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};

use super::json;
use super::sink::Sink;
use crate::error::Result;

pub(super) struct Csv<W: Write> {
    writer: Writer<W>,
    schema: SchemaRef,
}

impl<W: Write> Csv<W> {
    pub fn new(writer: W, schema: SchemaRef) -> Result<Self> {
        let fields = schema.fields().iter().map(|field| match field.data_type().is_nested() {
            true => Arc::new(Field::new(field.name(), DataType::Utf8, true)),
            false => field.clone(),
        });
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let mut writer = WriterBuilder::new().with_header(true).build(writer);
        // A result without rows still has a header.
        writer.write(&RecordBatch::new_empty(schema.clone()))?;
        Ok(Csv { writer, schema })
    }
}

impl<W: Write> Sink for Csv<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(|column| match column.data_type().is_nested() {
            true => as_json(column),
            false => Ok(column.clone()),
        });
        let batch = RecordBatch::try_new(self.schema.clone(), columns.collect::<Result<_>>()?)?;
        Ok(self.writer.write(&batch)?)
    }

    fn finish(self: Box<Self>) -> Result<()> {
        crate::error::doing("writing the result", self.writer.into_inner().flush())
    }
}

fn as_json(column: &ArrayRef) -> Result<ArrayRef> {
    let batch = RecordBatch::try_from_iter_with_nullable([("v", column.clone(), true)])?;
    let mut lines = Vec::new();
    let mut writer = json::lines(&mut lines);
    writer.write(&batch)?;
    writer.finish()?;
    let text = String::from_utf8_lossy(&lines);
    let values = text.lines().enumerate().map(|(row, line)| {
        let value = line.strip_prefix("{\"v\":").and_then(|line| line.strip_suffix('}'));
        value.filter(|_| column.is_valid(row))
    });
    Ok(Arc::new(values.collect::<StringArray>()))
}
