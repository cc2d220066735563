//! Statements and drafts as rows of their tables.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::error::DataFusionError;
use nines_slo::{IssuedStatement, StatementFacts};
use nines_store::{MONEY, UTC};

use super::carried_texts::CarriedTexts;
use crate::{EngineError, Result};

type Columns = Vec<(&'static str, ArrayRef)>;

/// Rows of `statements`.
pub(super) fn statement_rows(statements: &[IssuedStatement]) -> Result<RecordBatch> {
    let all: Vec<&IssuedStatement> = statements.iter().collect();
    let signatures: StringViewArray = statements.iter().map(|statement| statement.signature.as_deref()).collect();
    let mut columns = columns(&all, "issued_at")?;
    columns.push(("signature", Arc::new(signatures)));
    batch(columns)
}

/// Rows of `drafts`: those that wait for approval, and those that do so no longer.
pub(super) fn draft_rows(waiting: &[IssuedStatement], withdrawn: &[IssuedStatement]) -> Result<RecordBatch> {
    let all: Vec<&IssuedStatement> = waiting.iter().chain(withdrawn).collect();
    let flags: BooleanArray = (0..all.len()).map(|row| Some(row >= waiting.len())).collect();
    let mut columns = columns(&all, "drafted_at")?;
    columns.push(("withdrawn", Arc::new(flags)));
    batch(columns)
}

/// What both tables have. `at` is what the time is called at which a statement was drawn up.
fn columns(all: &[&IssuedStatement], at: &'static str) -> Result<Columns> {
    let mut carried = CarriedTexts::default();
    let facts = all.iter().map(|statement| carried.facts(statement)).collect::<Result<Vec<StatementFacts>>>()?;
    let text = |of: &dyn Fn(&IssuedStatement) -> String| -> ArrayRef {
        Arc::new(all.iter().map(|statement| Some(of(statement))).collect::<StringViewArray>())
    };
    let number = |of: &dyn Fn(&IssuedStatement) -> i64| -> ArrayRef {
        Arc::new(all.iter().map(|statement| Some(of(statement))).collect::<Int64Array>())
    };
    let drawn: TimestampMicrosecondArray = all.iter().map(|statement| Some(statement.issued_at)).collect();
    let amounts: Decimal128Array = all.iter().map(|statement| statement.credit.amount).collect();
    let amounts = amounts.with_precision_and_scale(MONEY.0, MONEY.1).map_err(DataFusionError::from)?;
    Ok(vec![
        ("agreement", text(&|s| s.agreement.clone())),
        ("customer", text(&|s| s.customer.clone())),
        ("service", text(&|s| s.service.clone())),
        ("period", text(&|s| s.period.to_string())),
        ("revision", number(&|s| s.revision.into())),
        (at, Arc::new(drawn.with_timezone(UTC))),
        ("complete", Arc::new(all.iter().map(|s| Some(s.complete)).collect::<BooleanArray>())),
        ("availability_exact", text(&|s| s.credit.availability.to_string())),
        ("amount", Arc::new(amounts)),
        ("currency", text(&|s| s.credit.currency.clone().unwrap_or_default())),
        ("text", text(&IssuedStatement::to_json)),
        ("sha256", text(&|s| s.sha256.clone())),
        ("rules", number(&|s| s.rules.number().into())),
        ("number", Arc::new(facts.iter().map(|facts| facts.number.as_deref()).collect::<StringViewArray>())),
        ("side", Arc::new(facts.iter().map(|facts| Some(facts.side.word())).collect::<StringViewArray>())),
    ])
}

fn batch(columns: Columns) -> Result<RecordBatch> {
    RecordBatch::try_from_iter(columns).map_err(|error| EngineError::Sql(error.into()))
}
