//! The table `exclusions` as it is read: what is excluded once, and what recurs.
//!
//! What recurs stays a rule: whoever asks says until when, and gets an [`Exclusion`] for each occurrence, as if each of them had been
//! recorded. A record with the id of an occurrence stands in its place: it was withdrawn, or is at another time.

use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Datelike, NaiveDate};
use datafusion::arrow::array::{Array, RecordBatch};
use datafusion::common::{exec_datafusion_err, exec_err};
use datafusion::error::Result;
use nines_recurrence::{Recurrence, series_of};
use nines_store::END_OF_TIME;
use nines_timeline::Interval;

use super::DAY;
use super::exclusions::{Exclusion, flags, instants, texts};

/// A daily recurrence of 2,700 years: what yields more is a slip of the pen, and must not take all memory.
const MOST: usize = 1_000_000;

/// All that is excluded and was not withdrawn.
#[derive(Debug, Default)]
pub(crate) struct Exclusions {
    once: Vec<Exclusion>,
    recurring: Vec<Recurring>,
    /// Ids of records that stand in the place of an occurrence, withdrawn ones too.
    apart: HashSet<String>,
}

#[derive(Debug)]
struct Recurring {
    /// The record, with its first occurrence.
    record: Exclusion,
    recurrence: Recurrence,
}

impl Exclusions {
    /// Of rows of the table.
    pub fn read(rows: &[RecordBatch]) -> Result<Exclusions> {
        let mut found = Exclusions::default();
        for batch in rows {
            let text = |name: &str| texts(batch, name);
            let (business, service, customer) = (text("business")?, text("service")?, text("customer")?);
            let (id, category, reason) = (text("id")?, text("category")?, text("reason")?);
            let (started, ended) = (instants(batch, "started")?, instants(batch, "ended")?);
            let (announced, until) = (instants(batch, "announced")?, instants(batch, "until")?);
            let (every, zone, withdrawn) = (text("every")?, text("time_zone")?, flags(batch, "withdrawn")?);
            for row in 0..batch.num_rows() {
                if series_of(id.value(row)).is_some() {
                    found.apart.insert(id.value(row).to_string());
                }
                let (false, Some(start), Some(end)) = (withdrawn[row], started[row], ended[row]) else { continue };
                let record = Exclusion {
                    id: id.value(row).to_string(),
                    category: category.value(row).to_string(),
                    announced: announced[row],
                    scope: [business.value(row), service.value(row), customer.value(row)].map(str::to_string),
                    interval: Interval::new(start, end),
                    reason: reason.value(row).to_string(),
                    of: None,
                };
                if every.is_null(row) {
                    found.once.push(record);
                    continue;
                }
                let zone = if zone.is_valid(row) { zone.value(row) } else { "" };
                let recurrence = Recurrence::new(every.value(row), zone, [start, end], until[row]);
                let recurrence = recurrence.map_err(|unfit| {
                    exec_datafusion_err!(
                        "exclusion {} cannot recur: {unfit}; record it again, or withdraw it",
                        record.id
                    )
                })?;
                found.recurring.push(Recurring { record, recurrence });
            }
        }
        Ok(found)
    }

    /// Those that start before an instant (µs), each occurrence of what recurs among them.
    pub fn until(&self, end: i64) -> Result<Vec<Exclusion>> {
        let mut found: Vec<Exclusion> = self.once.clone();
        for Recurring { record, recurrence } in &self.recurring {
            for occurrence in recurrence.before(end) {
                let id = occurrence.id(&record.id);
                if self.apart.contains(&id) {
                    continue;
                }
                if found.len() >= MOST {
                    return exec_err!(
                        "exclusion {} recurs more than {MOST} times in what is asked for; ask for less time, or end it with: nines exclude \
                         --withdraw {} --since TIME",
                        record.id,
                        record.id
                    );
                }
                let (interval, of) = (occurrence.interval, Some(record.id.clone()));
                found.push(Exclusion { id, interval, of, ..record.clone() });
            }
        }
        Ok(found)
    }

    /// The categories that are recorded.
    pub fn categories(&self) -> BTreeSet<&str> {
        let recurring = self.recurring.iter().map(|recurring| &recurring.record);
        self.once.iter().chain(recurring).map(|record| record.category.as_str()).collect()
    }
}

/// Until when (µs) occurrences are looked at for a question that ends at an instant: until a year ends, not just until then. Questions that
/// end apart have the same ones, so that what one of them counted serves the other ones as well.
pub(super) fn horizon(end: i64, now: i64) -> i64 {
    // A slice of the range may end after it.
    let end = end.max(now).saturating_add(2 * DAY).min(END_OF_TIME);
    let year = DateTime::from_timestamp_micros(end).and_then(|at| NaiveDate::from_ymd_opt(at.year() + 1, 1, 1));
    year.map_or(end, |year| i64::from(year.to_epoch_days()) * DAY)
}
