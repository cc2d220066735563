//! Subjects as Arrow rows, which name what their objectives say by a hash.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int64Array, RecordBatch, StringArray, UInt32Array, UInt64Array,
};
use datafusion::arrow::datatypes::{DataType, Fields, Int64Type, UInt32Type, UInt64Type};
use datafusion::common::{internal_datafusion_err, internal_err};
use datafusion::error::Result;
use nines_slo::Spec;
use nines_store::TableKind;
use nines_timeline::Interval;

use super::message;
use crate::evaluate::{Bound, LimitAt, Subject, definition_hash, hash_of};
use crate::rows::{Lists, column, fields, int64s, lists, numbers, strange, truths};

static STRETCH: LazyLock<Fields> =
    LazyLock::new(|| fields(&[("started", DataType::Int64), ("ended", DataType::Int64)]));
/// `known`: whether there is a limit; `bucketed`: whether it has a bucket.
static LIMIT: LazyLock<Fields> = LazyLock::new(|| {
    fields(&[
        ("started", DataType::Int64),
        ("ended", DataType::Int64),
        ("known", DataType::Boolean),
        ("micros", DataType::Int64),
        ("agreed", DataType::Boolean),
        ("bucketed", DataType::Boolean),
        ("bucket", DataType::Int64),
        ("exact", DataType::Boolean),
    ])
});

/// Subjects with their numbers in the question, and the definitions that they name.
pub(super) fn rows(subjects: &[Arc<Subject>], numbers: &[usize]) -> Result<(Vec<message::Definition>, RecordBatch)> {
    let mut texts: BTreeMap<u64, String> = BTreeMap::new();
    let mut named = Vec::with_capacity(subjects.len());
    // Most subjects share what they say with their neighbours.
    let mut known: HashMap<*const Spec, u64> = HashMap::new();
    for subject in subjects {
        let hash = *known.entry(Arc::as_ptr(&subject.spec)).or_insert_with(|| {
            let text = subject.spec.to_text();
            let hash = hash_of(&text);
            texts.insert(hash, text);
            hash
        });
        named.push(hash);
    }
    let all = subjects.len();
    let text = |of: &dyn Fn(&Subject) -> &str| -> ArrayRef {
        Arc::new(subjects.iter().map(|subject| Some(of(subject))).collect::<StringArray>())
    };
    let whole = |of: &dyn Fn(&Subject) -> i64| int64s(subjects.iter().map(|subject| of(subject)));
    let number = |of: &mut dyn Iterator<Item = usize>| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(of.map(|number| number as u32)))
    };
    let stretches = |of: &dyn Fn(&Subject) -> &[Interval]| {
        let each = || subjects.iter().flat_map(|subject| of(subject));
        let values = vec![int64s(each().map(|at| at.start)), int64s(each().map(|at| at.end))];
        lists(&STRETCH, all, subjects.iter().map(|subject| of(subject).len()), values)
    };
    let limits = || subjects.iter().flat_map(|subject| &subject.limits);
    let bounds = || limits().map(|limit| limit.limit);
    let limits = lists(
        &LIMIT,
        all,
        subjects.iter().map(|subject| subject.limits.len()),
        vec![
            int64s(limits().map(|limit| limit.interval.start)),
            int64s(limits().map(|limit| limit.interval.end)),
            truths(bounds().map(|bound| bound.is_some())),
            int64s(bounds().map(|bound| bound.map_or(0, |bound| bound.micros))),
            truths(bounds().map(|bound| bound.is_some_and(|bound| bound.agreed))),
            truths(bounds().map(|bound| bound.is_some_and(|bound| bound.bucket.is_some()))),
            int64s(bounds().map(|bound| bound.and_then(|bound| bound.bucket).unwrap_or_default().into())),
            truths(bounds().map(|bound| bound.is_some_and(|bound| bound.exact))),
        ],
    )?;
    let rows = RecordBatch::try_from_iter([
        ("number", number(&mut numbers.iter().copied())),
        ("objective", number(&mut subjects.iter().map(|subject| subject.objective))),
        ("name", text(&|subject| &subject.name)),
        ("business", text(&|subject| &subject.business)),
        ("service", text(&|subject| &subject.service)),
        ("definition", Arc::new(UInt64Array::from(named)) as ArrayRef),
        ("said", text(&|subject| &subject.said)),
        ("started", whole(&|subject| subject.in_force.start)),
        ("ended", whole(&|subject| subject.in_force.end)),
        ("first", Arc::new(subjects.iter().map(|subject| subject.first).collect::<Int64Array>()) as ArrayRef),
        ("watermark", whole(&|subject| subject.watermark)),
        ("now", whole(&|subject| subject.now)),
        ("assumed_until", whole(&|subject| subject.assumed_until)),
        ("removed", stretches(&|subject| &subject.removed)?),
        ("excluded", stretches(&|subject| &subject.excluded)?),
        ("lost", stretches(&|subject| &subject.lost)?),
        ("limits", limits),
    ])?;
    let definitions = texts.into_iter().map(|(hash, text)| message::Definition { hash, text }).collect();
    Ok((definitions, rows))
}

