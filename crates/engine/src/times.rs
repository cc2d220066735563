//! Times in SQL text: `TIMESTAMP` is an instant, read in the session's time zone where its text names none.
//!
//! DataFusion's TIMESTAMP is what a clock shows, of no zone; it reads `2026-10-14T04:00:00Z` as four o'clock, and four o'clock of the
//! session's zone is another instant. So the type is planned with the zone ([`Types`]), and what still becomes a zoneless time or a
//! date of a text is read in the zone first ([`InZone`]). `TIMESTAMP WITHOUT TIME ZONE` remains the clock's time.

use std::ops::ControlFlow;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::config::ConfigOptions;
use datafusion::functions::datetime::{to_local_time, to_timestamp};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::TypePlanner;
use datafusion::logical_expr::{Cast, Expr, ExprSchemable, LogicalPlan, ScalarUDF, TryCast};
use datafusion::optimizer::AnalyzerRule;
use datafusion::sql::parser::{CopyToSource, Statement};
use datafusion::sql::sqlparser::ast::{self, TimezoneInfo, VisitMut, visit_expressions_mut};
use datafusion::sql::sqlparser::parser::Parser;
use nines_slo::moment::Moment;
use parking_lot::RwLock;

use crate::as_of::Past;
use crate::statement::now_in;
use crate::tokens::DIALECT;
use crate::zone::Zone;

/// The types of times in a session, whose zone this is.
#[derive(Debug, Clone)]
pub(crate) struct Types(Arc<RwLock<Arc<str>>>);

impl Types {
    pub fn of(zone: Zone) -> Self {
        Types(Arc::new(RwLock::new(zone.name().into())))
    }

    /// From now on those of another zone.
    pub fn set(&self, zone: Zone) {
        *self.0.write() = zone.name().into();
    }
}

impl TypePlanner for Types {
    fn plan_type_field(&self, written: &ast::DataType) -> Result<Option<FieldRef>> {
        let ast::DataType::Timestamp(precision, TimezoneInfo::None) = written else { return Ok(None) };
        let unit = match precision {
            None | Some(9) => TimeUnit::Nanosecond,
            Some(6) => TimeUnit::Microsecond,
            Some(3) => TimeUnit::Millisecond,
            Some(0) => TimeUnit::Second,
            Some(_) => return Ok(None),
        };
        Ok(Some(Arc::new(Field::new("", DataType::Timestamp(unit, Some(Arc::clone(&self.0.read()))), true))))
    }
}

/// Writes `EXTRACT(hour FROM t)` as the function that it is, and leaves what stands before AT TIME ZONE the clock's time: there it is
/// that zone's clock.
pub(crate) fn written(statement: &mut Statement) {
    match statement {
        Statement::Statement(sql) => rewritten(sql.as_mut()),
        Statement::Explain(explain) => written(&mut explain.statement),
        Statement::CopyTo(copy) => {
            if let CopyToSource::Query(query) = &mut copy.source {
                rewritten(query.as_mut());
            }
        }
        // No other statement holds an expression of a row.
        _ => {}
    }
}

fn rewritten(node: &mut impl VisitMut) {
    let _ = visit_expressions_mut(node, |expr| {
        match expr {
            ast::Expr::AtTimeZone { timestamp, .. } => clocks(timestamp),
            ast::Expr::Extract { field, expr: time, .. } => {
                let call = Parser::new(&DIALECT).try_with_sql(&format!("date_part('{field}', NULL)"));
                if let Ok(ast::Expr::Function(mut call)) = call.and_then(|mut parser| parser.parse_expr())
                    && let ast::FunctionArguments::List(list) = &mut call.args
                    && let Some(last) = list.args.last_mut()
                {
                    *last = ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(time.as_ref().clone()));
                    *expr = ast::Expr::Function(call);
                }
            }
            _ => {}
        }
        ControlFlow::<()>::Continue(())
    });
}

fn clocks(time: &mut ast::Expr) {
    let written = match time {
        ast::Expr::Nested(inner) => return clocks(inner),
        ast::Expr::Cast { data_type, .. } => data_type,
        ast::Expr::TypedString(typed) => &mut typed.data_type,
        _ => return,
    };
    if let ast::DataType::Timestamp(_, zone @ TimezoneInfo::None) = written {
        *zone = TimezoneInfo::WithoutTimeZone;
    }
}

/// Casts of text, numbers and instants to what a clock or a calendar shows: those of the session's zone.
#[derive(Debug)]
pub(crate) struct InZone {
    /// In which past; `None` where it is now.
    pub past: Option<Arc<Past>>,
}

impl AnalyzerRule for InZone {
    fn name(&self) -> &str {
        "times_in_zone"
    }

