//! Exact shares: the targets against which counts are compared.
//!
//! A target such as 99.95 % is a decimal, counts are integers, and whether `good / total` meets the
//! target is decided in integers. No float takes part, so the bound itself is always met.

use std::str::FromStr;

use thiserror::Error;

/// A number in `[0, 1]` as an exact fraction, from a decimal of at most 18 places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Share {
    numerator: u64,
    denominator: u64,
}

/// Why a number is no share.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ShareError {
    /// Not a decimal number.
    #[error("expected a number such as 0.999 or 99.9%, got '{0}'")]
    NotANumber(String),
    /// Below 0 or above 1.
    #[error("expected a share between 0 and 1, got {0}; write 99.9 % as 0.999")]
    OutOfRange(String),
    /// More than 18 decimal places.
    #[error("expected at most 18 decimal places, got {0}")]
    TooPrecise(String),
}

/// The most decimal places of which every power of ten fits the denominator.
const MAX_SCALE: u32 = 18;

/// The unit of [`Share::allowance`]: so many of them are 1.
pub const ALLOWANCE: i128 = 10i128.pow(MAX_SCALE);

impl Share {
    /// 1: every event good.
    pub const ONE: Share = Share { numerator: 1, denominator: 1 };

    /// `mantissa / 10^scale`, the value of a SQL decimal.
    pub fn from_decimal(mantissa: i128, scale: i8) -> Result<Self, ShareError> {
        let text = || format!("{mantissa}e{}", -i32::from(scale));
        let (mut numerator, mut scale) = (mantissa, i32::from(scale));
        while scale > 0 && numerator % 10 == 0 {
            (numerator, scale) = (numerator / 10, scale - 1);
        }
        let scale = match u32::try_from(scale) {
            Ok(scale) if scale <= MAX_SCALE => scale,
            Ok(_) => return Err(ShareError::TooPrecise(text())),
            Err(_) if numerator == 0 => 0,
            Err(_) => return Err(ShareError::OutOfRange(text())),
        };
        let denominator = 10u64.pow(scale);
        match u64::try_from(numerator) {
            Ok(numerator) if numerator <= denominator => Ok(Self::reduced(numerator, denominator)),
            _ => Err(ShareError::OutOfRange(text())),
        }
    }

    /// The decimal that this float prints as: `0.999_f64` is exactly 999/1000.
    pub fn from_f64(value: f64) -> Result<Self, ShareError> {
        if !value.is_finite() {
            return Err(ShareError::NotANumber(value.to_string()));
        }
        format!("{value}").parse()
    }

    fn reduced(numerator: u64, denominator: u64) -> Self {
        let divisor = gcd(numerator.into(), denominator.into()) as u64;
        Share { numerator: numerator / divisor, denominator: denominator / divisor }
    }

    /// `numerator / denominator`, as a stored state carries it. `None` when that is no share.
    pub fn from_ratio(numerator: u64, denominator: u64) -> Option<Self> {
        (denominator > 0 && numerator <= denominator).then(|| Self::reduced(numerator, denominator))
    }

    /// Whether `good / total` is at least this share. True when `total` is 0 and `good` is not negative.
    #[inline]
    pub fn met_by(self, good: i64, total: i64) -> bool {
        i128::from(good) * i128::from(self.denominator) >= i128::from(total) * i128::from(self.numerator)
    }

    /// What the share leaves, 1 − share, in units of 1 / [`ALLOWANCE`]: exact for every decimal of at most 18 places, any
    /// other fraction is rounded up.
    pub fn allowance(self) -> i128 {
        let left = i128::from(self.denominator - self.numerator) * ALLOWANCE;
        let denominator = i128::from(self.denominator);
        left / denominator + i128::from(left % denominator != 0)
    }

    /// Numerator in lowest terms.
    pub fn numerator(self) -> u64 {
        self.numerator
    }

    /// Denominator in lowest terms.
    pub fn denominator(self) -> u64 {
        self.denominator
    }

    /// ⌈share × count⌉, within `1..=count`: the nearest rank.
    pub(crate) fn rank_of(self, count: i64) -> i64 {
        let product = i128::from(self.numerator) * i128::from(count);
        let denominator = i128::from(self.denominator);
        let rank = product / denominator + i128::from(product % denominator != 0);
        rank.clamp(1, i128::from(count)) as i64
    }
}

impl FromStr for Share {
    type Err = ShareError;

    /// Reads `0.999`, `1`, `99.9%`, `1e-3`.
    fn from_str(text: &str) -> Result<Self, ShareError> {
        let not_a_number = || ShareError::NotANumber(text.to_string());
        let trimmed = text.trim();
        let (number, percent) = match trimmed.strip_suffix('%') {
            Some(number) => (number.trim_end(), 2),
            None => (trimmed, 0),
        };
        let (number, exponent) = match number.split_once(['e', 'E']) {
            Some((number, exponent)) => (number, exponent.parse::<i32>().map_err(|_| not_a_number())?),
            None => (number, 0),
        };
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = format!("{whole}{fraction}");
        let unsigned = digits.strip_prefix(['-', '+']).unwrap_or(&digits);
        if unsigned.is_empty() || !unsigned.bytes().all(|b| b.is_ascii_digit()) {
            return Err(not_a_number());
        }
        let mantissa = digits.parse::<i128>().map_err(|_| ShareError::TooPrecise(text.to_string()))?;
        let scale = i32::try_from(fraction.len()).unwrap_or(i32::MAX).saturating_add(percent).saturating_sub(exponent);
        let scale = i8::try_from(scale).map_err(|_| ShareError::TooPrecise(text.to_string()))?;
        Share::from_decimal(mantissa, scale).map_err(|error| match error {
            ShareError::OutOfRange(_) => ShareError::OutOfRange(text.to_string()),
            ShareError::TooPrecise(_) => ShareError::TooPrecise(text.to_string()),
            other => other,
        })
    }
}

