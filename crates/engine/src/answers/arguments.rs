//! Arguments of table functions: constants by the time they get here.

use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{ScalarValue, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use nines_timeline::Interval;

use crate::evaluate::midnight;

/// The arguments of one call.
pub(crate) struct Arguments<'a> {
    pub function: &'static str,
    /// As it is called, for messages.
    pub syntax: &'static str,
    pub given: &'a [Expr],
    pub zone: &'a str,
}

impl Arguments<'_> {
    /// Refuses too few and too many.
    pub fn check(&self, numbers: std::ops::RangeInclusive<usize>) -> Result<()> {
        match numbers.contains(&self.given.len()) {
            true => Ok(()),
            false => plan_err!("{} got {} arguments; expected {}", self.function, self.given.len(), self.syntax),
        }
    }

    /// The first two: from and to.
    pub fn range(&self) -> Result<Interval> {
        let range = Interval::new(self.instant(0, "from")?, self.instant(1, "to")?);
        if range.end < range.start {
            return plan_err!("{}: from is after to", self.function);
        }
        Ok(range)
    }

    fn literal(&self, at: usize, name: &str) -> Result<&ScalarValue> {
        match self.given.get(at) {
            Some(Expr::Literal(value, _)) if !value.is_null() => Ok(value),
            Some(given) => {
                plan_err!("{}: {name} must be a constant, got {given}; expected {}", self.function, self.syntax)
            }
            None => plan_err!("{} lacks {name}; expected {}", self.function, self.syntax),
        }
    }

    /// A time; where it names no zone it is in the session's.
    fn instant(&self, at: usize, name: &str) -> Result<i64> {
        let value = self.literal(at, name)?;
        if let Some(at) = self.midnight(value) {
            return Ok(at);
        }
        let zoned = |zone: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        let instant = match value.data_type() {
            DataType::Timestamp(_, Some(_)) => value.cast_to(&zoned("UTC")),
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => value
                .cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None))
                .and_then(|local| local.cast_to(&zoned(self.zone))),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                return self.told(value.try_as_str().flatten().unwrap_or_default(), name);
            }
            other => {
                return plan_err!("{}: {name} must be a time, got {other}; expected {}", self.function, self.syntax);
            }
        };
        match instant {
            Ok(ScalarValue::TimestampMicrosecond(Some(at), _)) => Ok(at),
            _ => plan_err!(
                "{}: {name} must be a time such as 2026-10-01 or '2026-10-01 12:30', got {value}",
                self.function
            ),
        }
    }

    /// A date alone: its first instant, also where clocks skip midnight.
    fn midnight(&self, value: &ScalarValue) -> Option<i64> {
        let date = match value {
            ScalarValue::Date32(Some(days)) => NaiveDate::from_epoch_days(*days)?,
            _ => value.try_as_str()??.trim().parse().ok()?,
        };
        midnight(date, self.zone.parse().ok()?)
    }

    /// A time as people write it, who leave out seconds.
    fn told(&self, text: &str, name: &str) -> Result<i64> {
        let zone = self.zone.parse().map_err(|_| plan_datafusion_err!("{} is no time zone", self.zone))?;
        nines_ingest::instant(text, zone)
            .map_err(|expected| plan_datafusion_err!("{}: {name} must be {expected}, got '{text}'", self.function))
    }

    /// A text that may be left out.
    pub fn text(&self, at: usize, name: &str) -> Result<Option<&str>> {
        if at >= self.given.len() {
            return Ok(None);
        }
        let value = self.literal(at, name)?;
        value.try_as_str().flatten().map(Some).ok_or_else(|| {
            plan_datafusion_err!("{}: {name} must be text, got {value}; expected {}", self.function, self.syntax)
        })
    }
}

/// By what an answer is grouped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    Objective,
    Service,
    Business,
    Company,
}

impl By {
    pub fn parse(arguments: &Arguments<'_>, at: usize, default: By) -> Result<By> {
        match arguments.text(at, "by")? {
            None => Ok(default),
            Some("objective") => Ok(By::Objective),
            Some("service") => Ok(By::Service),
            Some("business") => Ok(By::Business),
            Some("company") => Ok(By::Company),
            Some(other) => plan_err!(
                "{}: by must be 'objective', 'service', 'business' or 'company', got '{other}'",
                arguments.function
            ),
        }
    }

    /// The columns whose filters choose objectives: those that an answer grouped so has.
    pub fn columns(self) -> &'static [&'static str] {
        match self {
            By::Objective => &["business", "service", "objective"],
            By::Service => &["business", "service"],
            By::Business => &["business"],
            By::Company => &[],
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::lit;

    use super::*;

    fn range(from: &str, to: &str) -> Result<Interval> {
        let given = [lit(from), lit(to)];
        Arguments { function: "report", syntax: "report(from, to)", given: &given, zone: "Asia/Shanghai" }.range()
    }

    #[test]
    fn times_are_written_as_people_do() {
        let at = |text: &str| text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros();
        let noon = at("2026-10-03T04:00:00Z");
        for text in ["2026-10-03 12:00", "2026-10-03 12:00:00", "2026-10-03T12:00", "2026-10-03T04:00:00Z"] {
            let range = range("2026-10-03", text).unwrap();
            assert_eq!((range.start, range.end), (at("2026-10-02T16:00:00Z"), noon), "{text}");
        }
        let said = range("2026-10-03", "noon").unwrap_err().to_string();
        assert!(said.contains("report: to must be a time as 2026-10-03T09:12:00Z, or in Asia/Shanghai as"), "{said}");
    }
}
