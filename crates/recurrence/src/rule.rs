//! Rules of dates.

use std::fmt;

use chrono::{Datelike, NaiveDate, TimeZone};
use rrule::{RRule, RRuleSet, RRuleSetIter, Unvalidated};

use crate::words;

/// A rule by which dates recur, as RFC 5545 writes it: `FREQ=WEEKLY;BYDAY=SU`. What it does not say follows from its first date.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    text: String,
    read: RRule<Unvalidated>,
}

/// What is wrong with a rule, and what was expected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct RuleError(String);

/// The parts of a rule, in the order in which they are written down.
const PARTS: [&str; 10] =
    ["FREQ", "INTERVAL", "COUNT", "BYMONTH", "BYWEEKNO", "BYYEARDAY", "BYMONTHDAY", "BYDAY", "BYSETPOS", "WKST"];
const TIMES: [&str; 3] = ["BYHOUR", "BYMINUTE", "BYSECOND"];
const FREQUENCIES: [&str; 4] = ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"];
/// What is expected of who writes none.
const SUCH_AS: &str = "expected a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=SU";

impl Rule {
    /// Reads a rule of RFC 5545, with or without `RRULE:` before it. Times of day and the end are said apart.
    pub fn read(text: &str) -> Result<Rule, RuleError> {
        let upper = text.trim().to_uppercase();
        let plain = upper.strip_prefix("RRULE:").unwrap_or(&upper);
        let mut parts: Vec<(usize, String)> = Vec::new();
        for part in plain.trim_end_matches(';').split(';') {
            let (name, value) =
                part.split_once('=').ok_or_else(|| RuleError(format!("'{text}' is no rule: {SUCH_AS}")))?;
            let (name, value) = (name.trim(), value.replace(char::is_whitespace, ""));
            let place = PARTS.iter().position(|known| *known == name).ok_or_else(|| unknown(name))?;
            if parts.iter().any(|(known, _)| *known == place) {
                return Err(RuleError(format!("'{name}' stands here twice")));
            }
            match name {
                "FREQ" if !FREQUENCIES.contains(&value.as_str()) => return Err(frequency(&value)),
                "INTERVAL" | "COUNT" if value.parse::<u16>().ok().is_none_or(|number| number == 0) => {
                    return Err(RuleError(format!("'{name}={value}' is not a whole number from 1 to {}", u16::MAX)));
                }
                "INTERVAL" if value == "1" => continue,
                _ => parts.push((place, value)),
            }
        }
        if !parts.iter().any(|(place, _)| *place == 0) {
            return Err(RuleError(format!("'{text}' has no FREQ; {SUCH_AS}")));
        }
        parts.sort();
        let text =
            parts.iter().map(|(place, value)| format!("{}={value}", PARTS[*place])).collect::<Vec<_>>().join(";");
        let wrong = |error: rrule::RRuleError| RuleError(format!("'{text}' is no rule: {error}; {SUCH_AS}"));
        let read: RRule<Unvalidated> = text.parse().map_err(wrong)?;
        Ok(Rule { text, read })
    }

    /// The same, or people's words for it: `week`, `2 weeks`, `Sunday`, `first Sunday`, `last day`, `month`.
    pub fn read_words(text: &str) -> Result<Rule, RuleError> {
        match words::rule(text) {
            Some(rule) => Rule::read(&rule),
            None if text.contains('=') => Rule::read(text),
            None => Err(RuleError(format!(
                "'{text}' is no rule: expected words such as day, weekday, week, 2 weeks, Sunday, 'first Sunday', month, 'last day' or \
                 year, or a rule of RFC 5545 such as FREQ=WEEKLY;BYDAY=SU"
            ))),
        }
    }

    /// The rule, its parts in one order: the same rule is the same text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it takes the day of the month from its first date, so that shorter months may have none.
    pub fn takes_day_of_month(&self) -> bool {
        let says = |part: &str| self.text.contains(&format!("{part}="));
        let yearly = self.text.starts_with("FREQ=YEARLY");
        let days = ["BYDAY", "BYMONTHDAY", "BYYEARDAY", "BYWEEKNO"].into_iter().any(says);
        (self.text.starts_with("FREQ=MONTHLY") || yearly) && !days
    }

