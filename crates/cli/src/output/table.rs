//! An aligned table for people. Double-width characters take two columns; on a terminal, cells wrap to its
//! width and long results are cut, with a line that says so. Elsewhere a long result comes as several tables, because the
//! widths of columns follow from all rows of a table, which have to be held until then.

use std::io::Write;

use comfy_table::{CellAlignment, ContentArrangement, presets};
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use nines_notebook::format::printable;

use super::cell;
use super::say::counted;
use super::sink::Sink;
use crate::error::{Result, doing};

/// Rows that a terminal is shown.
const ON_A_TERMINAL: usize = 200;

/// Rows that one table elsewhere has at most.
const OF_A_TABLE: usize = 10_000;

pub(super) struct Table<W> {
    writer: W,
    schema: SchemaRef,
    table: comfy_table::Table,
    time_zone: String,
    limit: Option<usize>,
    rows: usize,
}

/// A table of text with this schema's columns, numbers at the right.
pub(super) fn with_header(schema: &SchemaRef, preset: &str) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(preset).set_header(schema.fields().iter().map(|field| printable(field.name())));
    for (at, field) in schema.fields().iter().enumerate() {
        if let Some(column) = table.column_mut(at)
            && cell::is_number(field.data_type())
        {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A table with these rows, no cell wrapped.
pub(crate) fn whole(schema: &SchemaRef, rows: &[RecordBatch], time_zone: &str) -> Result<comfy_table::Table> {
    let mut table = with_header(schema, presets::UTF8_FULL_CONDENSED);
    for batch in rows {
        fill(&mut table, batch, time_zone)?;
    }
    Ok(table)
}

fn fill(table: &mut comfy_table::Table, batch: &RecordBatch, time_zone: &str) -> Result<()> {
    let columns = batch.columns().iter().map(|column| cell::texts(column, time_zone));
    let columns = columns.collect::<datafusion::common::Result<Vec<_>>>()?;
    for row in 0..batch.num_rows() {
        table.add_row(columns.iter().map(|column| &column[row]));
    }
    Ok(())
}

impl<W> Table<W> {
    pub fn new(writer: W, schema: SchemaRef, time_zone: &str, terminal: bool) -> Self {
        let mut table = with_header(&schema, presets::UTF8_FULL_CONDENSED);
        // Off a terminal a cell stays on one line, however wide the table becomes.
        if terminal {
            let (_, columns) = console::Term::stdout().size();
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(columns);
        }
        let limit = terminal.then_some(ON_A_TERMINAL);
        Table { writer, schema, table, time_zone: time_zone.to_string(), limit, rows: 0 }
    }
}

impl<W: Write> Sink for Table<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let left = self.limit.map_or(usize::MAX, |limit| limit.saturating_sub(self.rows));
        self.rows += batch.num_rows();
        let mut batch = batch.slice(0, batch.num_rows().min(left));
        while batch.num_rows() > 0 {
            if self.table.row_count() == OF_A_TABLE {
                let full = std::mem::replace(&mut self.table, with_header(&self.schema, presets::UTF8_FULL_CONDENSED));
                doing("writing the result", writeln!(self.writer, "{full}"))?;
            }
            let rows = batch.num_rows().min(OF_A_TABLE - self.table.row_count());
            fill(&mut self.table, &batch.slice(0, rows), &self.time_zone)?;
            batch = batch.slice(rows, batch.num_rows() - rows);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let mut text = format!("{}\n", self.table);
        match self.limit {
            Some(limit) if self.rows > limit => {
                let all = indicatif::HumanCount(self.rows as u64);
                text.push_str(&format!(
                    "the first {limit} of {all} rows; for all, use --format csv or --output FILE\n"
                ));
            }
            _ => text.push_str(&(counted(self.rows as u64, "row", "rows") + "\n")),
        }
        doing("writing the result", self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()))
    }
}
