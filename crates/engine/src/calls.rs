//! Named arguments of table functions, `report(from => '2026-10-01', by => 'service')`, put in order on the parsed statement:
//! DataFusion plans arguments by their place alone.

use std::ops::ControlFlow;

use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, FunctionArgOperator, Ident, ObjectName, ObjectNamePart,
    TableFactor, Value, VisitMut, VisitorMut,
};
use nines_slo::nearest;

use crate::answers::Signature;
use crate::{EngineError, Result};

/// Puts the named arguments of every call of these functions in order. A name left out becomes NULL.
pub(crate) fn in_order(statement: &mut Statement, known: &[Signature]) -> Result<()> {
    each(statement, &mut |name, arguments| match signature(name, known) {
        Some(signature) => ordered(signature, arguments),
        None => Ok(()),
    })
}

/// Lets `change` see the name and the arguments of every call of a table function.
pub(crate) fn each(
    statement: &mut Statement,
    change: &mut dyn FnMut(&mut ObjectName, &mut Vec<FunctionArg>) -> Result<()>,
) -> Result<()> {
    let mut calls = Calls(change);
    let visited = match statement {
        Statement::Statement(sql) => VisitMut::visit(sql.as_mut(), &mut calls),
        Statement::Explain(explain) => return each(&mut explain.statement, change),
        Statement::CopyTo(copy) => match &mut copy.source {
            CopyToSource::Query(query) => VisitMut::visit(query.as_mut(), &mut calls),
            CopyToSource::Relation(_) => return Ok(()),
        },
        // No other statement holds a query.
        _ => return Ok(()),
    };
    match visited {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(error) => Err(error),
    }
}

struct Calls<'a>(&'a mut dyn FnMut(&mut ObjectName, &mut Vec<FunctionArg>) -> Result<()>);

impl VisitorMut for Calls<'_> {
    type Break = EngineError;

    fn pre_visit_table_factor(&mut self, table: &mut TableFactor) -> ControlFlow<EngineError> {
        let changed = match table {
            TableFactor::Table { name, args: Some(call), .. } => (self.0)(name, &mut call.args),
            TableFactor::Function { name, args, .. } => (self.0)(name, args),
            _ => Ok(()),
        };
        match changed {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => ControlFlow::Break(error),
        }
    }
}

/// The function of this name. Its name is written as the session knows it: capitals count for nothing, as elsewhere in SQL.
pub(crate) fn signature(name: &mut ObjectName, known: &[Signature]) -> Option<Signature> {
    let [part] = name.0.as_mut_slice() else { return None };
    let ident = match part {
        ObjectNamePart::Identifier(ident) => ident,
        ObjectNamePart::Function(_) => return None,
    };
    let found = known.iter().find(|signature| match ident.quote_style {
        Some(_) => ident.value == signature.function,
        None => ident.value.eq_ignore_ascii_case(signature.function),
    })?;
    ident.value = found.function.to_string();
    ident.quote_style = None;
    Some(*found)
}

fn ordered(signature: Signature, arguments: &mut Vec<FunctionArg>) -> Result<()> {
    let function = signature.function;
    arguments.iter_mut().for_each(assigned);
    if !arguments.iter().any(|argument| name_of(argument).is_some()) {
        return Ok(());
    }
    let mut places: Vec<Option<FunctionArgExpr>> = vec![None; signature.parameters.len()];
    let mut named = false;
    for (at, argument) in arguments.drain(..).enumerate() {
        let (place, value) = match (name_of(&argument), argument) {
            (None, FunctionArg::Unnamed(_)) if named => {
                return usage(format!(
                    "{function}: an argument without a name follows one with a name; name it, too: {}",
                    signature.names().join(", ")
                ));
            }
            (None, FunctionArg::Unnamed(value)) => match places.get(at) {
                Some(_) => (at, value),
                None => return usage(format!("{function} got too many arguments; expected {signature}")),
            },
            (
                Some(name),
                FunctionArg::Named { arg: value, .. }
                | FunctionArg::ExprNamed { arg: value, .. }
                | FunctionArg::Unnamed(value),
            ) => {
                named = true;
                match signature.position(&name) {
                    Some(place) => (place, value),
                    None => {
                        return usage(format!(
                            "{function} has no argument {name}; {}",
                            nearest::hint(&name, &signature.names())
                        ));
                    }
                }
            }
            (None, other) => return usage(format!("{function}: {other} is no argument; expected {signature}")),
        };
        if places[place].replace(value).is_some() {
            let name = signature.parameters[place].name;
            return usage(format!("{function}: the argument {name} is given twice"));
        }
    }
    let missing =
        signature.parameters.iter().zip(&places).find(|(parameter, given)| parameter.required && given.is_none());
    if let Some((parameter, _)) = missing {
        return usage(format!("{function} lacks the argument {}; expected {signature}", parameter.name));
    }
    let given = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
    let null = || FunctionArgExpr::Expr(Expr::value(Value::Null));
    arguments.extend(places.into_iter().take(given).map(|value| FunctionArg::Unnamed(value.unwrap_or_else(null))));
    Ok(())
}

