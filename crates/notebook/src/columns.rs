//! The columns of a result as charts and tables want them: numbers, instants and timelines, whatever Arrow type they
//! come in.

use chrono::NaiveDate;
use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{Array, ArrayRef, AsArray};
use nines_engine::datafusion::arrow::compute::cast;
use nines_engine::datafusion::arrow::datatypes::{DataType, Date32Type, Float64Type, Int64Type, TimeUnit};
use nines_timeline::{Interval, Run, State, normalize, without};

use crate::moment;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Number,
    Time,
    Text,
    Bool,
    Timeline,
    List,
    Struct,
    Other,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Kind::Number => "numbers",
            Kind::Time => "times",
            Kind::Text => "text",
            Kind::Bool => "truth values",
            Kind::Timeline => "timelines",
            Kind::List => "lists",
            Kind::Struct => "structs",
            Kind::Other => "something else",
        }
    }
}

pub(crate) fn kind(data_type: &DataType) -> Kind {
    match data_type {
        DataType::Timestamp(..) | DataType::Date32 | DataType::Date64 => Kind::Time,
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => Kind::Text,
        DataType::Boolean => Kind::Bool,
        DataType::Dictionary(_, values) => kind(values),
        DataType::List(_) | DataType::LargeList(_) | DataType::FixedSizeList(..) => Kind::List,
        DataType::Struct(fields) => {
            let names = ["started", "ended", "slice_seconds", "errors", "no_data", "excluded"];
            match fields.iter().map(|field| field.name().as_str()).eq(names) {
                true => Kind::Timeline,
                false => Kind::Struct,
            }
        }
        _ if data_type.is_numeric() => Kind::Number,
        _ => Kind::Other,
    }
}

/// A column as numbers; what is none is NULL.
pub(crate) fn numbers(array: &dyn Array) -> Vec<Option<f64>> {
    match cast(array, &DataType::Float64) {
        Ok(floats) => floats.as_primitive::<Float64Type>().iter().collect(),
        Err(_) => vec![None; array.len()],
    }
}

/// The years 1 to 9999. What lies beyond stands for "ever"; within, differences do not overflow.
const EVER: std::ops::RangeInclusive<i64> = -62_135_596_800_000_000..=253_402_300_799_999_999;
/// The same in days.
const EVER_DAYS: std::ops::RangeInclusive<i32> = -719_162..=2_932_896;

/// A column as instants in µs; a date is its midnight in the zone, a time without a zone is on the zone's clocks.
pub(crate) fn instants(array: &dyn Array, zone: Tz) -> Vec<Option<i64>> {
    let whole = |array: &dyn Array| match cast(array, &DataType::Int64) {
        Ok(integers) => integers.as_primitive::<Int64Type>().iter().collect(),
        Err(_) => vec![None; array.len()],
    };
    match array.data_type() {
        DataType::Timestamp(unit, stored) => {
            let micros = |value: i64| match unit {
                TimeUnit::Second => value.checked_mul(1_000_000),
                TimeUnit::Millisecond => value.checked_mul(1000),
                TimeUnit::Microsecond => Some(value),
                TimeUnit::Nanosecond => Some(value.div_euclid(1000)),
            };
            let here = |micros: i64| match stored {
                Some(_) => Some(micros),
                None => moment::instant(chrono::DateTime::from_timestamp_micros(micros)?.naive_utc(), zone),
            };
            let at = |value: i64| here(micros(value)?.clamp(*EVER.start(), *EVER.end()));
            whole(array).into_iter().map(|value| at(value?)).collect()
        }
        DataType::Date32 | DataType::Date64 => {
            let Ok(dates) = cast(array, &DataType::Date32) else { return vec![None; array.len()] };
            let midnight = |days: i32| {
                let days = days.clamp(*EVER_DAYS.start(), *EVER_DAYS.end());
                let since = chrono::TimeDelta::days(days.into());
                let date = NaiveDate::from_ymd_opt(1970, 1, 1)?.checked_add_signed(since)?;
                moment::instant(date.and_time(chrono::NaiveTime::MIN), zone)
            };
            dates.as_primitive::<Date32Type>().iter().map(|days| midnight(days?)).collect()
        }
        _ => vec![None; array.len()],
    }
}

/// States over a span: runs in order, what no run covers is ok.
#[derive(Debug, Clone, PartialEq)]
pub struct Runs {
    /// Where it begins, in µs.
    pub from: i64,
    /// Where it ends.
    pub to: i64,
    /// All that is not ok.
    pub runs: Vec<Run>,
}

