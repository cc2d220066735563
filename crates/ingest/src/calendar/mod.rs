//! Events of an iCalendar file (RFC 5545) as rows: maintenance that was planned in a calendar becomes exclusions.
//!
//! ```text
//! lines ─ content ─▶ properties of events ─ event ─▶ events in instants ─ rows ─▶ a row each, and one for each exception
//! ```
//! What recurs stays a rule, as in the table `exclusions`: one row with `every`, `time_zone` and `until`. Dates that the event leaves
//! out (EXDATE), moves (RECURRENCE-ID) or adds (RDATE) are rows of their own, named as the table names occurrences: `UID@2026-10-04`.
//! The same calendar again, or as it looks later, therefore says the same of the same ids.
//!
//! What must hold: no event is left out or guessed at. What cannot be read, or cannot recur by the rules of the table, is refused with
//! its line.

mod content;
mod event;
mod moment;
mod rows;
mod windows_zones;
mod zones;

use chrono_tz::Tz;
use nines_store::TableKind;

use crate::lines::Lines;
use crate::{ErrorKind, IngestError, Result};
pub(crate) use rows::COLUMNS;
use rows::Row;

/// The rows of a calendar, one after the other.
pub(crate) struct Events {
    rows: std::vec::IntoIter<Row>,
    row: Option<Row>,
}

impl Events {
    /// Reads a calendar. Dates and times that name no zone are of the calendar's own (X-WR-TIMEZONE), else of `zone`.
    pub(crate) fn read(lines: Lines, zone: &str) -> Result<Self> {
        let name = lines.name().to_string();
        let calendar = content::read(lines)?;
        let zone = zone.parse().unwrap_or(Tz::UTC);
        let rows = rows::of(&calendar, zone).map_err(|error| error.in_file(name))?;
        Ok(Self { rows: rows.into_iter(), row: None })
    }

    /// Goes to the next row.
    pub(crate) fn next(&mut self) -> Option<&Row> {
        self.row = self.rows.next();
        self.row.as_ref()
    }
}

