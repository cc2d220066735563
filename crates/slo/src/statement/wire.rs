//! Values of the JSON form: instants as RFC 3339, money and percents as decimals, fractions as `n/d`, all as text and
//! exact. Each value has one way to be written.

use chrono::{DateTime, SecondsFormat, Utc};
use nines_timeline::Interval;
use num_bigint::BigUint;
use serde::de::{Deserialize, Deserializer, Error};
use serde::ser::{Serialize, Serializer};
use serde::{Deserialize as Read, Serialize as Write};

use crate::credit::Counts;
use crate::fraction::Fraction;

/// An instant in µs: RFC 3339 in UTC within the years 1 to 9999, else the number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Instant(pub i64);

const PRINTABLE: std::ops::Range<i64> = crate::SINCE_EVER..253_402_300_800_000_000;

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let at = Some(self.0).filter(|at| PRINTABLE.contains(at)).and_then(DateTime::<Utc>::from_timestamp_micros);
        match at {
            Some(at) => serializer.serialize_str(&at.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => serializer.serialize_i64(self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Read)]
        #[serde(untagged, expecting = "expected an instant such as \"2026-10-01T00:00:00Z\"")]
        enum Either {
            Text(String),
            Micros(i64),
        }
        match Either::deserialize(deserializer)? {
            Either::Micros(micros) => Ok(Instant(micros)),
            Either::Text(text) => {
                let at = DateTime::parse_from_rfc3339(&text);
                let wrong = || Error::custom(format!("'{text}' is no instant such as 2026-10-01T00:00:00Z"));
                at.map(|at| Instant(at.timestamp_micros())).map_err(|_| wrong())
            }
        }
    }
}

/// `[from, until)`; a bound that is absent is none.
#[derive(Debug, Clone, Copy, PartialEq, Read, Write)]
#[serde(deny_unknown_fields)]
pub(crate) struct Span {
    pub from: Option<Instant>,
    pub until: Option<Instant>,
}

impl From<Interval> for Span {
    fn from(interval: Interval) -> Self {
        let bound = |at: i64, none: i64| (at != none).then_some(Instant(at));
        Span { from: bound(interval.start, i64::MIN), until: bound(interval.end, i64::MAX) }
    }
}

impl From<Span> for Interval {
    fn from(span: Span) -> Self {
        Interval::new(span.from.map_or(i64::MIN, |at| at.0), span.until.map_or(i64::MAX, |at| at.0))
    }
}

/// A number of 10⁻⁶: `12.5`, without zeros at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Decimal(pub i128);

impl Serialize for Decimal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (sign, digits) = (if self.0 < 0 { "-" } else { "" }, self.0.unsigned_abs());
        let text = format!("{sign}{}.{:06}", digits / 1_000_000, digits % 1_000_000);
        serializer.serialize_str(text.trim_end_matches('0').trim_end_matches('.'))
    }
}

impl<'de> Deserialize<'de> for Decimal {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
        let number = (fraction.len() <= 6).then(|| format!("{whole}{fraction:0<6}").parse().ok()).flatten();
        number.map(Decimal).ok_or_else(|| Error::custom(format!("'{text}' is no decimal of at most six places")))
    }
}

/// `n/d`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ratio(pub Fraction);

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let parts = text.split_once('/').and_then(|(n, d)| Some((n.parse().ok()?, d.parse().ok()?)));
        match parts {
            // Taken as it stands: to reduce a fraction of a million digits takes minutes, and one that is not in lowest
            // terms differs from what the evidence gives.
            Some((n, d)) if d != BigUint::ZERO => Ok(Ratio(Fraction::in_lowest_terms(n, d))),
            _ => Err(Error::custom(format!(
                "'{}' is no fraction such as 3/4",
                text.chars().take(40).collect::<String>()
            ))),
        }
    }
}

/// Counts, each with its distance from the one before in units of as many µs as divide all distances: a run of slices
/// is `[1,valid,failed]` again and again.
#[derive(Debug, Clone, PartialEq, Read, Write)]
#[serde(deny_unknown_fields)]
pub(crate) struct Slices {
    pub first: Option<Instant>,
    pub unit_micros: i128,
    pub counts: Vec<(i128, i64, i64)>,
}

impl From<&[Counts]> for Slices {
    fn from(slices: &[Counts]) -> Self {
        let apart = |pair: &[Counts]| i128::from(pair[1].start) - i128::from(pair[0].start);
        let unit = slices.windows(2).fold(0, |unit: u128, pair| match (unit, apart(pair).unsigned_abs()) {
            (0, apart) => apart,
            (unit, apart) => nines_timeline::gcd(unit, apart),
        });
        let unit_micros = i128::try_from(unit.max(1)).unwrap_or(1);
        let distances = std::iter::once(0).chain(slices.windows(2).map(|pair| apart(pair) / unit_micros));
        let counts = slices.iter().zip(distances).map(|(counts, distance)| (distance, counts.valid, counts.failed));
        Slices { first: slices.first().map(|first| Instant(first.start)), unit_micros, counts: counts.collect() }
    }
}

impl Slices {
    /// `None`: one of them is beyond all time.
    pub fn counts(&self) -> Option<Vec<Counts>> {
        let mut at = i128::from(self.first.map_or(0, |first| first.0));
        let counts = self.counts.iter().map(|&(distance, valid, failed)| {
            at = distance.checked_mul(self.unit_micros)?.checked_add(at)?;
            Some(Counts { start: i64::try_from(at).ok()?, valid, failed })
        });
        counts.collect()
    }
}
