//! Sums of floats without rounding: the same number in whatever order, partition or batch the terms come.
//!
//! Every finite double is an integer times a power of two, so a sum of doubles is one, too. [`ExactSum`] keeps that
//! integer and rounds once, when it is read. Terms of similar size, the rule, need 128 bits; a sum of terms that
//! lie further apart keeps all 2,100 binary places of the doubles.

/// Binary places below the first value's last, so that smaller values that follow still fit.
const SLACK: i32 = 30;
/// The exponent of the last binary place of the smallest double.
const LOWEST: i32 = -1074;
/// Bits of a limb.
const LIMB: i32 = 32;
/// The exponent of the first limb's unit.
const BASE: i32 = -34 * LIMB;
/// Limbs from [`BASE`] to 2^1024, and room for the carries of 2^63 terms.
const LIMBS: usize = 68;
/// Terms that a limb takes before its carry must move on.
const PENDING: u32 = 1 << 29;

/// A sum of doubles that is rounded only when it is read.
///
/// NaN and infinities are counted, so that they can be taken out again.
#[derive(Debug, Clone, Default)]
pub struct ExactSum(Form);

#[derive(Debug, Clone)]
enum Form {
    /// `total × 2^exponent`. The exponent of an empty sum is unknown.
    Narrow {
        total: i128,
        exponent: Option<i16>,
    },
    Wide(Box<Wide>),
}

impl Default for Form {
    fn default() -> Self {
        Form::Narrow { total: 0, exponent: None }
    }
}

impl ExactSum {
    /// Adds a term.
    #[inline]
    pub fn add(&mut self, term: f64) {
        let bits = term.to_bits();
        let field = (bits >> 52) as i32 & 0x7ff;
        let fraction = (bits & ((1 << 52) - 1)) as i64;
        if field == 0x7ff {
            return self.wide().special(term, 1);
        }
        let (size, exponent) = if field == 0 { (fraction, LOWEST) } else { (fraction | 1 << 52, field - 1075) };
        let signed = if bits >> 63 == 0 { size } else { -size };
        if let Form::Narrow { total, exponent: Some(unit) } = &mut self.0
            && let shift @ 0..=73 = exponent - i32::from(*unit)
            && let Some(sum) = total.checked_add(i128::from(signed) << shift)
        {
            *total = sum;
            return;
        }
        self.add_scaled(signed.into(), exponent);
    }

    /// Takes a term out that was added before.
    pub fn subtract(&mut self, term: f64) {
        if term.is_finite() { self.add(-term) } else { self.wide().special(term, -1) }
    }

    /// Adds all terms of another sum.
    pub fn merge(&mut self, other: &ExactSum) {
        match &other.0 {
            Form::Narrow { exponent: None, .. } => {}
            Form::Narrow { total, exponent: Some(exponent) } => self.add_scaled(*total, (*exponent).into()),
            Form::Wide(wide) => self.wide().merge(wide),
        }
    }

    /// The sum, rounded to the nearest double (ties to even). `0.0` without terms.
    pub fn value(&self) -> f64 {
        match &self.0 {
            Form::Narrow { exponent: None, .. } => 0.0,
            // Exact but for the one rounding to 53 bits: below the normal range no more bits are left.
            Form::Narrow { total, exponent: Some(exponent) } => *total as f64 * power_of_two((*exponent).into()),
            Form::Wide(wide) => wide.value(),
        }
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        match self.0 {
            Form::Narrow { .. } => 0,
            Form::Wide(_) => size_of::<Wide>(),
        }
    }

    /// Appends the sum to a partial state.
    pub fn encode(&self, state: &mut Vec<u8>) {
        match &self.0 {
            Form::Narrow { exponent: None, .. } => {}
            Form::Narrow { total, exponent: Some(exponent) } => {
                state.extend(exponent.to_le_bytes());
                state.extend(total.to_le_bytes());
            }
            Form::Wide(wide) => {
                let counts = [wide.nan, wide.infinite, wide.negative];
                counts.iter().chain(&wide.limbs).for_each(|number| state.extend(number.to_le_bytes()));
            }
        }
    }

    /// The sum in a state that [`ExactSum::encode`] wrote; `None` if it is no such thing.
    pub fn decode(state: &[u8]) -> Option<ExactSum> {
        if state.is_empty() {
            return Some(ExactSum::default());
        }
        if let Some((exponent, total)) = state.split_first_chunk::<2>()
            && let Ok(total) = <[u8; 16]>::try_from(total)
        {
            let exponent =
                Some(i16::from_le_bytes(*exponent)).filter(|&e| (LOWEST..=971 - SLACK).contains(&e.into()))?;
            return Some(ExactSum(Form::Narrow { total: i128::from_le_bytes(total), exponent: Some(exponent) }));
        }
        let (numbers, []) = state.as_chunks::<8>() else { return None };
        let mut numbers = numbers.iter().map(|bytes| i64::from_le_bytes(*bytes));
        let mut wide = Wide::empty();
        (wide.nan, wide.infinite, wide.negative) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let limbs: Vec<i64> = numbers.collect();
        wide.limbs = limbs.try_into().ok()?;
        // Whoever wrote the limbs may have had carries pending.
        wide.normalize();
        Some(ExactSum(Form::Wide(Box::new(wide))))
    }