    /// The dates that it yields from one on, in order. The first need not be among them. Costs about a µs each.
    pub(crate) fn dates(&self, first: NaiveDate) -> Result<Dates, RuleError> {
        let midnight = first.and_hms_opt(0, 0, 0).unwrap_or_default();
        let start = rrule::Tz::UTC.from_utc_datetime(&midnight);
        let wrong = |error: rrule::RRuleError| RuleError(format!("'{self}' is no rule: {error}; {SUCH_AS}"));
        let valid = self.read.clone().validate(start).map_err(wrong)?;
        // A rule that yields nothing any more ends after as many steps as the library allows.
        let set = RRuleSet::new(start).rrule(valid).limit();
        Ok(Dates((&set).into_iter()))
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Dates of a rule.
#[derive(Debug)]
pub(crate) struct Dates(RRuleSetIter);

impl Iterator for Dates {
    type Item = NaiveDate;

    fn next(&mut self) -> Option<NaiveDate> {
        const LAST_YEAR: i32 = 9999;
        self.0.next().map(|at| at.date_naive()).filter(|date| date.year() <= LAST_YEAR)
    }
}

fn unknown(name: &str) -> RuleError {
    RuleError(match name {
        "UNTIL" => {
            "'UNTIL' does not stand in the rule: the end is said apart, by --until or in the column until".to_string()
        }
        _ if TIMES.contains(&name) => format!(
            "'{name}' does not stand in the rule: from when until when is said by its first occurrence; record another one for \
             other times"
        ),
        _ => format!("'{name}' is no part of a rule: expected {}", PARTS.join(", ")),
    })
}

fn frequency(value: &str) -> RuleError {
    RuleError(match value {
        "HOURLY" | "MINUTELY" | "SECONDLY" => {
            format!("'FREQ={value}' recurs within a day: expected {}", FREQUENCIES.join(", "))
        }
        _ => format!("'FREQ={value}' is no frequency: expected {}", FREQUENCIES.join(", ")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_rule_is_the_same_text() {
        for text in
            ["FREQ=WEEKLY;BYDAY=SU", "rrule:byday=su;interval=1;freq=weekly", " BYDAY=SU; FREQ=WEEKLY;", "Sunday"]
        {
            assert_eq!(
                Rule::read_words(text).map(|rule| rule.to_string()),
                Ok("FREQ=WEEKLY;BYDAY=SU".to_string()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let said = |text: &str| Rule::read_words(text).map(|rule| rule.to_string()).expect_err(text).to_string();
        assert!(said("BYDAY=SU").starts_with("'BYDAY=SU' has no FREQ; expected a rule of RFC 5545 such as"));
        assert_eq!(said("FREQ=HOURLY"), "'FREQ=HOURLY' recurs within a day: expected DAILY, WEEKLY, MONTHLY, YEARLY");
        assert!(said("FREQ=WEEKLY;UNTIL=20261231").contains("the end is said apart, by --until"));
        assert!(said("FREQ=DAILY;BYHOUR=2").contains("said by its first occurrence"));
        assert!(said("FREQ=DAILY;INTERVAL=0").contains("not a whole number from 1"));
        assert!(said("FREQ=DAILY;FREQ=WEEKLY").contains("'FREQ' stands here twice"));
        assert!(said("FREQ=WEEKLY;BYDAY=SUN").starts_with("'FREQ=WEEKLY;BYDAY=SUN' is no rule: "));
        assert!(said("FREQ=DAILY;BYEASTER=1").contains("'BYEASTER' is no part of a rule: expected FREQ, INTERVAL"));
        assert!(said("now and then").contains("expected words such as day, weekday, week, 2 weeks, Sunday"));
        assert!(said("=").contains("is no part of a rule"));
        assert!(said("FREQ").contains("expected words such as"));
    }
}
