//! Seconds as floats, in whole microseconds: how latencies add up.

/// The nearest whole number of microseconds; `None` if it has more than 2^126 of them, or is not finite.
pub fn micros(seconds: f64) -> Option<i128> {
    let micros = (seconds * 1e6).round();
    (micros.abs() < 2f64.powi(126)).then_some(micros as i128)
}

/// Microseconds in seconds, as the nearest double. [`micros`] of it is the same number up to 2^33 seconds, 272 years.
pub fn seconds(micros: i128) -> f64 {
    // Below 2^53 a division rounds once; beyond, the fraction is reduced first.
    match micros.unsigned_abs() >> 53 {
        0 => micros as f64 / 1e6,
        _ => crate::quotient(micros, 1_000_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_microseconds_stay_what_they_are() {
        for n in [0, 1, 7, 999_999, 1_000_001, 123_456_789_012, (1 << 33) * 1_000_000 - 1] {
            for n in [n, -n] {
                assert_eq!(micros(seconds(n)), Some(n));
            }
        }
        assert_eq!((micros(0.1 + 0.2), seconds(300_000)), (Some(300_000), 0.3));
        assert_eq!([micros(4e-7), micros(6e-7)], [Some(0), Some(1)]);
        assert_eq!([micros(f64::MAX), micros(f64::NAN), micros(f64::INFINITY)], [None; 3]);
        assert_eq!(seconds(micros(1e20).unwrap()), 1e20);
    }
}
