//! The scan of a pass: the days, the columns and the services that it needs, and nothing else.

use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_plan::ExecutionPlanProperties;
use nines_store::{ByDay, Snapshot};
use nines_timeline::Interval;

use super::DAY;
use super::columns;
use super::count::CountExec;
use super::evaluator::Evaluator;
use super::expressions::{Counting, Expressions};
use super::inputs::Inputs;
use super::part::{Detail, Split};
use super::subject::Subject;
use super::task::Task;

/// Services of which the scan is told by name; with more, nearly all rows are wanted.
const NAMED_SERVICES: usize = 64;

/// Services for whose rows each row is looked at. With more, pages without a row of any are left out, and other rows are passed over
/// when they are counted: rows of a service stand side by side, so that pages hold few others.
const FEW_SERVICES: usize = 4;

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
    /// The leaf over a table that finds out what is wanted; `None` if nothing is.
    pub fn leaf(&self, inputs: &Inputs, wanted: Wanted) -> Result<Option<CountExec>> {
        let Wanted { subjects, numbers, by_day, split, detail, strict } = wanted;
        let (Some(&first), Some(&last)) = (by_day.keys().min(), by_day.keys().max()) else { return Ok(None) };
        // Samples that may be held, and slices that begin on the day before.
        let before = |subject: &Subject| (subject.hold() + DAY - 1).div_euclid(DAY) as i32 + subject.counted_on(0);
        let lead_in = subjects.iter().map(|subject| before(subject)).max().unwrap_or(0);
        // A day without rows of its own may be one in which samples of an earlier one are held.
        let mut days: Vec<i32> =
            by_day.keys().copied().filter(|day| lead_in > 0 || inputs.hash_of(*day) != 0).collect();
        days.sort_unstable();
        let expressions = Expressions::of(self.session, inputs.kind, &subjects)?;
        let read = expressions.columns();
        let borrowed: Vec<&Subject> = subjects.iter().map(Arc::as_ref).collect();
        let columns = columns::needed(inputs.kind, &borrowed, split, &read);
        let whole = first..last + 1;
        let (scan, ranges) = match &inputs.snapshot {
            Some(snapshot) if !days.is_empty() => {
                let columns: Vec<&str> = columns.iter().map(String::as_str).collect();
                // Rows of other services are counted nowhere.
                let (filter, exact) = match of_services(&subjects) {
                    Some((filter, services)) => (Some(filter), services <= FEW_SERVICES),
                    None => (None, false),
                };
                let found = snapshot.scan_by_day(
                    self.session,
                    &ByDay {
                        days: &days,
                        columns: &columns,
                        filter,
                        exact,
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
            Some(scan) => expressions.planned(self.session, scan.schema().as_ref())?,
            None => Counting::default(),
        };
        let task = Task {
            table: inputs.kind,
            version: inputs.snapshot.as_ref().and_then(Snapshot::version),
            subjects,
            numbers,
            sql,
            wanted: by_day,
            split,
            detail,
            slot: inputs.slot,
            strict,
        };
        Ok(Some(CountExec::new(Arc::new(task), scan, ranges)))
    }
}

/// Rows of these services, where they are few, and how many they are.
fn of_services(subjects: &[Arc<Subject>]) -> Option<(Expr, usize)> {
    let services: BTreeSet<&str> = subjects.iter().map(|subject| subject.service.as_ref()).collect();
    let list = services.iter().map(|service| lit(*service)).collect::<Vec<_>>();
    match list.as_slice() {
        [one] => Some((col("service").eq(one.clone()), 1)),
        _ if list.len() <= NAMED_SERVICES => Some((col("service").in_list(list, false), services.len())),
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
