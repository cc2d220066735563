//! Leaves: whose slices of which days are counted, over a scan that DataFusion writes.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, UInt32Array};
use datafusion::arrow::datatypes::{Int64Type, UInt32Type};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::common::{internal_err, plan_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::{ExecutionPlan, ExecutionPlanProperties};
use nines_store::TableKind;
use nines_timeline::Interval;

use super::{message, subjects};
use crate::evaluate::{CountExec, Counting, Detail, Evaluation, Expressions, Read, Split, Task};
use crate::rows::{int64s, numbers};

/// What is written of a leaf; its scan is its child.
pub(super) fn message(leaf: &CountExec, store: &str) -> Result<message::Count> {
    let task = leaf.task.as_ref();
    let (definitions, rows) = subjects::rows(&task.subjects, &task.numbers)?;
    let details = match task.detail {
        Detail::None => message::Details::None,
        Detail::Slices => message::Details::Slices,
        Detail::Culprits => message::Details::Culprits,
        Detail::Events { of_all: false } => message::Details::Events,
        Detail::Events { of_all: true } => message::Details::EventsOfAll,
    };
    Ok(message::Count {
        store: store.to_string(),
        table: task.table.name().to_string(),
        version: task.version,
        slot: task.slot,
        strict: task.strict,
        apart: match task.split {
            Split::Needed => false,
            Split::Culprits => true,
        },
        details: details.into(),
        definitions,
        subjects: bytes(&rows)?,
        wanted: bytes(&wanted_rows(&task.wanted)?)?,
        days: leaf.days().iter().map(|days| message::Days { start: days.start, end: days.end }).collect(),
    })
}

/// The leaf over its scan.
pub(super) fn read(
    count: &message::Count,
    inputs: &[Arc<dyn ExecutionPlan>],
    context: &TaskContext,
    known: &Read,
) -> Result<CountExec> {
    let table = TableKind::from_name(&count.table);
    let table = table.ok_or_else(|| plan_datafusion_err!("this version of nines knows no table {}", count.table))?;
    let detail = match message::Details::try_from(count.details) {
        Ok(message::Details::None) => Detail::None,
        Ok(message::Details::Slices) => Detail::Slices,
        Ok(message::Details::Culprits) => Detail::Culprits,
        Ok(message::Details::Events) => Detail::Events { of_all: false },
        Ok(message::Details::EventsOfAll) => Detail::Events { of_all: true },
        Err(error) => return internal_err!("details of a leaf cannot be read: {error}"),
    };
    let (subjects, numbers) = subjects::read(&rows(&count.subjects)?, &count.definitions, table)?;
    let scan = match inputs {
        [] => None,
        [scan] => Some(Arc::clone(scan)),
        more => return internal_err!("a leaf has one scan, not {}", more.len()),
    };
    let evaluation = Evaluation::with(context.session_config(), &context.runtime_env(), known)?;
    let sql = match &scan {
        Some(scan) => {
            let expressions = Expressions::of(evaluation.state(), table, &subjects)?;
            expressions.planned(evaluation.state(), scan.schema().as_ref())?
        }
        None => Counting::default(),
    };
    let task = Task {
        table,
        version: count.version,
        subjects,
        numbers,
        sql,
        wanted: wanted(&rows(&count.wanted)?)?,
        split: if count.apart { Split::Culprits } else { Split::Needed },
        detail,
        slot: count.slot,
        strict: count.strict,
    };
    let days: Vec<_> = count.days.iter().map(|days| days.start..days.end).collect();
    if let Some(scan) = scan.as_ref().filter(|scan| scan.output_partitioning().partition_count() != days.len()) {
        let partitions = scan.output_partitioning().partition_count();
        return internal_err!("a leaf answers for {} runs of days, and its scan has {partitions}", days.len());
    }
    Ok(CountExec::new(Arc::new(task), scan, days))
}

type Wanted = HashMap<i32, Vec<(usize, usize, Interval)>>;

/// What is wanted, by day. The order within a day is that in which its parts come out.
fn wanted_rows(wanted: &Wanted) -> Result<RecordBatch> {
    let mut days: Vec<i32> = wanted.keys().copied().collect();
    days.sort_unstable();
    let all = || days.iter().flat_map(|day| wanted[day].iter().map(move |of| (*day, of)));
    let number = |of: &mut dyn Iterator<Item = usize>| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(of.map(|number| number as u32)))
    };
    Ok(RecordBatch::try_from_iter([
        ("day", int64s(all().map(|(day, _)| i64::from(day)))),
        ("subject", number(&mut all().map(|(_, (subject, ..))| *subject))),
        ("range", number(&mut all().map(|(_, (_, range, _))| *range))),
        ("started", int64s(all().map(|(_, (.., interval))| interval.start))),
        ("ended", int64s(all().map(|(_, (.., interval))| interval.end))),
    ])?)
}

fn wanted(rows: &RecordBatch) -> Result<Wanted> {
    let (subjects, ranges) = (numbers::<UInt32Type>(rows, "subject")?, numbers::<UInt32Type>(rows, "range")?);
    let days = numbers::<Int64Type>(rows, "day")?;
    let (starts, ends) = (numbers::<Int64Type>(rows, "started")?, numbers::<Int64Type>(rows, "ended")?);
    let mut wanted = Wanted::new();
    for row in 0..rows.num_rows() {
        let interval = Interval::new(starts.value(row), ends.value(row));
        let of_day = wanted.entry(days.value(row) as i32).or_default();
        of_day.push((subjects.value(row) as usize, ranges.value(row) as usize, interval));
    }
    Ok(wanted)
}

/// Rows as a stream of Arrow's IPC format.
fn bytes(rows: &RecordBatch) -> Result<Vec<u8>> {
    let mut writer = StreamWriter::try_new(Vec::new(), rows.schema_ref())?;
    writer.write(rows)?;
    Ok(writer.into_inner()?)
}

fn rows(bytes: &[u8]) -> Result<RecordBatch> {
    let mut batches = StreamReader::try_new(bytes, None)?;
    match (batches.next(), batches.next()) {
        (Some(rows), None) => Ok(rows?),
        _ => internal_err!("rows that are sent are one batch"),
    }
}
