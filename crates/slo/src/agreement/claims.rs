//! `claimWithin`: until when a credit can be claimed.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, Weekday};
use chrono_tz::Tz;

use crate::duration;
use crate::fields::{self, Fields};
use crate::instant::first_instant;
use crate::mistake::Notes;
use crate::words::{counted, length};
use crate::yaml::Value;

/// Until when a credit can be claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClaimWithin {
    /// How long.
    pub within: ClaimTime,
    /// Since when.
    pub from: ClaimFrom,
}

/// How long there is to claim.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimTime {
    /// Local days.
    Days(u32),
    /// Local days but Saturdays and Sundays. Nobody's holidays are known.
    WorkingDays(u32),
    /// Calendar months.
    Months(u32),
    /// µs.
    Micros(i64),
}

/// What the time to claim begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ClaimFrom {
    /// The end of the calendar period.
    Period,
    /// The end of the period's first outage: for who claims it in time, none is late. Without one, the end of the period.
    Outage,
}

impl ClaimWithin {
    /// The instant (µs) before which must be claimed, if the period and its first outage ended then (µs).
    pub(crate) fn claim_by(self, zone: Tz, period_end: i64, first_outage: Option<i64>) -> Option<i64> {
        let from = match self.from {
            ClaimFrom::Period => None,
            ClaimFrom::Outage => first_outage,
        };
        let from = from.unwrap_or(period_end);
        if let ClaimTime::Micros(micros) = self.within {
            return from.checked_add(micros);
        }
        // Days and months go by the calendar, from the day that follows the one in which the time begins.
        let day = DateTime::from_timestamp_micros(from - 1)?.with_timezone(&zone).date_naive().succ_opt()?;
        let end = match self.within {
            ClaimTime::Days(days) => day.checked_add_days(Days::new(days.into())),
            ClaimTime::Months(months) => day.checked_add_months(Months::new(months)),
            ClaimTime::WorkingDays(days) => after_working_days(day, days),
            ClaimTime::Micros(_) => None,
        };
        first_instant(end?, zone)
    }

    pub(crate) fn words(self) -> String {
        let within = match self.within {
            ClaimTime::Days(days) => counted(days.into(), "day"),
            ClaimTime::WorkingDays(days) => {
                format!("{} (Monday to Friday, whatever holidays there are)", counted(days.into(), "working day"))
            }
            ClaimTime::Months(months) => counted(months.into(), "calendar month"),
            ClaimTime::Micros(micros) => length(micros),
        };
        let from = match self.from {
            ClaimFrom::Period => "the end of the period",
            ClaimFrom::Outage => "the end of the outage",
        };
        format!("{within} of {from}")
    }
}

/// The day after so many working days, the first of which may be the given one.
fn after_working_days(mut day: NaiveDate, days: u32) -> Option<NaiveDate> {
    let mut left = days;
    while left > 0 {
        if !matches!(day.weekday(), Weekday::Sat | Weekday::Sun) {
            left -= 1;
        }
        day = day.succ_opt()?;
    }
    Some(day)
}

/// `60d`, or `{within: 72h, from: outage}`.
pub(crate) fn claim_within(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<ClaimWithin> {
    let node = fields.get("claimWithin")?;
    let Value::Map(_) = &node.value else {
        let within = fields.parse("claimWithin", notes, time)?;
        return Some(ClaimWithin { within, from: ClaimFrom::Period });
    };
    let inner = Fields::read(node, "claimWithin", &["within", "from"], notes)?;
    inner.need("within", notes)?;
    let within = inner.parse("within", notes, time)?;
    let words = [("period", ClaimFrom::Period), ("outage", ClaimFrom::Outage)];
    let from = match inner.get("from") {
        None => ClaimFrom::Period,
        Some(node) => fields::word(node, "from", &words, notes)?,
    };
    Some(ClaimWithin { within, from })
}

fn time(text: &str) -> Result<ClaimTime, String> {
    let wrong = || format!("'{text}' is no time to claim: expected such as 60d, 2M, 72h or 10 working days");
    let number = |unit: &str, most: u32| {
        let number = text.strip_suffix(unit)?.trim_end();
        let number = number.parse::<u32>().ok().filter(|n| (1..=most).contains(n))?;
        (!text.starts_with('+')).then_some(number)
    };
    let found = number("working days", 2600).or_else(|| number("working day", 1)).map(ClaimTime::WorkingDays);
    let found = found.or_else(|| number("d", 3660).map(ClaimTime::Days));
    let found = found.or_else(|| number("M", 120).map(ClaimTime::Months));
    found
        .or_else(|| {
            number("h", 87_840).and_then(|_| duration::micros(text, duration::SPAN).ok()).map(ClaimTime::Micros)
        })
        .ok_or_else(wrong)
}
