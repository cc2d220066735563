//! The scan of a pass: the days, the columns and the services that it needs, and nothing else.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, internal_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility, col, lit};
use datafusion::physical_plan::ExecutionPlanProperties;
use nines_slo::{Indicator, SqlIndicator};
use nines_store::{ByDay, TableKind};
use nines_timeline::Interval;

use super::DAY;
use super::columns;
use super::evaluator::Evaluator;
use super::inputs::Inputs;
use super::part::Detail;
use super::pass::{Split, SqlCounts, Task};
use super::run::Job;
use super::subject::Subject;

/// Services of which the scan is told by name; with more, nearly all rows are wanted.
const NAMED_SERVICES: usize = 64;

/// What is wanted of one table.
pub(crate) struct Wanted {
    pub subjects: Vec<Arc<Subject>>,
    pub numbers: Vec<usize>,
    /// By the day on whose end the rows of a stretch were seen ([`Subject::counted_on`]).
    pub by_day: HashMap<i32, Vec<(usize, usize, Interval)>>,
    pub split: Split,
    pub detail: Detail,
    /// Whether rows of two businesses are an error where the definition names none.
    pub strict: bool,
}

impl Evaluator<'_> {
    /// The pass over a table that finds out what is wanted; `None` if nothing is.
    pub fn job(&self, inputs: &Inputs, wanted: Wanted) -> Result<Option<Job>> {
        let Wanted { subjects, numbers, by_day, split, detail, strict } = wanted;
        let (Some(&first), Some(&last)) = (by_day.keys().min(), by_day.keys().max()) else { return Ok(None) };
        // Samples that may be held, and slices that begin on the day before.
        let before = |subject: &Subject| (subject.hold() + DAY - 1).div_euclid(DAY) as i32 + subject.counted_on(0);
        let lead_in = subjects.iter().map(|subject| before(subject)).max().unwrap_or(0);
        // A day without rows of its own may be one in which samples of an earlier one are held.
        let mut days: Vec<i32> =
            by_day.keys().copied().filter(|day| lead_in > 0 || inputs.hash_of(*day) != 0).collect();
        days.sort_unstable();
        let expressions = self.expressions(inputs.kind, &subjects)?;
        let read = expressions.values().flat_map(|expressions| &expressions.columns).cloned().collect();
        let borrowed: Vec<&Subject> = subjects.iter().map(Arc::as_ref).collect();
        let columns = columns::needed(inputs.kind, &borrowed, split, &read);
        let whole = first..last + 1;
        let (scan, ranges) = match &inputs.snapshot {
            Some(snapshot) if !days.is_empty() => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                let found = snapshot.scan_by_day(
                    self.session,
                    &ByDay {
                        days: &days,
                        columns: &columns,
                        filter: of_services(&subjects),
                        partitions: self.session.config().target_partitions(),
                        lead_in,
                    },
                )?;
                // Where no row can match, the plan is empty and has one partition.
                match found.plan.output_partitioning().partition_count() == found.days.len() {
                    true => (Some(found.plan), covering(&found.days, &whole)),
                    false => (None, vec![whole]),
                }
            }
            _ => (None, vec![whole]),
        };
        let sql = match &scan {
            Some(scan) => physical(self, &expressions, scan.schema().as_ref())?,
            None => HashMap::new(),
        };
        let task = Task { subjects, numbers, sql, wanted: by_day, split, detail, slot: inputs.slot, strict };
        Ok(Some(Job { task: Arc::new(task), scan, days: ranges }))
    }

    /// The expressions of `nines/sql` indicators, by place.
    fn expressions(&self, table: TableKind, subjects: &[Arc<Subject>]) -> Result<HashMap<usize, Expressions>> {
        let mut found = HashMap::new();
        for (at, subject) in subjects.iter().enumerate() {
            if let Indicator::Sql(sql) = &subject.spec.indicator {
                let state = self.session.as_any().downcast_ref::<SessionState>();
                let state = state.ok_or_else(|| internal_datafusion_err!("an evaluation has another session"))?;
                found.insert(at, Expressions::new(state, table, sql)?);
            }
        }
        Ok(found)
    }
}

/// The parsed expressions of a `nines/sql` indicator, made whole numbers and truth values.
#[derive(Debug)]
pub(crate) struct Expressions {
    filter: Option<Expr>,
    good: Expr,
    total: Expr,
    columns: BTreeSet<String>,
}