/// The subjects that rows are, and their numbers in the question.
pub(super) fn read(
    rows: &RecordBatch,
    definitions: &[message::Definition],
    table: TableKind,
) -> Result<(Vec<Arc<Subject>>, Vec<usize>)> {
    let mut specs: HashMap<u64, (Arc<Spec>, u64)> = HashMap::new();
    for message::Definition { hash, text } in definitions {
        if hash_of(text) != *hash {
            return internal_err!("what an objective says came otherwise than it was sent");
        }
        let spec = Spec::of_text(text);
        let spec = spec.map_err(|error| internal_datafusion_err!("what an objective says cannot be read: {error}"))?;
        let definition = definition_hash(&spec);
        specs.insert(*hash, (Arc::new(spec), definition));
    }
    let text = |name: &str| column(rows, name)?.as_string_opt::<i32>().ok_or_else(|| strange(name));
    let whole = |name: &str| numbers::<Int64Type>(rows, name);
    let (own, objective) = (numbers::<UInt32Type>(rows, "number")?, numbers::<UInt32Type>(rows, "objective")?);
    let (name, business, service, said) = (text("name")?, text("business")?, text("service")?, text("said")?);
    let named = numbers::<UInt64Type>(rows, "definition")?;
    let (started, ended, first) = (whole("started")?, whole("ended")?, whole("first")?);
    let (watermark, now, assumed_until) = (whole("watermark")?, whole("now")?, whole("assumed_until")?);
    let (removed, excluded, lost) =
        (Stretches::of(rows, "removed")?, Stretches::of(rows, "excluded")?, Stretches::of(rows, "lost")?);
    let of_limits = Lists::of(rows, "limits")?;
    let limits = limits(&of_limits)?;
    let subject = |row: usize| {
        let found = specs.get(&named.value(row));
        let (spec, definition) =
            found.ok_or_else(|| internal_datafusion_err!("{} came without what it says", name.value(row)))?;
        Ok(Arc::new(Subject {
            objective: objective.value(row) as usize,
            name: name.value(row).into(),
            business: business.value(row).into(),
            service: service.value(row).into(),
            spec: Arc::clone(spec),
            definition: *definition,
            said: said.value(row).into(),
            table,
            in_force: Interval::new(started.value(row), ended.value(row)),
            first: first.is_valid(row).then(|| first.value(row)),
            watermark: watermark.value(row),
            now: now.value(row),
            assumed_until: assumed_until.value(row),
            removed: removed.of_row(row),
            excluded: excluded.of_row(row),
            lost: lost.of_row(row),
            limits: limits[of_limits.of_row(row)].to_vec(),
        }))
    };
    let subjects = (0..rows.num_rows()).map(subject).collect::<Result<_>>()?;
    Ok((subjects, own.values().iter().map(|number| *number as usize).collect()))
}

/// A column of lists of stretches of time.
struct Stretches<'a> {
    lists: Lists<'a>,
    starts: &'a [i64],
    ends: &'a [i64],
}

impl<'a> Stretches<'a> {
    fn of(rows: &'a RecordBatch, name: &str) -> Result<Self> {
        let lists = Lists::of(rows, name)?;
        Ok(Stretches { starts: lists.int64s("started")?, ends: lists.int64s("ended")?, lists })
    }

    fn of_row(&self, row: usize) -> Vec<Interval> {
        self.lists.of_row(row).map(|at| Interval::new(self.starts[at], self.ends[at])).collect()
    }
}

/// The latency limits of all rows, one after the other.
fn limits(lists: &Lists<'_>) -> Result<Vec<LimitAt>> {
    let (starts, ends, micros) = (lists.int64s("started")?, lists.int64s("ended")?, lists.int64s("micros")?);
    let (known, agreed, exact) = (lists.truths("known")?, lists.truths("agreed")?, lists.truths("exact")?);
    let (bucketed, buckets) = (lists.truths("bucketed")?, lists.int64s("bucket")?);
    let limit = |at: usize| LimitAt {
        interval: Interval::new(starts[at], ends[at]),
        limit: known.value(at).then(|| Bound {
            micros: micros[at],
            agreed: agreed.value(at),
            bucket: bucketed.value(at).then_some(buckets[at] as i32),
            exact: exact.value(at),
        }),
    };
    Ok((0..known.len()).map(limit).collect())
}
