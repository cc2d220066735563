//! The expressions of `nines/sql` indicators: each is planned once, and evaluated once for the rows of each service.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, prep_null_mask_filter};
use datafusion::arrow::datatypes::{DataType, Int64Type, Schema};
use datafusion::catalog::Session;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, internal_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{Expr, ExprSchemable, Volatility};
use datafusion::physical_plan::PhysicalExpr;
use nines_slo::{Indicator, SqlIndicator};
use nines_store::TableKind;

use super::columns::{Columns, SERVICE};
use super::subject::Subject;

/// An expression, and the services for whose rows it is evaluated.
type OfServices = (Expression, Vec<Arc<str>>);

/// The expressions of subjects of one table.
#[derive(Debug)]
pub(crate) struct Expressions {
    /// Each that differs from the others.
    all: Vec<OfServices>,
    /// By place of a subject: which expression, and which of its services.
    of: HashMap<usize, (usize, usize)>,
}

impl Expressions {
    /// The session is evaluation's.
    pub fn of(session: &dyn Session, table: TableKind, subjects: &[Arc<Subject>]) -> Result<Self> {
        let (mut all, mut of): (Vec<OfServices>, _) = (Vec::new(), HashMap::new());
        let mut known: HashMap<&SqlIndicator, usize> = HashMap::new();
        for (at, subject) in subjects.iter().enumerate() {
            let Indicator::Sql(sql) = &subject.spec.indicator else { continue };
            let number = match known.get(sql) {
                Some(number) => *number,
                None => {
                    let state = session.as_any().downcast_ref::<SessionState>();
                    let state = state.ok_or_else(|| internal_datafusion_err!("an evaluation has another session"))?;
                    all.push((Expression::new(state, table, sql)?, Vec::new()));
                    *known.entry(sql).or_insert(all.len() - 1)
                }
            };
            let services = &mut all[number].1;
            let service = services.iter().position(|service| *service == subject.service);
            let service = service.unwrap_or_else(|| {
                services.push(Arc::clone(&subject.service));
                services.len() - 1
            });
            of.insert(at, (number, service));
        }
        Ok(Expressions { all, of })
    }

    /// The columns that they read.
    pub fn columns(&self) -> BTreeSet<String> {
        self.all.iter().flat_map(|(expression, _)| &expression.columns).cloned().collect()
    }

    /// The same over columns as they are read.
    pub fn planned(&self, session: &dyn Session, schema: &Schema) -> Result<Counting> {
        let schema = DFSchema::try_from(schema.clone())?;
        // Counts that do not fit are an error, as in every statement.
        let checked = |e: &Expr| simplified(nines_functions::checked(e.clone(), &schema)?, &schema, session);
        let physical = |e: &Expr| session.create_physical_expr(checked(e)?, &schema);
        let (mut all, mut firsts) = (Vec::new(), Vec::new());
        for (Expression { filter, good, total, .. }, services) in &self.all {
            let filter = filter.as_ref().map(physical).transpose()?;
            let counts = Counts { filter, good: physical(good)?, total: physical(total)? };
            firsts.push(all.len());
            all.extend(services.iter().map(|service| (Arc::clone(service), counts.clone())));
        }
        let of = self.of.iter().map(|(at, (number, service))| (*at, firsts[*number] + service)).collect();
        Ok(Counting { all, of })
    }
}

/// The expressions of an indicator over the columns that are read.
#[derive(Debug, Clone)]
struct Counts {
    filter: Option<Arc<dyn PhysicalExpr>>,
    good: Arc<dyn PhysicalExpr>,
    total: Arc<dyn PhysicalExpr>,
}

/// What is evaluated of each batch of rows.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    /// Of which service.
    all: Vec<(Arc<str>, Counts)>,
    /// Which of them a subject counts by, by place.
    of: HashMap<usize, usize>,
}

/// What the rows of a batch count.
pub(super) struct Counted<'a> {
    /// By number of [`Counting::all`], from the first row of the service on.
    all: Vec<Option<(usize, Vec<[i64; 2]>)>>,
    of: &'a HashMap<usize, usize>,
}

impl Counted<'_> {
    /// What the rows count for a subject.
    pub fn of(&self, subject: usize) -> CountedOf<'_> {
        let counts = self.of.get(&subject).and_then(|number| self.all.get(*number)?.as_ref());
        counts.map_or(CountedOf { first: 0, counts: &[] }, |(first, counts)| CountedOf { first: *first, counts })
    }
}

