//! Exclusions that recur: what they yield, one occurrence withdrawn, all of them from some time on, the list.

use std::collections::BTreeSet;
use std::sync::Arc;

use chrono::{DateTime, Datelike, Timelike};
use datafusion::arrow::array::{Array, ArrayRef, Int64Array, RecordBatch, StringArray};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::common::ScalarValue;
use nines_engine::store::TableKind;
use nines_engine::{Edited, Record, Session};
use nines_recurrence::{Occurrence, Recurrence, series_of};

use super::record;
use crate::error::{CliError, Result};
use crate::output::{counted, instant, note, say, whole};

const TABLE: TableKind = TableKind::Exclusions;

/// How many of those that come are shown.
const NEXT: usize = 3;

/// What a record recurs by; `None` if it does not.
fn recurrence(record: &Record) -> Result<Option<Recurrence>> {
    let Some(every) = record.text("every") else { return Ok(None) };
    let times = ["started", "ended"].map(|column| record.instant(column).unwrap_or_default());
    let made = Recurrence::new(every, record.text("time_zone").unwrap_or_default(), times, record.instant("until"));
    made.map(Some).map_err(|unfit| CliError::Usage(format!("{} cannot recur: {unfit}", id_of(record))))
}

fn id_of(record: &Record) -> &str {
    record.text("id").unwrap_or_default()
}

/// Records that stand in the place of an occurrence of one that recurs, withdrawn ones too.
fn apart<'a>(all: &'a [Record], id: &'a str) -> impl Iterator<Item = &'a Record> {
    all.iter().filter(move |record| series_of(id_of(record)).is_some_and(|(of, _)| of == id))
}

/// What an exclusion that recurs has yielded by now, and what comes next.
struct Yield {
    so_far: usize,
    next: Vec<Occurrence>,
}

impl Yield {
    fn of(recurrence: &Recurrence, id: &str, all: &[Record], now: i64) -> Yield {
        let apart: BTreeSet<&str> = apart(all, id).map(id_of).collect();
        let mut occurrences = recurrence.occurrences().filter(|one| !apart.contains(one.id(id).as_str())).peekable();
        let mut so_far = 0;
        while occurrences.next_if(|one| one.interval.start <= now).is_some() {
            so_far += 1;
        }
        Yield { so_far, next: occurrences.take(NEXT).collect() }
    }
}

/// By the clock of its zone: `2026-10-04 02:00 to 04:00`.
fn local(occurrence: &Occurrence, recurrence: &Recurrence) -> String {
    let at = |micros: i64| {
        let at = DateTime::from_timestamp_micros(micros);
        at.map_or(DateTime::UNIX_EPOCH.naive_utc(), |at| at.with_timezone(&recurrence.zone()).naive_local())
    };
    let (start, end) = (at(occurrence.interval.start), at(occurrence.interval.end));
    let seconds = if [start, end].iter().all(|at| at.second() == 0 && at.nanosecond() == 0) { "" } else { ":%S%.f" };
    let day = if start.date() == end.date() { "" } else { "%Y-%m-%d " };
    let (from, to) = (format!("%Y-%m-%d %H:%M{seconds}"), format!("{day}%H:%M{seconds}"));
    format!("{} to {}", start.format(&from), end.format(&to))
}

/// Says what a record that was recorded yields, if it recurs.
pub(super) async fn show(record: &Record, session: &Session) -> Result<()> {
    let Some(recurrence) = recurrence(record)? else { return Ok(()) };
    let (id, zone) = (id_of(record), recurrence.zone().name());
    let yields = Yield::of(&recurrence, id, &session.records(TABLE).await?, session.now());
    let mut lines = String::new();
    if yields.so_far > 0 {
        lines.push_str(&format!("{:14}  {} by now\n", "recurred", counted(yields.so_far as u64, "time", "times")));
    }
    for (at, occurrence) in yields.next.iter().enumerate() {
        let (from, to) = (instant(occurrence.interval.start, zone), instant(occurrence.interval.end, zone));
        lines.push_str(&format!("{:14}  {}  {from} to {to}\n", if at == 0 { "next" } else { "" }, occurrence.id(id)));
    }
    if yields.next.is_empty() {
        lines.push_str(&format!("{:14}  none\n", "next"));
    }
    say(&lines)?;
    if let Some(first) = recurrence.occurrences().next().filter(|_| recurrence.rule().takes_day_of_month()) {
        let (day, is_yearly) = (first.date.day(), recurrence.rule().text().starts_with("FREQ=YEARLY"));
        match (day, is_yearly) {
            (..=28, _) | (30.., true) => {}
            (_, true) if first.date.month() != 2 => {}
            (_, true) => note("note: years without a 29 February are left out"),
            (_, false) => note(format_args!(
                "note: months without a day {day} are left out; --every 'last day' is the last day of each month"
            )),
        }
    }
    note_apart(session, record).await
}

