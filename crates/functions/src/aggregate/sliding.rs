//! Windows that rows leave: the rows of the window are kept, and each answer is worked out from them.
//!
//! What a timeline's or a union's rows said cannot be taken back out of it. An answer costs the rows of its window,
//! memory is the window's.

use std::fmt;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::concat;
use datafusion::common::{Result, ScalarValue, internal_err};
use datafusion::logical_expr::{Accumulator, EmitTo};

use super::accumulator::Fresh;

/// The rows of a window: the oldest leave first.
pub(crate) struct Sliding<G> {
    fresh: G,
    /// Rows by column, the first `gone` of which have left.
    rows: Vec<ArrayRef>,
    gone: usize,
    /// Rows that came after them.
    more: Vec<Vec<ArrayRef>>,
}

impl<G> Sliding<G> {
    pub fn new(fresh: G) -> Self {
        Sliding { fresh, rows: Vec::new(), gone: 0, more: Vec::new() }
    }

    /// Puts what is left of the rows into one array per column.
    fn gather(&mut self) -> Result<()> {
        if self.more.is_empty() && self.gone == 0 {
            return Ok(());
        }
        let pieces = if self.rows.is_empty() { None } else { Some(std::mem::take(&mut self.rows)) };
        let pieces: Vec<Vec<ArrayRef>> = pieces.into_iter().chain(std::mem::take(&mut self.more)).collect();
        let Some(first) = pieces.first() else { return Ok(()) };
        self.rows = (0..first.len())
            .map(|column| {
                let arrays: Vec<&dyn Array> = pieces.iter().map(|piece| piece[column].as_ref()).collect();
                let all = concat(&arrays)?;
                Ok(all.slice(self.gone, all.len() - self.gone))
            })
            .collect::<Result<_>>()?;
        self.gone = 0;
        Ok(())
    }

    fn len(&self) -> usize {
        let rows = |columns: &Vec<ArrayRef>| columns.first().map_or(0, |column| column.len());
        rows(&self.rows) + self.more.iter().map(rows).sum::<usize>() - self.gone
    }
}

impl<G> fmt::Debug for Sliding<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<Self>())
    }
}

impl<G: Fresh> Sliding<G> {
    /// An accumulator of the rows in the window.
    fn groups(&mut self) -> Result<G> {
        self.gather()?;
        let mut groups = self.fresh.fresh();
        match self.len() {
            0 => groups.merge_batch(&[], &[], 1)?,
            rows => groups.update_batch(&self.rows, &vec![0; rows], None, 1)?,
        }
        Ok(groups)
    }
}

impl<G: Fresh> Accumulator for Sliding<G> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        if values.first().is_some_and(|column| !column.is_empty()) {
            self.more.push(values.to_vec());
        }
        Ok(())
    }

    fn retract_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let rows = values.first().map_or(0, |column| column.len());
        if rows > self.len() {
            return internal_err!("{rows} rows leave a window of {}", self.len());
        }
        self.gone += rows;
        Ok(())
    }

    fn supports_retract_batch(&self) -> bool {
        true
    }

    fn merge_batch(&mut self, _: &[ArrayRef]) -> Result<()> {
        internal_err!("a window that slides has no partial states to merge")
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        ScalarValue::try_from_array(&self.groups()?.evaluate(EmitTo::All)?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let state = self.groups()?.state(EmitTo::All)?;
        state.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        let pieces = self.more.iter().flatten().chain(&self.rows);
        size_of_val(self) + pieces.map(|array| array.get_array_memory_size()).sum::<usize>()
    }
}
