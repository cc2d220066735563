//! Good and total events per slice and key.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::arrow::error::ArrowError;
use nines_store::check_events;

use super::series::Measured;
use super::sum;
use crate::columns::{Column, Named, OK_OR_COUNTS};
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
    /// Whether the one event that the row is went well.
    ok: Option<bool>,
}

impl EventsRow {
    /// So many good ones among so many.
    pub(crate) fn counted(good: i64, total: i64) -> Self {
        EventsRow { good: Some(good), total: Some(total), ok: None }
    }
}

impl Measured for Events {
    type Row = EventsRow;

    fn set(row: &mut EventsRow, (name, column): Named, cell: Cell<'_>) -> Result<()> {
        match column {
            Column::Count(0) => row.good = Some(cell.count(name)?),
            Column::Count(_) => row.total = Some(cell.count(name)?),
            Column::Ok => row.ok = Some(cell.flag(name)?),
            _ => return Err(misplaced(name)),
        }
        Ok(())
    }

    fn is_counted(row: &EventsRow) -> bool {
        row.ok.is_none()
    }

    fn add(&mut self, row: EventsRow, _time: i64, _agreed: Option<&Arc<[i64]>>) -> Result<()> {
        let (good, total) = match row.ok {
            Some(_) if row.good.or(row.total).is_some() => {
                return Err(IngestError::bad_line("ok stands beside good or total")
                    .column("ok")
                    .expected(OK_OR_COUNTS));
            }
            Some(ok) => (i64::from(ok), 1),
            None => (row.good.ok_or_else(|| missing("good"))?, row.total.ok_or_else(|| missing("total"))?),
        };
        check_events(good, total)?;
        (self.good, self.total) = (sum("good", self.good, good)?, sum("total", self.total, total)?);
        Ok(())
    }

    fn array<'a>(column: Column, measured: impl Iterator<Item = &'a Self>) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(Int64Array::from_iter_values(measured.map(|events| match column {
            Column::Count(0) => events.good,
            _ => events.total,
        }))))
    }
}
