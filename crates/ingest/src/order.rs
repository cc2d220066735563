//! Which of its two instants a local time is that a clock change repeats, by the order of the rows.
//!
//! When clocks are set back, an hour of local times comes twice. In rows that follow each other in time, a time in that hour
//! is of its first pass until the rows step back, which begins the second one. A file that begins within the hour is
//! looked at ahead: a step back further on says that it began in the first pass; rows past the hour without a step back,
//! that it began in the second. Where neither is there, or rows did not follow each other, nothing is guessed.

use std::sync::{Arc, Mutex, PoisonError};

use crate::time::When;
use crate::{IngestError, Result};

/// Which of two a repeated local time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepeatedHour {
    /// The one before the clock was set back.
    First,
    /// The one after.
    Second,
}

/// How far rows may step back in µs and still follow each other: requests are logged when they end.
const SLACK: i64 = 60_000_000;

/// The rows so far, as far as they tell the pass of the next one.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    given: Option<RepeatedHour>,
    /// The pass in which the rows begin, if they begin within the hour.
    begins: Option<RepeatedHour>,
    latest: Option<i64>,
    ordered: bool,
}

impl Order {
    /// Before the first row; `given` is the pass of all repeated times, if somebody says it.
    pub(crate) fn new(given: Option<RepeatedHour>) -> Self {
        Self { given, begins: None, latest: None, ordered: true }
    }

    /// The instant of the next row.
    pub(crate) fn place(&mut self, when: When) -> Result<i64> {
        let micros = match when {
            When::At(micros) => micros,
            When::Repeated(_, first, second) => match self.pass(first, second) {
                Some(RepeatedHour::First) => first,
                Some(RepeatedHour::Second) => second,
                None => return Err(untold(when)),
            },
        };
        match self.latest {
            Some(latest) if micros < latest => self.ordered &= micros >= latest - SLACK,
            _ => self.latest = Some(micros),
        }
        Ok(micros)
    }

    fn pass(&self, first: i64, second: i64) -> Option<RepeatedHour> {
        if self.given.is_some() {
            return self.given;
        }
        match self.latest {
            None => self.begins,
            Some(_) if !self.ordered => None,
            Some(latest) if first >= latest - SLACK => Some(RepeatedHour::First),
            Some(latest) if second >= latest - SLACK => Some(RepeatedHour::Second),
            Some(_) => None,
        }
    }

    /// Whether the pass of this time, if it is the first, has to be looked for further on.
    pub(crate) fn is_open(&self, when: When) -> bool {
        matches!(when, When::Repeated(..)) && self.given.is_none() && self.latest.is_none() && self.begins.is_none()
    }

    /// Says in which pass the rows begin.
    pub(crate) fn begin(&mut self, pass: Option<RepeatedHour>) {
        self.begins = pass;
    }
}

/// The times of rows that begin within the hour, looked at until they tell in which pass.
#[derive(Debug, Default)]
pub(crate) struct Ahead {
    latest: Option<i64>,
    told: Option<RepeatedHour>,
    /// Whether there is no use in looking further.
    pub ended: bool,
}

impl Ahead {
    /// The next time.
    pub(crate) fn add(&mut self, when: When) {
        match (when, self.latest) {
            (When::Repeated(_, first, _), None) => self.latest = Some(first),
            // Within the hour steps show as they would if all rows were of one pass.
            (When::Repeated(_, first, _), Some(latest)) if first < latest - SLACK => {
                (self.told, self.ended) = (Some(RepeatedHour::First), true);
            }
            (When::Repeated(_, first, _), Some(latest)) => self.latest = Some(latest.max(first)),
            (When::At(micros), latest) => {
                self.told = latest.filter(|latest| *latest < micros).map(|_| RepeatedHour::Second);
                self.ended = true;
            }
        }
    }

    /// The pass in which the rows begin, as far as they tell.
    pub(crate) fn told(&self) -> Option<RepeatedHour> {
        self.told
    }
}

/// Order of rows that are read in several batches, one after the other.
#[derive(Debug, Clone)]
pub(crate) struct SharedOrder(Arc<Mutex<Option<Order>>>);

impl Default for SharedOrder {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(None)))
    }
}

impl SharedOrder {
    /// The rows so far.
    pub(crate) fn of(order: Order) -> Self {
        Self(Arc::new(Mutex::new(Some(order))))
    }

    /// As it is now, to come back to.
    pub(crate) fn kept(&self) -> Option<Order> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// As it was.
    pub(crate) fn restore(&self, kept: Option<Order>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = kept;
    }

    /// What the rows so far tell; nothing before the first.
    pub(crate) fn so_far(&self, given: Option<RepeatedHour>) -> Order {
        let shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        shared.clone().unwrap_or_else(|| Order::new(given))
    }

    /// The instants of the rows of the next batch, and for an error the row, counted from 0.
    pub(crate) fn place(
        &self,
        given: Option<RepeatedHour>,
        times: &[Option<When>],
    ) -> std::result::Result<Vec<i64>, (usize, IngestError)> {
        let mut shared = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let order = shared.get_or_insert_with(|| Order::new(given));
        if let Some(first) = times.iter().flatten().next()
            && order.is_open(*first)
        {
            let mut ahead = Ahead::default();
            times
                .iter()
                .flatten()
                .take_while(|when| {
                    ahead.add(**when);
                    !ahead.ended
                })
                .for_each(drop);
            order.begin(ahead.told());
        }
        let placed = times.iter().enumerate().map(|(row, when)| match when {
            Some(when) => order.place(*when).map_err(|error| (row, error)),
            None => Ok(0),
        });
        placed.collect()
    }
}