/// The error for a calendar of which nobody says what its events are in this table.
pub(crate) fn unmapped(kind: TableKind) -> IngestError {
    let problem = format!("a calendar has no rows of {}: somebody must say what its events mean", kind.name());
    IngestError::new(ErrorKind::Options, problem).advice(
        "Use --select, such as: SELECT id, 'Scheduled Maintenance' AS category, started, ended, summary AS reason, every, time_zone, \
         until, withdrawn FROM input",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row as `column=value`, those that hold nothing left out.
    pub(super) fn read(text: &str) -> Result<Vec<String>> {
        let lines = Lines::new("m.ics", Box::new(std::io::Cursor::new(text.as_bytes().to_vec())));
        let mut events = Events::read(lines, "Europe/Berlin")?;
        let mut rows = Vec::new();
        while let Some(row) = events.next() {
            let cells = COLUMNS.iter().enumerate().filter(|(at, name)| !row.cell(*at).is_empty() && **name != "uid");
            let cells = cells.map(|(at, name)| format!("{name}={}", row.cell(at)));
            rows.push(format!("{}: {}", row.line(), cells.collect::<Vec<_>>().join(" ")));
        }
        Ok(rows)
    }

    fn calendar(events: &[&str]) -> String {
        let events = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect::<String>();
        format!("BEGIN:VCALENDAR\nVERSION:2.0\n{events}END:VCALENDAR\n")
    }

    #[test]
    fn events_become_instants_by_their_zones() {
        let text = "\
BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:Head office\r\nX-LIC-LOCATION:Asia/Tokyo\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n\
TZOFFSETFROM:+0900\r\nTZOFFSETTO:+0900\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:a\r\nSUMMARY:New disks\\, at last\r\nDTSTART;TZID=Eu\r\n rope/\
Berlin:20261014T020000\r\nDTEND;TZID=Europe/Berlin:20261014T040000\r\nCATEGORIES:maintenance,planned\r\nBEGIN:VALARM\r\nTRIGGER:-PT15M\r\n\
SUMMARY:no\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:b\r\nDTSTART:20261014T020000Z\r\nDURATION:PT1H30M\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:c\r\nDTSTART;TZID=Head office:20261014T020000\r\nDTEND;TZID=\"W. Europe Standard Time\":20261014T010000\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:d\r\nDTSTART;VALUE=DATE:20261024\r\nDTEND;VALUE=DATE:20261026\r\nCREATED:20260901T120000Z\r\nEND:VEVENT\r\n\
BEGIN:VEVENT\r\nUID:e\r\nDTSTART:20261014T020000\r\nDTEND:20261014T030000\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        assert_eq!(
            read(text).unwrap(),
            [
                "12: id=a summary=New disks, at last categories=maintenance,planned started=2026-10-14T00:00:00Z \
                 ended=2026-10-14T02:00:00Z all_day=false withdrawn=false",
                "24: id=b started=2026-10-14T02:00:00Z ended=2026-10-14T03:30:00Z all_day=false withdrawn=false",
                "29: id=c started=2026-10-13T17:00:00Z ended=2026-10-13T23:00:00Z all_day=false withdrawn=false",
                "34: id=d created=2026-09-01T12:00:00Z started=2026-10-23T22:00:00Z ended=2026-10-25T23:00:00Z all_day=true \
                 withdrawn=false",
                "40: id=e status=CANCELLED started=2026-10-14T00:00:00Z ended=2026-10-14T01:00:00Z all_day=false withdrawn=true",
            ]
        );
    }

    #[test]
    fn what_recurs_is_a_rule_and_its_exceptions() {
        let series = "UID:s\nDTSTART;TZID=Europe/Berlin:20261004T020000\nDTEND;TZID=Europe/Berlin:20261004T040000\n\
                      RRULE:FREQ=WEEKLY;UNTIL=20261231T225959Z;BYHOUR=2;BYMINUTE=0;BYDAY=SU\n\
                      EXDATE;TZID=Europe/Berlin:20261011T020000,20261101T020000\nRDATE;TZID=Europe/Berlin:20261007T020000";
        let moved = "UID:s\nRECURRENCE-ID;TZID=Europe/Berlin:20261025T020000\nDTSTART;TZID=Europe/Berlin:20261026T020000\n\
                     DTEND;TZID=Europe/Berlin:20261026T030000";
        let dropped =
            "UID:s\nRECURRENCE-ID:20261108T010000Z\nSTATUS:CANCELLED\nDTSTART:20261108T010000Z\nDTEND:20261108T030000Z";
        assert_eq!(
            read(&calendar(&[series, moved, dropped])).unwrap(),
            [
                "3: id=s started=2026-10-04T00:00:00Z ended=2026-10-04T02:00:00Z all_day=false every=FREQ=WEEKLY;BYDAY=SU \
                 time_zone=Europe/Berlin until=2026-12-31T23:00:00Z withdrawn=false",
                "3: id=s@2026-10-11 started=2026-10-11T00:00:00Z ended=2026-10-11T02:00:00Z all_day=false withdrawn=true",
                "3: id=s@2026-11-01 started=2026-11-01T01:00:00Z ended=2026-11-01T03:00:00Z all_day=false withdrawn=true",
                "3: id=s@2026-10-07 started=2026-10-07T00:00:00Z ended=2026-10-07T02:00:00Z all_day=false withdrawn=false",
                "11: id=s@2026-10-25 started=2026-10-26T01:00:00Z ended=2026-10-26T02:00:00Z all_day=false withdrawn=false",
                "17: id=s@2026-11-08 status=CANCELLED started=2026-11-08T01:00:00Z ended=2026-11-08T03:00:00Z all_day=false \
                 withdrawn=true",
            ]
        );
    }

    #[test]
    fn days_recur_until_their_last_one() {
        let days = "UID:d\nDTSTART;VALUE=DATE:20261001\nRRULE:FREQ=MONTHLY;UNTIL=20261201\nEXDATE;VALUE=DATE:20261101";
        let rows = read(&calendar(&[days]).replace("VERSION:2.0", "X-WR-TIMEZONE:America/New_York")).unwrap();
        assert_eq!(
            rows,
            [
                "3: id=d started=2026-10-01T04:00:00Z ended=2026-10-02T04:00:00Z all_day=true every=FREQ=MONTHLY \
                 time_zone=America/New_York until=2026-12-02T05:00:00Z withdrawn=false",
                "3: id=d@2026-11-01 started=2026-11-01T04:00:00Z ended=2026-11-02T05:00:00Z all_day=true withdrawn=true",
            ]
        );
    }

    #[test]
    fn of_two_states_of_an_event_the_later_counts() {
        let state = |sequence: u8, hour: u8| {
            format!("UID:a\nSEQUENCE:{sequence}\nDTSTART:20261014T{hour:02}0000Z\nDURATION:PT1H")
        };
        let rows = read(&calendar(&[&state(2, 5), &state(1, 3)])).unwrap();
        assert_eq!(rows.len(), 1);
        assert!(rows[0].contains("started=2026-10-14T05:00:00Z"), "{rows:?}");
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_line() {
        let start = "UID:a\nDTSTART:20261014T020000Z\nDTEND:20261014T030000Z";
        for (event, line, problem) in [
            ("DTSTART:20261014T020000Z", 3, "this event has no UID"),
            ("UID:a", 3, "this event has no DTSTART"),
            (
                "UID:a\nDTSTART:soon",
                5,
                "DTSTART is \"soon\"; expected a date such as 20261014, or a time such as 20261014T020000Z",
            ),
            ("UID:a\nDTSTART;TZID=Moon:20261014T020000", 5, "the time zone is \"Moon\"; expected a name of IANA"),
            (
                "UID:a\nDTSTART:20261014T020000Z\nDURATION:-PT1H",
                6,
                "DURATION is \"-PT1H\"; expected a length such as PT1H30M",
            ),
            (&format!("{start}\nRRULE:FREQ=HOURLY"), 7, "'FREQ=HOURLY' recurs within a day"),
            (&format!("{start}\nRRULE:FREQ=WEEKLY;BYDAY=MO"), 7, "FREQ=WEEKLY;BYDAY=MO yields no 2026-10-14 (Wed)"),
            (&format!("{start}\nRRULE:FREQ=DAILY;BYHOUR=3"), 7, "'BYHOUR' does not stand in the rule"),
            (&format!("{start}\nRRULE:FREQ=DAILY\nRRULE:FREQ=WEEKLY"), 8, "a second RRULE"),
            (&format!("{start}\nEXRULE:FREQ=WEEKLY"), 7, "EXRULE"),
            (&format!("{start}\nRECURRENCE-ID;RANGE=THISANDFUTURE:20261014T020000Z"), 7, "RANGE=THISANDFUTURE"),
            (&format!("{start}\nnonsense"), 7, "there is \"nonsense\"; expected a property such as SUMMARY:new disks"),
        ] {
            let said = read(&calendar(&[event])).unwrap_err().to_string();
            assert!(said.starts_with(&format!("m.ics:{line}: ")) && said.contains(problem), "{event}: {said}");
        }
        let said = |text: &str| read(text).unwrap_err().to_string();
        assert!(
            said("BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:a\n").starts_with("m.ics:2: VEVENT begins here and never ends")
        );
        assert!(said("BEGIN:VCALENDAR\nEND:VEVENT\n").starts_with("m.ics:2: VEVENT ends here"));
        assert!(said(&"BEGIN:X\n".repeat(1000)).contains("components within components"));
    }
}
