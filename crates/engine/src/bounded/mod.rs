//! Functions that make much of little, bounded before they allocate.
//!
//! The memory pool counts what operators hold, not what one call of a function makes: `repeat('x', 1000000000)` is a gigabyte
//! for the asking. So functions whose result may be much larger than their arguments are wrapped under their own names, and
//! refuse a batch whose result would be too large. Everything else about them is as DataFusion has it.

mod concatenate;
mod function;
mod sizes;

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::Result;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::execution::FunctionRegistry;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{BinaryExpr, Expr, LogicalPlan, Operator, ScalarUDF};
use datafusion::optimizer::AnalyzerRule;
use datafusion::prelude::SessionContext;

use concatenate::Concatenate;
use function::Bounded;
pub(crate) use sizes::{bytes_at, list_at};

/// The share of the session's memory that the result of one call may take, for a batch of rows.
const SHARE: usize = 8;
/// What it may take whatever the session's memory.
const AT_LEAST: usize = 16 << 20;
/// What it may take at most: Arrow's texts end at 2 GiB.
const AT_MOST: usize = 1 << 30;

/// Bytes that one call may make for a batch, with this much memory.
pub(crate) fn limit_of_a_call(memory_limit: Option<usize>) -> usize {
    memory_limit.map_or(AT_MOST, |limit| (limit / SHARE).clamp(AT_LEAST, AT_MOST))
}

/// Puts bounds on the functions of a session with this much memory.
pub(crate) fn register(context: &SessionContext, memory_limit: Option<usize>) -> Result<()> {
    let limit = limit_of_a_call(memory_limit);
    let mut functions = HashMap::new();
    for (name, bound) in sizes::BOUNDS {
        let inner = context.udf(name)?;
        let bounded = Arc::new(ScalarUDF::new_from_impl(Bounded::new(inner, *bound, limit)));
        context.register_udf(bounded.as_ref().clone());
        functions.insert(name.to_string(), bounded);
    }
    let concatenate = Arc::new(ScalarUDF::new_from_impl(Concatenate::new(limit)));
    // A plan that travelled finds it by its name.
    context.register_udf(concatenate.as_ref().clone());
    context.add_analyzer_rule(Arc::new(Bind { functions, concatenate }));
    Ok(())
}

/// Planners take some functions from where they are made, not from the session, and `||` is an operator: they are bounded
/// here, after types were coerced.
#[derive(Debug)]
struct Bind {
    functions: HashMap<String, Arc<ScalarUDF>>,
    concatenate: Arc<ScalarUDF>,
}

impl AnalyzerRule for Bind {
    fn name(&self) -> &str {
        "bounded_functions"
    }

    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let plan = plan.transform_up_with_subqueries(|plan| {
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expression| {
                let name = names.save(&expression);
                Ok(expression
                    .transform_up(|expression| self.bound(expression))?
                    .update_data(|bounded| name.restore(bounded)))
            })
        });
        Ok(plan?.data)
    }
}

impl Bind {
    fn bound(&self, expression: Expr) -> Result<Transformed<Expr>> {
        match expression {
            Expr::ScalarFunction(mut call) => {
                let Some(bounded) = self.functions.get(call.func.name()) else {
                    return Ok(Transformed::no(Expr::ScalarFunction(call)));
                };
                if call.func.inner().is::<Bounded>() {
                    return Ok(Transformed::no(Expr::ScalarFunction(call)));
                }
                call.func = Arc::clone(bounded);
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            }
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::StringConcat, right }) => {
                Ok(Transformed::yes(self.concatenate.call(vec![*left, *right])))
            }
            other => Ok(Transformed::no(other)),
        }
    }
}
