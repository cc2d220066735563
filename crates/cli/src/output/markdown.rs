//! A Markdown table (GitHub flavoured).

use std::io::Write;

use comfy_table::presets;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use super::{Sink, cell, table};
use crate::error::{Result, doing};

pub(super) struct Markdown<W> {
    writer: W,
    table: comfy_table::Table,
    time_zone: String,
}

impl<W> Markdown<W> {
    pub fn new(writer: W, schema: SchemaRef, time_zone: &str) -> Self {
        let table = table::with_header(&schema, presets::ASCII_MARKDOWN);
        Markdown { writer, table, time_zone: time_zone.to_string() }
    }
}

impl<W: Write> Sink for Markdown<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(|column| cell::texts(column, &self.time_zone));
        let columns = columns.collect::<datafusion::common::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            // A bar would end the cell, a line break the row.
            self.table.add_row(columns.iter().map(|column| column[row].replace('|', "\\|").replace('\n', "<br>")));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let text = format!("{}\n", self.table);
        doing("writing the result", self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()))
    }
}