    fn analyze(&self, plan: LogicalPlan, config: &ConfigOptions) -> Result<LogicalPlan> {
        let zone: Arc<str> = config.execution.time_zone.as_deref().unwrap_or(nines_store::UTC).into();
        let rewritten = plan.transform_up_with_subqueries(|node| {
            let names = NamePreserver::new(&node);
            let mut schema = DFSchema::empty();
            node.inputs().into_iter().for_each(|input| schema.merge(input.schema()));
            node.map_expressions(|expr| {
                let name = names.save(&expr);
                let changed = expr.transform_up(|expr| in_zone(expr, &schema, &zone, self.past.as_deref()))?;
                Ok(changed.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(rewritten.data)
    }
}

fn in_zone(expr: Expr, schema: &DFSchema, zone: &Arc<str>, past: Option<&Past>) -> Result<Transformed<Expr>> {
    let (inner, target, tried) = match &expr {
        Expr::Cast(Cast { expr, field, .. }) => (expr, field.data_type().clone(), false),
        Expr::TryCast(TryCast { expr, field, .. }) => (expr, field.data_type().clone(), true),
        _ => return Ok(Transformed::no(expr)),
    };
    if let Expr::Literal(value, _) = inner.as_ref()
        && let Some(text) = value.try_as_str().flatten()
        && let DataType::Timestamp(_, Some(of)) = &target
        && let Some(at) = word(text, of, past)
    {
        let at = ScalarValue::TimestampMicrosecond(Some(at), Some(Arc::clone(of)));
        return Ok(Transformed::yes(Expr::Literal(at.cast_to(&target)?, None)));
    }
    // Columns of an outer query are not among these; their casts stay.
    let Ok(given) = inner.get_type(schema) else { return Ok(Transformed::no(expr)) };
    match (&given, &target) {
        (DataType::Timestamp(_, None), DataType::Timestamp(unit, Some(of))) if of.as_ref() != nines_store::UTC => {
            let (unit, of) = (*unit, Arc::clone(of));
            return Ok(Transformed::yes(whole(expr, unit, &of)));
        }
        // In UTC the clock shows what is stored, but for times of another zone.
        (DataType::Timestamp(_, Some(of)), DataType::Timestamp(_, None)) if of != zone => {}
        _ if zone.as_ref() == nines_store::UTC => return Ok(Transformed::no(expr)),
        _ => {}
    }
    let text = matches!(given, DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
    let instant = |unit| DataType::Timestamp(unit, Some(Arc::clone(zone)));
    let cast = |inner: &Expr, to: DataType| match tried {
        true => Expr::TryCast(TryCast::new(Box::new(inner.clone()), to)),
        false => Expr::Cast(Cast::new(Box::new(inner.clone()), to)),
    };
    let offset = |inner: &Expr| match inner {
        Expr::Literal(value, _) => value.try_as_str().flatten().is_none_or(has_offset),
        _ => true,
    };
    match &target {
        DataType::Timestamp(unit, None) => {
            let zoned = matches!(given, DataType::Timestamp(_, Some(_)));
            if !((text && offset(inner)) || zoned || given.is_numeric()) {
                return Ok(Transformed::no(expr));
            }
            Ok(Transformed::yes(local(cast(inner, instant(*unit)))))
        }
        // Only a text with an offset says another day elsewhere; a date alone may be one whose midnight clocks skip.
        DataType::Date32 if text && matches!(inner.as_ref(), Expr::Literal(..)) && offset(inner) => {
            Ok(Transformed::yes(cast(&cast(inner, instant(TimeUnit::Second)), DataType::Date32)))
        }
        DataType::Date32 if text && !matches!(inner.as_ref(), Expr::Literal(..)) && !tried => {
            let read = ScalarFunction::new_udf(nines_functions::to_date(zone), vec![inner.as_ref().clone()]);
            Ok(Transformed::yes(Expr::ScalarFunction(read)))
        }
        _ => Ok(Transformed::no(expr)),
    }
}

/// The same instant, as a function of it. DataFusion compares `CAST(clock AS TIMESTAMPTZ)` with a constant instant by casting the
/// constant instead, and there forgets the zone: 04:00 UTC would be four o'clock in Shanghai.
fn whole(cast: Expr, unit: TimeUnit, zone: &Arc<str>) -> Expr {
    let mut config = ConfigOptions::default();
    config.execution.time_zone = Some(zone.to_string());
    let function: ScalarUDF = match unit {
        TimeUnit::Second => to_timestamp::ToTimestampSecondsFunc::new_with_config(&config).into(),
        TimeUnit::Millisecond => to_timestamp::ToTimestampMillisFunc::new_with_config(&config).into(),
        TimeUnit::Microsecond => to_timestamp::ToTimestampMicrosFunc::new_with_config(&config).into(),
        TimeUnit::Nanosecond => to_timestamp::ToTimestampNanosFunc::new_with_config(&config).into(),
    };
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), vec![cast]))
}

/// What the clock of its zone shows at an instant.
fn local(instant: Expr) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(to_local_time(), vec![instant]))
}

/// The instant that a word for a range denotes: its beginning.
fn word(text: &str, zone: &str, past: Option<&Past>) -> Option<i64> {
    let at = Moment { now: now_in(past), zone: zone.parse().ok()? };
    match text.trim().eq_ignore_ascii_case("now") {
        true => at.instant(text),
        false => at.named(text).map(|range| range.0),
    }
}

/// Whether a time's text says its offset from UTC.
fn has_offset(text: &str) -> bool {
    let time = text.trim().get(10..).unwrap_or_default();
    time.ends_with(['Z', 'z']) || time.contains(['+', '-'])
}
