//! Numbers and times as people read them. Nothing is decided by what is printed here.

use chrono::{DateTime, NaiveDate, Offset};
use chrono_tz::Tz;
use nines_timeline::Interval;

use crate::duration;
use crate::fraction::{Fraction, PERCENT_SCALE, half_even};
use crate::instant::first_instant;
use crate::money::{MONEY_SCALE, minor_digits};

pub(crate) use crate::describe::{length, percent};
use crate::duration::DAY;

/// `178,560`.
pub(crate) fn grouped(number: impl ToString) -> String {
    let text = number.to_string();
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.as_str()), |digits| ("-", digits));
    let mut out = sign.to_string();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 slice`, `2 slices`.
pub(crate) fn counted(number: i64, what: &str) -> String {
    format!("{} {what}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `1,234.50 CNY`: with the currency's decimal places, more only where they are not 0.
pub(crate) fn money(amount: i128, currency: &str) -> String {
    let least = minor_digits(currency).unwrap_or(2) as usize;
    let (whole, fraction) = decimal(amount.unsigned_abs(), MONEY_SCALE as usize);
    let fraction = format!("{:0<least$}", fraction.trim_end_matches('0'));
    let sign = if amount < 0 { "-" } else { "" };
    match fraction.is_empty() {
        true => format!("{sign}{} {currency}", grouped(whole)),
        false => format!("{sign}{}.{fraction} {currency}", grouped(whole)),
    }
}

/// A percent in 10⁻⁶: `99.884259 %`.
pub(crate) fn micro_percent(percent: i64) -> String {
    let (whole, fraction) = decimal(percent.unsigned_abs().into(), PERCENT_SCALE as usize);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() { format!("{whole} %") } else { format!("{whole}.{fraction} %") }
}

fn decimal(number: u128, places: usize) -> (u128, String) {
    let unit = 10u128.pow(places as u32);
    (number / unit, format!("{:0places$}", number % unit))
}

/// Letters of a numerator and a denominator up to which a fraction is written out.
const SHORT: usize = 24;

/// A fraction written out, or about what it is where that takes lines.
pub(crate) fn fraction(fraction: &Fraction) -> String {
    // Three bits and a bit make a digit: whoever writes out a million digits only to drop them waits for it.
    let short = |bits: u64| bits <= SHORT as u64 * 3;
    if short(fraction.numerator().bits()) && short(fraction.denominator().bits()) {
        return if fraction.denominator().bits() == 1 {
            grouped(fraction.numerator())
        } else {
            format!("{}/{}", fraction.numerator(), fraction.denominator())
        };
    }
    let digits = fraction.denominator().bits() * 301 / 1000 + 1;
    format!("≈ {} (a fraction whose denominator has about {} digits)", places(fraction, 9), grouped(digits))
}

/// Rounded half-even to so many places, zeros at the end left out.
pub(crate) fn places(fraction: &Fraction, places: u32) -> String {
    decimals(fraction.rounded(10u64.pow(places)).to_string(), places)
}

/// So many slices of this width (µs) in minutes. Not reduced on the way: that takes minutes where a fraction has a
/// million digits.
pub(crate) fn minutes(slices: &Fraction, slice: i64, places: u32) -> String {
    let numerator = slices.numerator() * slice.unsigned_abs() * 10u64.pow(places);
    decimals(half_even(numerator, &(slices.denominator() * 60_000_000u64)).to_string(), places)
}

/// A share of 1 in percent, rounded half-even to six places.
pub(crate) fn percent_of(share: &Fraction) -> String {
    format!("{} %", places(&share.times(100, 1), PERCENT_SCALE))
}

fn decimals(scaled: String, places: u32) -> String {
    let padded = format!("{scaled:0>width$}", width = places as usize + 1);
    let (whole, rest) = padded.split_at(padded.len() - places as usize);
    let rest = rest.trim_end_matches('0');
    if rest.is_empty() { grouped(whole) } else { format!("{}.{rest}", grouped(whole)) }
}

/// A share of 1 in percent to three places, which a reader compares and nothing else.
pub(crate) fn rate(failed: i64, valid: i64) -> String {
    let percent = Fraction::new(failed.unsigned_abs().saturating_mul(100), valid.unsigned_abs());
    format!("{} %", places(&percent, 3))
}

/// `31 days`, or `30 days 23 h 48 min`.
pub(crate) fn long(micros: i64) -> String {
    let units = [(3_600_000_000, "h"), (60_000_000, "min"), (1_000_000, "s"), (1, "µs")];
    let days = micros / DAY;
    let mut parts: Vec<String> = (days > 0).then(|| counted(days, "day")).into_iter().collect();
    let mut rest = micros % DAY;
    for (unit, name) in units {
        if rest >= unit {
            parts.push(format!("{} {name}", rest / unit));
            rest %= unit;
        }
    }
    if parts.is_empty() { "no time".to_string() } else { parts.join(" ") }
}

/// Times of an agreement's zone.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    pub zone: Tz,
    /// Clocks change while it is shown, so that times say how far they are from UTC.
    offsets: bool,
}

impl Clock {
    pub fn new(zone: Tz, shown: Interval) -> Self {
        let offset = |at: i64| Some(DateTime::from_timestamp_micros(at)?.with_timezone(&zone).offset().fix());
        let week = 7 * duration::DAY;
        let weeks = (0..=60).map(|n| shown.start.saturating_add(n * week)).take_while(|at| *at < shown.end);
        let last = offset(shown.end.saturating_sub(1));
        Clock { zone, offsets: weeks.map(offset).any(|offset| offset != last) }
    }

    /// `2026-10-14 12:04:15`, as short as the instant allows.
    pub fn at(&self, micros: i64) -> String {
        let Some(at) = DateTime::from_timestamp_micros(micros) else {
            return if micros < 0 { "since ever".to_string() } else { "until further notice".to_string() };
        };
        let at = at.with_timezone(&self.zone);
        let format = match micros.rem_euclid(60_000_000) {
            0 => "%Y-%m-%d %H:%M",
            _ if micros.rem_euclid(1_000_000) == 0 => "%Y-%m-%d %H:%M:%S",
            _ => "%Y-%m-%d %H:%M:%S%.6f",
        };
        let offset = if self.offsets { at.format(" %:z").to_string() } else { String::new() };
        format!("{}{offset}", at.format(format))
    }

    /// The same with the zone: what stands in a sentence must say it.
    pub fn at_in_zone(&self, micros: i64) -> String {
        match DateTime::from_timestamp_micros(micros) {
            Some(_) => format!("{} ({})", self.at(micros), self.zone),
            None => self.at(micros),
        }
    }

    /// Likewise.
    pub fn span_in_zone(&self, interval: Interval) -> String {
        match (interval.start, interval.end) {
            (i64::MIN, i64::MAX) => self.span(interval),
            _ => format!("{} ({})", self.span(interval), self.zone),
        }
    }

    /// As exact as slices of this width (µs) are, so that times stand in a column.
    pub fn at_slice(&self, micros: i64, slice: i64) -> String {
        let at = DateTime::from_timestamp_micros(micros).map(|at| at.with_timezone(&self.zone));
        match at {
            Some(at) if slice % 60_000_000 != 0 && slice % 1_000_000 == 0 => {
                at.format(if self.offsets { "%Y-%m-%d %H:%M:%S %:z" } else { "%Y-%m-%d %H:%M:%S" }).to_string()
            }
            _ => self.at(micros),
        }
    }

    /// `2026-10-01 00:00 to 2026-11-01 00:00`.
    pub fn span(&self, interval: Interval) -> String {
        match (interval.start, interval.end) {
            (i64::MIN, i64::MAX) => "always".to_string(),
            (i64::MIN, end) => format!("until {}", self.at(end)),
            (start, i64::MAX) => format!("from {} on", self.at(start)),
            (start, end) => format!("{} to {}", self.at(start), self.at(end)),
        }
    }
}

/// Local days of a zone as a list: `2026-10-02 to 2026-10-03 and 2026-10-30`; what is not made of days, as times.
pub fn days_of(spans: &[Interval], zone: Tz) -> String {
    let date = |micros: i64| {
        let at = DateTime::from_timestamp_micros(micros)?.with_timezone(&zone).date_naive();
        (first_instant(at, zone) == Some(micros)).then_some(at)
    };
    let clock = Clock { zone, offsets: false };
    let spans = spans.iter().map(|span| {
        let last = |end: NaiveDate| end.pred_opt();
        match (date(span.start), date(span.end).and_then(last)) {
            (Some(first), Some(last)) if first == last => first.to_string(),
            (Some(first), Some(last)) => format!("{first} to {last}"),
            _ => clock.span(*span),
        }
    });
    listed(&spans.collect::<Vec<_>>())
}

/// Names in a row: `a, b and c`.
pub(crate) fn listed(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped() {
        let shown = [0i64, 12, 123, 1234, -1_234_567].map(grouped);
        assert_eq!(shown, ["0", "12", "123", "1,234", "-1,234,567"]);
    }

    #[test]
    fn money_has_the_places_of_its_currency() {
        assert_eq!(money(1_234_500_000, "CNY"), "1,234.50 CNY");
        assert_eq!(money(1_234_500_000, "JPY"), "1,234.5 JPY");
        assert_eq!(money(5_000_000, "JPY"), "5 JPY");
        assert_eq!(money(5_001, "EUR"), "0.005001 EUR");
        assert_eq!(money(-1_000_000, "EUR"), "-1.00 EUR");
    }

    #[test]
    fn long_fractions_are_told_about() {
        assert_eq!(fraction(&Fraction::new(3u8, 7u8)), "3/7");
        assert_eq!(fraction(&Fraction::new(30_000u32, 3u8)), "10,000");
        let long = Fraction::new(1u8, num_bigint::BigUint::from(3u8).pow(1000));
        assert_eq!(fraction(&long), "≈ 0 (a fraction whose denominator has about 478 digits)");
        assert_eq!(places(&Fraction::new(2u8, 3u8), 4), "0.6667");
        assert_eq!(micro_percent(99_884_259), "99.884259 %");
        assert_eq!(micro_percent(100_000_000), "100 %");
    }

    #[test]
    fn times_tell_their_offset_where_clocks_change() {
        let york = chrono_tz::America::New_York;
        let month = |text: &str| crate::Period::of(text.parse().unwrap(), 1, york).unwrap().interval;
        let at = month("2026-11").start;
        assert_eq!(Clock::new(york, month("2026-10")).at(at), "2026-11-01 00:00");
        assert_eq!(Clock::new(york, month("2026-11")).at(at), "2026-11-01 00:00 -04:00");
        assert_eq!(Clock::new(york, month("2026-11")).at(at + 7 * 3_600_000_000), "2026-11-01 06:00 -05:00");
        assert_eq!(Clock::new(york, month("2026-10")).span(Interval::new(i64::MIN, i64::MAX)), "always");
    }
}
