//! Arguments of table functions: constants by the time they get here.

use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::catalog::{Session, TableFunctionArgs};
use datafusion::common::{ScalarValue, internal_err, plan_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::Expr;
use nines_slo::moment::Moment;
use nines_slo::{PeriodName, first_instant};
use nines_timeline::{Interval, Share};

use super::signature::{BY, FROM, Signature, TO};
use crate::told::told;

/// The arguments of one call.
pub(crate) struct Arguments<'a> {
    pub signature: Signature,
    pub given: &'a [Expr],
    /// The session's time zone and what time it is.
    pub at: Moment,
}

impl<'a> Arguments<'a> {
    /// The arguments of a call that the session plans. Refuses more than the function takes.
    pub fn of(signature: Signature, call: &TableFunctionArgs<'a, '_>) -> Result<Self> {
        let given = call.exprs();
        if given.len() > signature.parameters.len() {
            return plan_err!("{} got {} arguments; expected {signature}", signature.function, given.len());
        }
        Ok(Arguments { signature, given, at: moment(call.session())? })
    }

    /// For messages.
    pub fn function(&self) -> &'static str {
        self.signature.function
    }

    /// The session's time zone by its name.
    pub fn zone(&self) -> Arc<str> {
        self.at.zone.name().into()
    }

    /// `from` and `to`; without `to`, `from` is a whole range such as '2026-10'.
    pub fn range(&self) -> Result<Interval> {
        let from = self.required(FROM.name)?;
        let (from, to) = match self.optional(TO.name)? {
            Some(to) => (self.instant(from, FROM.name)?, self.instant(to, TO.name)?),
            None => self.whole(from)?,
        };
        let range = Interval::new(from, to);
        if range.end < range.start {
            return plan_err!("{}: from is after to", self.function());
        }
        Ok(range)
    }

    /// The value of a parameter; `None` if it is NULL or left out.
    pub fn optional(&self, name: &str) -> Result<Option<&'a ScalarValue>> {
        let Some(at) = self.signature.position(name) else {
            return internal_err!("{} has no parameter {name}", self.function());
        };
        match self.given.get(at) {
            Some(Expr::Literal(value, _)) => Ok(Some(value).filter(|value| !value.is_null())),
            Some(given) => {
                plan_err!("{}: {name} must be a constant, got {given}; expected {}", self.function(), self.signature)
            }
            None => Ok(None),
        }
    }

    /// Whether NULL was given for a parameter.
    fn is_null(&self, name: &str) -> bool {
        let given = self.signature.position(name).and_then(|at| self.given.get(at));
        matches!(given, Some(Expr::Literal(value, _)) if value.is_null())
    }

    /// The value of a parameter that every call must give.
    pub fn required(&self, name: &str) -> Result<&'a ScalarValue> {
        self.optional(name)?.ok_or_else(|| match self.is_null(name) {
            true => plan_datafusion_err!("{}: {name} is NULL; expected {}", self.function(), self.signature),
            false => plan_datafusion_err!("{} lacks {name}; expected {}", self.function(), self.signature),
        })
    }

    /// A text that may be left out.
    pub fn text(&self, name: &str) -> Result<Option<&'a str>> {
        let Some(value) = self.optional(name)? else { return Ok(None) };
        value.try_as_str().flatten().map(Some).ok_or_else(|| {
            plan_datafusion_err!("{}: {name} must be text, got {value}; expected {}", self.function(), self.signature)
        })
    }

    /// The period that a text names: a month, or the first day of a period of days.
    pub fn period(&self, name: &str) -> Result<PeriodName> {
        self.required(name)?;
        let text = self.text(name)?.unwrap_or_default();
        let day = text.trim().parse().ok().filter(|name| matches!(name, PeriodName::Day(_)));
        day.or_else(|| self.at.month(text).map(PeriodName::Month)).ok_or_else(|| {
            let expected = "expected a month such as 2026-10, 'last month', 'this month' or 'month before last', or the first day of a \
                            period of days such as 2026-10-05";
            plan_datafusion_err!("{}: {text:?} is no period: {expected}", self.function())
        })
    }

    /// A share that may be left out: a decimal, or a float taken as the decimal it prints as.
    pub fn share(&self, name: &str) -> Result<Option<Share>> {
        let Some(value) = self.optional(name)? else { return Ok(None) };
        let share = match value {
            ScalarValue::Decimal128(Some(mantissa), _, scale) => Share::from_decimal(*mantissa, *scale),
            // Of a text or a number its decimal text.
            other => other.to_string().parse(),
        };
        share.map(Some).map_err(|error| {
            plan_datafusion_err!("{}: {name} must be a share: {error}; expected {}", self.function(), self.signature)
        })
    }

    /// A whole number that may be left out, 0 or more.
    pub fn count(&self, name: &str) -> Result<Option<i64>> {
        let Some(value) = self.optional(name)? else { return Ok(None) };
        match value.to_string().parse::<i64>() {
            Ok(count) if count >= 0 => Ok(Some(count)),
            _ => plan_err!(
                "{}: {name} must be a whole number, 0 or more, got {value}; expected {}",
                self.function(),
                self.signature
            ),
        }
    }

    /// A range that stands alone: a word for it, or a date.
    fn whole(&self, value: &ScalarValue) -> Result<(i64, i64)> {
        let text = match value {
            ScalarValue::Date32(Some(days)) => NaiveDate::from_epoch_days(*days).map(|date| date.to_string()),
            _ => value.try_as_str().flatten().map(str::to_string),
        };
        text.as_deref().and_then(|text| self.at.range(text)).ok_or_else(|| {
            plan_datafusion_err!(
                "{}: '{}' is no range of time; give to as well, or one range such as '2026-10', 'last week' or \
                 '2026-10-01 to 2026-10-08'",
                self.function(),
                text.unwrap_or_else(|| value.to_string())
            )
        })
    }

    /// A time; where it names no zone it is in the session's.
    fn instant(&self, value: &ScalarValue, name: &str) -> Result<i64> {
        if let Some(at) = self.midnight(value) {
            return Ok(at);
        }
        let zoned = |zone: &str| DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()));
        let instant = match value.data_type() {
            DataType::Timestamp(_, Some(_)) => value.cast_to(&zoned("UTC")),
            DataType::Timestamp(_, None) | DataType::Date32 | DataType::Date64 => value
                .cast_to(&DataType::Timestamp(TimeUnit::Microsecond, None))
                .and_then(|local| local.cast_to(&zoned(self.at.zone.name()))),
            DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => {
                return self.told(value.try_as_str().flatten().unwrap_or_default(), name);
            }
            other => {
                return plan_err!(
                    "{}: {name} must be a time, got {other}; expected {}",
                    self.function(),
                    self.signature
                );
            }
        };
        match instant {
            Ok(ScalarValue::TimestampMicrosecond(Some(at), _)) => Ok(at),
            _ => plan_err!(
                "{}: {name} must be a time such as 2026-10-01 or '2026-10-01 12:30', got {value}",
                self.function()
            ),
        }
    }

    /// A date alone: its first instant, also where clocks skip midnight.
    fn midnight(&self, value: &ScalarValue) -> Option<i64> {
        let date = match value {
            ScalarValue::Date32(Some(days)) => NaiveDate::from_epoch_days(*days)?,
            _ => value.try_as_str()??.trim().parse().ok()?,
        };
        first_instant(date, self.at.zone)
    }

    /// A time as people write it, who leave out seconds; a word for a range is its beginning.
    fn told(&self, text: &str, name: &str) -> Result<i64> {
        told(text, self.at)
            .map_err(|expected| plan_datafusion_err!("{}: {name} must be {expected}, got '{text}'", self.function()))
    }
}

