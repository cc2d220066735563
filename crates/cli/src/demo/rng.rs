//! Random numbers of the demo: cheap, and the same for a seed for ever.
//!
//! SplitMix64 rather than `rand::rngs::StdRng`: a history takes some hundred million draws, which a
//! cryptographic generator would make the largest part of the work, and `StdRng` promises no stable values
//! between releases of `rand`, while the demo that a tutorial describes must stay what it was. Each day of each
//! series has a stream of its own, so no day depends on which days were generated before it.
//!
//! Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.

/// Above this mean a Poisson number is drawn from the normal distribution.
const NORMAL_ABOVE: f64 = 24.0;

/// A stream of random numbers.
pub(super) struct Rng(u64);

impl Rng {
    /// The stream of this purpose (day, series, …) under this seed.
    pub(super) fn of(seed: u64, purpose: [i64; 3]) -> Self {
        let mut rng = Self(seed);
        for part in purpose {
            rng.0 = rng.next() ^ part as u64;
        }
        rng
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[0, 1)`.
    pub(super) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Uniform in `[low, high)`.
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// In `[low, high)` with a uniform logarithm: short durations are more frequent than long ones.
    pub(super) fn log_between(&mut self, low: f64, high: f64) -> f64 {
        low * (high / low).powf(self.unit())
    }

    /// Uniform in `0..n`.
    pub(super) fn below(&mut self, n: usize) -> usize {
        (self.unit() * n as f64) as usize
    }

    /// About standard normal: 64 coin flips and a uniform number to fill the gaps. No logarithm, no cosine.
    pub(super) fn normal(&mut self) -> f64 {
        const DEVIATION: f64 = 4.0104; // √(64/4 + 1/12)
        (f64::from(self.next().count_ones()) - 32.0 + self.unit() - 0.5) / DEVIATION
    }

    /// A whole number that is `x` on average.
    pub(super) fn round(&mut self, x: f64) -> i64 {
        (x + self.unit()) as i64
    }

    /// A Poisson number: one draw by inversion for small means, normal for large ones.
    pub(super) fn poisson(&mut self, mean: f64) -> i64 {
        if mean > NORMAL_ABOVE {
            return (mean + mean.sqrt() * self.normal() + 0.5).max(0.0) as i64;
        }
        let mut rest = self.unit();
        let mut p = (-mean).exp();
        let mut k = 0;
        // The bound only matters where rounding left a rest that no probability covers.
        while rest >= p && k < 100 {
            rest -= p;
            k += 1;
            p *= mean / k as f64;
        }
        k
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_depends_on_each_part_of_its_purpose() {
        let first = |seed, purpose| Rng::of(seed, purpose).next();
        let a = first(1, [0, 0, 0]);
        assert_eq!(a, first(1, [0, 0, 0]));
        for other in [first(2, [0, 0, 0]), first(1, [1, 0, 0]), first(1, [0, 1, 0]), first(1, [0, 0, 1])] {
            assert_ne!(a, other);
        }
    }

    #[test]
    fn poisson_numbers_have_their_mean_as_mean_and_variance() {
        for mean in [0.01, 0.7, 5.0, 23.0, 25.0, 900.0] {
            let mut rng = Rng::of(7, [0, 0, 0]);
            let draws: Vec<f64> = (0..100_000).map(|_| rng.poisson(mean) as f64).collect();
            let average = draws.iter().sum::<f64>() / 1e5;
            let variance = draws.iter().map(|x| (x - average).powi(2)).sum::<f64>() / 1e5;
            assert!((average / mean - 1.0).abs() < 0.15 && (average - mean).abs() < 0.5, "{average} for {mean}");
            assert!((variance / mean - 1.0).abs() < 0.15, "variance {variance} for {mean}");
        }
    }
}
