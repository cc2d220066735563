//! The exact sum of many fractions with small denominators: the error rates of a month's slices.
//!
//! 178,560 slices of fifteen seconds may have as many denominators, whose common one has a million digits; adding such
//! fractions pair by pair and reducing each sum takes minutes. So every fraction is split into parts whose
//! denominators are powers of one prime each (partial fractions), which add up in machine words, prime by prime. What
//! is left are reduced fractions with coprime denominators: their sum has the product for its denominator and is in
//! lowest terms already, without a greatest common divisor of large numbers anywhere.

use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

use num_bigint::BigUint;

use crate::fraction::Fraction;

/// A sum of fractions.
#[derive(Debug, Default)]
pub(crate) struct Sum {
    /// Numerators by denominator.
    by_denominator: HashMap<u64, u128>,
    whole: u128,
    any: Option<Fraction>,
}

impl Sum {
    /// Adds `numerator / denominator`; the denominator is not 0.
    pub fn add(&mut self, numerator: u64, denominator: u64) {
        if numerator == denominator {
            self.whole += 1;
        } else {
            *self.by_denominator.entry(denominator).or_default() += u128::from(numerator);
        }
    }

    /// Adds a whole number.
    pub fn add_whole(&mut self, number: u64) {
        self.whole += u128::from(number);
    }

    /// Adds time, in slices of so many µs.
    pub fn add_time(&mut self, time: i64, slice: i64) {
        let (time, slice) = (time.max(0).unsigned_abs(), slice.max(1).unsigned_abs());
        self.add_whole(time / slice);
        if !time.is_multiple_of(slice) {
            self.add(time % slice, slice);
        }
    }

    /// Adds any fraction. Meant for few.
    pub fn add_fraction(&mut self, fraction: Fraction) {
        self.any = Some(self.any.take().map_or_else(|| fraction.clone(), |sum| sum.plus(&fraction)));
    }

    /// What it all comes to.
    pub fn total(self) -> Fraction {
        let mut whole = BigUint::from(self.whole);
        let mut parts = Parts::default();
        let mut unsplit = self.any.unwrap_or_else(Fraction::zero);
        for (denominator, numerator) in self.by_denominator {
            whole += numerator / u128::from(denominator);
            let rest = (numerator % u128::from(denominator)) as u64;
            let divisor = nines_timeline::gcd(rest.into(), denominator.into()) as u64;
            let (rest, denominator) = (rest / divisor, denominator / divisor);
            match powers(denominator) {
                Some(powers) => parts.add(rest, denominator, &powers),
                None => unsplit = unsplit.plus(&Fraction::new(rest, denominator)),
            }
        }
        let Parts { by_prime, deficit } = parts;
        let leaves = by_prime.into_iter().filter(|(_, (numerator, _))| *numerator > 0).map(|(prime, part)| {
            let (mut numerator, mut power) = part;
            while numerator % prime == 0 {
                (numerator, power) = (numerator / prime, power / prime);
            }
            (BigUint::from(numerator), BigUint::from(power))
        });
        let (numerator, denominator) = added(leaves.collect());
        // Parts are between 0 and 1, so together they may exceed what they are parts of, by whole numbers.
        if deficit < 0 {
            whole += deficit.unsigned_abs();
        }
        let excess = &denominator * deficit.max(0).unsigned_abs();
        let numerator = numerator + whole * &denominator - excess;
        let split = Fraction::in_lowest_terms(numerator, denominator);
        if unsplit == Fraction::zero() { split } else { split.plus(&unsplit) }
    }
}

#[derive(Default)]
struct Parts {
    /// By prime: a numerator, and the power of the prime that is its denominator.
    by_prime: BTreeMap<u64, (u64, u64)>,
    /// What to take off the sum of all parts.
    deficit: i128,
}

impl Parts {
    /// Adds `numerator / denominator`, in lowest terms and below 1, whose denominator is the product of powers.
    fn add(&mut self, numerator: u64, denominator: u64, powers: &[(u64, u64)]) {
        // Σ part × (denominator / power) is the numerator plus a multiple of the denominator.
        let mut excess = 0u128;
        for &(prime, power) in powers {
            let others = denominator / power;
            let part = product(numerator % power, inverse(others % power, power), power);
            excess += u128::from(part) * u128::from(others);
            let (sum, whole) = self.by_prime.entry(prime).or_insert((0, power));
            let common = power.max(*whole);
            let total = u128::from(*sum * (common / *whole)) + u128::from(part * (common / power));
            (*sum, *whole) = ((total % u128::from(common)) as u64, common);
            self.deficit -= i128::from(total >= u128::from(common));
        }
        self.deficit += ((excess - u128::from(numerator)) / u128::from(denominator)) as i128;
    }
}

