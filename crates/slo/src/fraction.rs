//! Exact fractions of any size.

use std::cmp::Ordering;
use std::fmt;

use nines_timeline::Share;
use num_bigint::BigUint;

/// Decimal places of a printed percent.
pub const PERCENT_SCALE: u32 = 6;

/// What becomes of what lies between two whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rounding {
    /// The nearest; of two that are equally near the higher.
    HalfUp,
    /// The nearest; of two that are equally near the even one.
    HalfEven,
    /// The lower.
    Down,
}

/// A fraction that is not negative, in lowest terms: prints as `n/d`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Fraction {
    numerator: BigUint,
    denominator: BigUint,
}

impl Fraction {
    /// `numerator / denominator`, reduced. A denominator of 0 is taken for 1.
    pub fn new(numerator: impl Into<BigUint>, denominator: impl Into<BigUint>) -> Self {
        let (numerator, mut denominator) = (numerator.into(), denominator.into());
        if denominator == BigUint::ZERO {
            denominator = BigUint::from(1u8);
        }
        let divisor = gcd(numerator.clone(), denominator.clone());
        Fraction { numerator: numerator / &divisor, denominator: denominator / divisor }
    }

    /// A fraction that is known to be in lowest terms.
    pub(crate) fn in_lowest_terms(numerator: BigUint, denominator: BigUint) -> Self {
        Fraction { numerator, denominator }
    }

    /// 0.
    pub fn zero() -> Self {
        Self::in_lowest_terms(BigUint::ZERO, BigUint::from(1u8))
    }

    /// 1.
    pub fn one() -> Self {
        Self::in_lowest_terms(BigUint::from(1u8), BigUint::from(1u8))
    }

    /// Numerator in lowest terms.
    pub fn numerator(&self) -> &BigUint {
        &self.numerator
    }

    /// Denominator in lowest terms.
    pub fn denominator(&self) -> &BigUint {
        &self.denominator
    }

    /// The product.
    pub(crate) fn product(&self, other: &Fraction) -> Fraction {
        Fraction::new(&self.numerator * &other.numerator, &self.denominator * &other.denominator)
    }

    /// The sum.
    pub fn plus(&self, other: &Fraction) -> Fraction {
        let numerator = &self.numerator * &other.denominator + &other.numerator * &self.denominator;
        Fraction::new(numerator, &self.denominator * &other.denominator)
    }

    /// This less `numerator / denominator`, 0 if that were negative.
    pub(crate) fn minus(&self, numerator: u64, denominator: u64) -> Fraction {
        let (left, right) = (&self.numerator * denominator, &self.denominator * numerator);
        match left > right {
            true => Fraction::new(left - right, &self.denominator * denominator),
            false => Fraction::zero(),
        }
    }

    /// The difference, 0 if that were negative.
    pub(crate) fn less(&self, other: &Fraction) -> Fraction {
        let (left, right) = (&self.numerator * &other.denominator, &other.numerator * &self.denominator);
        match left > right {
            true => Fraction::new(left - right, &self.denominator * &other.denominator),
            false => Fraction::zero(),
        }
    }

    /// This times `numerator / denominator`.
    pub(crate) fn times(&self, numerator: u64, denominator: u64) -> Fraction {
        Fraction::new(&self.numerator * numerator, &self.denominator * denominator)
    }

    /// The quotient; a divisor of 0 is taken for 1.
    pub(crate) fn over(&self, divisor: &Fraction) -> Fraction {
        Fraction::new(&self.numerator * &divisor.denominator, &self.denominator * &divisor.numerator)
    }

    /// The nearest float, or one beside it.
    pub fn to_f64(&self) -> f64 {
        // Sixty-four bits of each are more than a float holds.
        let shift = self.numerator.bits().max(self.denominator.bits()).saturating_sub(960);
        let float = |number: &BigUint| -> f64 {
            (number >> shift).iter_u64_digits().rev().fold(0.0, |sum, digit| sum * 2f64.powi(64) + digit as f64)
        };
        match float(&self.denominator) {
            0.0 => 0.0,
            denominator => float(&self.numerator) / denominator,
        }
    }

