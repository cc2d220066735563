//! Durations: numbers with a unit.

/// A unit and its length in µs.
type Unit = (&'static str, i64);

const SECOND: i64 = 1_000_000;
/// One day in µs.
pub(crate) const DAY: i64 = 86_400 * SECOND;

/// Units of a latency.
pub(crate) const LATENCY: &[Unit] = &[("us", 1), ("µs", 1), ("ms", 1_000), ("s", SECOND), ("m", 60 * SECOND)];

/// Units of a slice or of how long a sample stands.
pub(crate) const SPAN: &[Unit] = &[("s", SECOND), ("m", 60 * SECOND), ("h", 3600 * SECOND), ("d", DAY)];

/// A positive duration such as `275ms` or `0.3s`, exactly, in whole µs.
pub(crate) fn micros(text: &str, units: &[Unit]) -> Result<i64, String> {
    let names = || units.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let number = text.trim_end_matches(|c: char| !c.is_ascii_digit() && c != '.');
    let name = text[number.len()..].trim();
    // Micro is written with either of two letters that look the same.
    let name = if name == "μs" { "µs" } else { name };
    if name.is_empty() {
        return Err(format!("'{text}' has no unit (one of {})", names()));
    }
    let Some((_, unit)) = units.iter().find(|(known, _)| *known == name) else {
        return Err(format!("'{text}' is no duration: expected a number and one of {}", names()));
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(format!("'{text}' is no duration: expected a number and one of {}", names()));
    }
    let too_long = || format!("'{text}' is too long");
    let scale =
        u32::try_from(fraction.len()).ok().and_then(|places| 10i128.checked_pow(places)).ok_or_else(too_long)?;
    let product = digits.parse::<i128>().ok().and_then(|n| n.checked_mul((*unit).into())).ok_or_else(too_long)?;
    if product % scale != 0 {
        return Err(format!("'{text}' is not a whole number of microseconds"));
    }
    match i64::try_from(product / scale) {
        Ok(0) => Err(format!("'{text}' must be longer than 0")),
        Ok(micros) => Ok(micros),
        Err(_) => Err(too_long()),
    }
}

/// OpenSLO's shorthand: a whole number and one of m h d w M Q Y.
pub(crate) fn shorthand(text: &str) -> Result<String, String> {
    let number = text.strip_suffix(['m', 'h', 'd', 'w', 'M', 'Q', 'Y']);
    match number.map(|number| number.parse::<u32>()) {
        Some(Ok(1..)) if !text.starts_with('+') => Ok(text.to_string()),
        _ => Err(format!("'{text}' is no duration: expected a whole number and one of m, h, d, w, M, Q, Y, as in 28d")),
    }
}

/// The width of a slice, which divides a day.
pub(crate) fn slice(text: &str) -> Result<i64, String> {
    let slice = micros(text, SPAN)?;
    match DAY % slice {
        0 => Ok(slice),
        _ => Err(format!("slices of {text} do not divide a day into whole slices, as 1m, 5m or 1h do")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_exact() {
        assert_eq!(micros("275ms", LATENCY), Ok(275_000));
        assert_eq!(micros("0.3s", LATENCY), Ok(300_000));
        assert_eq!(micros("12.5 µs", LATENCY).unwrap_err(), "'12.5 µs' is not a whole number of microseconds");
        assert_eq!(micros("275", LATENCY).unwrap_err(), "'275' has no unit (one of us, µs, ms, s, m)");
        assert_eq!(micros("0ms", LATENCY).unwrap_err(), "'0ms' must be longer than 0");
        assert_eq!(micros("99999999999999999h", SPAN).unwrap_err(), "'99999999999999999h' is too long");
        for bad in ["-1ms", "1e3ms", "ms", ".ms", "1 2ms", "1.2.3ms"] {
            assert!(micros(bad, LATENCY).is_err(), "{bad}");
        }
    }

    #[test]
    fn slices_divide_a_day() {
        assert_eq!(slice("15s"), Ok(15 * SECOND));
        assert_eq!(slice("1d"), Ok(DAY));
        assert_eq!(slice("7m").unwrap_err(), "slices of 7m do not divide a day into whole slices, as 1m, 5m or 1h do");
    }

    #[test]
    fn windows_are_whole_units() {
        for good in ["28d", "1M", "1Q", "1Y", "2w", "60m", "1h"] {
            assert_eq!(shorthand(good).as_deref(), Ok(good));
        }
        for bad in ["28", "d", "0d", "+1d", "1.5d", "28 d", "1s", "28days", ""] {
            assert!(shorthand(bad).is_err(), "{bad}");
        }
    }
}
