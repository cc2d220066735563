//! Good and total events per slice and key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::error::ArrowError;

use super::series::Measured;
use super::sum;
use crate::columns::{Column, Named};
use crate::fields::{Cell, misplaced, missing};
use crate::{IngestError, Result};

/// Events of a slice and key.
#[derive(Debug, Default)]
pub(crate) struct Events {
    good: i64,
    total: i64,
}

/// One row of events.
#[derive(Debug, Default)]
pub(crate) struct EventsRow {
    good: Option<i64>,
    total: Option<i64>,
}

impl Measured for Events {
    type Row = EventsRow;

    fn set(row: &mut EventsRow, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Count(0) => row.good = Some(cell.count(name)?),
            Column::Count(_) => row.total = Some(cell.count(name)?),
            _ => return Err(misplaced(name)),
        }
        Ok(())
    }

    fn add(&mut self, row: EventsRow, _time: i64) -> Result<()> {
        let good = row.good.ok_or_else(|| missing("good"))?;
        let total = row.total.ok_or_else(|| missing("total"))?;
        check_good(good, total)?;
        self.good = sum("good", self.good, good)?;
        self.total = sum("total", self.total, total)?;
        Ok(())
    }

    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(Int64Array::from_iter_values(measured.map(|events| match column {
            Column::Count(0) => events.good,
            _ => events.total,
        }))))
    }
}

/// Refuses more good events than events.
pub(crate) fn check_good(good: i64, total: i64) -> Result<()> {
    if good > total {
        return Err(IngestError::bad_line(format!("good is {good} and total is {total}"))
            .column("good")
            .expected("good to be at most total"));
    }
    Ok(())
}
