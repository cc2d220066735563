//! What must hold of a record: the rules of the tables whose rows people state.

use chrono::DateTime;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{Decimal128Type, TimestampMicrosecondType};
use nines_recurrence::Recurrence;

use super::broken::{Broken, First};
use super::currency::{currency_hint, is_currency};
use crate::schema::TableKind;

/// The phases of an incident, in the order in which they happen.
const PHASES: [&str; 5] = ["started", "detected", "located", "fixed", "verified"];

/// The first row of a batch of this table that contradicts itself, and how.
pub(super) fn first_broken(kind: TableKind, batch: &RecordBatch) -> First {
    let rule: fn(&Row) -> Result<(), Wrong> = match kind {
        TableKind::Incidents => incident,
        TableKind::Exclusions => exclusion,
        TableKind::Fees => fee,
        TableKind::Annotations => annotation,
        TableKind::Definitions => definition,
        TableKind::Requests
        | TableKind::Events
        | TableKind::Gauges
        | TableKind::SloDays
        | TableKind::SloFacts
        | TableKind::Statements
        | TableKind::Drafts => return None,
    };
    (0..batch.num_rows()).find_map(|row| {
        let (column, found) = rule(&Row { batch, row }).err()?;
        Some((row, Broken::new(column, found)))
    })
}

type Wrong = (&'static str, String);

fn incident(row: &Row) -> Result<(), Wrong> {
    row.named("id")?;
    let mut before: Option<&'static str> = None;
    for phase in PHASES.into_iter().filter(|phase| row.instant(phase).is_some()) {
        if let Some(before) = before {
            row.in_order(before, phase, false)?;
        }
        before = Some(phase);
    }
    Ok(())
}

fn exclusion(row: &Row) -> Result<(), Wrong> {
    row.named("id")?;
    row.named("category")?;
    row.in_order("started", "ended", true)?;
    let (every, zone, until) = (row.given("every"), row.given("time_zone"), row.given_instant("until"));
    let Some(every) = every else {
        let alone = zone.map(|_| "time_zone").or(until.map(|_| "until"));
        return alone.map_or(Ok(()), |column| {
            Err((column, "says nothing without every, the rule by which it recurs".to_string()))
        });
    };
    let Some(zone) = zone else {
        return Err((
            "time_zone",
            "is missing: what recurs goes by the clock of a zone, such as Europe/Berlin".to_string(),
        ));
    };
    let Some(times) = row.instant("started").zip(row.instant("ended")) else { return Ok(()) };
    match Recurrence::new(every, zone, times.into(), until) {
        Ok(_) => Ok(()),
        Err(unfit) => Err((unfit.column, unfit.why)),
    }
}

fn fee(row: &Row) -> Result<(), Wrong> {
    let period = row.text("period");
    let (year, month) = period.split_once('-').unwrap_or_default();
    let digits = |text: &str, n: usize| text.len() == n && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(year, 4) || !digits(month, 2) || !(1..=12).contains(&month.parse().unwrap_or(0)) {
        return Err(("period", format!("{period:?} is no month; expected one as 2026-10")));
    }
    if row.given("span").is_some_and(|span| span.trim().is_empty()) {
        return Err(("span", "must not be empty; NULL if there is one fee".to_string()));
    }
    let currency = row.text("currency");
    if !is_currency(currency) {
        return Err(("currency", format!("{currency:?} is no currency of ISO 4217; {}", currency_hint(currency))));
    }
    let (amount, vouchers) = (row.money("amount"), row.money("voucher_amount"));
    if amount < 0 {
        return Err(("amount", "a fee cannot be negative".to_string()));
    }
    if !(0..=amount).contains(&vouchers) {
        return Err(("voucher_amount", "vouchers pay between nothing and the whole fee".to_string()));
    }
    row.in_order("active_from", "active_until", true)
}

fn annotation(row: &Row) -> Result<(), Wrong> {
    row.named("kind")?;
    match row.text("text").trim().is_empty() && row.text("link").trim().is_empty() {
        true => Err(("text", "neither text nor link says what happened".to_string())),
        false => Ok(()),
    }
}

fn definition(row: &Row) -> Result<(), Wrong> {
    row.named("kind")?;
    row.named("name")
}

struct Row<'a> {
    batch: &'a RecordBatch,
    row: usize,
}

impl Row<'_> {
    fn text(&self, column: &str) -> &str {
        self.batch[column].as_string_view().value(self.row)
    }

    /// What stands in a column that came in later.
    fn given(&self, column: &str) -> Option<&str> {
        let texts = self.batch.column_by_name(column)?.as_string_view();
        texts.is_valid(self.row).then(|| texts.value(self.row))
    }

    fn instant(&self, column: &str) -> Option<i64> {
        self.given_instant(column)
    }

    /// The same of a column that came in later.
    fn given_instant(&self, column: &str) -> Option<i64> {
        let instants = self.batch.column_by_name(column)?.as_primitive::<TimestampMicrosecondType>();
        instants.is_valid(self.row).then(|| instants.value(self.row))
    }

    fn money(&self, column: &str) -> i128 {
        self.batch[column].as_primitive::<Decimal128Type>().value(self.row)
    }

    fn named(&self, column: &'static str) -> Result<(), Wrong> {
        match self.text(column).trim().is_empty() {
            true => Err((column, "must not be empty".to_string())),
            false => Ok(()),
        }
    }

    /// Where both are given, `later` is not before `earlier`, and with `strictly` after it.
    fn in_order(&self, earlier: &'static str, later: &'static str, strictly: bool) -> Result<(), Wrong> {
        let (Some(from), Some(to)) = (self.instant(earlier), self.instant(later)) else { return Ok(()) };
        if from < to || from == to && !strictly {
            return Ok(());
        }
        let shown = |micros| DateTime::from_timestamp_micros(micros).map_or_else(String::new, |at| at.to_rfc3339());
        let must = if strictly { "must be after" } else { "must not be before" };
        Err((later, format!("{} {must} {earlier}, which is {}", shown(to), shown(from))))
    }
}
