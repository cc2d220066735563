//! A `GroupsAccumulator` in the place of an `Accumulator`: one group, for queries without GROUP BY and for windows that
//! grow, which read it after every row.

use std::fmt;

use datafusion::arrow::array::ArrayRef;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::accumulator::Lasting;

/// All rows belong to group 0.
pub(crate) struct Single<G> {
    groups: G,
    zeros: Vec<usize>,
}

impl<G> Single<G> {
    pub fn new(groups: G) -> Self {
        Single { groups, zeros: Vec::new() }
    }
}

impl<G> fmt::Debug for Single<G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(std::any::type_name::<Self>())
    }
}

impl<G: Lasting> Accumulator for Single<G> {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.zeros.resize(values.first().map_or(0, |v| v.len()), 0);
        self.groups.update_batch(values, &self.zeros, None, 1)
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.zeros.resize(states.first().map_or(0, |v| v.len()), 0);
        self.groups.merge_batch(states, &self.zeros, 1)
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        // The group exists although no row may have come.
        self.groups.merge_batch(&[], &[], 1)?;
        ScalarValue::try_from_array(&self.groups.results()?, 0)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        self.groups.merge_batch(&[], &[], 1)?;
        let state = self.groups.states()?;
        state.iter().map(|column| ScalarValue::try_from_array(column, 0)).collect()
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.groups.size() + self.zeros.capacity() * size_of::<usize>()
    }
}
