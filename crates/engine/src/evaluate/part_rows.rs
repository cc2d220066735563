//! Parts as Arrow rows: how they go from those who count to those who add up, in this process or from another one.

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray,
    UInt8Array, UInt32Array,
};
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Field, Fields, Float64Type, Int64Type, Schema, SchemaRef, UInt8Type, UInt32Type,
};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use nines_timeline::{Interval, Run, State};

use super::part::{Culprit, Details, Part, Slice};
use super::subject::Between;
use crate::rows::{Lists, column, fields, int64s, list_of, lists, numbers, strange, texts, truths};

/// The sums of ratios, in units of their own.
const RATIOS: DataType = DataType::Decimal128(38, 0);

static RUN: LazyLock<Fields> =
    LazyLock::new(|| fields(&[("started", DataType::Int64), ("ended", DataType::Int64), ("state", DataType::UInt8)]));
static SLICE: LazyLock<Fields> = LazyLock::new(|| {
    fields(&[
        ("started", DataType::Int64),
        ("good", DataType::Int64),
        ("total", DataType::Int64),
        ("state", DataType::UInt8),
        ("approximate", DataType::Boolean),
    ])
});
static CULPRIT: LazyLock<Fields> = LazyLock::new(|| {
    fields(&[
        ("endpoint", DataType::Utf8),
        ("cause", DataType::Utf8),
        ("slice", DataType::Int64),
        ("bad", DataType::Int64),
        ("decisive", DataType::Boolean),
    ])
});
static EVENTS: LazyLock<Fields> = LazyLock::new(|| fields(&[("good", DataType::Int64), ("total", DataType::Int64)]));

static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| {
    let of = |name: &str, kind: DataType| Field::new(name, kind, false);
    let maybe = |name: &str, kind: DataType| Field::new(name, kind, true);
    Arc::new(Schema::new(vec![
        of("subject", DataType::UInt32),
        // Of rows that are no parts: what the rows of a subject carried.
        maybe("business", DataType::Utf8),
        of("range", DataType::UInt32),
        of("started", DataType::Int64),
        of("ended", DataType::Int64),
        of("runs", list_of(&RUN)),
        of("good", DataType::Int64),
        of("total", DataType::Int64),
        of("ratio_sum", DataType::Float64),
        of("ratios", RATIOS),
        of("assumed", DataType::Int64),
        maybe("last_data", DataType::Int64),
        maybe("counted_to", DataType::Int64),
        maybe("sure_from", DataType::Int64),
        of("uncounted", DataType::Boolean),
        of("detailed", DataType::Boolean),
        of("slices", list_of(&SLICE)),
        of("culprits", list_of(&CULPRIT)),
        of("events", list_of(&EVENTS)),
    ]))
});

/// The columns of [`rows`].
pub(crate) fn schema() -> SchemaRef {
    Arc::clone(&SCHEMA)
}

/// Parts, and behind them the businesses that rows of subjects carried.
pub(super) fn rows(parts: &[Part], carried: &[(usize, Arc<str>)]) -> Result<RecordBatch> {
    let (all, rest) = (parts.len() + carried.len(), carried.len());
    let whole = |of: fn(&Part) -> i64| -> ArrayRef {
        Arc::new(Int64Array::from_iter_values(parts.iter().map(of).chain(std::iter::repeat_n(0, rest))))
    };
    let maybe = |of: fn(&Part) -> Option<i64>| -> ArrayRef {
        Arc::new(Int64Array::from_iter(parts.iter().map(of).chain(std::iter::repeat_n(None, rest))))
    };
    let truth = |of: fn(&Part) -> bool| -> ArrayRef {
        Arc::new(BooleanArray::from_iter(
            parts.iter().map(|part| Some(of(part))).chain(std::iter::repeat_n(Some(false), rest)),
        ))
    };
    let subjects = parts.iter().map(|part| part.subject).chain(carried.iter().map(|(subject, _)| *subject));
    let businesses =
        std::iter::repeat_n(None, parts.len()).chain(carried.iter().map(|(_, business)| Some(business.as_ref())));
    let ranges = parts.iter().map(|part| part.range as u32).chain(std::iter::repeat_n(0, rest));
    let ratio_sums = parts.iter().map(|part| part.ratio_sum).chain(std::iter::repeat_n(0.0, rest));
    let ratios = parts.iter().map(|part| part.ratios).chain(std::iter::repeat_n(0, rest));
    let runs = || parts.iter().flat_map(|part| &part.runs);
    let slices = || parts.iter().flat_map(Part::slices);
    let culprits = || parts.iter().flat_map(Part::culprits);
    let events = || parts.iter().flat_map(Part::events);
    let columns: Vec<ArrayRef> = vec![
        Arc::new(UInt32Array::from_iter_values(subjects.map(|subject| subject as u32))),
        Arc::new(businesses.collect::<StringArray>()),
        Arc::new(UInt32Array::from_iter_values(ranges)),
        whole(|part| part.interval.start),
        whole(|part| part.interval.end),
        lists(
            &RUN,
            all,
            parts.iter().map(|part| part.runs.len()),
            vec![
                int64s(runs().map(|run| run.start)),
                int64s(runs().map(|run| run.end)),
                states(runs().map(|run| run.state)),
            ],
        )?,
        whole(|part| part.good),
        whole(|part| part.total),
        Arc::new(Float64Array::from_iter_values(ratio_sums)),
        Arc::new(Decimal128Array::from_iter_values(ratios).with_data_type(RATIOS)),
        whole(|part| part.assumed),
        maybe(|part| part.last_data),
        maybe(|part| part.between.map(|between| between.counted_to)),
        maybe(|part| part.between.map(|between| between.sure_from)),
        truth(|part| part.uncounted),
        truth(|part| part.details.is_some()),
        lists(
            &SLICE,
            all,
            parts.iter().map(|part| part.slices().len()),
            vec![
                int64s(slices().map(|slice| slice.start)),
                int64s(slices().map(|slice| slice.good)),
                int64s(slices().map(|slice| slice.total)),
                states(slices().map(|slice| slice.state)),
                truths(slices().map(|slice| slice.approximate)),
            ],
        )?,
        lists(
            &CULPRIT,
            all,
            parts.iter().map(|part| part.culprits().len()),
            vec![
                texts(culprits().map(|culprit| culprit.endpoint.as_ref())),
                texts(culprits().map(|culprit| culprit.cause.as_ref())),
                int64s(culprits().map(|culprit| culprit.slice)),
                int64s(culprits().map(|culprit| culprit.bad)),
                truths(culprits().map(|culprit| culprit.decisive)),
            ],
        )?,
        lists(
            &EVENTS,
            all,
            parts.iter().map(|part| part.events().len()),
            vec![int64s(events().map(|[good, _]| *good)), int64s(events().map(|[_, total]| *total))],
        )?,
    ];
    Ok(RecordBatch::try_new(schema(), columns)?)
}

