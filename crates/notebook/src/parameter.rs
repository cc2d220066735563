//! Parameters of a notebook: what a reader may set, and the values that `$name` has in SQL and `{{name}}` in text.
//!
//! ```yaml
//! parameters:
//!   period: {range: last month}                 # gives $from and $to; $period is its name, here 2026-10
//!   before: {range: month before last, from: before_from, to: before_to}
//!   service: {query: "SELECT DISTINCT service FROM slos ORDER BY 1", label: Service}
//!   stage: {choices: [production, staging]}
//!   target: 0.999                               # short for {default: 0.999}
//!   since: {default: last week}                 # one instant: the beginning
//! ```
//!
//! To SQL a choice and the name of a range are text; any other value that looks like a number is one, unless it is in single
//! quotes. Without a default a choice is its first, and any other parameter must be given. A text that names a time relative to now,
//! such as `last week`, stands for the instant at which that begins, unless it is in single quotes.

use std::collections::BTreeMap;

use crate::mistake;
use crate::moment::{self, Moment};

/// Whether `$text` and `{{text}}` can refer to it.
pub(crate) fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_') && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}

/// A parameter of a notebook.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    /// Its name, without `$`.
    pub name: String,
    /// What a page calls it; its name without.
    pub label: Option<String>,
    /// What it may be.
    pub kind: ParameterKind,
}

/// What a parameter may be.
#[derive(Debug, Clone, PartialEq)]
pub enum ParameterKind {
    /// Any text, number or single time.
    Plain {
        /// Its value if none is given.
        default: Option<String>,
    },
    /// A half-open range of time, in two further values.
    Range {
        /// As [`Moment::range`] reads it.
        default: String,
        /// The name of its beginning.
        from: String,
        /// The name of its end.
        to: String,
    },
    /// One of some.
    Choice {
        /// Which there are.
        choices: Choices,
        /// Its value if none is given; the first choice without.
        default: Option<String>,
    },
}

/// What there is to choose from.
#[derive(Debug, Clone, PartialEq)]
pub enum Choices {
    /// These.
    List(Vec<String>),
    /// The first column of this query.
    Query(String),
}

/// The value of a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// As given.
    Text(String),
    /// An instant, in µs.
    Instant(i64),
    /// A half-open range, in µs.
    Range(i64, i64),
}

/// The values of a notebook's parameters, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Values {
    values: Vec<(String, Value)>,
    moment: Moment,
}

impl Parameter {
    /// The names under which it has values: its own and, of a range, those of its ends.
    pub fn names(&self) -> Vec<&str> {
        match &self.kind {
            ParameterKind::Range { from, to, .. } => vec![&self.name, from, to],
            ParameterKind::Plain { .. } | ParameterKind::Choice { .. } => vec![&self.name],
        }
    }

    /// The query that says what there is to choose from.
    pub fn query(&self) -> Option<&str> {
        match &self.kind {
            ParameterKind::Choice { choices: Choices::Query(sql), .. } => Some(sql),
            ParameterKind::Choice { choices: Choices::List(_), .. }
            | ParameterKind::Plain { .. }
            | ParameterKind::Range { .. } => None,
        }
    }

    /// Its values, from what is given by name and, if it has a query, what that returned.
    pub fn resolve(
        &self,
        given: &BTreeMap<String, String>,
        returned: &[String],
        moment: Moment,
    ) -> Result<Vec<(String, Value)>, String> {
        let name = &self.name;
        let own = given.get(name);
        match &self.kind {
            ParameterKind::Plain { default } => {
                let text = own.or(default.as_ref());
                let text = text.ok_or_else(|| format!("parameter {name} has no value; give it one, {name}=VALUE"))?;
                Ok(vec![(name.clone(), plain(text, moment))])
            }
            ParameterKind::Choice { choices, default } => {
                let choices = match choices {
                    Choices::List(choices) => choices.as_slice(),
                    Choices::Query(_) => returned,
                };
                let Some(text) = own.or(default.as_ref()).or(choices.first()) else {
                    return Err(format!("parameter {name}: its query returns nothing to choose from"));
                };
                // A default that is gone is the notebook's own business; its cells then come out empty.
                if own.is_some() && !choices.contains(text) {
                    let known: Vec<&str> = choices.iter().map(String::as_str).collect();
                    return Err(format!("parameter {name} cannot be '{text}'; {}", mistake::choices(text, &known)));
                }
                Ok(vec![(name.clone(), Value::Text(text.clone()))])
            }
            ParameterKind::Range { default, from, to } => {
                let text = own.unwrap_or(default);
                let unread = |name: &str, text: &str, such: &str| {
                    format!(
                        "parameter {name}: '{text}' is no {such}; write such as 'last month', '2026-10' or {example}",
                        example = if such == "time" { "'2026-10-01'" } else { "'2026-10-01 to 2026-10-08'" }
                    )
                };
                let (mut begin, mut end) = moment.range(text).ok_or_else(|| unread(name, text, "range of time"))?;
                for (name, at) in [(from, &mut begin), (to, &mut end)] {
                    if let Some(text) = given.get(name) {
                        *at = moment.instant(text).ok_or_else(|| unread(name, text, "time"))?;
                    }
                }
                if begin > end {
                    return Err(format!("parameter {name}: {from} is after {to}"));
                }
                Ok(vec![
                    (name.clone(), Value::Range(begin, end)),
                    (from.clone(), Value::Instant(begin)),
                    (to.clone(), Value::Instant(end)),
                ])
            }
        }
    }
}