/// `name := value`, which the parser takes for an operation, as an argument with a name.
fn assigned(argument: &mut FunctionArg) {
    if let FunctionArg::Unnamed(FunctionArgExpr::Expr(Expr::BinaryOp { left, op: BinaryOperator::Assignment, right })) =
        argument
    {
        *argument = FunctionArg::ExprNamed {
            name: left.as_ref().clone(),
            arg: FunctionArgExpr::Expr(right.as_ref().clone()),
            operator: FunctionArgOperator::Assignment,
        };
    }
}

/// The name that an argument is given under.
fn name_of(argument: &FunctionArg) -> Option<String> {
    let plain = |ident: &Ident| match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    };
    match argument {
        FunctionArg::Named { name, .. } => Some(plain(name)),
        FunctionArg::ExprNamed { name: Expr::Identifier(name), .. } => Some(plain(name)),
        FunctionArg::ExprNamed { name, .. } => Some(name.to_string()),
        FunctionArg::Unnamed(_) => None,
    }
}

fn usage<T>(message: String) -> Result<T> {
    Err(EngineError::Usage(message))
}

#[cfg(test)]
mod tests {
    use datafusion::sql::parser::DFParserBuilder;

    use super::*;
    use crate::tokens::DIALECT;

    fn ordered(sql: &str) -> String {
        let parser = DFParserBuilder::new(sql).with_dialect(&DIALECT).build();
        let mut statement = parser.unwrap().parse_statement().unwrap();
        match in_order(&mut statement, &crate::answers::signatures()) {
            Ok(()) => statement.to_string().trim_start_matches("SELECT * FROM ").to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn names_become_places() {
        let call = |arguments: &str| ordered(&format!("SELECT * FROM report({arguments})"));
        assert_eq!(call("from => '2026-10-01', to => '2026-11-01'"), "report('2026-10-01', '2026-11-01')");
        assert_eq!(
            call("by => 'service', to => now(), from => '2026-10-01'"),
            "report('2026-10-01', now(), 'service')"
        );
        assert_eq!(call("'2026-10', by => 'service'"), "report('2026-10', NULL, 'service')");
        assert_eq!(call("FROM := '2026-10'"), "report('2026-10')");
        assert_eq!(call("'2026-10-01', '2026-11-01'"), "report('2026-10-01', '2026-11-01')");
    }

    #[test]
    fn names_that_do_not_fit_are_refused() {
        let call = |arguments: &str| ordered(&format!("SELECT * FROM report({arguments})"));
        assert_eq!(call("form => '2026-10'"), "report has no argument form; did you mean 'from'?");
        assert!(
            call("month => '2026-10'").starts_with("report has no argument month; expected from, to, by or target")
        );
        assert_eq!(call("'2026-10', from => '2026-11'"), "report: the argument from is given twice");
        assert!(call("by => 'service'").starts_with("report lacks the argument from; expected report(from, to"));
        assert!(call("from => '2026-10', 'service'").starts_with("report: an argument without a name follows"));
    }

    #[test]
    fn calls_are_found_wherever_a_query_stands() {
        for sql in [
            "WITH a AS (SELECT * FROM REPORT(by => 'x', from => '1')) SELECT * FROM a",
            "SELECT (SELECT max(slo) FROM Report(by => 'x', from => '1'))",
            "SELECT * FROM slos JOIN LATERAL report(by => 'x', from => '1') AS r ON true",
            "EXPLAIN SELECT * FROM report(by => 'x', from => '1')",
            "COPY (SELECT * FROM report(by => 'x', from => '1')) TO 'a.csv'",
            "CREATE TABLE a AS SELECT * FROM report(by => 'x', from => '1')",
            "INSERT INTO fees SELECT * FROM report(by => 'x', from => '1')",
            "PREPARE a AS SELECT * FROM report(by => 'x', from => '1')",
        ] {
            let ordered = ordered(sql);
            assert!(ordered.contains("report('1', NULL, 'x')"), "{ordered}");
        }
    }

    #[test]
    fn functions_of_others_stay_as_they_are() {
        assert_eq!(ordered("SELECT * FROM range(from => 1)"), "range(from => 1)");
        assert_eq!(ordered("SELECT * FROM \"Report\"(form => 1)"), "\"Report\"(form => 1)");
    }
}
