//! Prepared statements: the session keeps them as they were written, and EXECUTE plans them again with its values in their
//! places. So they read one version of each table, in the session's time zone of that moment, and INSERT as exactly as any other.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use datafusion::sql::parser::Statement;
use datafusion::sql::sqlparser::ast::{
    CastKind, DataType, Expr, FunctionArg, FunctionArgExpr, ObjectName, Statement as Sql, Value, visit_expressions,
    visit_expressions_mut,
};
use datafusion::sql::sqlparser::parser::Parser;
use nines_slo::nearest;

use crate::answers::Signature;
use crate::tokens::DIALECT;
use crate::{EngineError, Result, calls};

/// The prepared statements of a session, by name. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct PreparedStatements(Arc<Mutex<BTreeMap<String, Prepared>>>);

/// A statement whose `$1`, `$2` … get their values from EXECUTE.
#[derive(Debug, Clone)]
struct Prepared {
    /// The types that were written behind its name; none or as many as it takes values.
    types: Vec<DataType>,
    takes: usize,
    statement: Sql,
}

impl PreparedStatements {
    /// Refuses a PREPARE that cannot be kept.
    pub fn check(&self, prepare: &Statement) -> Result<()> {
        let Some((name, _)) = read(prepare)? else { return Ok(()) };
        match self.0.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&name) {
            true => usage(format!("{name} is prepared already; DEALLOCATE {name} first")),
            false => Ok(()),
        }
    }

    /// Keeps what a PREPARE says. Whoever calls has planned the statement before.
    pub fn keep(&self, prepare: &Statement) -> Result<()> {
        self.check(prepare)?;
        if let Some((name, prepared)) = read(prepare)? {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name, prepared);
        }
        Ok(())
    }

    /// Puts the prepared statement with its values into the place of an EXECUTE, also of one that is explained.
    pub fn put(&self, statement: &mut Statement) -> Result<()> {
        match statement {
            Statement::Explain(explain) => self.put(&mut explain.statement),
            Statement::Statement(sql) => {
                if let Sql::Execute { name: Some(name), parameters, immediate: false, .. } = sql.as_ref() {
                    let found = self.find(name)?;
                    **sql = found.with(&name.to_string(), parameters)?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Forgets one by its name, or ALL.
    pub fn forget(&self, name: &str) -> Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match (all.remove(name), name.eq_ignore_ascii_case("all")) {
            (Some(_), _) => Ok(()),
            (None, true) => {
                all.clear();
                Ok(())
            }
            (None, false) => Err(unknown(name, &all)),
        }
    }

    fn find(&self, name: &ObjectName) -> Result<Prepared> {
        let ident = name.0.last().and_then(|part| part.as_ident());
        let name = ident.map_or_else(|| name.to_string(), |ident| plain(&ident.value, ident.quote_style.is_some()));
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&name).cloned().ok_or_else(|| unknown(&name, &all))
    }
}

impl Prepared {
    fn with(&self, name: &str, values: &[Expr]) -> Result<Sql> {
        if values.len() != self.takes {
            return usage(format!("{name} takes {} values, got {}", self.takes, values.len()));
        }
        for (at, (value, data_type)) in values.iter().zip(&self.types).enumerate() {
            if is_integer(data_type) && is_fraction(value) {
                return usage(format!("${} of {name} is {data_type}, and {value} is no whole number", at + 1));
            }
        }
        let value = |at: usize| {
            let value = values.get(at)?.clone();
            let value = if matches!(value, Expr::Value(_)) { value } else { Expr::Nested(Box::new(value)) };
            Some(match self.types.get(at) {
                Some(data_type) => Expr::Cast {
                    kind: CastKind::Cast,
                    expr: Box::new(value),
                    data_type: data_type.clone(),
                    array: false,
                    format: None,
                },
                None => value,
            })
        };
        let mut statement = self.statement.clone();
        let _ = visit_expressions_mut(&mut statement, |expr| {
            if let Some(value) = number(expr).and_then(|number| value(number - 1)) {
                *expr = value;
            }
            ControlFlow::<()>::Continue(())
        });
        Ok(statement)
    }
}

fn is_integer(data_type: &DataType) -> bool {
    use DataType::*;
    matches!(data_type, TinyInt(_) | SmallInt(_) | Int(_) | Integer(_) | BigInt(_) | Int2(_) | Int4(_) | Int8(_))
}

/// Whether this is written as a number that a cast to a whole one would cut.
fn is_fraction(value: &Expr) -> bool {
    match value {
        Expr::Nested(inner) | Expr::UnaryOp { expr: inner, .. } => is_fraction(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(text, _) => text.parse().is_ok_and(|number: f64| number.fract() != 0.0),
            _ => false,
        },
        _ => false,
    }
}

/// The name and the statement of a PREPARE.
fn read(prepare: &Statement) -> Result<Option<(String, Prepared)>> {
    let Statement::Statement(sql) = prepare else { return Ok(None) };
    let Sql::Prepare { name, data_types, statement } = sql.as_ref() else { return Ok(None) };
    let takes = takes(statement.as_ref())?;
    let name = plain(&name.value, name.quote_style.is_some());
    if !data_types.is_empty() && data_types.len() != takes {
        return usage(format!("{name} names {} types, and its statement takes {takes} values", data_types.len()));
    }
    Ok(Some((name, Prepared { types: data_types.clone(), takes, statement: statement.as_ref().clone() })))
}

/// How many values a statement takes.
pub(crate) fn takes_of(statement: &Statement) -> Result<usize> {
    match statement {
        Statement::Statement(sql) => takes(sql.as_ref()),
        Statement::Explain(explain) => takes_of(&explain.statement),
        // No other statement takes any.
        _ => Ok(0),
    }
}

/// Whether the statement is a PREPARE.
pub(crate) fn prepares(statement: &Statement) -> bool {
    matches!(statement, Statement::Statement(sql) if matches!(sql.as_ref(), Sql::Prepare { .. }))
}

/// Puts values that fit into the places of `$1`, `$2` … in arguments of table functions, which are constants when they are planned:
/// so a PREPARE can be planned, and what is wrong in it be said.
pub(crate) fn with_stand_ins(statement: &mut Statement, known: &[Signature]) -> Result<()> {
    calls::each(statement, &mut |name, arguments| {
        let signature = calls::signature(name, known);
        for (at, argument) in arguments.iter_mut().enumerate() {
            let such_as = signature.and_then(|signature| signature.parameters.get(at)).map_or("1", |p| p.such_as);
            let value = match argument {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(value)) => value,
                _ => continue,
            };
            let stand_in = Parser::new(&DIALECT).try_with_sql(such_as).and_then(|mut parser| parser.parse_expr());
            let stand_in = stand_in.map_err(|error| EngineError::Usage(error.to_string()))?;
            match number(value) {
                Some(_) => *value = stand_in,
                // Deeper inside an expression its type is not known; a number is right most often.
                None => {
                    let _ = visit_expressions_mut(value, |expr| {
                        if number(expr).is_some() {
                            *expr = Expr::value(Value::Number("1".to_string(), false));
                        }
                        ControlFlow::<()>::Continue(())
                    });
                }
            }
        }
        Ok(())
    })
}