impl Expressions {
    /// Checks the expressions against the columns of a table. The state is evaluation's: what a definition says must not depend on
    /// who asks.
    pub fn new(state: &SessionState, table: TableKind, sql: &SqlIndicator) -> Result<Self> {
        let schema = DFSchema::try_from(table.schema(nines_store::DEFAULT_SLICE_SECONDS))?;
        let parse = |what: &str, text: &str| -> Result<Expr> {
            let expression = state.create_logical_expr(text, &schema)?;
            if has_aggregate(&expression)? {
                return plan_err!(
                    "{what} is an expression of one row, whose values are added up: write requests, not sum(requests)"
                );
            }
            if changes(&expression)? {
                return plan_err!(
                    "{what} must say the same whenever it is asked: no time of day, no chance, no subquery"
                );
            }
            // What cannot be planned at all is said now.
            state.create_physical_expr(
                simplified(nines_functions::checked(expression.clone(), &schema)?, &schema, state)?,
                &schema,
            )?;
            Ok(expression)
        };
        let count = |what: &str, text: &str| -> Result<Expr> {
            let expression = parse(what, text)?;
            let given = expression.get_type(&schema)?;
            match &given {
                whole if whole.is_integer() || *whole == DataType::Boolean || whole.is_null() => {
                    expression.cast_to(&DataType::Int64, &schema)
                }
                _ => plan_err!("{what} must be a whole number or a truth value of each row, {text} is {given}"),
            }
        };
        let filter = match &sql.filter {
            Some(text) => {
                let condition = parse("where", text)?;
                match condition.get_type(&schema)? {
                    DataType::Boolean | DataType::Null => Some(condition.cast_to(&DataType::Boolean, &schema)?),
                    given => return plan_err!("where must be a condition, {text} is {given}"),
                }
            }
            None => None,
        };
        let (good, total) = (count("good", &sql.good)?, count("total", &sql.total)?);
        let all = filter.iter().chain([&good, &total]);
        let columns =
            all.flat_map(|e| e.column_refs().into_iter().map(|c| c.name.clone()).collect::<Vec<_>>()).collect();
        Ok(Expressions { filter, good, total, columns })
    }
}

fn has_aggregate(expression: &Expr) -> Result<bool> {
    expression.exists(|e| Ok(matches!(e, Expr::AggregateFunction(_) | Expr::WindowFunction(_))))
}

/// Whether an expression may have another value another time.
fn changes(expression: &Expr) -> Result<bool> {
    expression.exists(|e| {
        Ok(match e {
            Expr::ScalarFunction(call) => call.func.signature().volatility != Volatility::Immutable,
            Expr::ScalarSubquery(_) | Expr::InSubquery(_) | Expr::Exists(_) => true,
            _ => false,
        })
    })
}

/// With functions such as `coalesce` and `arrow_cast` written as what they stand for: DataFusion has no other way to compute them.
fn simplified(expression: Expr, schema: &DFSchema, session: &dyn Session) -> Result<Expr> {
    let context = SimplifyContext::builder()
        .with_schema(Arc::new(schema.clone()))
        .with_config_options(Arc::clone(session.config().options()))
        .build();
    let written = expression.transform_up(|e| match e {
        Expr::ScalarFunction(ScalarFunction { func, args }) => Ok(match func.simplify(args, &context)? {
            ExprSimplifyResult::Simplified(e) => Transformed::yes(e),
            ExprSimplifyResult::Original(args) => Transformed::no(Expr::ScalarFunction(ScalarFunction { func, args })),
        }),
        other => Ok(Transformed::no(other)),
    })?;
    Ok(written.data)
}

fn physical(
    evaluator: &Evaluator<'_>,
    expressions: &HashMap<usize, Expressions>,
    schema: &Schema,
) -> Result<HashMap<usize, SqlCounts>> {
    let schema = DFSchema::try_from(schema.clone())?;
    // Counts that do not fit are an error, as in every statement.
    let checked = |e: &Expr| simplified(nines_functions::checked(e.clone(), &schema)?, &schema, evaluator.session);
    let physical = |e: &Expr| evaluator.session.create_physical_expr(checked(e)?, &schema);
    let counts = expressions.iter().map(|(&at, e)| {
        let filter = e.filter.as_ref().map(physical).transpose()?;
        Ok((at, SqlCounts { filter, good: physical(&e.good)?, total: physical(&e.total)? }))
    });
    counts.collect()
}

/// Rows of these services, where they are few.
fn of_services(subjects: &[Arc<Subject>]) -> Option<Expr> {
    let services: BTreeSet<&str> = subjects.iter().map(|subject| subject.service.as_ref()).collect();
    let list = services.iter().map(|service| lit(*service)).collect::<Vec<_>>();
    match list.as_slice() {
        [one] => Some(col("service").eq(one.clone())),
        _ if list.len() <= NAMED_SERVICES => Some(col("service").in_list(list, false)),
        _ => None,
    }
}

/// Ranges without gaps, one per partition with these days of its own, that together begin and end with what is wanted.
fn covering(days: &[Vec<i32>], wanted: &Range<i32>) -> Vec<Range<i32>> {
    let starts: Vec<i32> = days.iter().map(|own| own.first().copied().unwrap_or(wanted.end)).collect();
    let start = |at: usize| if at == 0 { starts[0].min(wanted.start) } else { starts[at] };
    let end = |at: usize| if at + 1 == starts.len() { wanted.end.max(starts[at]) } else { starts[at + 1] };
    (0..starts.len()).map(|at| start(at)..end(at)).collect()
}