    /// 1 − this / parts, 0 if that were negative. Cheap whatever the size: only what the fraction has in common with
    /// `parts` is divided out.
    pub(crate) fn complement(&self, parts: u64) -> Fraction {
        let whole = &self.denominator * parts;
        if self.numerator >= whole {
            return Fraction::zero();
        }
        // The numerator and the denominator have no factor in common, so neither have the difference and it.
        let divisor = gcd(&self.numerator % parts, BigUint::from(parts));
        let numerator = &whole - &self.numerator;
        Fraction { numerator: numerator / &divisor, denominator: whole / divisor }
    }

    /// Whether it is strictly below a share.
    pub fn is_below(&self, share: Share) -> bool {
        self.cmp_share(share) == Ordering::Less
    }

    /// Compared with a share.
    pub fn cmp_share(&self, share: Share) -> Ordering {
        (&self.numerator * share.denominator()).cmp(&(&self.denominator * share.numerator()))
    }

    /// This times `scale`, as the nearest whole number; of two that are equally near the even one.
    pub fn rounded(&self, scale: u64) -> BigUint {
        half_even(&self.numerator * scale, &self.denominator)
    }

    /// This times `scale`, as a whole number.
    pub(crate) fn rounded_by(&self, mode: Rounding, scale: u64) -> BigUint {
        match mode {
            Rounding::HalfEven => self.rounded(scale),
            Rounding::HalfUp => {
                // Whoever adds a half and cuts off rounds halves up.
                (&self.numerator * scale * 2u8 + &self.denominator) / (&self.denominator * 2u8)
            }
            Rounding::Down => self.floor(scale),
        }
    }

    /// This times `scale`, rounded down.
    pub fn floor(&self, scale: u64) -> BigUint {
        &self.numerator * scale / &self.denominator
    }
}

/// The nearest whole number to a quotient; of two that are equally near the even one.
pub(crate) fn half_even(numerator: BigUint, denominator: &BigUint) -> BigUint {
    let quotient = &numerator / denominator;
    let twice = (numerator - &quotient * denominator) * 2u8;
    let up = match twice.cmp(denominator) {
        Ordering::Less => false,
        Ordering::Equal => quotient.bit(0),
        Ordering::Greater => true,
    };
    if up { quotient + 1u8 } else { quotient }
}

impl From<Share> for Fraction {
    fn from(share: Share) -> Self {
        Fraction::in_lowest_terms(share.numerator().into(), share.denominator().into())
    }
}

impl fmt::Display for Fraction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.numerator, self.denominator)
    }
}

impl PartialOrd for Fraction {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Fraction {
    fn cmp(&self, other: &Self) -> Ordering {
        (&self.numerator * &other.denominator).cmp(&(&other.numerator * &self.denominator))
    }
}

/// Greatest common divisor, at least 1.
fn gcd(mut a: BigUint, mut b: BigUint) -> BigUint {
    while b != BigUint::ZERO {
        let rest = a % &b;
        (a, b) = (b, rest);
    }
    if a == BigUint::ZERO { BigUint::from(1u8) } else { a }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_reduced_and_compared_exactly() {
        let half = Fraction::new(2u8, 4u8);
        assert_eq!(half.to_string(), "1/2");
        assert_eq!(half.plus(&Fraction::new(1u8, 6u8)).to_string(), "2/3");
        assert_eq!(Fraction::new(0u8, 7u8), Fraction::zero());
        assert_eq!(Fraction::new(3u8, 2u8).complement(30).to_string(), "19/20");
        assert_eq!(Fraction::zero().complement(30), Fraction::one());
        assert_eq!(Fraction::new(30u8, 1u8).complement(30), Fraction::zero());
        assert!(!half.is_below("0.5".parse().unwrap()) && half.is_below("0.500000000000000001".parse().unwrap()));
    }

    #[test]
    fn halves_round_to_even() {
        let rounded = |n: u32, d: u32, scale| Fraction::new(n, d).rounded(scale).to_string();
        assert_eq!(rounded(1, 8, 100), "12");
        assert_eq!(rounded(3, 8, 100), "38");
        assert_eq!(rounded(1, 3, 100), "33");
        assert_eq!(rounded(2, 3, 100), "67");
        assert_eq!(rounded(5, 2, 1), "2");
        assert_eq!(Fraction::new(2u8, 3u8).floor(100).to_string(), "66");
    }
}
