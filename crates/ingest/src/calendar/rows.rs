//! The rows of a calendar: one for each event, and one for each date on which a series is otherwise.

use std::collections::HashMap;

use chrono::NaiveDate;
use chrono_tz::Tz;

use super::content::Calendar;
use super::event::Event;
use super::moment::{Moment, shown};
use super::zones::Zones;
use crate::Result;

/// The columns of events.
pub(crate) const COLUMNS: [&str; 16] = [
    "id",
    "uid",
    "summary",
    "description",
    "location",
    "categories",
    "status",
    "url",
    "created",
    "started",
    "ended",
    "all_day",
    "every",
    "time_zone",
    "until",
    "withdrawn",
];

/// A row: a cell for each column, empty where there is nothing.
#[derive(Debug)]
pub(crate) struct Row {
    line: u64,
    sequence: i64,
    cells: [String; COLUMNS.len()],
}

impl Row {
    /// The line on which its event begins.
    pub(crate) fn line(&self) -> u64 {
        self.line
    }

    /// What stands in a column.
    pub(crate) fn cell(&self, column: usize) -> &str {
        &self.cells[column]
    }

    /// A row for an event under an id, at these times.
    fn of(event: &Event, id: String, [started, ended]: [i64; 2], is_withdrawn: bool) -> Row {
        let text = |name| event.component.text(name).to_string();
        Row {
            line: event.component.line,
            sequence: event.sequence,
            cells: [
                id,
                event.uid.to_string(),
                text("SUMMARY"),
                text("DESCRIPTION"),
                text("LOCATION"),
                text("CATEGORIES"),
                text("STATUS"),
                text("URL"),
                String::new(),
                shown(started),
                shown(ended),
                event.start.is_date.to_string(),
                String::new(),
                String::new(),
                String::new(),
                is_withdrawn.to_string(),
            ],
        }
    }

    fn set(&mut self, column: &str, text: String) {
        if let Some(at) = COLUMNS.iter().position(|name| *name == column) {
            self.cells[at] = text;
        }
    }
}

/// All rows, in the order of the file. Times that name no zone are of `zone`.
pub(super) fn of(calendar: &Calendar, zone: Tz) -> Result<Vec<Row>> {
    let zones = Zones::new(calendar, zone);
    let events = calendar.events.iter().map(|component| Event::read(component, &zones)).collect::<Result<Vec<_>>>()?;
    // Dates of a series are by its own clock, whatever zone names one of them.
    let series: HashMap<&str, &Event> =
        events.iter().filter(|event| event.stands_for.is_none()).map(|event| (event.uid, event)).collect();
    let mut rows: Vec<Row> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for event in &events {
        for mut row in of_event(event, series.get(event.uid).copied()) {
            if let Some(created) = created(event, &zones)? {
                row.set("created", created);
            }
            match places.get(&row.cells[0]) {
                // An event that is there twice is there in two states.
                Some(&place) if rows[place].sequence <= row.sequence => rows[place] = row,
                Some(_) => {}
                None => {
                    places.insert(row.cells[0].clone(), rows.len());
                    rows.push(row);
                }
            }
        }
    }
    Ok(rows)
}

fn of_event(event: &Event, series: Option<&Event>) -> Vec<Row> {
    let apart = |date: NaiveDate| format!("{}@{date}", event.uid);
    let times = [event.start.at, event.end.at];
    if let Some(moment) = event.stands_for {
        let zone = series.map_or(moment.zone, Event::zone);
        let is_withdrawn = event.is_cancelled || series.is_some_and(|series| series.is_cancelled);
        return vec![Row::of(event, apart(moment.date_in(zone)), times, is_withdrawn)];
    }
    let mut own = Row::of(event, event.uid.to_string(), times, event.is_cancelled);
    let mut others: Vec<Row> = Vec::new();
    match &event.recurrence {
        Some(recurring) => {
            own.set("every", recurring.recurrence.rule().to_string());
            own.set("time_zone", event.zone().name().to_string());
            own.set("until", recurring.until.map(shown).unwrap_or_default());
            let dates = event.excepted.iter().map(|moment| moment.date_in(event.zone()));
            // One on which it would not be anyway changes nothing.
            others.extend(dates.filter_map(|date| {
                let at = recurring.recurrence.occurrence(date)?.interval;
                Some(Row::of(event, apart(date), [at.start, at.end], true))
            }));
        }
        None if event.excepted.iter().any(|moment| is_start(event, moment)) => own.set("withdrawn", true.to_string()),
        None => {}
    }
    let length = event.end.at - event.start.at;
    others.extend(event.added.iter().map(|moment| {
        let times = [moment.at, moment.at.saturating_add(length)];
        Row::of(event, apart(moment.date_in(event.zone())), times, event.is_cancelled)
    }));
    others.insert(0, own);
    others
}

/// Whether a date that is left out is that on which the event starts.
fn is_start(event: &Event, moment: &Moment) -> bool {
    moment.date_in(event.zone()) == event.start.local.date()
}

/// When an event was put into its calendar. Calendars write a time long ago where they do not know.
fn created(event: &Event, zones: &Zones) -> Result<Option<String>> {
    let created = event.component.one("CREATED").map(|content| Moment::one(content, zones)).transpose()?;
    Ok(created.filter(|created| created.at > 0).map(|created| shown(created.at)))
}