/// The error for a row whose pass nothing tells.
fn untold(when: When) -> IngestError {
    let shown = match when {
        When::Repeated(local, ..) => local.to_string(),
        When::At(micros) => micros.to_string(),
    };
    IngestError::bad_value(
        "time",
        &shown,
        "the order of the rows to tell which of two instants this is: clocks showed it twice",
    )
    .advice("Say it with --repeated-hour first or second, or write times with their offset")
}

#[cfg(test)]
mod tests {
    use chrono::{NaiveDate, NaiveDateTime};
    use chrono_tz::Tz;
    use proptest::prelude::*;

    use super::*;
    use crate::time::Clock;

    const BERLIN: Tz = Tz::Europe__Berlin;

    fn local(minutes: i64) -> NaiveDateTime {
        NaiveDate::from_ymd_opt(2026, 10, 25).unwrap().and_hms_opt(0, 0, 0).unwrap()
            + chrono::TimeDelta::minutes(minutes)
    }

    fn when(text: &str) -> When {
        Clock::of_series(BERLIN).read(&format!("2026-10-25 {text}:00")).unwrap()
    }

    fn shown(micros: i64) -> String {
        chrono::DateTime::from_timestamp_micros(micros).unwrap().format("%H:%M").to_string()
    }

    /// The instants in UTC, or the number of the row that is refused.
    fn placed(given: Option<RepeatedHour>, times: &[&str]) -> std::result::Result<Vec<String>, usize> {
        let times: Vec<_> = times.iter().map(|text| Some(when(text))).collect();
        let placed = SharedOrder::default().place(given, &times).map_err(|(row, _)| row)?;
        Ok(placed.into_iter().map(shown).collect())
    }

    #[test]
    fn a_step_back_begins_the_second_pass() {
        let utc = |times: &[&str]| placed(None, times).unwrap();
        assert_eq!(utc(&["02:00", "02:59", "02:00"]), ["00:00", "00:59", "01:00"]);
        assert_eq!(utc(&["01:50", "02:10", "02:50", "02:20", "03:00"]), ["23:50", "00:10", "00:50", "01:20", "02:00"]);
        assert_eq!(utc(&["01:50", "02:10", "03:10"]), ["23:50", "00:10", "02:10"]);
        // Begun in the second pass: what lies between it and three o'clock steps back nowhere.
        assert_eq!(utc(&["02:10", "02:50", "03:00"]), ["01:10", "01:50", "02:00"]);
        // Lines that were logged a minute late are no step back.
        assert_eq!(utc(&["01:59", "02:01", "02:00", "02:02", "02:00"])[4], "01:00");
        assert_eq!(utc(&["01:59", "02:01", "02:00"])[2], "00:00");
    }

    #[test]
    fn what_the_order_does_not_tell_is_refused() {
        assert_eq!(placed(None, &["02:00"]), Err(0));
        assert_eq!(placed(None, &["02:00", "02:30"]), Err(0));
        assert_eq!(placed(None, &["04:00", "01:00", "02:30"]), Err(2), "two files one after the other");
        assert_eq!(placed(None, &["02:30", "01:00"]), Err(0), "newest first");
        assert_eq!(placed(None, &["01:00", "02:30", "02:00", "02:30", "02:00"]), Err(4), "a third pass");
        let said = Order::new(None).place(when("02:30")).unwrap_err().to_string();
        assert_eq!(
            said,
            "time is \"2026-10-25 02:30:00\"; expected the order of the rows to tell which of two instants this is: \
             clocks showed it twice. Say it with --repeated-hour first or second, or write times with their offset"
        );
    }

    #[test]
    fn what_is_said_holds() {
        let times = ["02:30", "02:00", "04:00", "02:10"];
        assert_eq!(placed(Some(RepeatedHour::First), &times).unwrap(), ["00:30", "00:00", "03:00", "00:10"]);
        assert_eq!(placed(Some(RepeatedHour::Second), &times).unwrap(), ["01:30", "01:00", "03:00", "01:10"]);
    }

    proptest! {
        /// A row at least every half an hour, from before the hour on: each reads back as what its clock showed.
        #[test]
        fn rows_in_order_read_back(gaps in prop::collection::vec(1i64..30, 1..40), cut in 1usize..20) {
            let mut minute = 22 * 60 + 50 - 24 * 60;
            let mut expected = Vec::new();
            for gap in gaps {
                expected.push(minute);
                minute += gap;
            }
            let start = local(0).and_utc().timestamp_micros();
            let instants: Vec<i64> = expected.iter().map(|minute| start + minute * 60_000_000).collect();
            let clock = Clock::of_series(BERLIN);
            let times: Vec<_> = instants
                .iter()
                .map(|&micros| {
                    let utc = chrono::DateTime::from_timestamp_micros(micros).unwrap();
                    Some(clock.read(&utc.with_timezone(&BERLIN).format("%Y-%m-%d %H:%M:%S").to_string()).unwrap())
                })
                .collect();
            let order = SharedOrder::default();
            let placed: Vec<i64> =
                times.chunks(cut).flat_map(|times| order.place(None, times).map_err(|(_, e)| e).unwrap()).collect();
            prop_assert_eq!(placed, instants);
        }
    }
}