/// What time it is for a statement, and in which zone.
pub(crate) fn moment(session: &dyn Session) -> Result<Moment> {
    let zone = session.config_options().execution.time_zone.as_deref().unwrap_or(nines_store::UTC);
    let zone = zone.parse().map_err(|_| plan_datafusion_err!("{zone} is no time zone"))?;
    Ok(Moment { now: crate::statement::now(session), zone })
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
    pub fn parse(arguments: &Arguments<'_>, default: By) -> Result<By> {
        match arguments.text(BY.name)? {
            None => Ok(default),
            Some("objective") => Ok(By::Objective),
            Some("service") => Ok(By::Service),
            Some("business") => Ok(By::Business),
            Some("company") => Ok(By::Company),
            Some(other) => plan_err!(
                "{}: by must be 'objective', 'service', 'business' or 'company', got '{other}'",
                arguments.function()
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
    use crate::answers::signature::Parameter;

    fn at(text: &str) -> i64 {
        text.parse::<chrono::DateTime<chrono::Utc>>().unwrap().timestamp_micros()
    }

    fn range_of(given: &[Expr]) -> Result<Interval> {
        let at = Moment { now: at("2026-11-22T05:00:30Z"), zone: chrono_tz::Asia::Shanghai };
        let signature = Signature { function: "report", parameters: &[FROM, TO, BY] };
        Arguments { signature, given, at }.range()
    }

    fn range(from: &str, to: &str) -> Result<Interval> {
        range_of(&[lit(from), lit(to)])
    }

    #[test]
    fn a_word_is_a_range_alone_and_its_beginning_beside_another() {
        let days =
            |from: &str, to: &str| Interval::new(at(&format!("{from}T16:00:00Z")), at(&format!("{to}T16:00:00Z")));
        let null = || Expr::Literal(ScalarValue::Null, None);
        for given in
            [vec![lit("2026-10")], vec![lit("last month"), null()], vec![lit("2026-10"), null(), lit("service")]]
        {
            assert_eq!(range_of(&given).unwrap(), days("2026-09-30", "2026-10-31"), "{given:?}");
        }
        assert_eq!(range("2026-10", "2026-11").unwrap(), days("2026-09-30", "2026-10-31"));
        assert_eq!(range("last week", "yesterday").unwrap(), days("2026-11-08", "2026-11-20"));
        assert_eq!(
            range("2026", "now").unwrap(),
            Interval::new(at("2025-12-31T16:00:00Z"), at("2026-11-22T05:00:00Z"))
        );
        assert_eq!(range_of(&[lit("2026-10-03")]).unwrap(), days("2026-10-02", "2026-10-03"));
        let said = range_of(&[lit("2026-10-03 12:00")]).unwrap_err().to_string();
        assert!(said.contains("'2026-10-03 12:00' is no range of time; give to as well"), "{said}");
        let said = range_of(&[null(), lit("2026-10-03")]).unwrap_err().to_string();
        assert!(said.contains("report: from is NULL; expected report(from, to [, by])"), "{said}");
    }

    #[test]
    fn shares_and_counts_are_exact_and_may_be_left_out() {
        let of = |value: Expr| {
            let given = [value];
            let at = Moment { now: 0, zone: chrono_tz::UTC };
            const PARAMETERS: &[Parameter] = &[Parameter::optional("x", "0.9995")];
            let signature = Signature { function: "report", parameters: PARAMETERS };
            let arguments = Arguments { signature, given: &given, at };
            (arguments.share("x").map_err(|error| error.to_string()), arguments.count("x").ok())
        };
        let share = |text: &str| Ok(Some(text.parse::<Share>().unwrap()));
        let decimal = ScalarValue::Decimal128(Some(9995), 5, 4);
        assert_eq!(of(lit(decimal)).0, share("0.9995"));
        for value in [lit(0.9995), lit("0.9995"), lit("99.95%")] {
            assert_eq!(of(value).0, share("0.9995"));
        }
        assert_eq!(of(lit(1)), (share("1"), Some(Some(1))));
        assert_eq!(of(lit(ScalarValue::Null)), (Ok(None), Some(None)));
        assert_eq!(of(lit(-1)).1, None);
        let said = of(lit(99.95)).0.unwrap_err();
        assert!(said.contains("x must be a share") && said.contains("write 99.9 % as 0.999"), "{said}");
    }

    #[test]
    fn times_are_written_as_people_do() {
        let noon = at("2026-10-03T04:00:00Z");
        for text in ["2026-10-03 12:00", "2026-10-03 12:00:00", "2026-10-03T12:00", "2026-10-03T04:00:00Z"] {
            let range = range("2026-10-03", text).unwrap();
            assert_eq!((range.start, range.end), (at("2026-10-02T16:00:00Z"), noon), "{text}");
        }
        let said = range("2026-10-03", "noon").unwrap_err().to_string();
        assert!(said.contains("report: to must be a time as 2026-10-03T09:12:00Z, or in Asia/Shanghai as"), "{said}");
    }
}