/// What the last rows of a batch say of the businesses that rows of subjects carried.
pub(super) fn carried(rows: &RecordBatch) -> Result<Vec<(usize, Arc<str>)>> {
    let businesses = column(rows, "business")?.as_string_opt::<i32>().ok_or_else(|| strange("business"))?;
    if businesses.null_count() == businesses.len() {
        return Ok(Vec::new());
    }
    let subjects = numbers::<UInt32Type>(rows, "subject")?;
    let said = (0..rows.num_rows()).filter(|&row| businesses.is_valid(row));
    Ok(said.map(|row| (subjects.value(row) as usize, businesses.value(row).into())).collect())
}

/// The parts that rows are.
pub(super) fn parts(rows: &RecordBatch) -> Result<Vec<Part>> {
    let (subjects, ranges) = (numbers::<UInt32Type>(rows, "subject")?, numbers::<UInt32Type>(rows, "range")?);
    let whole = |name: &str| numbers::<Int64Type>(rows, name);
    let (started, ended) = (whole("started")?, whole("ended")?);
    let (good, total, assumed) = (whole("good")?, whole("total")?, whole("assumed")?);
    let (last_data, counted_to, sure_from) = (whole("last_data")?, whole("counted_to")?, whole("sure_from")?);
    let ratio_sum = numbers::<Float64Type>(rows, "ratio_sum")?;
    let ratios = numbers::<Decimal128Type>(rows, "ratios")?;
    let truth = |name: &str| column(rows, name)?.as_boolean_opt().ok_or_else(|| strange(name));
    let (uncounted, detailed) = (truth("uncounted")?, truth("detailed")?);
    let (runs, slices) = (Lists::of(rows, "runs")?, Lists::of(rows, "slices")?);
    let (culprits, events) = (Lists::of(rows, "culprits")?, Lists::of(rows, "events")?);
    let (run_starts, run_ends, run_states) =
        (runs.int64s("started")?, runs.int64s("ended")?, runs.numbers::<UInt8Type>("state")?.values());
    let (slice_starts, slice_states) = (slices.int64s("started")?, slices.numbers::<UInt8Type>("state")?.values());
    let (slice_goods, slice_totals) = (slices.int64s("good")?, slices.int64s("total")?);
    let approximate = slices.truths("approximate")?;
    let (endpoints, causes) = (culprits.texts("endpoint")?, culprits.texts("cause")?);
    let (culprit_slices, bads) = (culprits.int64s("slice")?, culprits.int64s("bad")?);
    let decisive = culprits.truths("decisive")?;
    let (goods, totals) = (events.int64s("good")?, events.int64s("total")?);
    let mut found = Vec::with_capacity(rows.num_rows());
    for row in 0..rows.num_rows() {
        let known = |column: &Int64Array| column.is_valid(row).then(|| column.value(row));
        let run = |at: usize| Ok(Run { start: run_starts[at], end: run_ends[at], state: state(run_states[at])? });
        let slice = |at: usize| {
            Ok(Slice {
                start: slice_starts[at],
                good: slice_goods[at],
                total: slice_totals[at],
                state: state(slice_states[at])?,
                approximate: approximate.value(at),
            })
        };
        let culprit = |at: usize| Culprit {
            endpoint: endpoints.value(at).into(),
            cause: causes.value(at).into(),
            slice: culprit_slices[at],
            bad: bads[at],
            decisive: decisive.value(at),
        };
        let details = match detailed.value(row) {
            true => Some(Box::new(Details::new(
                slices.of_row(row).map(slice).collect::<Result<_>>()?,
                culprits.of_row(row).map(culprit).collect(),
                events.of_row(row).map(|at| [goods[at], totals[at]]).collect(),
            ))),
            false => None,
        };
        found.push(Part {
            subject: subjects.value(row) as usize,
            range: ranges.value(row) as usize,
            interval: Interval::new(started.value(row), ended.value(row)),
            runs: runs.of_row(row).map(run).collect::<Result<_>>()?,
            good: good.value(row),
            total: total.value(row),
            ratio_sum: ratio_sum.value(row),
            ratios: ratios.value(row),
            assumed: assumed.value(row),
            last_data: known(last_data),
            between: known(counted_to)
                .zip(known(sure_from))
                .map(|(counted_to, sure_from)| Between { counted_to, sure_from }),
            uncounted: uncounted.value(row),
            details,
        });
    }
    Ok(found)
}

