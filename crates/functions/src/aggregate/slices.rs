//! The accumulator behind `timeline` and `ratio_timeline`: rows to counts per slice to timelines.

use std::borrow::Borrow;
use std::marker::PhantomData;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Builder, LargeBinaryBuilder, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Int64Type, Schema, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::AccumulatorArgs;
use datafusion::logical_expr::utils::format_state_name;
use datafusion::logical_expr::{ColumnarValue, EmitTo, GroupsAccumulator};
use datafusion::physical_expr::utils::collect_columns;
use datafusion::physical_plan::PhysicalExpr;
use nines_timeline::{Grid, Interval, MICROS, Share};

use super::accumulator::{Fresh, Lasting};
use super::by_run::{ByRun, GroupRun};
use super::function::Aggregate;
use super::slice_counts::SliceCounts;
use crate::arrays::TimelineArrayBuilder;
use crate::types::SLICE_SECONDS;

/// How a row's arguments speak of its slice.
pub(crate) trait Rows: Send + Sync + 'static {
    /// The function's name, for messages.
    const FUNCTION: &'static str;
    /// Number of arguments before `slice_seconds`.
    const LEADING: usize;
    /// Whether the same row twice says no more than once.
    const IDEMPOTENT: bool;

    /// Adds rows. `kept` rows have a time and pass the filter.
    fn update(
        groups: &mut [SliceCounts],
        clock: Clock,
        values: &[ArrayRef],
        kept: impl Fn(usize) -> bool,
        group_of: &[usize],
    ) -> Result<()>;

    /// The same for rows of which none is left out and no value is NULL, run by run: the bytes by which groups grew. `None`: nothing
    /// was added, and rows are to be added one by one.
    fn update_runs(
        _groups: &mut [SliceCounts],
        _clock: &Clock,
        _values: &[ArrayRef],
        _runs: &[GroupRun],
    ) -> Result<Option<usize>> {
        Ok(None)
    }
}

/// The slice width in seconds that a stored `time` column carries.
fn width_of(time: &FieldRef) -> Option<i64> {
    time.metadata().get(SLICE_SECONDS)?.parse().ok()
}

/// One [`SliceCounts`] per group.
pub(crate) struct Slices<R> {
    /// Microseconds.
    width: i64,
    span: Option<Interval>,
    /// Whether a row with NULL is no row at all (IGNORE NULLS); else it extends the span.
    ignore_nulls: bool,
    groups: Vec<SliceCounts>,
    size: usize,
    rows: PhantomData<R>,
}

impl<R: Rows> Fresh for Slices<R> {
    fn fresh(&self) -> Self {
        Slices { ignore_nulls: self.ignore_nulls, ..Slices::new(self.width, self.span) }
    }
}

impl<R: Rows> Lasting for Slices<R> {
    fn results(&mut self) -> Result<ArrayRef> {
        self.timelines(&self.groups)
    }

    fn states(&mut self) -> Result<Vec<ArrayRef>> {
        states(R::FUNCTION, self.groups.iter(), self.size)
    }
}

impl<R: Rows> Aggregate for Slices<R> {
    const IDEMPOTENT: bool = R::IDEMPOTENT;

    /// A call from which the slice width cannot be known.
    fn check(arguments: &[FieldRef]) -> Result<()> {
        if arguments.len() > R::LEADING || arguments.first().and_then(width_of).is_some() {
            return Ok(());
        }
        let function = R::FUNCTION;
        plan_err!(
            "{function}: the slice width is unknown, because time is not a stored time column as it is; \
             give it in seconds: {function}(…, 60)"
        )
    }

    /// Extent, target, and the pages as [`SliceCounts::encode`] writes them.
    fn state_fields(name: &str, _: DataType) -> Vec<FieldRef> {
        let scalar = |part| Field::new(format_state_name(name, part), DataType::Int64, true);
        let fields = [
            scalar("first"),
            scalar("last"),
            scalar("target_numerator"),
            scalar("target_denominator"),
            Field::new(format_state_name(name, "pages"), DataType::LargeBinary, true),
        ];
        fields.into_iter().map(Arc::new).collect()
    }

    fn create(args: &AccumulatorArgs) -> Result<Self> {
        let (function, leading) = (R::FUNCTION, R::LEADING);
        let constant = |at: usize, name: &str| match args.exprs.get(at) {
            Some(expr) => match constant_of(expr, args.schema)? {
                ScalarValue::Int64(value) | ScalarValue::TimestampMicrosecond(value, _) => Ok(value),
                other => plan_err!("{function}: {name} cannot be {other}"),
            },
            None => Ok(None),
        };
        let width = match constant(leading, "slice_seconds")? {
            Some(seconds) => Some(seconds),
            None => args.expr_fields.first().and_then(width_of),
        };
        let width = match width {
            Some(seconds) if (1..=86_400 * 366).contains(&seconds) => seconds * MICROS,
            Some(seconds) => return plan_err!("{function}: slice_seconds must be between 1 and a year, got {seconds}"),
            None => return plan_err!("{function}: slice_seconds is NULL and time is not a stored time column"),
        };
        let span = match (constant(leading + 1, "from")?, constant(leading + 2, "to")?) {
            (Some(from), Some(to)) => Some(Grid::new(0, width).beginning(Interval::new(from, to))),
            (None, None) => None,
            _ => return plan_err!("{function}: from and to go together"),
        };
        Ok(Slices { ignore_nulls: args.ignore_nulls, ..Slices::new(width, span) })
    }
}

