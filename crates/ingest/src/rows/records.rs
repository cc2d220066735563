//! Rows that people write by hand, each stored as it is.
//!
//! They are few, so a row is a list of values; only a batch is columns.

use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{DataFusionError, ScalarValue};
use nines_store::{MONEY, TableKind, UTC, first_invalid_row};

use super::{BATCH_ROWS, MAX_BYTES, Rows};
use crate::columns::{Column, Columns, FieldType, Named};
use crate::fields::{Cell, misplaced, missing};
use crate::time::Clock;
use crate::{ErrorKind, IngestError, Options, Result};

/// Rows of a record.
pub(crate) struct RecordRows {
    kind: TableKind,
    columns: Columns,
    schema: SchemaRef,
    zone: Tz,
    /// What stands in each column that a row leaves out; `None` where it must not.
    defaults: Vec<Option<ScalarValue>>,
    /// The row being read: a value per column of the table.
    row: Vec<Option<ScalarValue>>,
    /// The values of each column.
    held: Vec<Vec<ScalarValue>>,
    /// The line of each row.
    lines: Vec<u64>,
    bytes: usize,
}

impl RecordRows {
    pub(crate) fn new(options: &Options) -> Result<Self> {
        let columns = Columns::of(options.kind)?;
        let defaults: Vec<_> = columns.stored().map(|(name, _)| options.default_of(name)).collect();
        Ok(Self {
            kind: options.kind,
            schema: options.kind.schema(options.slice_seconds),
            zone: options.time_zone,
            row: vec![None; defaults.len()],
            held: vec![Vec::new(); defaults.len()],
            lines: Vec::new(),
            bytes: 0,
            columns,
            defaults,
        })
    }

    fn batch(&mut self) -> Result<RecordBatch, DataFusionError> {
        let columns = self.held.iter_mut().map(|column| ScalarValue::iter_to_array(column.drain(..)));
        let columns = columns.collect::<Result<_, _>>()?;
        Ok(RecordBatch::try_new(Arc::clone(&self.schema), columns)?)
    }
}

impl Rows for RecordRows {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn begin(&mut self) {
        self.row.fill(None);
    }

    fn set(&mut self, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        let Column::Field(at, of) = column else { return Err(misplaced(name)) };
        if cell.is_missing() {
            return Ok(());
        }
        self.row[at] = Some(match of {
            FieldType::Text => {
                let text = cell.text(name)?;
                self.bytes += text.len();
                ScalarValue::Utf8View(Some(text.into_owned()))
            }
            FieldType::Instant => {
                let micros = cell.instant(Clock::of_record(name, self.zone))?;
                ScalarValue::TimestampMicrosecond(Some(micros), Some(UTC.into()))
            }
            FieldType::Flag => ScalarValue::Boolean(Some(cell.flag(name)?)),
            FieldType::Money => ScalarValue::Decimal128(Some(cell.money(name)?), MONEY.0, MONEY.1),
        });
        Ok(())
    }

    fn add(&mut self, line: u64) -> Result<()> {
        for ((value, default), (name, _)) in self.row.iter_mut().zip(&self.defaults).zip(self.columns.stored()) {
            if value.is_none() {
                *value = Some(default.clone().ok_or_else(|| missing(name))?);
            }
        }
        for (column, value) in self.held.iter_mut().zip(&mut self.row) {
            column.extend(value.take());
        }
        self.lines.push(line);
        self.bytes += self.held.len() * size_of::<ScalarValue>();
        Ok(())
    }

    fn full(&self) -> bool {
        self.lines.len() >= BATCH_ROWS || self.bytes >= MAX_BYTES
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        let lines = std::mem::take(&mut self.lines);
        self.bytes = 0;
        if lines.is_empty() {
            return Ok(None);
        }
        let batch = self.batch().map_err(|e| {
            IngestError::new(ErrorKind::Internal, format!("a batch could not be built: {e}")).caused_by(e)
        })?;
        check_rules(self.kind, &batch, |refused, row| match lines.get(row) {
            Some(&line) => refused.on_line(line),
            None => refused,
        })?;
        Ok(Some(batch))
    }
}

/// Refuses a batch with a row that breaks a rule of its table; `place` says where the row, counted from 0, stands.
pub(crate) fn check_rules(
    kind: TableKind,
    batch: &RecordBatch,
    place: impl FnOnce(IngestError, usize) -> IngestError,
) -> Result<()> {
    match first_invalid_row(kind, batch) {
        Some(invalid) => {
            let refused = IngestError::bad_line(format!("column {}: {}", invalid.column, invalid.message));
            Err(place(refused.column(invalid.column), invalid.row))
        }
        None => Ok(()),
    }
}