/// The quotient of two integers, rounded once to the nearest float, however large they are. `denominator` must not be 0.
pub fn quotient(numerator: i128, denominator: i128) -> f64 {
    /// Integers up to here are floats.
    const EXACT: u128 = 1 << f64::MANTISSA_DIGITS;
    let divisor = gcd(numerator.unsigned_abs(), denominator.unsigned_abs());
    let (n, d) = (numerator.unsigned_abs() / divisor, denominator.unsigned_abs() / divisor);
    let magnitude = if n <= EXACT && d <= EXACT { n as f64 / d as f64 } else { divided(n, d) };
    if (numerator < 0) == (denominator < 0) { magnitude } else { -magnitude }
}

/// Long division in base 2. Both are at most 2^127 and not 0.
fn divided(n: u128, d: u128) -> f64 {
    /// More digits than a float has, and two by which it is rounded.
    const ENOUGH: u128 = 1 << (f64::MANTISSA_DIGITS + 2);
    let (mut digits, mut rest, mut places) = (n / d, n % d, 0);
    while digits < ENOUGH && rest != 0 {
        rest <<= 1;
        digits = digits << 1 | u128::from(rest >= d);
        rest -= if rest >= d { d } else { 0 };
        places += 1;
    }
    // What is left over only says that the quotient is no tie.
    (digits | u128::from(rest != 0)) as f64 * 0.5f64.powi(places)
}

/// Greatest common divisor, at least 1.
pub fn gcd(mut a: u128, mut b: u128) -> u128 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a.max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fraction(text: &str) -> (u64, u64) {
        let share = text.parse::<Share>().unwrap();
        (share.numerator, share.denominator)
    }

    #[test]
    fn decimals_are_exact() {
        assert_eq!(fraction("0.999"), (999, 1000));
        assert_eq!(fraction("99.95%"), (1999, 2000));
        assert_eq!(fraction("1"), (1, 1));
        assert_eq!(fraction("0"), (0, 1));
        assert_eq!(fraction("1e-3"), (1, 1000));
        assert_eq!(fraction("0.5000000000000000000000000"), (1, 2));
        assert_eq!(Share::from_f64(0.1).unwrap(), "0.1".parse().unwrap());
        assert_eq!(Share::from_decimal(9990, 4).unwrap(), "0.999".parse().unwrap());
    }

    #[test]
    fn the_bound_itself_is_met() {
        let target = "0.999".parse::<Share>().unwrap();
        assert!(target.met_by(999, 1000));
        assert!(!target.met_by(998, 1000));
        assert!(target.met_by(999_000_000_000_000, 1_000_000_000_000_000));
        assert!(!target.met_by(998_999_999_999_999, 1_000_000_000_000_000));
    }

    #[test]
    fn a_quotient_is_rounded_once() {
        assert_eq!(quotient(1, 3), 1.0 / 3.0);
        assert_eq!(quotient(-7, 2), -3.5);
        assert_eq!(quotient(0, -5), 0.0);
        // 2^53 + 1 and 2^53 + 3 are ties, which go to the even neighbour; a little more is no tie.
        let two = 1i128 << 53;
        assert_eq!(quotient(two + 1, 1), two as f64);
        assert_eq!(quotient((two + 1) * 10 + 1, 10), (two + 2) as f64);
        assert_eq!(quotient(two + 3, 1), (two + 4) as f64);
        let large = 10i128.pow(37);
        assert_eq!(quotient(large, large * 3), 1.0 / 3.0);
        assert_eq!(quotient(large - 1, large), 1.0);
        assert_eq!(quotient(i128::MAX, i128::MAX - 1), 1.0);
        assert_eq!(quotient(1, i128::MAX), 0.5f64.powi(127));
        // 0.1 is the nearest float to a tenth, whatever its terms are.
        assert_eq!(quotient(large + 10, large * 10 + 100), 0.1);
    }

    #[test]
    fn what_a_share_leaves_is_exact() {
        let left = |text: &str| text.parse::<Share>().unwrap().allowance();
        assert_eq!(left("0.999"), ALLOWANCE / 1000);
        assert_eq!(left("0.999999999999999999"), 1);
        assert_eq!((left("1"), left("0")), (0, ALLOWANCE));
    }

    #[test]
    fn numbers_that_are_no_share_say_why() {
        let error = |text: &str| text.parse::<Share>().unwrap_err().to_string();
        assert_eq!(error("99.9"), "expected a share between 0 and 1, got 99.9; write 99.9 % as 0.999");
        assert_eq!(error("-0.1"), "expected a share between 0 and 1, got -0.1; write 99.9 % as 0.999");
        assert_eq!(error("high"), "expected a number such as 0.999 or 99.9%, got 'high'");
        assert_eq!(error("0.1234567890123456789"), "expected at most 18 decimal places, got 0.1234567890123456789");
        assert_eq!(error(""), "expected a number such as 0.999 or 99.9%, got ''");
        assert_eq!(error("1e999"), "expected at most 18 decimal places, got 1e999");
    }
}