/// `a × b mod m`.
fn product(a: u64, b: u64, m: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(m)) as u64
}

/// The inverse of `a` modulo `m`, which have no factor in common (Euclid's extended algorithm).
fn inverse(a: u64, m: u64) -> u64 {
    let modulus = i128::from(m);
    let (mut before, mut rest) = (modulus, i128::from(a));
    let (mut of_before, mut of_rest) = (0i128, 1i128);
    while rest != 0 {
        let quotient = before / rest;
        (before, rest) = (rest, before - quotient * rest);
        (of_before, of_rest) = (of_rest, of_before - quotient * of_rest);
    }
    of_before.rem_euclid(modulus) as u64
}

/// Trial division goes up to here.
const LIMIT: u64 = 1 << 16;

/// The powers of primes that a number is the product of, each with its prime. `None` if that takes too long to find
/// out: it has two factors above [`LIMIT`].
fn powers(mut number: u64) -> Option<Vec<(u64, u64)>> {
    let mut found = Vec::new();
    for &prime in primes() {
        let prime = u64::from(prime);
        if prime * prime > number {
            break;
        }
        let mut power = 1;
        while number.is_multiple_of(prime) {
            (number, power) = (number / prime, power * prime);
        }
        if power > 1 {
            found.push((prime, power));
        }
    }
    if number >= LIMIT * LIMIT {
        return None;
    }
    if number > 1 {
        found.push((number, number));
    }
    Some(found)
}

/// The primes below [`LIMIT`] (Eratosthenes' sieve).
fn primes() -> &'static [u32] {
    static PRIMES: OnceLock<Vec<u32>> = OnceLock::new();
    PRIMES.get_or_init(|| {
        let mut composite = vec![false; LIMIT as usize];
        let mut primes = Vec::new();
        for number in 2..LIMIT as usize {
            if !composite[number] {
                primes.push(number as u32);
                (number * number..LIMIT as usize).step_by(number).for_each(|multiple| composite[multiple] = true);
            }
        }
        primes
    })
}

/// The sum of fractions, over the product of their denominators: neighbours first, so that factors stay of one size.
fn added(mut fractions: Vec<(BigUint, BigUint)>) -> (BigUint, BigUint) {
    while fractions.len() > 1 {
        let pairs = fractions.chunks(2).map(|pair| match pair {
            [(a, b), (c, d)] => (a * d + c * b, b * d),
            rest => rest[0].clone(),
        });
        fractions = pairs.collect();
    }
    fractions.pop().unwrap_or((BigUint::ZERO, BigUint::from(1u8)))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn naive(fractions: &[(u64, u64)]) -> Fraction {
        fractions.iter().fold(Fraction::zero(), |sum, (n, d)| sum.plus(&Fraction::new(*n, *d)))
    }

    fn summed(fractions: &[(u64, u64)]) -> Fraction {
        let mut sum = Sum::default();
        fractions.iter().for_each(|(n, d)| sum.add(*n, *d));
        sum.total()
    }

    #[test]
    fn sums_are_in_lowest_terms() {
        assert_eq!(summed(&[(1, 2), (1, 3), (1, 6)]).to_string(), "1/1");
        assert_eq!(summed(&[(1, 4), (1, 4), (5, 6)]).to_string(), "4/3");
        assert_eq!(summed(&[(7, 7), (0, 9)]).to_string(), "1/1");
        assert_eq!(summed(&[]).to_string(), "0/1");
    }

    #[test]
    fn large_denominators_are_exact_too() {
        let (p, q) = (4_294_967_291, 4_294_967_279);
        let large = [(1, u64::from(u32::MAX) * 4), (5, 1 << 62), (3, i64::MAX as u64), (1, p * q), (q, p * q)];
        assert_eq!(summed(&large), naive(&large));
        let powers = [(1, 1 << 62), ((1 << 62) - 1, 1 << 62), (3, 4_052_555_153_018_976_267)];
        assert_eq!(summed(&powers), naive(&powers));
    }

    proptest! {
        #[test]
        fn sums_equal_those_of_one_after_the_other(
            fractions in prop::collection::vec((1..2000u64, any::<u64>()), 0..60),
            wide in prop::collection::vec((1..i64::MAX as u64, any::<u64>()), 0..5),
        ) {
            let fractions: Vec<_> = fractions.into_iter().chain(wide).map(|(d, n)| (n % (d + 1), d)).collect();
            prop_assert_eq!(summed(&fractions), naive(&fractions));
        }
    }
}