/// The number of a placeholder, from 1.
fn number(expr: &Expr) -> Option<usize> {
    let Expr::Value(value) = expr else { return None };
    let Value::Placeholder(placeholder) = &value.value else { return None };
    placeholder.strip_prefix('$')?.parse().ok().filter(|number| *number > 0)
}

/// How many values a statement takes: the highest number in it.
fn takes(statement: &Sql) -> Result<usize> {
    let mut found = Vec::new();
    let _ = visit_expressions(statement, |expr| {
        found.extend(number(expr));
        ControlFlow::<()>::Continue(())
    });
    let highest = found.iter().copied().max().unwrap_or(0);
    match (1..=highest).find(|number| !found.contains(number)) {
        Some(missing) => {
            usage(format!("the statement takes ${highest} but not ${missing}; number its values from $1 on"))
        }
        None => Ok(highest),
    }
}

fn plain(name: &str, quoted: bool) -> String {
    if quoted { name.to_string() } else { name.to_lowercase() }
}

fn unknown(name: &str, all: &BTreeMap<String, Prepared>) -> EngineError {
    let names: Vec<&str> = all.keys().map(String::as_str).collect();
    let expected = match names.is_empty() {
        true => "prepare it with: PREPARE name AS SELECT …".to_string(),
        false => nearest::hint(name, &names),
    };
    EngineError::Usage(format!("no statement {name} is prepared; {expected}"))
}

fn usage<T>(message: String) -> Result<T> {
    Err(EngineError::Usage(message))
}
