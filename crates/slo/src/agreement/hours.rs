//! `serviceHours`: the time of a week that counts, such as `[Mon-Fri 09:00-18:00, Sat 10:00-14:00]`.

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveTime, TimeDelta};
use chrono_tz::Tz;
use nines_timeline::{Interval, normalize};

use crate::fields::{self, Fields};
use crate::instant::first_instant_at;
use crate::mistake::Notes;
use crate::words::{length, listed};
use crate::yaml::{Node, Value};

/// Weekly windows in the agreement's zone; never empty.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServiceHours(Vec<Window>);

/// A window of some days of the week.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Window {
    /// First and last day, from Monday (0) on; past Sunday where the first is later than the last.
    days: (u8, u8),
    /// Minutes since midnight; an end at or before the start is on the next day.
    from: u16,
    until: u16,
}

const DAY: u16 = 24 * 60;
const NAMES: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];

impl ServiceHours {
    /// The service hours that touch a stretch of time, clipped to it; in order.
    pub(crate) fn within(&self, within: Interval, zone: Tz) -> Vec<Interval> {
        let date = |at: i64| DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&zone).date_naive());
        let Some((first, last)) = date(within.start).zip(date(within.end)) else { return vec![within] };
        // One that began the evening before may reach into the first day.
        let first = first.pred_opt().unwrap_or(first);
        let days = first.iter_days().take_while(|day| *day <= last);
        let windows = days.flat_map(|day| self.0.iter().filter_map(move |window| window.on(day, zone)));
        let inside = windows.map(|span| Interval::new(span.start.max(within.start), span.end.min(within.end)));
        normalize(inside.filter(|span| !span.is_empty()).collect())
    }

    pub(crate) fn words(&self) -> String {
        listed(&self.0.iter().map(|window| window.words()).collect::<Vec<_>>())
    }

    /// The first time of day (minutes) that is inside a slice of so many µs, if slices are laid from midnight.
    fn between(&self, slice: i64) -> Option<u16> {
        let times = self.0.iter().flat_map(|window| [window.from, window.until]);
        times.into_iter().find(|minutes| i64::from(*minutes) * 60_000_000 % slice != 0)
    }
}

impl Window {
    fn on(&self, day: NaiveDate, zone: Tz) -> Option<Interval> {
        let weekday = day.weekday().num_days_from_monday() as u8;
        let (first, last) = self.days;
        let is_meant =
            if first <= last { (first..=last).contains(&weekday) } else { weekday >= first || weekday <= last };
        if !is_meant {
            return None;
        }
        let at = |day: NaiveDate, minutes: u16| {
            let day = day.checked_add_days(Days::new((minutes / DAY).into()))?;
            let time = NaiveTime::MIN + TimeDelta::minutes((minutes % DAY).into());
            first_instant_at(day.and_time(time), zone)
        };
        let end = if self.until <= self.from { self.until + DAY } else { self.until };
        let span = Interval::new(at(day, self.from)?, at(day, end)?);
        (!span.is_empty()).then_some(span)
    }

    fn words(&self) -> String {
        let name = |day: u8| NAMES[usize::from(day)];
        let days = match self.days {
            (first, last) if first == last => name(first).to_string(),
            (first, last) => format!("{}-{}", name(first), name(last)),
        };
        format!("{days} {}-{}", time(self.from), time(self.until))
    }
}

fn time(minutes: u16) -> String {
    format!("{:02}:{:02}", minutes / 60, minutes % 60)
}

/// Reads the windows: a text or a list of them.
pub(crate) fn service_hours(fields: &Fields<'_>, slice: Option<i64>, notes: &mut Notes<'_>) -> Option<ServiceHours> {
    let node = fields.get("serviceHours")?;
    let items: &[Node] = match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    };
    let mut windows = Vec::new();
    for item in items {
        let text = fields::text(item, "serviceHours", notes)?;
        match window(text) {
            Some(window) => windows.push(window),
            None => {
                let reason = format!("'serviceHours' cannot be '{text}'");
                notes.error_hint(item.place, reason, "write days and times such as Mon-Fri 09:00-18:00");
            }
        }
    }
    if windows.is_empty() {
        notes.error_hint(node.place, "'serviceHours' names no hours", "leave it out if all of the time counts");
        return None;
    }
    let hours = ServiceHours(windows);
    if let Some((slice, minutes)) = slice.and_then(|slice| Some((slice, hours.between(slice)?))) {
        let reason = format!("service hours at {} do not fall on slices of {}", time(minutes), length(slice));
        notes.error_hint(node.place, reason, "make slices narrower, so that none is in service in part");
        return None;
    }
    Some(hours)
}

