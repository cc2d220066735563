//! From what series counted to the rows of a table.

use std::borrow::Cow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};

use nines_store::TableKind;

use super::event_rows;
use super::member::Member;
use super::request_rows;
use super::sweep::{Counted, Passed, Slice, Sweep};
use super::targets::Unit;
use crate::formats::{Combined, Records};
use crate::rows::{Events, EventsRow, Gauges, GaugesRow, Measured, Requests, RequestsRow, Rows, SeriesRows};
use crate::{Batches, Format, Options, Progress, Result};

/// Slices, one after the other.
pub(super) struct MetricRecords {
    sweep: Sweep,
    units: Arc<Vec<Unit>>,
    passed: Arc<Mutex<Option<Passed>>>,
    columns: [Option<usize>; 6],
}

/// The texts of a unit and of a row, in the order of [`MetricRecords::columns`].
const TEXTS: [&str; 6] = ["business", "service", "endpoint", "customer", "name", "cause"];

impl MetricRecords {
    pub fn batches(
        sweep: Sweep,
        units: Arc<Vec<Unit>>,
        passed: Arc<Mutex<Option<Passed>>>,
        options: Options,
        progress: Arc<Progress>,
    ) -> Result<Batches> {
        let stop = Arc::<AtomicBool>::default();
        let columns = crate::columns::Columns::of(options.kind)?;
        let columns = TEXTS.map(|name| columns.texts().position(|known| known == name));
        let records = Box::new(MetricRecords { sweep, units, passed, columns });
        // Errors name their series: samples of many files come together in a row.
        let name = String::new();
        let batches = match options.kind {
            TableKind::Events => Combined::batches(
                name,
                records,
                SeriesRows::<Events>::new(&options, Format::Csv)?,
                None,
                &progress,
                &stop,
            ),
            TableKind::Gauges => Combined::batches(
                name,
                records,
                SeriesRows::<Gauges>::new(&options, Format::Csv)?,
                None,
                &progress,
                &stop,
            ),
            _ => Combined::batches(
                name,
                records,
                SeriesRows::<Requests>::new(&options, Format::Csv)?,
                None,
                &progress,
                &stop,
            ),
        };
        Ok(Batches::of(batches, options, progress, stop))
    }

    fn begin<M: Measured>(&self, group: u32, time: i64, cause: &str, rows: &mut SeriesRows<M>) {
        rows.begin();
        rows.row.time = Some(time);
        let nothing = Unit::default();
        let unit = self.units.get(group as usize).unwrap_or(&nothing);
        let texts = [&unit.business, &unit.service, &unit.endpoint, &unit.customer, &unit.name, cause];
        for (column, text) in self.columns.iter().zip(texts) {
            if let Some(column) = column {
                rows.set_text(*column, text);
            }
        }
        rows.set_labels(&unit.labels);
    }

    fn next(&mut self) -> Result<Option<(Slice, Arc<Vec<Member>>)>> {
        let next = self.sweep.next()?;
        if next.is_none() {
            let (states, findings) = (std::mem::take(&mut self.sweep.states), std::mem::take(&mut self.sweep.findings));
            *self.passed.lock().unwrap_or_else(PoisonError::into_inner) = Some(Passed { states, findings });
        }
        Ok(next.map(|slice| (slice, Arc::clone(&self.sweep.members))))
    }
}

/// The members that counted, with what they counted.
fn of_members<'m>(slice: &'m Slice, members: &'m [Member]) -> impl Iterator<Item = (&'m Member, Counted)> {
    slice.counted.iter().filter_map(|(member, counted)| Some((members.get(*member as usize)?, counted.clone())))
}

impl Records<SeriesRows<Requests>> for MetricRecords {
    fn read_one(&mut self, rows: &mut SeriesRows<Requests>) -> Result<bool> {
        let Some((slice, members)) = self.next()? else { return Ok(false) };
        let counted = of_members(&slice, &members).collect();
        for ((status, cause), row) in request_rows::rows(slice.start, counted, &mut self.sweep.findings)? {
            self.begin(slice.group, slice.start, cause, rows);
            rows.row.status = status;
            rows.row.measured = RequestsRow { requests: Some(row.requests), latency: row.latency };
            rows.add(0)?;
        }
        Ok(true)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}

impl Records<SeriesRows<Events>> for MetricRecords {
    fn read_one(&mut self, rows: &mut SeriesRows<Events>) -> Result<bool> {
        let Some((slice, members)) = self.next()? else { return Ok(false) };
        let counted = of_members(&slice, &members);
        let mapping = Arc::clone(&self.sweep.mapping);
        let Some((good, total)) = event_rows::row(&mapping, slice.start, counted, &mut self.sweep.findings)? else {
            return Ok(true);
        };
        self.begin(slice.group, slice.start, "", rows);
        rows.row.measured = EventsRow::counted(good, total);
        rows.add(0)?;
        Ok(true)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}

impl Records<SeriesRows<Gauges>> for MetricRecords {
    fn read_one(&mut self, rows: &mut SeriesRows<Gauges>) -> Result<bool> {
        let Some((slice, _)) = self.next()? else { return Ok(false) };
        for (_, counted) in &slice.counted {
            let Counted::Sample(time, value) = counted else { continue };
            self.begin(slice.group, *time, "", rows);
            rows.row.measured = GaugesRow::sample(*value);
            rows.add(0)?;
        }
        Ok(true)
    }

    fn text(&self) -> Cow<'_, str> {
        Cow::Borrowed("")
    }
}
