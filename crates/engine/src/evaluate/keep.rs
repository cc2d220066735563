//! What is kept of evaluations: days of objectives in `slo_days`, facts in `slo_facts`.
//!
//! A cache. A row holds whatever its key says that it depends on, so a row whose key is not the one that is expected now is not
//! used, and nothing is ever invalidated. What cannot be read is computed; what cannot be written is computed again. Damage is said.

use std::collections::HashSet;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int64Array, RecordBatch,
    StringViewArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{Date32Type, Decimal128Type, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::logical_expr::{col, lit};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_functions::{TimelineArrayBuilder, TimelineReader};
use nines_slo::Budgeting;
use nines_store::{Once, RATIOS, Store, StoreError, StoreErrorKind, TableKind};
use nines_timeline::Timeline;

use super::common::Read;
use super::evaluator::Evaluator;
use super::exclusions;
use super::inputs::Inputs;
use super::name::{Name, hash_of};
use super::part::Part;
use super::subject::{Between, Subject, touching};
use super::{DAY, EVALUATOR};

/// A row of `slo_facts`.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub fact: &'static str,
    pub subject: String,
    pub period: String,
    pub key: i64,
    pub value: Option<i64>,
    pub text: String,
}

/// Names all that a day of a subject depends on.
pub(crate) fn key(subject: &Subject, inputs: &Inputs, day: i32) -> i64 {
    let of_day = subject.day(day);
    let mut name = Name::default();
    let in_force = (subject.in_force.start.max(of_day.start), subject.in_force.end.min(of_day.end));
    for part in [u64::from(EVALUATOR), inputs.slot as u64, subject.definition, inputs.hash_of(day)] {
        name.add(part);
    }
    if subject.shift() > 0 {
        name.add(inputs.hash_of(day + 1));
    }
    name.interval(in_force);
    // What is not over then is no data.
    name.add(subject.watermark.min(of_day.end) as u64);
    if let Some((no_data, span)) = subject.assumed() {
        let span = (span.start.max(of_day.start), span.end.min(of_day.end));
        name.add(if span.0 < span.1 { 1 + no_data as u64 } else { 0 });
        name.interval(if span.0 < span.1 { span } else { (0, 0) });
    }
    if subject.hold() > 0 {
        let back = ((subject.hold() + DAY - 1) / DAY) as i32;
        name.add(inputs.hash_in(day - back..=day - 1));
        name.add(subject.now.min(of_day.end) as u64);
    }
    for limit in subject.limits.iter().filter(|l| l.interval.start < of_day.end && l.interval.end > of_day.start) {
        name.interval((limit.interval.start.max(of_day.start), limit.interval.end.min(of_day.end)));
        name.add(hash_of(&limit.limit));
    }
    for (kind, intervals) in [(b'x', &subject.removed), (b'l', &subject.lost)] {
        for interval in touching(intervals, of_day) {
            name.add(u64::from(kind));
            name.interval((interval.start.max(of_day.start), interval.end.min(of_day.end)));
        }
    }
    name.get() as i64
}

impl Evaluator<'_> {
    /// Reads the kept days of a range; of these objectives only, if they are few. `None`: none are kept.
    pub async fn days(&self, from: i32, to: i32, objectives: &[&str]) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        const NAMED: usize = 64;
        let date = |day: i32| lit(ScalarValue::Date32(Some(day)));
        let mut filters = vec![col("date").gt_eq(date(from)), col("date").lt_eq(date(to))];
        if objectives.len() <= NAMED {
            filters.push(col("objective").in_list(objectives.iter().map(|name| lit(*name)).collect(), false));
        }
        self.plan(TableKind::SloDays, None, &filters).await
    }
}

/// A batch of `slo_days`, by row.
pub(crate) struct KeptDays<'a> {
    pub objective: &'a StringViewArray,
    pub definition: &'a StringViewArray,
    pub date: &'a Date32Array,
    pub key: &'a Int64Array,
    pub good: &'a Int64Array,
    pub total: &'a Int64Array,
    pub ratio_sum: &'a Float64Array,
    ratios: &'a Decimal128Array,
    assumed: &'a Int64Array,
    last_data: Vec<Option<i64>>,
    sealed: &'a BooleanArray,
    counted_to: &'a Int64Array,
    sure_from: &'a Int64Array,
    timelines: TimelineReader<'a>,
}

/// What a kept day says besides its timeline and its events.
#[derive(Debug, Clone, Copy)]
pub(crate) struct KeptCounts {
    pub ratios: i128,
    pub assumed: i64,
    pub last_data: Option<i64>,
    pub between: Option<Between>,
}

