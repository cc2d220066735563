//! The `GroupsAccumulator` of aggregates whose state is one value per group.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, BooleanArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::Result;
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::accumulator::{Fresh, Lasting};
use super::function::Aggregate;

/// The state of one group, and how columns of arguments or of partial states flow into it.
pub(crate) trait Group: Default + Send + Sync + 'static {
    /// Whether the same row twice says no more than once.
    const IDEMPOTENT: bool;

    /// Adds the rows for which `group_of` names a group.
    fn update(values: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()>;
    /// Adds partial states, as `state` wrote them.
    fn merge(states: &[ArrayRef], groups: &mut [Self], group_of: &dyn Fn(usize) -> Option<usize>) -> Result<()>;
    /// Results as a column, which are also the partial states. The groups go on.
    fn evaluate(groups: &mut [Self]) -> Result<ArrayRef>;
    /// Bytes on the heap.
    fn size(&self) -> usize;
}

/// One [`Group`] per group.
pub(crate) struct PerGroup<G> {
    groups: Vec<G>,
    /// Bytes of the groups' heap after the last batch.
    size: usize,
}

impl<G: Group> PerGroup<G> {
    pub fn new() -> Self {
        PerGroup { groups: Vec::new(), size: 0 }
    }

    fn measure(&mut self) {
        self.size = self.groups.iter().map(Group::size).sum();
    }
}

impl<G: Group> Fresh for PerGroup<G> {
    fn fresh(&self) -> Self {
        PerGroup::new()
    }
}

impl<G: Group> Lasting for PerGroup<G> {
    fn results(&mut self) -> Result<ArrayRef> {
        let results = G::evaluate(&mut self.groups);
        self.measure();
        results
    }

    fn states(&mut self) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.results()?])
    }
}

impl<G: Group> Aggregate for PerGroup<G> {
    const IDEMPOTENT: bool = G::IDEMPOTENT;

    fn state_fields(name: &str, result: DataType) -> Vec<FieldRef> {
        vec![Arc::new(Field::new(format_state_name(name, "partial"), result, true))]
    }

    fn create(_: &AccumulatorArgs) -> Result<Self> {
        Ok(PerGroup::new())
    }
}

impl<G: Group> GroupsAccumulator for PerGroup<G> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, G::default);
        let kept = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        G::update(values, &mut self.groups, &|row| kept(row).then(|| group_indices[row]))?;
        self.measure();
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize_with(total_num_groups, G::default);
        if !group_indices.is_empty() {
            G::merge(states, &mut self.groups, &|row| Some(group_indices[row]))?;
            self.measure();
        }
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let mut groups = emit_to.take_needed(&mut self.groups);
        self.measure();
        G::evaluate(&mut groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        Ok(vec![self.evaluate(emit_to)?])
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut each = PerGroup::<G>::new();
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.size + self.groups.capacity() * size_of::<G>()
    }
}