fn states(values: impl Iterator<Item = State>) -> ArrayRef {
    Arc::new(UInt8Array::from_iter_values(values.map(|state| match state {
        State::Ok => 0,
        State::Error => 1,
        State::NoData => 2,
        State::Excluded => 3,
    })))
}

fn state(number: u8) -> Result<State> {
    match number {
        0 => Ok(State::Ok),
        1 => Ok(State::Error),
        2 => Ok(State::NoData),
        3 => Ok(State::Excluded),
        other => Err(internal_datafusion_err!("no state of a slice is called {other}")),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn state() -> impl Strategy<Value = State> {
        prop_oneof![Just(State::Ok), Just(State::Error), Just(State::NoData), Just(State::Excluded)]
    }

    fn text() -> impl Strategy<Value = Arc<str>> {
        "\\PC{0,8}".prop_map(Into::into)
    }

    fn details() -> impl Strategy<Value = Details> {
        let slice = (any::<i64>(), any::<i64>(), any::<i64>(), state(), any::<bool>())
            .prop_map(|(start, good, total, state, approximate)| Slice { start, good, total, state, approximate });
        let culprit = (text(), text(), any::<i64>(), any::<i64>(), any::<bool>())
            .prop_map(|(endpoint, cause, slice, bad, decisive)| Culprit { endpoint, cause, slice, bad, decisive });
        let vec = prop::collection::vec::<BoxedStrategy<Slice>>;
        (vec(slice.boxed(), 0..4), prop::collection::vec(culprit, 0..4), prop::collection::vec(any::<[i64; 2]>(), 0..4))
            .prop_map(|(slices, culprits, events)| Details::new(slices, culprits, events))
    }

    fn part() -> impl Strategy<Value = Part> {
        let run = (any::<i64>(), any::<i64>(), state()).prop_map(|(start, end, state)| Run { start, end, state });
        let between =
            (any::<i64>(), any::<i64>()).prop_map(|(counted_to, sure_from)| Between { counted_to, sure_from });
        let numbers = (any::<i64>(), any::<i64>(), any::<f64>(), -(10i128.pow(37))..10i128.pow(37), any::<i64>());
        let place = (0usize..1 << 20, 0usize..9, any::<i32>(), 0..i64::from(u32::MAX));
        let rest = (prop::option::of(any::<i64>()), prop::option::of(between), any::<bool>());
        (place, prop::collection::vec(run, 0..5), numbers, rest, prop::option::of(details())).prop_map(
            |((subject, range, start, width), runs, (good, total, ratio_sum, ratios, assumed), rest, details)| Part {
                subject,
                range,
                interval: Interval::new(i64::from(start), i64::from(start) + width),
                runs: runs.into(),
                good,
                total,
                ratio_sum,
                ratios,
                assumed,
                last_data: rest.0,
                between: rest.1,
                uncounted: rest.2,
                details: details.map(Box::new),
            },
        )
    }

    proptest! {
        #[test]
        fn parts_are_the_same_after_they_were_rows(
            all in prop::collection::vec(part(), 0..20),
            businesses in prop::collection::vec((0usize..9, text()), 0..4),
            cut in any::<prop::sample::Index>(),
        ) {
            let told = |parts: &[Part]| parts.iter().map(|part| format!("{part:?}")).collect::<Vec<_>>();
            let written = rows(&all, &businesses).unwrap();
            prop_assert_eq!(written.num_rows(), all.len() + businesses.len());
            prop_assert_eq!(&carried(&written).unwrap(), &businesses);
            let read = parts(&written.slice(0, all.len())).unwrap();
            prop_assert_eq!(told(&read), told(&all));
            // As they are sent: a stretch of a batch.
            let from = cut.index(all.len() + 1);
            let read = parts(&written.slice(from, all.len() - from)).unwrap();
            prop_assert_eq!(told(&read), told(&all[from..]));
        }
    }
}