    /// Adds `total × 2^exponent`, making room for it.
    #[cold]
    fn add_scaled(&mut self, more: i128, exponent: i32) {
        if more == 0 {
            return;
        }
        if let Form::Narrow { total, exponent: unit } = &mut self.0 {
            let first = (exponent - SLACK).max(LOWEST);
            let known = i32::from(*unit.get_or_insert(first as i16));
            // The unit that both can be counted in.
            let common = if exponent < known { first } else { known };
            if let Some(before) = shifted(*total, known - common)
                && let Some(more) = shifted(more, exponent - common)
                && let Some(sum) = before.checked_add(more)
            {
                (*total, *unit) = (sum, Some(common as i16));
                return;
            }
        }
        self.wide().add(more, exponent);
    }

    fn wide(&mut self) -> &mut Wide {
        if let Form::Narrow { total, exponent } = self.0 {
            let mut wide = Box::new(Wide::empty());
            wide.add(total, exponent.map_or(LOWEST, i32::from));
            self.0 = Form::Wide(wide);
        }
        match &mut self.0 {
            Form::Wide(wide) => wide,
            Form::Narrow { .. } => unreachable!("it has just been widened"),
        }
    }
}

impl Extend<f64> for ExactSum {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, terms: I) {
        terms.into_iter().for_each(|term| self.add(term));
    }
}

impl FromIterator<f64> for ExactSum {
    fn from_iter<I: IntoIterator<Item = f64>>(terms: I) -> Self {
        let mut sum = ExactSum::default();
        sum.extend(terms);
        sum
    }
}

/// `number × 2^by`, if 128 bits hold it.
fn shifted(number: i128, by: i32) -> Option<i128> {
    let by = u32::try_from(by).ok()?;
    (number == 0 || number.unsigned_abs().leading_zeros() > by + 1).then(|| number << by.min(127))
}

fn power_of_two(exponent: i32) -> f64 {
    f64::from_bits(if exponent < -1022 { 1 << (exponent - LOWEST) } else { ((exponent + 1023) as u64) << 52 })
}

/// Limb `i` counts units of `2^(BASE + 32 i)`; its excess over 32 bits is a carry that has not moved on yet.
#[derive(Debug, Clone)]
struct Wide {
    limbs: [i64; LIMBS],
    pending: u32,
    nan: i64,
    infinite: i64,
    negative: i64,
}

impl Wide {
    fn empty() -> Wide {
        Wide { limbs: [0; LIMBS], pending: 0, nan: 0, infinite: 0, negative: 0 }
    }

    /// Counts a NaN or an infinity.
    fn special(&mut self, term: f64, by: i64) {
        if term.is_nan() {
            self.nan += by;
        } else if term > 0.0 {
            self.infinite += by;
        } else {
            self.negative += by;
        }
    }

    /// Adds `number × 2^exponent`, 32 bits after the other.
    fn add(&mut self, number: i128, exponent: i32) {
        let place = exponent - BASE;
        let (mut limb, by) = ((place / LIMB) as usize, place % LIMB);
        let sign = number.signum() as i64;
        let mut rest = number.unsigned_abs();
        while rest != 0 {
            let part = u64::from(rest as u32) << by;
            self.limbs[limb] += sign * i64::from(part as u32);
            self.limbs[limb + 1] += sign * (part >> LIMB) as i64;
            rest >>= LIMB;
            limb += 1;
        }
        self.pending += 2;
        if self.pending > PENDING {
            self.normalize();
        }
    }

    fn merge(&mut self, other: &Wide) {
        let mut other = other.clone();
        other.normalize();
        self.normalize();
        self.limbs.iter_mut().zip(other.limbs).for_each(|(limb, more)| *limb += more);
        self.pending = 2;
        self.nan += other.nan;
        self.infinite += other.infinite;
        self.negative += other.negative;
    }

    /// Moves carries on: all limbs but the last are then 32 bits and not negative.
    fn normalize(&mut self) {
        let mut carry = 0;
        for limb in &mut self.limbs[..LIMBS - 1] {
            *limb += carry;
            carry = *limb >> LIMB;
            *limb -= carry << LIMB;
        }
        self.limbs[LIMBS - 1] += carry;
        self.pending = 0;
    }

    fn value(&self) -> f64 {
        match (self.nan, self.infinite, self.negative) {
            (0, 0, 0) => {}
            (0, 1.., 0) => return f64::INFINITY,
            (0, 0, 1..) => return f64::NEG_INFINITY,
            _ => return f64::NAN,
        }
        let mut sum = self.clone();
        sum.normalize();
        let negative = sum.limbs[LIMBS - 1] < 0;
        if negative {
            sum.limbs.iter_mut().for_each(|limb| *limb = -*limb);
            sum.normalize();
        }
        let size = sum.rounded();
        if negative { -size } else { size }
    }