impl Runs {
    /// When it was ok.
    pub fn ok(&self) -> Vec<Interval> {
        let others = normalize(self.runs.iter().map(nines_timeline::Run::interval).collect());
        without(&[Interval::new(self.from, self.to)], &others)
    }

    /// How long it was in a state other than ok, runs counted as they are.
    pub fn seconds_in(&self, state: State) -> f64 {
        let runs = self.runs.iter().filter(|run| run.state == state);
        runs.map(|run| (run.end - run.start) as f64 / 1e6).sum()
    }
}

/// When several together were in a state, ascending and apart: in error where any is, else ok where any is, else without data where
/// any is, else excluded.
pub(crate) fn united(spans: &[Runs], state: State) -> Vec<Interval> {
    let any = |state: State| -> Vec<Interval> {
        let runs = spans.iter().flat_map(|span| &span.runs).filter(|run| run.state == state);
        match state {
            State::Ok => normalize(spans.iter().flat_map(Runs::ok).collect()),
            State::Error | State::NoData | State::Excluded => {
                normalize(runs.map(nines_timeline::Run::interval).collect())
            }
        }
    };
    let before: &[State] = match state {
        State::Error => &[],
        State::Ok => &[State::Error],
        State::NoData => &[State::Error, State::Ok],
        State::Excluded => &[State::Error, State::Ok, State::NoData],
    };
    before.iter().fold(any(state), |left, stronger| without(&left, &any(*stronger)))
}

/// A column of timelines, `None` for NULL.
pub(crate) fn timelines(array: &dyn Array, zone: Tz) -> Vec<Option<Runs>> {
    let Some(fields) = array.as_struct_opt() else { return vec![None; array.len()] };
    let times = |name: &str| fields.column_by_name(name).map(|column| instants(column, zone)).unwrap_or_default();
    let (starts, ends) = (times("started"), times("ended"));
    let lists = [("errors", State::Error), ("no_data", State::NoData), ("excluded", State::Excluded)];
    let lists = lists.map(|(name, state)| (state, fields.column_by_name(name).map(|list| Intervals::read(list, zone))));
    let timeline = |row: usize| {
        let (from, to) = (starts.get(row).copied()??, ends.get(row).copied()??);
        let mut runs = Vec::new();
        for (state, list) in &lists {
            let intervals = list.iter().flat_map(|list| list.of(row));
            runs.extend(intervals.map(|(start, end)| Run { start, end, state: *state }));
        }
        runs.sort_by_key(|run| run.start);
        Some(Runs { from, to, runs })
    };
    (0..array.len()).map(|row| if array.is_null(row) { None } else { timeline(row) }).collect()
}

/// A list of intervals per row.
struct Intervals {
    offsets: Vec<usize>,
    starts: Vec<Option<i64>>,
    ends: Vec<Option<i64>>,
}

impl Intervals {
    fn read(list: &ArrayRef, zone: Tz) -> Self {
        let (offsets, items): (Vec<usize>, &ArrayRef) = if let Some(list) = list.as_list_opt::<i32>() {
            (list.value_offsets().iter().map(|at| *at as usize).collect(), list.values())
        } else if let Some(list) = list.as_list_opt::<i64>() {
            (list.value_offsets().iter().map(|at| *at as usize).collect(), list.values())
        } else {
            return Intervals { offsets: Vec::new(), starts: Vec::new(), ends: Vec::new() };
        };
        let times = |name: &str| {
            let column = items.as_struct_opt().and_then(|items| items.column_by_name(name));
            column.map(|column| instants(column, zone)).unwrap_or_default()
        };
        Intervals { offsets, starts: times("started"), ends: times("ended") }
    }

    fn of(&self, row: usize) -> impl Iterator<Item = (i64, i64)> + '_ {
        let range = match self.offsets.get(row..row + 2) {
            Some(&[from, to]) => from..to,
            _ => 0..0,
        };
        range.filter_map(|at| self.starts.get(at).copied()?.zip(self.ends.get(at).copied()?))
    }
}

#[cfg(test)]
mod tests {
    use nines_engine::datafusion::arrow::array::{Date32Array, TimestampSecondArray};

    use super::*;

    #[test]
    fn dates_beyond_the_calendar_are_its_ends() {
        for zone in [Tz::UTC, Tz::Asia__Shanghai, Tz::America__New_York] {
            let dates = Date32Array::from(vec![i32::MIN, 0, i32::MAX]);
            let found: Vec<i64> = instants(&dates, zone).into_iter().flatten().collect();
            assert!(found.len() == 3 && found.is_sorted(), "{found:?}");
            let times = TimestampSecondArray::from(vec![-1_000_000_000_000, 1_000_000_000_000]);
            assert!(instants(&times, zone).iter().all(Option::is_some));
        }
    }
}
