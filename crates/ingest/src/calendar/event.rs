//! An event in instants.

use chrono_tz::Tz;
use nines_recurrence::{Recurrence, Rule, Unfit};

use super::content::{Component, Content};
use super::moment::{Length, Moment};
use super::zones::Zones;
use crate::{IngestError, Result};

/// What an event says of its times.
pub(super) struct Event<'a> {
    pub component: &'a Component,
    pub uid: &'a str,
    pub start: Moment,
    pub end: Moment,
    pub recurrence: Option<Recurring>,
    /// The occurrence of a series that it stands for.
    pub stands_for: Option<Moment>,
    /// Dates on which it is not, and others on which it is.
    pub excepted: Vec<Moment>,
    pub added: Vec<Moment>,
    pub sequence: i64,
    pub is_cancelled: bool,
}

/// How an event recurs.
pub(super) struct Recurring {
    pub recurrence: Recurrence,
    /// Occurrences start before this instant (µs).
    pub until: Option<i64>,
}

impl<'a> Event<'a> {
    pub fn read(component: &'a Component, zones: &Zones) -> Result<Event<'a>> {
        let missing = |what: &str| IngestError::bad_line(format!("this event has no {what}")).on_line(component.line);
        let uid = Some(component.text("UID")).filter(|uid| !uid.is_empty());
        let uid =
            uid.ok_or_else(|| missing("UID").expected("a name that tells it from others, today and in later exports"))?;
        let start = component.one("DTSTART").ok_or_else(|| missing("DTSTART"))?;
        let start = Moment::one(start, zones)?;
        if let Some(rule) = component.one("EXRULE") {
            let problem = "EXRULE, a rule of dates that are left out, is not known";
            return Err(IngestError::bad_line(problem).on_line(rule.line).expected("EXDATE, with each of these dates"));
        }
        let moments = |name: &'static str| -> Result<Vec<Moment>> {
            let all = component.all(name).map(|content| Moment::all(content, zones));
            Ok(all.collect::<Result<Vec<_>>>()?.concat())
        };
        let end = end(component, &start, zones)?;
        Ok(Event {
            component,
            uid,
            start,
            end,
            recurrence: recurring(component, &start, &end)?,
            stands_for: component.one("RECURRENCE-ID").map(|content| stands_for(content, zones)).transpose()?,
            excepted: moments("EXDATE")?,
            added: moments("RDATE")?,
            sequence: component.text("SEQUENCE").parse().unwrap_or_default(),
            is_cancelled: component.text("STATUS").eq_ignore_ascii_case("CANCELLED"),
        })
    }

    /// Whose clock it goes by.
    pub fn zone(&self) -> Tz {
        self.start.zone
    }
}

/// When it ends: as it says, or after its length; else a day lasts a day, and a time no time.
fn end(component: &Component, start: &Moment, zones: &Zones) -> Result<Moment> {
    if let Some(content) = component.one("DTEND") {
        return Moment::one(content, zones);
    }
    let (length, content) = match component.one("DURATION") {
        Some(content) => (Length::read(content)?, Some(content)),
        None if start.is_date => (Length::DAY, None),
        None => return Ok(*start),
    };
    let line = content.map_or(component.line, |content| content.line);
    start.after(length).ok_or_else(|| IngestError::bad_line("this ends beyond the calendar").on_line(line))
}

fn stands_for(content: &Content, zones: &Zones) -> Result<Moment> {
    if content.parameter("RANGE").is_some() {
        let problem = "RANGE=THISANDFUTURE, a change of all later occurrences, is not known";
        return Err(IngestError::bad_line(problem)
            .on_line(content.line)
            .expected("a series that ends, and another one from then on"));
    }
    Moment::one(content, zones)
}

/// The rule of the table's own form: without its end, which is said apart, and without times of day, which its beginning says.
fn recurring(component: &Component, start: &Moment, end: &Moment) -> Result<Option<Recurring>> {
    let mut rules = component.all("RRULE");
    let Some(content) = rules.next() else { return Ok(None) };
    if let Some(second) = rules.next() {
        let error = IngestError::bad_line("this event has a second RRULE").on_line(second.line);
        return Err(error.expected("one rule; events of their own for the others"));
    }
    let refuse = |why: String| IngestError::bad_line(why).on_line(content.line);
    let (mut parts, mut until) = (Vec::new(), None);
    for part in content.value.split(';').filter(|part| !part.trim().is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        let says_start = |of_day: String| value.parse::<u32>().ok() == of_day.parse().ok();
        match name.trim().to_uppercase().as_str() {
            "UNTIL" => until = Some(until_of(value, content, start)?),
            "BYHOUR" if says_start(start.local.format("%H").to_string()) => {}
            "BYMINUTE" if says_start(start.local.format("%M").to_string()) => {}
            "BYSECOND" if says_start(start.local.format("%S").to_string()) => {}
            _ => parts.push(part),
        }
    }
    let rule = Rule::read(&parts.join(";")).map_err(|error| refuse(error.to_string()))?;
    let recurrence = Recurrence::new(rule.text(), start.zone.name(), [start.at, end.at], until);
    let recurrence = recurrence.map_err(|Unfit { why, .. }| refuse(why))?;
    Ok(Some(Recurring { recurrence, until }))
}

/// The instant from which on nothing starts any more. Of RFC 5545 the last one may start at UNTIL itself, to the second; a date
/// means all of that day.
fn until_of(value: &str, content: &Content, start: &Moment) -> Result<i64> {
    let last = Moment::last_of(value, content, start)?;
    let after = if last.is_date { last.after(Length::DAY) } else { last.after(Length { days: 0, seconds: 1 }) };
    after.map(|after| after.at).ok_or_else(|| content.refuse("an UNTIL within the calendar"))
}
