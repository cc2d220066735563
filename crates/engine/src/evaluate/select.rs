//! Which objectives a question is about: filters of the statement that can be decided before anything is read.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimeUnit};
use datafusion::catalog::Session;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, TableProviderFilterPushDown};
use datafusion::physical_expr::utils::{collect_columns, reassign_expr_columns};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use nines_timeline::Interval;

/// Conditions on the columns [`COLUMNS`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Those that the statement says.
    said: Vec<Expr>,
    /// Those that follow from rows with which the answer is joined.
    found: Vec<Arc<dyn PhysicalExpr>>,
}

/// The columns by which objectives are chosen.
const COLUMNS: [&str; 3] = ["business", "service", "objective"];

/// One objective in the eyes of a selection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Candidate<'a> {
    /// `None`: not known yet.
    pub business: Option<&'a str>,
    pub service: &'a str,
    pub objective: &'a str,
}

impl Selection {
    /// Those of these filters that speak of nothing but `columns`.
    pub fn new(filters: &[Expr], columns: &[&str]) -> Self {
        let said = filters.iter().filter(|filter| speaks_of(filter, columns)).cloned().collect();
        Selection { said, found: Vec::new() }
    }

    /// The same, and conditions that follow from other rows of the statement.
    pub fn with_found(&self, found: Vec<Arc<dyn PhysicalExpr>>) -> Self {
        Selection { said: self.said.clone(), found }
    }

    /// Whether it depends on other rows of the statement.
    pub fn has_found(&self) -> bool {
        !self.found.is_empty()
    }

    /// Whether each candidate may be meant. Filters on a business that is not known yet are left for later.
    pub fn meant(&self, session: &dyn Session, candidates: &[Candidate<'_>]) -> Result<Vec<bool>> {
        let known = candidates.iter().all(|candidate| candidate.business.is_some());
        let columns = if known { COLUMNS.as_slice() } else { &COLUMNS[1..] };
        let filters = self.said.iter().filter(|filter| speaks_of(filter, columns)).cloned();
        let said = conjunction(filters);
        if said.is_none() && self.found.is_empty() {
            return Ok(vec![true; candidates.len()]);
        }
        let text = |of: &dyn Fn(&Candidate<'_>) -> Option<String>| -> ArrayRef {
            Arc::new(candidates.iter().map(of).collect::<StringViewArray>())
        };
        let schema = COLUMNS.map(|name| Field::new(name, DataType::Utf8View, true));
        let schema = Arc::new(Schema::new(schema.to_vec()));
        let rows = RecordBatch::try_new(
            Arc::clone(&schema),
            vec![
                text(&|c| c.business.map(str::to_string)),
                text(&|c| Some(c.service.to_string())),
                text(&|c| Some(c.objective.to_string())),
            ],
        )?;
        let mut meant = vec![true; candidates.len()];
        let mut decide = |condition: &dyn PhysicalExpr| -> Result<()> {
            let kept = condition.evaluate(&rows)?.into_array(rows.num_rows())?;
            let kept = kept.as_boolean();
            meant.iter_mut().enumerate().for_each(|(at, meant)| *meant &= kept.is_valid(at) && kept.value(at));
            Ok(())
        };
        if let Some(said) = said {
            let said = session.create_physical_expr(unqualified(said)?, &DFSchema::try_from(Arc::clone(&schema))?)?;
            decide(said.as_ref())?;
        }
        for condition in self.found.iter().flat_map(split_conjunction) {
            if collect_columns(condition).iter().all(|column| columns.contains(&column.name())) {
                decide(reassign_expr_columns(Arc::clone(condition), &schema)?.as_ref())?;
            }
        }
        Ok(meant)
    }
}

/// Whether a filter speaks of nothing but these columns, and says the same each time.
pub(crate) fn speaks_of(filter: &Expr, columns: &[&str]) -> bool {
    !filter.is_volatile() && filter.column_refs().iter().all(|column| columns.contains(&column.name.as_str()))
}

/// Which filters choose what is read, to be applied again to what comes out: those that speak of nothing but these columns.
pub(crate) fn pushed_down(filters: &[&Expr], columns: &[&str]) -> Vec<TableProviderFilterPushDown> {
    let support = |filter: &&Expr| match speaks_of(filter, columns) {
        true => TableProviderFilterPushDown::Inexact,
        false => TableProviderFilterPushDown::Unsupported,
    };
    filters.iter().map(support).collect()
}

/// The same of columns that are named without their table.
pub(crate) fn unqualified(filter: Expr) -> Result<Expr> {
    use datafusion::common::tree_node::{Transformed, TreeNode};
    let plain = filter.transform(|expr| match expr {
        Expr::Column(column) => Ok(Transformed::yes(Expr::Column(datafusion::common::Column::from_name(column.name)))),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(plain.data)
}

/// The part of a range in which rows of `column`, instants at which slices start, can pass the filters.
pub(crate) fn narrowed(range: Interval, filters: &[Expr], column: &str) -> Interval {
    let mut range = range;
    for filter in filters {
        narrow(&mut range, filter, column);
    }
    range
}

fn narrow(range: &mut Interval, filter: &Expr, column: &str) {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = filter else {
        if let Expr::Between(between) = filter
            && !between.negated
            && is_column(&between.expr, column)
            && let (Some(low), Some(high)) = (instant(&between.low), instant(&between.high))
        {
            (range.start, range.end) = (range.start.max(low), range.end.min(high.saturating_add(1)));
        }
        return;
    };
    let (op, literal) = if *op == Operator::And {
        narrow(range, left, column);
        narrow(range, right, column);
        return;
    } else if is_column(left, column) {
        (*op, right)
    } else if is_column(right, column) {
        match op.swap() {
            Some(op) => (op, left),
            None => return,
        }
    } else {
        return;
    };
    let Some(at) = instant(literal) else { return };
    match op {
        Operator::Gt | Operator::GtEq => range.start = range.start.max(at),
        Operator::Lt => range.end = range.end.min(at),
        Operator::LtEq => range.end = range.end.min(at.saturating_add(1)),
        Operator::Eq => (range.start, range.end) = (range.start.max(at), range.end.min(at.saturating_add(1))),
        _ => {}
    }
}

fn is_column(expression: &Expr, column: &str) -> bool {
    matches!(expression, Expr::Column(c) if c.name == column)
}

fn instant(expression: &Expr) -> Option<i64> {
    let Expr::Literal(value, _) = expression else { return None };
    match value.cast_to(&DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()))).ok()? {
        ScalarValue::TimestampMicrosecond(at, _) => at,
        _ => None,
    }
}