/// The same for one subject.
#[derive(Clone, Copy)]
pub(super) struct CountedOf<'a> {
    first: usize,
    counts: &'a [[i64; 2]],
}

impl CountedOf<'_> {
    /// (good, total) of a row; (0, 0) where the condition does not hold.
    #[inline]
    pub fn row(&self, row: usize) -> [i64; 2] {
        row.checked_sub(self.first).and_then(|at| self.counts.get(at)).copied().unwrap_or_default()
    }
}

impl Counting {
    /// Evaluates the expressions, each over the rows of its service alone for which its condition holds: on others it may fail.
    pub(super) fn evaluate(&self, batch: &RecordBatch, columns: &Columns<'_>) -> Result<Counted<'_>> {
        let mut all = Vec::with_capacity(self.all.len());
        if !self.all.is_empty() {
            let stretches = stretches(columns, batch.num_rows());
            let mut chosen: HashMap<&str, RecordBatch> = HashMap::new();
            for (service, counts) in &self.all {
                let Some(stretches) = stretches.get(service.as_ref()) else {
                    all.push(None);
                    continue;
                };
                let rows = match chosen.get(service.as_ref()) {
                    Some(rows) => rows,
                    None => {
                        let rows = rows_of(batch, stretches)?;
                        chosen.entry(service).or_insert(rows)
                    }
                };
                all.push(Some(counts.evaluate(rows, stretches)?));
            }
        }
        Ok(Counted { all, of: &self.of })
    }
}

impl Counts {
    /// (good, total) from the first row of some stretches of a batch on.
    fn evaluate(&self, rows: &RecordBatch, stretches: &[Range<usize>]) -> Result<(usize, Vec<[i64; 2]>)> {
        let first = stretches.first().map_or(0, |stretch| stretch.start);
        let end = stretches.last().map_or(first, |stretch| stretch.end);
        let mut counts = vec![[0; 2]; end - first];
        let places = stretches.iter().cloned().flatten().map(|row| row - first);
        let numbers = |rows: &RecordBatch| -> Result<Vec<[i64; 2]>> {
            let of = |expression: &Arc<dyn PhysicalExpr>| expression.evaluate(rows)?.into_array(rows.num_rows());
            let (good, total) = (of(&self.good)?, of(&self.total)?);
            let pairs = good.as_primitive::<Int64Type>().iter().zip(total.as_primitive::<Int64Type>());
            Ok(pairs.map(|(good, total)| [good.unwrap_or(0), total.unwrap_or(0)]).collect())
        };
        match &self.filter {
            None => places.zip(numbers(rows)?).for_each(|(place, count)| counts[place] = count),
            Some(filter) => {
                let kept = filter.evaluate(rows)?.into_array(rows.num_rows())?;
                let kept = kept.as_boolean();
                // What is NULL is not kept; where nothing is, there is nothing to mask.
                let kept = if kept.null_count() > 0 { prep_null_mask_filter(kept) } else { kept.clone() };
                let places = places.enumerate().filter(|(at, _)| kept.value(*at)).map(|(_, place)| place);
                let found = numbers(&filter_record_batch(rows, &kept)?)?;
                places.zip(found).for_each(|(place, count)| counts[place] = count);
            }
        }
        Ok((first, counts))
    }
}

/// Where the rows of each service lie.
fn stretches<'a>(columns: &'a Columns<'_>, rows: usize) -> HashMap<&'a str, Vec<Range<usize>>> {
    let mut found: HashMap<&str, Vec<Range<usize>>> = HashMap::new();
    let mut start = 0;
    while start < rows {
        let service = columns.text(SERVICE, start);
        let mut end = start + 1;
        while end < rows && (columns.same_key(end - 1, end) || columns.text(SERVICE, end) == service) {
            end += 1;
        }
        found.entry(service).or_default().push(start..end);
        start = end;
    }
    found
}

fn rows_of(batch: &RecordBatch, stretches: &[Range<usize>]) -> Result<RecordBatch> {
    let slices: Vec<RecordBatch> = stretches.iter().map(|rows| batch.slice(rows.start, rows.len())).collect();
    match slices.as_slice() {
        [one] => Ok(one.clone()),
        slices => Ok(concat_batches(batch.schema_ref(), slices)?),
    }
}

/// The parsed expressions of a `nines/sql` indicator, made whole numbers and truth values.
#[derive(Debug)]
pub(crate) struct Expression {
    filter: Option<Expr>,
    good: Expr,
    total: Expr,
    columns: BTreeSet<String>,
}

impl Expression {
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
        Ok(Expression { filter, good, total, columns })
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