/// `Mon-Fri 09:00-18:00`, `Sat 10:00-24:00`.
fn window(text: &str) -> Option<Window> {
    let (days, times) = text.trim().split_once(' ')?;
    let (first, last) = days.split_once('-').unwrap_or((days, days));
    let day = |name: &str| NAMES.iter().position(|known| known.eq_ignore_ascii_case(name.trim())).map(|day| day as u8);
    let (from, until) = times.trim().split_once('-')?;
    let minutes = |text: &str| {
        let (hours, minutes) = text.trim().split_once(':')?;
        let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        let (hours, minutes) = (Some(hours).filter(|h| digits(h))?, Some(minutes).filter(|m| digits(m))?);
        let (hours, minutes) = (hours.parse::<u16>().ok()?, minutes.parse::<u16>().ok().filter(|own| *own < 60)?);
        Some(hours * 60 + minutes).filter(|all| *all <= DAY)
    };
    let (from, until) = (minutes(from).filter(|from| *from < DAY)?, minutes(until)?);
    Some(Window { days: (day(first)?, day(last)?), from, until })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(text: &[&str]) -> ServiceHours {
        ServiceHours(text.iter().map(|text| window(text).unwrap_or_else(|| panic!("{text}"))).collect())
    }

    /// Seconds of service in October 2026, in Berlin a month of 31 days and an hour.
    fn october(text: &[&str]) -> i64 {
        let zone = chrono_tz::Europe::Berlin;
        let month = crate::Period::of("2026-10".parse().expect("a month"), 1, zone).expect("a month").interval;
        hours(text).within(month, zone).into_iter().map(Interval::duration).sum::<i64>() / 1_000_000
    }

    #[test]
    fn hours_follow_the_clock() {
        // 22 days from Monday to Friday, 5 Saturdays.
        assert_eq!(october(&["Mon-Fri 09:00-18:00"]), 22 * 9 * 3600);
        assert_eq!(october(&["Mon-Fri 09:00-18:00", "Sat 10:00-14:00"]), (22 * 9 + 5 * 4) * 3600);
        assert_eq!(october(&["Mon-Sun 00:00-24:00"]), (31 * 24 + 1) * 3600);
        // The night in which clocks go back is an hour longer; the month begins inside the last night of September.
        assert_eq!(october(&["Mon-Sun 22:00-06:00"]), (6 + 30 * 8 + 2 + 1) * 3600);
        assert_eq!(october(&["Sat-Mon 00:00-24:00", "sun 10:00-11:00"]), (13 * 24 + 1) * 3600);
    }

    /// Hours that begin inside the hour that clocks skip were laid from the next quarter after it.
    #[test]
    fn hours_that_clocks_skip_begin_where_they_skip() {
        let zone = chrono_tz::Europe::Berlin;
        let month = crate::Period::of("2026-03".parse().expect("a month"), 1, zone).expect("a month").interval;
        let night = hours(&["Sun 02:20-04:00"]).within(month, zone);
        let minutes: Vec<i64> = night.into_iter().map(|span| span.duration() / 60_000_000).collect();
        assert_eq!(minutes, [100, 100, 100, 100, 60]);
    }

    #[test]
    fn windows_are_read() {
        assert_eq!(hours(&["Fri-Mon 22:00-06:00"]).words(), "Fri-Mon 22:00-06:00");
        for wrong in [
            "Mon-Fri",
            "09:00-18:00",
            "Mo 09:00-18:00",
            "Mon 9:00-18:00",
            "Mon 09:00-24:01",
            "Mon 24:00-24:00",
            "Mon 09:60-10:00",
        ] {
            assert!(window(wrong).is_none(), "{wrong}");
        }
    }
}
