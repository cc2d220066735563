//! `INSERT INTO` a stored table: the query's rows, fitted exactly, appended in one commit.
//!
//! DataFusion plans an INSERT with a cast to the table's types around every column, and such a cast cuts: 1.7 becomes 1.
//! Therefore [`exactly`] plans the query once more without the casts, and [`Fit`] converts or refuses.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::tree_node::TreeNode;
use datafusion::common::{Column, internal_datafusion_err};
use datafusion::datasource::sink::DataSink;
use datafusion::datasource::source_as_provider;
use datafusion::error::{DataFusionError, Result as DataFusionResult};
use datafusion::execution::{SendableRecordBatchStream, SessionState, TaskContext};
use datafusion::logical_expr::dml::InsertOp;
use datafusion::logical_expr::{DmlStatement, Expr, LogicalPlan, LogicalPlanBuilder, WriteOp};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType};
use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{Insert, ObjectName, SetExpr, Statement as Sql};
use futures::StreamExt;
use nines_store::{Commit, Once, StoreError, StoreErrorKind, TableKind};

use crate::fit::Fit;
use crate::place::Place;
use crate::statement::StatementTable;
use crate::values::keep_as_written;
use crate::{EngineError, Result, evaluate};

/// What a statement wrote: the table and the commit.
#[derive(Debug, Clone, Default)]
pub struct Receipt(Arc<OnceLock<(TableKind, Commit)>>);

impl Receipt {
    /// `None` before all batches of the answer were read, and after an error.
    pub fn get(&self) -> Option<&(TableKind, Commit)> {
        self.0.get()
    }
}

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
        TableKind::Fees => {
            return format!("rows of {table} are replaced, never deleted: INSERT the row again with other amounts");
        }
        TableKind::Annotations => return format!("rows of {table} are never deleted"),
        _ => return format!("rows of {table} are replaced, never deleted: store the slices again with other counts"),
    };
    format!("rows of {table} are withdrawn, never deleted: {instead}; to change a row, INSERT the whole row again")
}

fn usage<T>(message: String) -> Result<T> {
    Err(EngineError::Usage(message))
}

/// The end of the plan of an INSERT.
#[derive(Debug)]
pub(crate) struct Sink {
    kind: TableKind,
    place: Arc<Place>,
    fit: Fit,
    receipt: Arc<Receipt>,
    /// The input's own: what may be NULL is the store's to say.
    schema: SchemaRef,
}

impl Sink {
    pub fn new(kind: TableKind, place: Arc<Place>, fit: Fit, receipt: Arc<Receipt>, schema: SchemaRef) -> Self {
        Sink { kind, place, fit, receipt, schema }
    }
}

#[async_trait]
impl DataSink for Sink {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    async fn write_all(&self, rows: SendableRecordBatchStream, task: &Arc<TaskContext>) -> DataFusionResult<u64> {
        let fit = self.fit.clone();
        let mut rows = rows.map(move |batch| fit.batch(&batch?)).boxed().peekable();
        // A statement that cannot succeed must not leave a new, empty store behind.
        if let Some(Err(_)) = Pin::new(&mut rows).peek().await
            && let Some(Err(error)) = rows.next().await
        {
            return Err(error);
        }
        let rows = Box::pin(RecordBatchStreamAdapter::new(self.fit.schema().clone(), rows));
        let table = self.place.open_or_create().await?.table(self.kind);
        let commit = table.append(rows, Once::default(), evaluate::task(task)).await.map_err(unwrapped)?;
        let count = commit.rows;
        // A plan runs once, so nothing stands there yet.
        let _ = self.receipt.0.set((self.kind, commit));
        Ok(count)
    }
}

/// An error of the query comes back through the store as an internal one; it is the query's.
fn unwrapped(error: StoreError) -> DataFusionError {
    use std::error::Error;
    let source = error.source().and_then(|source| source.downcast_ref::<DataFusionError>());
    match source.filter(|_| error.kind() == StoreErrorKind::Internal) {
        Some(source) => DataFusionError::Execution(crate::error::message(source)),
        None => error.into(),
    }
}

impl DisplayAs for Sink {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}", self.kind.name())
    }
}