/// Single quotes keep a text from being read as a time, and stay, for they keep SQL from reading it as a number.
fn plain(text: &str, moment: Moment) -> Value {
    let word = text.trim().chars().next().is_some_and(char::is_alphabetic);
    match moment.instant(text) {
        Some(instant) if word => Value::Instant(instant),
        _ => Value::Text(text.to_string()),
    }
}

impl Values {
    /// No values yet.
    pub fn new(moment: Moment) -> Self {
        Values { values: Vec::new(), moment }
    }

    /// Adds values, as [`Parameter::resolve`] makes them.
    pub fn extend(&mut self, values: Vec<(String, Value)>) {
        self.values.extend(values);
    }

    /// The value of this name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// Each value as text that SQL reads: instants with their offset, a range by its name, such as `2026-10`.
    pub fn literals(&self) -> impl Iterator<Item = (&str, String)> {
        self.values.iter().map(|(name, value)| {
            let text = match value {
                Value::Text(text) => text.clone(),
                Value::Range(from, to) => moment::range_text((*from, *to), self.moment.zone),
                Value::Instant(at) => moment::local(*at, self.moment.zone)
                    .map_or_else(|| at.to_string(), |time| time.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, false)),
            };
            (name.as_str(), text)
        })
    }

    /// The value of this name for a person.
    pub fn shown(&self, name: &str) -> Option<String> {
        Some(match self.get(name)? {
            Value::Text(text) => {
                let quoted = text.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
                crate::format::printable(quoted.unwrap_or(text))
            }
            Value::Range(from, to) => moment::range_text((*from, *to), self.moment.zone),
            Value::Instant(at) => crate::format::instant(*at, self.moment.zone),
        })
    }

    /// Where days begin.
    pub fn zone(&self) -> chrono_tz::Tz {
        self.moment.zone
    }

    /// The first range among them: what the page is about.
    pub fn range(&self) -> Option<moment::Range> {
        self.values.iter().find_map(|(_, value)| match value {
            Value::Range(from, to) => Some((*from, *to)),
            Value::Text(_) | Value::Instant(_) => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use chrono_tz::Tz;

    fn moment() -> Moment {
        let now = chrono::DateTime::parse_from_rfc3339("2026-11-22T05:00:30Z").unwrap().timestamp_micros();
        Moment { now, zone: Tz::Asia__Shanghai }
    }

    fn literals(parameter: Parameter, given: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        let given = given.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect();
        let mut values = Values::new(moment());
        values.extend(parameter.resolve(&given, &["登录".to_string(), "login".to_string()], moment())?);
        Ok(values.literals().map(|(name, text)| (name.to_string(), text)).collect())
    }

    fn pairs(expected: &[(&str, &str)]) -> Result<Vec<(String, String)>, String> {
        Ok(expected.iter().map(|(name, text)| (name.to_string(), text.to_string())).collect())
    }

    fn parameter(name: &str, kind: ParameterKind) -> Parameter {
        Parameter { name: name.to_string(), label: None, kind }
    }

    #[test]
    fn a_range_gives_its_ends_and_its_name() {
        let kind = ParameterKind::Range { default: "last month".into(), from: "from".into(), to: "to".into() };
        let period = parameter("period", kind);
        let october =
            [("period", "2026-10"), ("from", "2026-10-01T00:00:00+08:00"), ("to", "2026-11-01T00:00:00+08:00")];
        assert_eq!(literals(period.clone(), &[]), pairs(&october));
        assert_eq!(literals(period.clone(), &[("period", "2026-10")]), pairs(&october));
        let given = literals(period.clone(), &[("from", "2026-10-30")]).unwrap();
        assert_eq!(given[0].1, "2026-10-30 – 2026-10-31");
        assert_eq!(
            literals(period.clone(), &[("from", "tomorow")]).unwrap_err(),
            "parameter from: 'tomorow' is no time; write such as 'last month', '2026-10' or '2026-10-01'"
        );
        assert_eq!(literals(period, &[("from", "2026-12")]).unwrap_err(), "parameter period: from is after to");
    }

    #[test]
    fn plain_values_stay_unless_they_name_a_time() {
        let plain = |default: &str| parameter("p", ParameterKind::Plain { default: Some(default.to_string()) });
        for text in ["0.999", "login", "2026-10", "2026-10-01", "'today'", ""] {
            assert_eq!(literals(plain(text), &[]), pairs(&[("p", text)]));
        }
        assert_eq!(literals(plain("last month"), &[]), pairs(&[("p", "2026-10-01T00:00:00+08:00")]));
        assert_eq!(literals(plain("now"), &[]), pairs(&[("p", "2026-11-22T13:00:00+08:00")]));
        let none = parameter("p", ParameterKind::Plain { default: None });
        assert_eq!(literals(none, &[]).unwrap_err(), "parameter p has no value; give it one, p=VALUE");
    }

    #[test]
    fn a_choice_is_one_of_those_that_there_are() {
        let kind = ParameterKind::Choice { choices: Choices::Query("SELECT 1".into()), default: None };
        let service = parameter("service", kind);
        assert_eq!(literals(service.clone(), &[]), pairs(&[("service", "登录")]));
        assert_eq!(literals(service.clone(), &[("service", "login")]), pairs(&[("service", "login")]));
        assert_eq!(
            literals(service, &[("service", "logn")]).unwrap_err(),
            "parameter service cannot be 'logn'; did you mean 'login'? It may be 登录 or login"
        );
    }
}