    /// The nearest double of a normalized sum that is not negative.
    fn rounded(&self) -> f64 {
        let Some(top) = self.limbs.iter().rposition(|&limb| limb != 0) else { return 0.0 };
        let bits = LIMB as usize * top + self.limbs[top].ilog2() as usize;
        // The last place that the result has; there is none below that of the smallest double.
        let last = bits.saturating_sub(52).max((LOWEST - BASE) as usize);
        let limb = |at: usize| self.limbs.get(at).map_or(0, |&limb| limb as u128);
        let bit = |place: usize| limb(place / 32) >> (place % 32) & 1 == 1;
        let from = last / 32;
        let window = limb(from) | limb(from + 1) << 32 | limb(from + 2) << 64;
        let mut size = (window >> (last % 32)) as u64;
        let half = bit(last - 1);
        let beyond = (0..last - 1).rev().any(bit);
        size += u64::from(half && (beyond || size & 1 == 1));
        let exponent = last as i32 + BASE;
        if exponent > 971 { f64::INFINITY } else { size as f64 * power_of_two(exponent) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sum(terms: &[f64]) -> f64 {
        terms.iter().copied().collect::<ExactSum>().value()
    }

    #[test]
    fn nothing_is_lost_to_rounding() {
        assert_eq!(sum(&[]), 0.0);
        assert_eq!(sum(&[1e100, 1.0, -1e100]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[f64::MAX, 5e-324, -f64::MAX]), 5e-324);
        assert_eq!(sum(&[5e-324, 5e-324, 2.2250738585072014e-308]), 2.2250738585072024e-308);
        // Half way between two doubles, and a hair above it.
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0]), 1.0);
        assert_eq!(sum(&[1.0, f64::EPSILON / 2.0, 5e-324]), 1.0 + f64::EPSILON);
        assert_eq!(sum(&[1.0 + f64::EPSILON, f64::EPSILON / 2.0]), 1.0 + 2.0 * f64::EPSILON);
    }

    #[test]
    fn what_is_not_finite_can_be_taken_out_again() {
        let mut sum: ExactSum = [1.5, f64::INFINITY, f64::NAN].into_iter().collect();
        assert!(sum.value().is_nan());
        sum.subtract(f64::NAN);
        assert_eq!(sum.value(), f64::INFINITY);
        sum.add(f64::NEG_INFINITY);
        assert!(sum.value().is_nan());
        sum.subtract(f64::INFINITY);
        sum.subtract(f64::NEG_INFINITY);
        assert_eq!(sum.value(), 1.5);
    }

    /// The sum as an integer of the smallest double's unit, for terms within 2^±60.
    fn naive(terms: &[f64]) -> i128 {
        terms.iter().map(|term| (term * 2f64.powi(60)) as i128).sum()
    }

    /// Doubles of every size, few bits and many.
    fn term() -> impl Strategy<Value = f64> {
        prop_oneof![
            any::<i16>().prop_map(|n| f64::from(n) / 1000.0),
            (any::<i64>(), -1074..970)
                .prop_map(|(n, e)| n as f64 * 2f64.powi(e))
                .prop_filter("finite", |x| x.is_finite()),
            any::<u64>().prop_map(f64::from_bits).prop_filter("finite", |x| x.is_finite()),
            Just(0.0),
        ]
    }

    proptest! {
        #[test]
        fn order_grouping_and_states_do_not_tell(terms in prop::collection::vec(term(), 0..40), cut in 0usize..40, seed: u64) {
            let whole = sum(&terms);
            let mut shuffled = terms.clone();
            shuffled.sort_by_key(|term| term.to_bits().wrapping_mul(seed | 1).rotate_left(17));
            prop_assert_eq!(sum(&shuffled).to_bits(), whole.to_bits());
            let (a, b) = shuffled.split_at(cut.min(shuffled.len()));
            let mut merged = ExactSum::default();
            for part in [a, b] {
                let mut state = Vec::new();
                part.iter().copied().collect::<ExactSum>().encode(&mut state);
                merged.merge(&ExactSum::decode(&state).unwrap());
            }
            prop_assert_eq!(merged.value().to_bits(), whole.to_bits());
            a.iter().for_each(|&term| merged.subtract(term));
            prop_assert_eq!(merged.value().to_bits(), sum(b).to_bits());
        }

        #[test]
        fn the_sum_is_the_nearest_double(terms in prop::collection::vec((-1i64 << 40..1 << 40, 0i32..60), 0..60)) {
            let terms: Vec<f64> = terms.iter().map(|&(n, e)| n as f64 * 2f64.powi(-e)).collect();
            prop_assert_eq!(sum(&terms), naive(&terms) as f64 / 2f64.powi(60));
            // The same, wide.
            let mut wide: ExactSum = [1e300, 1e-300].into_iter().collect();
            wide.extend(terms.iter().copied());
            wide.subtract(1e300);
            wide.subtract(1e-300);
            prop_assert_eq!(wide.value(), sum(&terms));
        }
    }
}