impl<'a> KeptDays<'a> {
    /// `None`: these are not the columns of `slo_days`.
    pub fn new(batch: &'a RecordBatch) -> Option<Self> {
        let number = |name: &str| batch.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        Some(KeptDays {
            objective: exclusions::texts(batch, "objective").ok()?,
            definition: exclusions::texts(batch, "definition").ok()?,
            date: batch.column_by_name("date")?.as_primitive_opt::<Date32Type>()?,
            key: number("key")?,
            good: number("good")?,
            total: number("total")?,
            ratio_sum: batch.column_by_name("ratio_sum")?.as_primitive_opt::<Float64Type>()?,
            ratios: batch.column_by_name("ratios")?.as_primitive_opt::<Decimal128Type>()?,
            assumed: number("assumed")?,
            last_data: exclusions::instants(batch, "last_data").ok()?,
            sealed: batch.column_by_name("sealed")?.as_boolean_opt()?,
            counted_to: number("bound_below")?,
            sure_from: number("bound_above")?,
            timelines: TimelineReader::new(batch.column_by_name("timeline")?).ok()?,
        })
    }

    /// The counts of a row; `None` if it lacks one that the subject needs.
    pub fn counts(&self, row: usize, subject: &Subject) -> Option<KeptCounts> {
        let by_ratio = subject.spec.budgeting == Budgeting::RatioTimeslices;
        let ratios = match self.ratios.is_valid(row) {
            true => self.ratios.value(row),
            // Kept for another method.
            false if by_ratio => return None,
            false => 0,
        };
        let assumed = self.assumed.is_valid(row).then(|| self.assumed.value(row))?;
        let between = self
            .counted_to
            .is_valid(row)
            .then(|| Between { counted_to: self.counted_to.value(row), sure_from: self.sure_from.value(row) });
        let ratios = if by_ratio { ratios } else { 0 };
        Some(KeptCounts { ratios, assumed, last_data: self.last_data[row], between })
    }

    /// What a row says of a piece that is all of its day.
    pub fn part(&self, row: usize, counts: &KeptCounts, timeline: &Timeline, (subject, range): (usize, usize)) -> Part {
        Part {
            subject,
            range,
            interval: timeline.span(),
            runs: timeline.runs().into(),
            good: self.good.value(row),
            total: self.total.value(row),
            ratio_sum: self.ratio_sum.value(row),
            ratios: counts.ratios,
            assumed: counts.assumed,
            last_data: counts.last_data,
            between: counts.between,
            uncounted: false,
            details: None,
        }
    }

    /// Whether a row stays, whatever becomes of the rows from which it was worked out.
    pub fn is_sealed(&self, row: usize) -> bool {
        self.sealed.is_valid(row) && self.sealed.value(row)
    }

    /// The timeline of a row; `None` if it is none.
    pub fn timeline(&self, row: usize) -> Option<Timeline> {
        self.timelines.value(row).ok()?
    }
}

/// A day to be kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct NewDay<'a> {
    pub subject: &'a Subject,
    pub day: i32,
    pub key: i64,
    pub part: &'a Part,
    /// Whether it stays, whatever becomes of the rows.
    pub sealed: bool,
}

/// What names a definition on a day: where it begins within the day, with the second, because only a target may have
/// changed, or it may have been in force before.
fn definition_on(new: &NewDay<'_>) -> String {
    let subject = new.subject;
    let seconds = subject.in_force.start.saturating_sub(subject.day(new.day).start) / nines_timeline::MICROS;
    let named = if new.sealed { subject.lasting_name() } else { subject.definition_name() };
    match seconds {
        1.. => format!("{named}@{seconds}"),
        _ => named,
    }
}

/// The definition without the second.
pub(crate) fn definition_of(name: &str) -> &str {
    name.split_once('@').map_or(name, |(definition, _)| definition)
}

/// Says that what was kept is damaged, where that is why it cannot be read or written.
pub(super) fn said(store: Option<&Store>, error: &(dyn std::error::Error + 'static)) {
    let damaged = StoreError::found_in(error).filter(|found| found.kind() == StoreErrorKind::Corrupt);
    if let Some((store, damaged)) = store.zip(damaged) {
        store.notice(format!("the answer is right, but it had to be computed again and cannot be kept: {damaged}"));
    }
}

/// Keeps days and facts, as far as that can be done; whether it could.
pub(super) async fn keep(
    store: &Store,
    task: &Arc<TaskContext>,
    days: Vec<NewDay<'_>>,
    facts: &[Fact],
    read: &Read,
) -> bool {
    let mut all = true;
    let name = |new: &NewDay<'_>| (Arc::clone(&new.subject.name), new.subject.definition, new.day, new.key);
    let claim = read.common.keeping.claim(days.iter().map(name).collect());
    let days: Vec<NewDay<'_>> = days.into_iter().filter(|new| claim.days.contains(&name(new))).collect();
    tracing::debug!(target: "nines", days = days.len(), facts = facts.len(), "keep");
    // A cache that cannot be written is no reason for a question to fail, nor for the other one not to be.
    for kept in [put(store, task, &[], facts).await, put(store, task, &days, &[]).await] {
        if let Err(why) = kept {
            tracing::warn!(target: "nines", error = %why, "what was evaluated is not kept");
            said(Some(store), &why);
            read.unkept.say(why);
            all = false;
        }
    }
    all
}

/// Keeps days and facts. What cannot be kept is an error.
pub(super) async fn put(
    store: &Store,
    task: &Arc<TaskContext>,
    days: &[NewDay<'_>],
    facts: &[Fact],
) -> crate::Result<()> {
    if !facts.is_empty() {
        append(store, TableKind::SloFacts, fact_rows(facts)?, task).await?;
    }
    if !days.is_empty() {
        append(store, TableKind::SloDays, day_rows(days)?, task).await?;
    }
    Ok(())
}

async fn append(store: &Store, kind: TableKind, rows: RecordBatch, task: &Arc<TaskContext>) -> crate::Result<()> {
    let rows = RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)]));
    store.table(kind).append(Box::pin(rows), Once::default(), Arc::clone(task)).await?;
    Ok(())
}

