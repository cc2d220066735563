//! `$name` in SQL: values given from outside, put in as literals before planning.
//!
//! Literals rather than DataFusion's placeholders, because a placeholder has no type while functions and
//! table functions are planned, and both shall take parameters wherever they take constants.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{Expr, Statement as Sql, Value, VisitMut, visit_expressions_mut};

use crate::{EngineError, Result};

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Parameter {
    /// Text, times among it.
    Text(String),
    /// A number as it is written, so that a decimal stays exact.
    Number(String),
    /// A truth value.
    Bool(bool),
    /// NULL.
    Null,
}

impl Parameter {
    /// A value as a person types it: `null`, `true`, `false`, a number, else text. Text in single quotes is
    /// text whatever it looks like, and so are digits that begin with a zero: they name something.
    pub fn from_text(text: &str) -> Self {
        let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        match text {
            _ if quoted.is_some() => Parameter::Text(quoted.unwrap_or_default().to_string()),
            "null" | "NULL" => Parameter::Null,
            "true" => Parameter::Bool(true),
            "false" => Parameter::Bool(false),
            _ if is_number(text) => Parameter::Number(text.to_string()),
            _ => Parameter::Text(text.to_string()),
        }
    }

    /// The value as a constant in SQL, wherever a constant may stand.
    pub fn to_sql(&self) -> String {
        match self {
            Parameter::Text(text) => format!("'{}'", text.replace('\'', "''")),
            // Behind a minus, another one would begin a comment.
            Parameter::Number(digits) if digits.starts_with('-') => format!("({digits})"),
            Parameter::Number(digits) => digits.clone(),
            Parameter::Bool(value) => value.to_string(),
            Parameter::Null => "NULL".to_string(),
        }
    }

    fn literal(&self) -> Value {
        match self {
            Parameter::Text(text) => Value::SingleQuotedString(text.clone()),
            Parameter::Number(digits) => Value::Number(digits.clone(), false),
            Parameter::Bool(value) => Value::Boolean(*value),
            Parameter::Null => Value::Null,
        }
    }
}

/// Digits with perhaps one sign, one point and an exponent; not `inf`, `nan`, `2026-10`, `1_000`.
fn is_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '.')
        && !text.ends_with('.')
        && !is_padded(text.trim_start_matches('-'))
        && text.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a zero stands before another digit.
fn is_padded(digits: &str) -> bool {
    digits.strip_prefix('0').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// Values by name, without the `$`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Parameters(BTreeMap<String, Parameter>);

impl Parameters {
    /// Sets a parameter; the last value given counts.
    pub fn set(&mut self, name: impl Into<String>, value: Parameter) {
        self.0.insert(name.into(), value);
    }

    /// The values by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Parameter)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// Puts values in the place of the statement's `$name`s.
    pub(crate) fn bind(&self, statement: &mut Statement) -> Result<()> {
        match statement {
            Statement::Statement(sql) => {
                let prepares = matches!(sql.as_ref(), Sql::Prepare { .. });
                self.bind_to(sql.as_mut(), prepares)
            }
            Statement::Explain(explain) => self.bind(&mut explain.statement),
            Statement::CopyTo(copy) => match &mut copy.source {
                CopyToSource::Query(query) => self.bind_to(query.as_mut(), false),
                CopyToSource::Relation(_) => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// `prepares`: what is numbered gets its value from EXECUTE.
    fn bind_to(&self, node: &mut impl VisitMut, prepares: bool) -> Result<()> {
        let is_numbered = |name: &str| name.bytes().all(|byte| byte.is_ascii_digit());
        let bound = visit_expressions_mut(node, |expr| {
            if let Expr::Value(value) = expr
                && let Value::Placeholder(placeholder) = &value.value
            {
                let name = placeholder.trim_start_matches('$');
                match self.0.get(name) {
                    _ if prepares && is_numbered(name) => {}
                    Some(parameter) => value.value = parameter.literal(),
                    None => return ControlFlow::Break(placeholder.clone()),
                }
            }
            ControlFlow::Continue(())
        });
        match bound {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(name) => Err(EngineError::NoValue(name.trim_start_matches('$').to_string())),
        }
    }
}

impl FromIterator<(String, Parameter)> for Parameters {
    fn from_iter<I: IntoIterator<Item = (String, Parameter)>>(parameters: I) -> Self {
        Parameters(parameters.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_that_looks_like_a_number_is_one_unless_quoted() {
        let number = |text: &str| Parameter::Number(text.to_string());
        let text = |text: &str| Parameter::Text(text.to_string());
        for digits in ["1", "-1.5", "0.999", "1e-3", "0", "-0.5", "0e1"] {
            assert_eq!(Parameter::from_text(digits), number(digits));
        }
        for words in ["2026-10", "2026-10-01", "login", "", "inf", "nan", "1.", "业务", "007", "00", "-01", "01.5"] {
            assert_eq!(Parameter::from_text(words), text(words));
        }
        assert_eq!(Parameter::from_text("'1'"), text("1"));
        assert_eq!(Parameter::from_text("null"), Parameter::Null);
    }

    #[test]
    fn a_value_is_a_constant_in_sql() {
        for (typed, sql) in [("-1", "(-1)"), ("1.50", "1.50"), ("it's", "'it''s'"), ("007", "'007'"), ("null", "NULL")]
        {
            assert_eq!(Parameter::from_text(typed).to_sql(), sql);
        }
    }
}
