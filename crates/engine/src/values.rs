//! The values of an INSERT, before SQL makes one type of each column of them.
//!
//! Of `('2026-10-03')` above `(now())` SQL would make instants, reading the text in UTC, and of a long decimal a float. Text
//! keeps what was written; [`Fit`](crate::fit::Fit) reads it once it knows the table's type.

use datafusion::arrow::datatypes::DataType;
use datafusion::sql::sqlparser::ast::{self, CastKind, Expr, Value, Values};

/// Turns into text what would lose by becoming of one type with the other rows; `table` are the columns' types.
pub(crate) fn keep_as_written(values: &mut Values, table: &[DataType]) {
    for (at, wanted) in table.iter().enumerate().filter(|(_, wanted)| !wanted.is_nested()) {
        let mut column: Vec<&mut Expr> = values.rows.iter_mut().filter_map(|row| row.content.get_mut(at)).collect();
        let mut kinds: Vec<ValueKind> =
            column.iter().map(|value| kind(value)).filter(|kind| *kind != ValueKind::Null).collect();
        let several = kinds.len() > 1;
        kinds.dedup();
        let differ = several && (kinds.len() > 1 || kinds.contains(&ValueKind::Other));
        for value in &mut column {
            match kind(value) {
                ValueKind::Number if wanted.is_decimal() || differ => number_as_text(value),
                ValueKind::Bool | ValueKind::Other if differ => cast_to_text(value),
                _ => {}
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum ValueKind {
    Text,
    Number,
    Bool,
    Null,
    Other,
}

fn kind(value: &Expr) -> ValueKind {
    let Expr::Value(value) = value else { return ValueKind::Other };
    match &value.value {
        Value::SingleQuotedString(_) => ValueKind::Text,
        Value::Number(..) => ValueKind::Number,
        Value::Boolean(_) => ValueKind::Bool,
        Value::Null => ValueKind::Null,
        _ => ValueKind::Other,
    }
}

fn number_as_text(value: &mut Expr) {
    if let Expr::Value(literal) = value
        && let Value::Number(digits, _) = &literal.value
        && !digits.contains(['e', 'E'])
    {
        literal.value = Value::SingleQuotedString(digits.clone());
    } else {
        cast_to_text(value);
    }
}

fn cast_to_text(value: &mut Expr) {
    let inner = std::mem::replace(value, Expr::value(Value::Null));
    *value = Expr::Cast {
        kind: CastKind::Cast,
        expr: Box::new(inner),
        data_type: ast::DataType::Varchar(None),
        array: false,
        format: None,
    };
}