impl<R: Rows> Slices<R> {
    fn timelines(&self, groups: &[SliceCounts]) -> Result<ArrayRef> {
        let mut built = TimelineArrayBuilder::default();
        for counts in groups {
            built.append(counts.timeline(R::FUNCTION, self.width, self.span)?.as_ref());
        }
        Ok(Arc::new(built.finish()))
    }
}

impl<R> Slices<R> {
    fn new(width: i64, span: Option<Interval>) -> Self {
        Slices { width, span, ignore_nulls: false, groups: Vec::new(), size: 0, rows: PhantomData }
    }

    fn reserve(&mut self, total_num_groups: usize) {
        self.groups.resize_with(total_num_groups, SliceCounts::default);
    }

    fn measure(&mut self) {
        self.size = self.groups.iter().map(SliceCounts::size).sum();
    }
}

/// Partial states. A group that is given away is freed once it is written: both forms of all groups are never held
/// at once.
fn states(
    function: &str,
    groups: impl ExactSizeIterator<Item = impl Borrow<SliceCounts>>,
    size: usize,
) -> Result<Vec<ArrayRef>> {
    let rows = groups.len();
    let mut numbers: [Int64Builder; 4] = std::array::from_fn(|_| Int64Builder::with_capacity(rows));
    let mut pages = LargeBinaryBuilder::with_capacity(rows, size / 2);
    let mut encoded = Vec::new();
    for counts in groups {
        let counts = counts.borrow();
        counts.check(function)?;
        let (extent, target) = (counts.extent(), counts.target);
        numbers[0].append_option(extent.map(|(first, _)| first));
        numbers[1].append_option(extent.map(|(_, last)| last));
        numbers[2].append_option(target.map(|target| target.numerator() as i64));
        numbers[3].append_option(target.map(|target| target.denominator() as i64));
        encoded.clear();
        counts.encode(&mut encoded);
        pages.append_value(&encoded);
    }
    let numbers = numbers.into_iter().map(|mut column| Arc::new(column.finish()) as ArrayRef);
    Ok(numbers.chain([Arc::new(pages.finish()) as ArrayRef]).collect())
}

/// Instants to slice numbers. The same slice again, or the next one, needs no division.
pub(crate) struct Clock {
    width: i64,
    span: Option<Interval>,
    slice: i64,
    start: i64,
}

impl Clock {
    fn new(width: i64, span: Option<Interval>) -> Self {
        Clock { width, span, slice: 0, start: 0 }
    }

    /// The rows from `from` on whose times follow each other by the width of a slice, as long as all lie in the span or none does: the slice
    /// of the first, `None` outside the span, and the row after the last.
    #[inline]
    pub fn following(&self, times: &[i64], from: usize, end: usize) -> (Option<i64>, usize) {
        let first = times[from];
        // No look beyond where the span begins or ends: these rows are looked at next.
        let rows_until = |at: i64| {
            let slices = (i128::from(at) - i128::from(first) + i128::from(self.width) - 1) / i128::from(self.width);
            from.saturating_add(usize::try_from(slices).unwrap_or(usize::MAX))
        };
        let (inside, end) = match self.span {
            None => (true, end),
            Some(span) if first < span.start => (false, end.min(rows_until(span.start))),
            Some(span) if first < span.end => (true, end.min(rows_until(span.end))),
            Some(_) => (false, end),
        };
        let mut to = from + 1;
        while to < end && times[to].wrapping_sub(times[to - 1]) == self.width {
            to += 1;
        }
        (inside.then(|| first.div_euclid(self.width)), to)
    }

    /// `None` outside the span.
    #[inline]
    pub fn slice(&mut self, time: i64) -> Option<i64> {
        let ahead = time.wrapping_sub(self.start);
        if ahead == self.width {
            self.slice += 1;
            self.start = time;
        } else if ahead < 0 || ahead > self.width {
            self.slice = time.div_euclid(self.width);
            self.start = self.slice.wrapping_mul(self.width);
        }
        match self.span {
            Some(span) => (span.start <= time && time < span.end).then_some(self.slice),
            None => Some(self.slice),
        }
    }
}

