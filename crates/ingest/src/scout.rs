//! A look at the times of a text before it is read: in which pass of a repeated hour its rows begin.
//!
//! That is needed only if the first row lies in such an hour, so as a rule one row is looked at.

use datafusion::arrow::array::RecordBatch;

use crate::columns::{Column, Columns, Named};
use crate::fields::Cell;
use crate::formats;
use crate::lines::Lines;
use crate::order::{Ahead, Order};
use crate::rows::Rows;
use crate::time::{Clock, When};
use crate::{Format, Options, Rejected, Result};

/// What the rows of a file say of their order before the first that is read; `None` if there is nothing to say. `before` opens
/// what the file holds before, `rows` what is read. What cannot be read is left to the reader to refuse.
pub(crate) fn order(
    format: Format,
    options: &Options,
    before: Option<impl Fn() -> Result<Lines>>,
    rows: impl Fn() -> Result<Lines>,
) -> Option<Order> {
    let clock = Clock::of_series(options.time_zone);
    if !options.kind.is_series() || !clock.is_set_back() || options.repeated_hour.is_some() {
        return None;
    }
    let mut first = None;
    look(format, rows().ok()?, options, |when| {
        first = Some(when);
        false
    });
    let mut order = Order::new(options.repeated_hour);
    if !order.is_open(first?) {
        return None;
    }
    let mut ahead = Ahead::default();
    let mut tell = |when| {
        ahead.add(when);
        !ahead.ended
    };
    let Some(before) = before else {
        look(format, rows().ok()?, options, tell);
        order.begin(ahead.told());
        return Some(order);
    };
    // The file as a whole says in which pass it begins; from there on its rows follow each other.
    if look(format, before().ok()?, options, &mut tell) {
        look(format, rows().ok()?, options, &mut tell);
    }
    order.begin(ahead.told());
    look(format, before().ok()?, options, |when| order.place(when).is_ok());
    Some(order)
}

/// Calls with the time of each row until one is enough; whether none was.
fn look(format: Format, lines: Lines, options: &Options, each: impl FnMut(When) -> bool + Send) -> bool {
    let Ok(columns) = Columns::with(options.kind, &options.from) else { return false };
    let clock = Clock::of_series(options.time_zone);
    let mut rows = Times { columns, clock, each, when: None, enough: false };
    let Ok(Some(mut records)) = formats::looked_at(format, lines, options, &rows) else { return false };
    while !rows.enough {
        match records.read_one(&mut rows) {
            Ok(true) => {}
            // A row that is refused alone is none to those that follow.
            Err(error) if options.rejected.is_some() && Rejected::takes(&error) => {}
            Ok(false) | Err(_) => break,
        }
    }
    !rows.enough
}

/// Rows of which only the time is read.
struct Times<F> {
    columns: Columns,
    clock: Clock<'static>,
    each: F,
    when: Option<When>,
    enough: bool,
}

impl<F: FnMut(When) -> bool + Send> Rows for Times<F> {
    fn columns(&self) -> &Columns {
        &self.columns
    }

    fn begin(&mut self) {
        self.when = None;
    }

    fn set(&mut self, (_, column): Named, cell: Cell<'_>) -> Result<()> {
        if column == Column::Time {
            self.when = Some(cell.when(self.clock)?);
        }
        Ok(())
    }

    fn add(&mut self, _: u64) -> Result<()> {
        self.enough = self.when.is_none_or(|when| !(self.each)(when));
        Ok(())
    }

    fn full(&self) -> bool {
        self.enough
    }

    fn next_batch(&mut self) -> Result<Option<RecordBatch>> {
        Ok(None)
    }
}
