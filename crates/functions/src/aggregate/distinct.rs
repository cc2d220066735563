//! DISTINCT: equal rows of a group count once, wherever they come from.
//!
//! The rows themselves are the state; what is made of them is worked out when a group is read.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Float64Array, ListArray, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Float64Type};
use datafusion::arrow::row::{RowConverter, SortField};
use datafusion::common::Result;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};

use super::accumulator::{Fresh, Lasting};
use crate::types::element;

/// A row's arguments as comparable bytes.
type Row = Box<[u8]>;

/// The distinct rows of each group.
pub(crate) struct Distinct<G> {
    fresh: G,
    arguments: Fields,
    converter: Arc<RowConverter>,
    groups: Vec<HashSet<Row>>,
    /// Bytes of the rows on the heap.
    bytes: usize,
}

/// The arguments as fields of a struct.
fn fields(arguments: &[FieldRef]) -> Fields {
    let fields = arguments.iter().enumerate();
    fields.map(|(at, field)| Field::new(format!("argument{at}"), field.data_type().clone(), true)).collect()
}

/// The column of a partial state: a list of rows.
pub(crate) fn state_field(name: &str, arguments: &[FieldRef]) -> FieldRef {
    let rows = DataType::List(element(DataType::Struct(fields(arguments))));
    Arc::new(Field::new(format_state_name(name, "distinct"), rows, true))
}

impl<G> Distinct<G> {
    pub fn new(fresh: G, arguments: &[FieldRef]) -> Result<Self> {
        let arguments = fields(arguments);
        let sorts = arguments.iter().map(|field| SortField::new(field.data_type().clone())).collect();
        let converter = Arc::new(RowConverter::new(sorts)?);
        Ok(Distinct { fresh, converter, arguments, groups: Vec::new(), bytes: 0 })
    }

    /// Adds rows for which `group_of` names a group.
    fn add(&mut self, values: &[ArrayRef], group_of: impl Fn(usize) -> Option<usize>) -> Result<()> {
        let values: Vec<ArrayRef> = values.iter().map(canonical).collect();
        let rows = self.converter.convert_columns(&values)?;
        for (at, row) in rows.iter().enumerate() {
            if let Some(group) = group_of(at)
                && !self.groups[group].contains(row.data())
            {
                self.bytes += row.data().len() + 2 * size_of::<Row>();
                self.groups[group].insert(row.data().into());
            }
        }
        Ok(())
    }

    /// The rows of groups as columns.
    fn columns<'a>(&self, groups: impl Iterator<Item = &'a HashSet<Row>>) -> Result<Vec<ArrayRef>> {
        let parser = self.converter.parser();
        Ok(self.converter.convert_rows(groups.flatten().map(|row| parser.parse(row)))?)
    }

    fn state_of(&self, groups: &[HashSet<Row>]) -> Result<Vec<ArrayRef>> {
        let columns = self.columns(groups.iter())?;
        let rows = StructArray::try_new(self.arguments.clone(), columns, None)?;
        let offsets = OffsetBuffer::from_lengths(groups.iter().map(HashSet::len));
        let list = ListArray::try_new(element(rows.data_type().clone()), offsets, Arc::new(rows), None)?;
        Ok(vec![Arc::new(list)])
    }

    fn take(&mut self, emit_to: EmitTo) -> Vec<HashSet<Row>> {
        let taken = emit_to.take_needed(&mut self.groups);
        let rows = taken.iter().flatten();
        self.bytes -= rows.map(|row| row.len() + 2 * size_of::<Row>()).sum::<usize>();
        taken
    }
}

impl<G: Fresh> Distinct<G> {
    fn result_of(&self, groups: &[HashSet<Row>]) -> Result<ArrayRef> {
        let mut all = self.fresh.fresh();
        let group_of: Vec<usize> = (0..).zip(groups).flat_map(|(at, rows)| rows.iter().map(move |_| at)).collect();
        // All groups exist, those without rows, too, of which the rows of the others do not tell.
        all.merge_batch(&[], &[], groups.len())?;
        if !group_of.is_empty() {
            all.update_batch(&self.columns(groups.iter())?, &group_of, None, groups.len())?;
        }
        all.evaluate(EmitTo::All)
    }
}

/// Zeros of both signs are one value, and so are all NaNs.
fn canonical(values: &ArrayRef) -> ArrayRef {
    match values.data_type() {
        DataType::Float64 => {
            let one = |value: f64| if value.is_nan() { f64::NAN } else { value + 0.0 };
            let values: Float64Array = values.as_primitive::<Float64Type>().unary(one);
            Arc::new(values)
        }
        _ => Arc::clone(values),
    }
}

impl<G: Fresh> Fresh for Distinct<G> {
    fn fresh(&self) -> Self {
        let (arguments, converter) = (self.arguments.clone(), Arc::clone(&self.converter));
        Distinct { fresh: self.fresh.fresh(), arguments, converter, groups: Vec::new(), bytes: 0 }
    }
}

impl<G: Fresh> Lasting for Distinct<G> {
    fn results(&mut self) -> Result<ArrayRef> {
        self.result_of(&self.groups)
    }

    fn states(&mut self) -> Result<Vec<ArrayRef>> {
        self.state_of(&self.groups)
    }
}

impl<G: Fresh> GroupsAccumulator for Distinct<G> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.groups.resize_with(total_num_groups, HashSet::new);
        let kept = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        self.add(values, |row| kept(row).then(|| group_indices[row]))
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.groups.resize_with(total_num_groups, HashSet::new);
        let Some(lists) = states.first().map(|state| state.as_list::<i32>()) else { return Ok(()) };
        let offsets = lists.value_offsets();
        // To which group each entry of the lists belongs.
        let mut group_of = vec![None; lists.values().len()];
        for (row, &group) in group_indices.iter().enumerate().filter(|(row, _)| lists.is_valid(*row)) {
            group_of[offsets[row] as usize..offsets[row + 1] as usize].fill(Some(group));
        }
        self.add(lists.values().as_struct().columns(), |entry| group_of[entry])
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = self.take(emit_to);
        self.result_of(&groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let groups = self.take(emit_to);
        self.state_of(&groups)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut each = self.fresh();
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.bytes + self.converter.size() + self.groups.capacity() * size_of::<HashSet<Row>>()
    }
}