fn fact_rows(facts: &[Fact]) -> Result<RecordBatch> {
    // The last one counts of those found twice.
    let mut seen = HashSet::new();
    let mut facts: Vec<&Fact> =
        facts.iter().rev().filter(|fact| seen.insert((fact.fact, &fact.subject, &fact.period))).collect();
    facts.reverse();
    let text = |of: &dyn Fn(&Fact) -> String| -> ArrayRef {
        Arc::new(facts.iter().map(|fact| Some(of(fact))).collect::<StringViewArray>())
    };
    Ok(RecordBatch::try_from_iter([
        ("fact", text(&|fact| fact.fact.to_string())),
        ("subject", text(&|fact| fact.subject.clone())),
        ("period", text(&|fact| fact.period.clone())),
        ("key", Arc::new(facts.iter().map(|fact| Some(fact.key)).collect::<Int64Array>()) as ArrayRef),
        ("value", Arc::new(facts.iter().map(|fact| fact.value).collect::<Int64Array>())),
        ("text", text(&|fact| fact.text.clone())),
    ])?)
}

fn day_rows(days: &[NewDay<'_>]) -> Result<RecordBatch> {
    let mut timelines = TimelineArrayBuilder::default();
    for new in days {
        let runs = new.part.runs.to_vec();
        let timeline = Timeline::new(new.part.interval, new.subject.spec.slice, runs);
        let timeline = timeline.map_err(|error| datafusion::common::internal_datafusion_err!("{error}"))?;
        timelines.append(Some(&timeline));
    }
    let by_ratio = |new: &NewDay<'_>| new.subject.spec.budgeting == Budgeting::RatioTimeslices;
    let ratios = days.iter().map(|new| by_ratio(new).then_some(new.part.ratios)).collect::<Decimal128Array>();
    let last_data = days.iter().map(|new| new.part.last_data).collect::<TimestampMicrosecondArray>();
    let between = |of: &dyn Fn(Between) -> i64| -> ArrayRef {
        Arc::new(days.iter().map(|new| new.part.between.map(of)).collect::<Int64Array>())
    };
    let number = |of: &dyn Fn(&NewDay<'_>) -> i64| -> ArrayRef {
        Arc::new(days.iter().map(of).map(Some).collect::<Int64Array>())
    };
    let text = |of: &dyn Fn(&NewDay<'_>) -> String| -> ArrayRef {
        Arc::new(days.iter().map(|new| Some(of(new))).collect::<StringViewArray>())
    };
    Ok(RecordBatch::try_from_iter([
        ("objective", text(&|new| new.subject.name.to_string())),
        ("definition", text(&definition_on)),
        ("date", Arc::new(days.iter().map(|new| Some(new.day)).collect::<Date32Array>()) as ArrayRef),
        ("key", number(&|new| new.key)),
        ("timeline", Arc::new(timelines.finish())),
        ("good", number(&|new| new.part.good)),
        ("total", number(&|new| new.part.total)),
        ("ratio_sum", Arc::new(days.iter().map(|new| Some(new.part.ratio_sum)).collect::<Float64Array>())),
        ("approximate", Arc::new(days.iter().map(|new| Some(new.part.between.is_some())).collect::<BooleanArray>())),
        ("ratios", Arc::new(ratios.with_precision_and_scale(RATIOS.0, RATIOS.1)?)),
        ("assumed", number(&|new| new.part.assumed)),
        ("bound_below", between(&|between| between.counted_to)),
        ("bound_above", between(&|between| between.sure_from)),
        ("last_data", Arc::new(last_data.with_timezone(nines_store::UTC))),
        ("sealed", Arc::new(days.iter().map(|new| new.sealed.then_some(true)).collect::<BooleanArray>())),
    ])?)
}
