//! `INSERT INTO` a stored table: the query's rows, fitted exactly, appended in one commit.
//!
//! DataFusion plans an INSERT with a cast to the table's types around every column, and such a cast cuts: 1.7 becomes 1.
//! Therefore [`exactly`] plans the query once more without the casts, and [`Fit`] converts or refuses.

use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, internal_datafusion_err};
use datafusion::datasource::source_as_provider;
use datafusion::error::Result as DataFusionResult;
use datafusion::execution::SessionState;
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, WriteOp};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Insert, ObjectName, SetExpr, Statement as Sql};
use nines_store::TableKind;

use crate::statement::StatementTable;
use crate::values::keep_as_written;
use crate::{EngineError, Result};

/// The plan as it was, but an INSERT into a stored table without DataFusion's casts, and nothing that deletes.
pub(crate) async fn exactly(state: &SessionState, statement: &Statement, plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Dml(dml) = &plan else {
        return match plan {
            // To show a plan is not to run it.
            LogicalPlan::Explain(_) => Ok(plan),
            _ if plan.exists(|node| Ok(writes(node)))? => {
                usage("a statement that writes a stored table is run as it stands: not analyzed".into())
            }
            _ => Ok(plan),
        };
    };
    if !writes(&plan) {
        return Ok(plan);
    }
    check(&plan)?;
    let Statement::Statement(sql) = statement else { return Ok(plan) };
    let Sql::Insert(Insert { columns, source: Some(query), .. }) = sql.as_ref() else { return Ok(plan) };

    // DataFusion has checked the statement: its clauses, that the columns are there, and that as many values are.
    let schema = dml.target.schema();
    let given: Vec<String> = match columns.is_empty() {
        true => schema.fields().iter().map(|field| field.name().clone()).collect(),
        false => columns.iter().map(name).collect::<Result<_>>()?,
    };
    let mut query = query.clone();
    if let SetExpr::Values(values) = query.body.as_mut() {
        let wanted = given.iter().map(|name| Ok(schema.field_with_name(name)?.data_type().clone()));
        keep_as_written(values, &wanted.collect::<DataFusionResult<Vec<_>>>()?);
    }
    let rows = state.statement_to_plan(Statement::Statement(Box::new(Sql::Query(query)))).await?;
    let mut columns: Vec<Expr> = Vec::new();
    for (at, name) in given.iter().enumerate() {
        columns.push(Expr::Column(Column::from(rows.schema().qualified_field(at))).alias(name));
    }
    // A column that is nothing without a value stays absent, and the store names it.
    for field in schema.fields().iter().filter(|field| !field.is_nullable() && !given.contains(field.name())) {
        if let Some(value) = dml.target.get_column_default(field.name()) {
            columns.push(value.clone().alias(field.name()));
        }
    }
    let rows = LogicalPlanBuilder::from(rows).project(columns)?.build()?;
    let inserted = LogicalPlanBuilder::insert_into(rows, dml.table_name.clone(), dml.target.clone(), InsertOp::Append)?;
    Ok(inserted.build()?)
}

/// Refuses a plan that writes a stored table otherwise than by adding rows.
pub(crate) fn check(plan: &LogicalPlan) -> Result<()> {
    let LogicalPlan::Dml(dml) = plan else { return Ok(()) };
    let Some(kind) = target(dml) else { return Ok(()) };
    if let Some(instead) = kind.kept_by_nines() {
        return usage(format!("{} is not written with SQL; {instead}", kind.name()));
    }
    match &dml.op {
        WriteOp::Insert(InsertOp::Append) => Ok(()),
        WriteOp::Insert(_) => {
            let table = kind.name();
            usage(format!("INSERT INTO {table} replaces rows of the same key; there is no other way to replace"))
        }
        _ => usage(never_deleted(kind)),
    }
}

/// Whether running the plan writes a stored table.
pub(crate) fn writes(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Dml(dml) if target(dml).is_some())
}

/// The stored table that a statement writes.
fn target(dml: &DmlStatement) -> Option<TableKind> {
    let table = source_as_provider(&dml.target).ok()?;
    table.downcast_ref::<StatementTable>().map(|table| table.kind)
}

/// A column's name as DataFusion understands it.
fn name(column: &ObjectName) -> Result<String> {
    let ident = column.0.last().and_then(|part| part.as_ident());
    let ident = ident.ok_or_else(|| internal_datafusion_err!("{column} is no column"))?;
    Ok(if ident.quote_style.is_some() { ident.value.clone() } else { ident.value.to_lowercase() })
}

/// Why rows stay, and what to do instead.
fn never_deleted(kind: TableKind) -> String {
    let table = kind.name();
    let instead = match kind {
        TableKind::Incidents => "`nines incident ID --withdraw`, or INSERT the row again with withdrawn = true",
        TableKind::Exclusions => "`nines exclude --withdraw ID`, or INSERT the row again with withdrawn = true",
        TableKind::Fees => "INSERT the row again with withdrawn = true",
        TableKind::Annotations => return format!("rows of {table} are never deleted"),
        _ => return format!("rows of {table} are replaced, never deleted: store the slices again with other counts"),
    };
    format!("rows of {table} are withdrawn, never deleted: {instead}; to change a row, INSERT the whole row again")
}

fn usage<T>(message: String) -> Result<T> {
    Err(EngineError::Usage(message))
}
