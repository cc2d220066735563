//! The groups of a partition and what their rows come to.

use std::cell::OnceCell;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, RecordBatch, UInt32Array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::aggregates::group_values::{GroupValues, new_group_values};
use datafusion::physical_plan::aggregates::order::GroupOrdering;
use nines_functions::{GroupRun, by_run};
use nines_store::run_starts;

/// Partial states of groups.
pub(super) struct Table {
    keys: Vec<Arc<dyn PhysicalExpr>>,
    /// `None`: all rows are one group.
    groups: Option<Box<dyn GroupValues>>,
    columns: Vec<Column>,
    schema: SchemaRef,
    input: SchemaRef,
    /// By run, its group.
    found: Vec<usize>,
}

/// An aggregate.
struct Column {
    arguments: Vec<Arc<dyn PhysicalExpr>>,
    filter: Option<Arc<dyn PhysicalExpr>>,
    accumulator: Box<dyn GroupsAccumulator>,
}

impl Table {
    pub fn new(aggregate: &AggregateExec) -> Result<Self> {
        let input = aggregate.input_schema();
        let columns = aggregate.aggr_expr().iter().zip(aggregate.filter_expr()).map(|(function, filter)| {
            let (arguments, filter) = (function.expressions(), filter.clone());
            Ok(Column { arguments, filter, accumulator: function.create_groups_accumulator()? })
        });
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let by = aggregate.group_expr();
        let groups = match by.is_true_no_grouping() {
            true => None,
            false => Some(new_group_values(by.group_schema(&input)?, &GroupOrdering::None)?),
        };
        let (keys, schema) = (by.input_exprs(), aggregate.schema());
        Ok(Table { keys, groups, columns, schema, input, found: Vec::new() })
    }

    /// Adds rows.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<()> {
        let keys = arrays(&self.keys, rows)?;
        let starts = run_starts(&keys, rows.num_rows());
        let total = match &mut self.groups {
            None => {
                self.found.clear();
                self.found.resize(starts.len(), 0);
                1
            }
            Some(groups) => {
                let heads = match starts.len() == rows.num_rows() {
                    true => keys,
                    false => {
                        let at = UInt32Array::from_iter_values(starts.iter().map(|start| *start as u32));
                        keys.iter().map(|key| Ok(take(key, &at, None)?)).collect::<Result<_>>()?
                    }
                };
                groups.intern(&heads, &mut self.found)?;
                groups.len()
            }
        };
        let ends = starts.iter().skip(1).copied().chain([rows.num_rows()]);
        let of = self.found.iter().zip(starts.iter().zip(ends));
        let runs: Vec<GroupRun> = of.map(|(&group, (&start, end))| GroupRun { group, rows: start..end }).collect();
        let by_row = OnceCell::new();
        for column in &mut self.columns {
            let values = arrays(&column.arguments, rows)?;
            let filter = column.filter.as_ref().map(|filter| array(filter, rows)).transpose()?;
            let filter: Option<&BooleanArray> = filter.as_ref().map(|filter| filter.as_boolean());
            match by_run(column.accumulator.as_mut()) {
                Some(timelines) => timelines.update_runs(&values, &runs, filter, total)?,
                None => {
                    let group_of = by_row.get_or_init(|| each_row(&runs));
                    column.accumulator.update_batch(&values, group_of, filter, total)?;
                }
            }
        }
        Ok(())
    }

    /// No more rows come of the days of which rows have come.
    pub fn judge(&mut self) -> Result<()> {
        let timelines = self.columns.iter_mut().filter_map(|column| by_run(column.accumulator.as_mut()));
        timelines.filter(|timelines| timelines.judges_days()).try_for_each(|timelines| timelines.judge())
    }

    /// Takes all groups out; `None` if there are none.
    pub fn take(&mut self) -> Result<Option<RecordBatch>> {
        let mut columns = match &mut self.groups {
            Some(groups) if groups.is_empty() => return Ok(None),
            Some(groups) => groups.emit(EmitTo::All)?,
            None => {
                // The group exists although no row may have come.
                let none = RecordBatch::new_empty(Arc::clone(&self.input));
                for column in &mut self.columns {
                    column.accumulator.update_batch(&arrays(&column.arguments, &none)?, &[], None, 1)?;
                }
                Vec::new()
            }
        };
        for column in &mut self.columns {
            columns.extend(column.accumulator.state(EmitTo::All)?);
        }
        if let Some(groups) = &mut self.groups {
            groups.clear_shrink(0);
        }
        Ok(Some(RecordBatch::try_new(Arc::clone(&self.schema), columns)?))
    }

    /// How many groups there are.
    pub fn groups(&self) -> usize {
        self.groups.as_ref().map_or(1, |groups| groups.len())
    }

    /// Bytes on the heap.
    pub fn size(&self) -> usize {
        let columns: usize = self.columns.iter().map(|column| column.accumulator.size()).sum();
        columns + self.groups.as_ref().map_or(0, |groups| groups.size()) + self.found.capacity() * size_of::<usize>()
    }
}

fn array(expression: &Arc<dyn PhysicalExpr>, rows: &RecordBatch) -> Result<ArrayRef> {
    expression.evaluate(rows)?.into_array(rows.num_rows())
}

fn arrays(expressions: &[Arc<dyn PhysicalExpr>], rows: &RecordBatch) -> Result<Vec<ArrayRef>> {
    expressions.iter().map(|expression| array(expression, rows)).collect()
}

fn each_row(runs: &[GroupRun]) -> Vec<usize> {
    runs.iter().flat_map(|run| std::iter::repeat_n(run.group, run.rows.len())).collect()
}