/// Withdraws one occurrence of what recurs; `None` if the id can be that of none.
pub(super) async fn withdraw_occurrence(session: &Session, id: &str) -> Result<Option<Edited>> {
    let Some((of, date)) = series_of(id) else { return Ok(None) };
    let Some(recurring) = session.known(TABLE, of).await? else { return Ok(None) };
    let Some(recurrence) = recurrence(&recurring)? else { return Ok(None) };
    let occurrence = recurrence.occurrence(date);
    let edit = |known: Option<&Record>| {
        let mut one = match (known, occurrence) {
            (Some(known), _) => known.clone(),
            (None, Some(occurrence)) => in_its_place(&recurring, id, &occurrence)?,
            (None, None) => {
                let near = recurrence.occurrences().find(|one| one.date > date);
                let near = near.map_or_else(String::new, |near| format!("; the next one is {}", near.id(of)));
                let rule = recurrence.rule();
                return Err(CliError::Usage(format!("{of} recurs by {rule} and not on {date}{near}")));
            }
        };
        one.set_flag("withdrawn", true)?;
        Ok(Some(one))
    };
    session.edit(TABLE, id, edit).await
}

/// The record that stands in the place of an occurrence.
fn in_its_place(recurring: &Record, id: &str, occurrence: &Occurrence) -> Result<Record> {
    let mut one = Record::new(TABLE, id)?;
    for column in ["business", "service", "customer", "category", "reason"] {
        one.set_text(column, recurring.text(column).unwrap_or_default())?;
    }
    one.set_instant("started", Some(occurrence.interval.start))?;
    one.set_instant("ended", Some(occurrence.interval.end))?;
    one.set_instant("announced", recurring.instant("announced"))?;
    Ok(one)
}

/// Lets an exclusion recur no longer from some time on; `None` if there is none of this id.
pub(super) async fn end(session: &Session, id: &str, since: &str) -> Result<Option<Edited>> {
    let since = record::time("--since", since, session)?;
    let edit = |known: Option<&Record>| {
        let Some(mut exclusion) = known.cloned() else { return Ok(None) };
        if recurrence(&exclusion)?.is_none() {
            return Err(CliError::Usage(format!("{id} does not recur: withdraw it without --since")));
        }
        if exclusion.instant("started").is_some_and(|started| since <= started) {
            return Err(CliError::Usage(format!(
                "{id} first starts at or after --since: to withdraw all of it, leave --since out"
            )));
        }
        let until = exclusion.instant("until").map_or(since, |until| until.min(since));
        exclusion.set_instant("until", Some(until))?;
        Ok(Some(exclusion))
    };
    session.edit(TABLE, id, edit).await
}

/// Tells of records that stand in the place of occurrences and count whatever becomes of what recurs.
pub(super) async fn note_apart(session: &Session, recurring: &Record) -> Result<()> {
    if recurrence(recurring)?.is_none() {
        return Ok(());
    }
    let all = session.records(TABLE).await?;
    let own = apart(&all, id_of(recurring)).filter(|one| !one.is("withdrawn"));
    let own: Vec<&str> = own.map(id_of).collect();
    if !own.is_empty() {
        let ids = own.join(", ");
        note(format_args!("note: recorded by themselves, and counted as they are: {ids}; each is withdrawn by its id"));
    }
    Ok(())
}

/// Prints those that recur, withdrawn ones too if `all` are wanted; whether there are.
pub(super) async fn list(session: &Session, all: bool) -> Result<bool> {
    let records = session.records(TABLE).await?;
    let mut found: Vec<&Record> =
        records.iter().filter(|record| record.text("every").is_some() && (all || !record.is("withdrawn"))).collect();
    if found.is_empty() {
        return Ok(false);
    }
    found.sort_by_key(|record| record.instant("started"));
    let (mut so_far, mut next) = (Vec::new(), Vec::new());
    for record in &found {
        let Some(recurrence) = recurrence(record)? else { continue };
        let yields = Yield::of(&recurrence, id_of(record), &records, session.now());
        so_far.push(yields.so_far as i64);
        next.push(yields.next.iter().map(|one| local(one, &recurrence)).collect::<Vec<_>>().join(", "));
    }
    let mut columns: Vec<(&str, ArrayRef)> = Vec::new();
    for name in ["id", "category", "every", "time_zone"] {
        columns.push((name, column(&found, name)?));
    }
    columns.push(("so_far", Arc::new(Int64Array::from(so_far))));
    columns.push(("next", Arc::new(StringArray::from(next))));
    for name in ["until", "business", "service", "customer", "reason", "announced"]
        .into_iter()
        .chain(all.then_some("withdrawn"))
    {
        columns.push((name, column(&found, name)?));
    }
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, DataType::clone(array.data_type()), true)).collect();
    let schema = Arc::new(Schema::new(fields));
    let arrays = columns.into_iter().map(|(_, array)| array).collect();
    let rows = RecordBatch::try_new(Arc::clone(&schema), arrays)?;
    say(&format!("{}\n", whole(&schema, &[rows], session.settings().time_zone.name())?))?;
    Ok(true)
}

fn column(records: &[&Record], name: &str) -> Result<ArrayRef> {
    let values = records.iter().filter_map(|record| record.get(name).cloned());
    Ok(ScalarValue::iter_to_array(values)?)
}