/// The value of a constant expression.
fn constant_of(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<ScalarValue> {
    if collect_columns(expr).is_empty()
        && let ColumnarValue::Scalar(value) = expr.evaluate(&RecordBatch::new_empty(Arc::new(schema.clone())))?
    {
        return Ok(value);
    }
    plan_err!("slice_seconds, from and to must be constants, got {expr}")
}

impl<R: Rows> ByRun for Slices<R> {
    fn update_runs(
        &mut self,
        values: &[ArrayRef],
        runs: &[GroupRun],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.reserve(total_num_groups);
        if filter.is_none()
            && values.iter().all(|column| column.null_count() == 0)
            && let Some(grown) = R::update_runs(&mut self.groups, &Clock::new(self.width, self.span), values, runs)?
        {
            self.size += grown;
            return Ok(());
        }
        let group_of: Vec<usize> = runs.iter().flat_map(|run| std::iter::repeat_n(run.group, run.rows.len())).collect();
        self.update_batch(values, &group_of, filter, total_num_groups)
    }

    fn judges_days(&self) -> bool {
        (86_400 * MICROS) % self.width == 0
    }

    fn judge(&mut self) -> Result<()> {
        self.groups.iter_mut().try_for_each(|counts| counts.judge(R::FUNCTION))?;
        self.measure();
        Ok(())
    }
}

impl<R: Rows> GroupsAccumulator for Slices<R> {
    fn update_batch(
        &mut self,
        values: &[ArrayRef],
        group_indices: &[usize],
        filter: Option<&BooleanArray>,
        total_num_groups: usize,
    ) -> Result<()> {
        self.reserve(total_num_groups);
        let times = values[0].as_primitive::<TimestampMicrosecondType>();
        let ignored = |row: usize| self.ignore_nulls && values.iter().any(|column| column.is_null(row));
        let passes = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let kept = |row: usize| times.is_valid(row) && passes(row) && !ignored(row);
        R::update(&mut self.groups, Clock::new(self.width, self.span), values, kept, group_indices)?;
        self.measure();
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef], group_indices: &[usize], total_num_groups: usize) -> Result<()> {
        self.reserve(total_num_groups);
        if group_indices.is_empty() {
            return Ok(());
        }
        let number = |at: usize| states[at].as_primitive::<Int64Type>();
        let (first, last, numerator, denominator) = (number(0), number(1), number(2), number(3));
        let pages = states[4].as_binary::<i64>();
        for (row, &group) in group_indices.iter().enumerate() {
            let counts = &mut self.groups[group];
            if first.is_valid(row) {
                counts.touch(first.value(row));
                counts.touch(last.value(row));
            }
            if denominator.is_valid(row) {
                let (n, d) = (numerator.value(row) as u64, denominator.value(row) as u64);
                if let Some(target) = Share::from_ratio(n, d) {
                    counts.set_target(target, R::FUNCTION)?;
                }
            }
            if pages.is_valid(row) {
                counts.merge(pages.value(row))?;
            }
        }
        self.measure();
        Ok(())
    }

    fn evaluate(&mut self, emit_to: EmitTo) -> Result<ArrayRef> {
        let groups = emit_to.take_needed(&mut self.groups);
        self.measure();
        self.timelines(&groups)
    }

    fn state(&mut self, emit_to: EmitTo) -> Result<Vec<ArrayRef>> {
        let size = self.size;
        let groups = emit_to.take_needed(&mut self.groups);
        self.measure();
        states(R::FUNCTION, groups.into_iter(), size)
    }

    fn convert_to_state(&self, values: &[ArrayRef], filter: Option<&BooleanArray>) -> Result<Vec<ArrayRef>> {
        let rows = values.first().map_or(0, |column| column.len());
        let mut each = self.fresh();
        each.update_batch(values, &(0..rows).collect::<Vec<_>>(), filter, rows)?;
        each.state(EmitTo::All)
    }

    fn size(&self) -> usize {
        self.size + self.groups.capacity() * size_of::<SliceCounts>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of each step, and whether they count, through all of these times.
    fn steps(span: Option<Interval>, times: &[i64]) -> Vec<(Option<i64>, usize)> {
        let clock = Clock::new(60, span);
        let (mut steps, mut from) = (Vec::new(), 0);
        while from < times.len() {
            let (slice, to) = clock.following(times, from, times.len());
            assert!(to > from && to <= times.len());
            steps.push((slice, to));
            from = to;
        }
        steps
    }

    #[test]
    fn what_follows_is_cut_where_the_span_begins_and_ends() {
        let times = [0, 60, 120, 180, 240, 360, 420, -60, 30, 90];
        assert_eq!(steps(None, &times), [(Some(0), 5), (Some(6), 7), (Some(-1), 8), (Some(0), 10)]);
        let span = Some(Interval::new(120, 420));
        assert_eq!(steps(span, &times), [(None, 2), (Some(2), 5), (Some(6), 6), (None, 7), (None, 8), (None, 10)]);
        let cut_within = Some(Interval::new(60, 120));
        assert_eq!(steps(cut_within, &[30, 90, 150, 210]), [(None, 1), (Some(1), 2), (None, 4)]);
        let all = Some(Interval::new(i64::MIN, i64::MAX));
        assert_eq!(steps(all, &[i64::MIN, i64::MAX - 1]).len(), 2);
    }
}
