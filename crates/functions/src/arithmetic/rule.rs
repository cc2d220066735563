//! Where operators become functions.

use std::sync::{Arc, LazyLock};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::expr::{BinaryExpr, ScalarFunction};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use datafusion::optimizer::analyzer::type_coercion::TypeCoercionRewriter;
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::binary::{Binary, Operation};
use super::negate::Negate;

/// The rule for a session; it comes after the coercion of types.
#[derive(Debug, Default)]
pub struct CheckedArithmetic;

impl AnalyzerRule for CheckedArithmetic {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        plan.transform_up_with_subqueries(checked_plan).data()
    }

    fn name(&self) -> &str {
        "checked_arithmetic"
    }
}

fn checked_plan(plan: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    let mut schema = merge_schema(&plan.inputs());
    if let LogicalPlan::TableScan(scan) = &plan {
        schema.merge(&DFSchema::try_from_qualified_schema(scan.table_name.clone(), &scan.source.schema())?);
    }
    let names = NamePreserver::new(&plan);
    let plan = plan.map_expressions(|expr| {
        let name = names.save(&expr);
        Ok(replaced(expr, &schema)?.update_data(|expr| name.restore(expr)))
    })?;
    // Names and types are the same, but whether a value can be NULL is told by other means.
    match plan.transformed {
        true => plan.map_data(LogicalPlan::recompute_schema),
        false => Ok(plan),
    }
}

/// Constants, the arguments of table functions among them, are folded before any rule sees them.
impl ExprPlanner for CheckedArithmetic {
    fn plan_binary_op(&self, raw: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        let operator = match raw.op {
            BinaryOperator::Plus => Operator::Plus,
            BinaryOperator::Minus => Operator::Minus,
            BinaryOperator::Multiply => Operator::Multiply,
            BinaryOperator::Divide => Operator::Divide,
            _ => return Ok(PlannerResult::Original(raw)),
        };
        if raw.left.any_column_refs() || raw.right.any_column_refs() {
            return Ok(PlannerResult::Original(raw));
        }
        let RawBinaryExpr { op, left, right } = raw;
        let expr = Expr::BinaryExpr(BinaryExpr::new(Box::new(left), operator, Box::new(right)));
        Ok(match replaced_once(expr, schema) {
            Transformed { data: Expr::BinaryExpr(BinaryExpr { left, right, .. }), .. } => {
                PlannerResult::Original(RawBinaryExpr { op, left: *left, right: *right })
            }
            Transformed { data: planned, .. } => PlannerResult::Planned(planned),
        })
    }
}

/// An expression with checked arithmetic, and with the types of its parts coerced before: for expressions that are
/// planned alone.
pub fn checked(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let coerced = expr.rewrite(&mut TypeCoercionRewriter::new(schema)).data()?;
    replaced(coerced, schema).data()
}

fn replaced(expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
    expr.transform_up(|expr| Ok(replaced_once(expr, schema)))
}

/// An operator whose operands are done.
fn replaced_once(expr: Expr, schema: &DFSchema) -> Transformed<Expr> {
    // What has no type yet is no number of a known width.
    let typed = |expr: &Expr| expr.get_type(schema).ok();
    match expr {
        Expr::BinaryExpr(BinaryExpr { left, op, right }) => {
            let function = Operation::of(op).filter(|operation| {
                let types = typed(&left).zip(typed(&right));
                types.is_some_and(|(left, right)| operation.is_for(&left, &right))
            });
            match function {
                Some(operation) => Transformed::yes(call(function_of(operation), vec![*left, *right])),
                None => Transformed::no(Expr::BinaryExpr(BinaryExpr { left, op, right })),
            }
        }
        Expr::Negative(value) if typed(&value).is_some_and(|data_type| data_type.is_signed_integer()) => {
            static NEGATE: LazyLock<Arc<ScalarUDF>> =
                LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(Negate::new())));
            Transformed::yes(call(&NEGATE, vec![*value]))
        }
        other => Transformed::no(other),
    }
}

fn function_of(operation: Operation) -> &'static Arc<ScalarUDF> {
    static ALL: LazyLock<[Arc<ScalarUDF>; 4]> =
        LazyLock::new(|| Operation::ALL.map(|operation| Arc::new(ScalarUDF::new_from_impl(Binary::new(operation)))));
    &ALL[operation as usize]
}

fn call(function: &Arc<ScalarUDF>, args: Vec<Expr>) -> Expr {
    Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(function), args))
}
