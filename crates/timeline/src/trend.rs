//! The trend of a figure over time, such as an availability per week: Theil–Sen's line.
//!
//! The slope is the median of the slopes of all pairs of points with different x, so that up to 29 % of the points
//! can be outliers (one dreadful week) without bending it, which least squares cannot say of itself. Its
//! confidence interval takes the slopes of ranks `(N ± z σ) / 2` of the N pairs, where σ² is the variance of Kendall's
//! S, corrected for ties:
//!
//! ```text
//! 18 σ² = n (n − 1) (2n + 5) − Σ k (k − 1) (2k + 5)     over groups of k equal x and of k equal y
//! ```
//!
//! Source: P. K. Sen, "Estimates of the regression coefficient based on Kendall's tau", JASA 63 (1968), equation 2.6;
//! Hollander, Wolfe and Chicken, "Nonparametric Statistical Methods", 3rd edition, section 9.3. Ranks are rounded
//! as `scipy.stats.theilslopes` rounds them, with which the tests agree. Where there are too few points for the
//! confidence, SciPy takes the extreme slopes; here the interval is infinite, because nothing bounds the slope.

use std::cmp::Ordering;

/// A line through points, and how sure its slope is. Units are the points': y, and y per x.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Trend {
    /// The median of the pairwise slopes.
    pub slope: f64,
    /// Median of y − slope × median of x: the line's value at x = 0.
    pub intercept: f64,
    /// Lower end of the slope's confidence interval; −∞ with too few points.
    pub low: f64,
    /// Upper end of the slope's confidence interval; ∞ with too few points.
    pub high: f64,
}

/// Theil–Sen's line through `(x, y)`, in any order, with the interval that holds the slope with this confidence, such as
/// 0.95. Points with a coordinate that is not finite are left out. `None` when fewer than two distinct x remain, or
/// when the confidence is not inside `(0, 1)`.
///
/// O(n²) time and memory for n points: meant for days, weeks and months, not for slices.
pub fn theil_sen(points: &[(f64, f64)], confidence: f64) -> Option<Trend> {
    if !(confidence > 0.0 && confidence < 1.0) {
        return None;
    }
    let finite = points.iter().copied().filter(|(x, y)| x.is_finite() && y.is_finite());
    let (mut xs, mut ys): (Vec<_>, Vec<_>) = finite.unzip();
    let mut slopes = Vec::with_capacity(xs.len() * xs.len() / 2);
    for (i, (x, y)) in xs.iter().zip(&ys).enumerate() {
        let later = xs[i + 1..].iter().zip(&ys[i + 1..]).filter(|(other, _)| *other != x);
        slopes.extend(later.map(|(other_x, other_y)| (other_y - y) / (other_x - x)));
    }
    if slopes.is_empty() {
        return None;
    }
    slopes.sort_unstable_by(f64::total_cmp);
    xs.sort_unstable_by(f64::total_cmp);
    ys.sort_unstable_by(f64::total_cmp);

    let slope = median(&slopes);
    let spread = normal_quantile((1.0 + confidence) / 2.0) * variance(&xs, &ys).sqrt();
    let pairs = slopes.len() as f64;
    let rank = |rank: f64| (rank >= 0.0 && rank < pairs).then(|| slopes[rank as usize]);
    Some(Trend {
        slope,
        intercept: median(&ys) - slope * median(&xs),
        low: rank(((pairs - spread) / 2.0).round_ties_even() - 1.0).unwrap_or(f64::NEG_INFINITY),
        high: rank(((pairs + spread) / 2.0).round_ties_even()).unwrap_or(f64::INFINITY),
    })
}

/// Of ascending numbers, at least one.
fn median(sorted: &[f64]) -> f64 {
    let (low, high) = (sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2]);
    // Not (low + high) / 2, which overflows where the numbers do not.
    low + (high - low) / 2.0
}

/// The variance of Kendall's S for ascending x and ascending y. NaN, thereby no bound, where ties in both leave less
/// than nothing.
fn variance(xs: &[f64], ys: &[f64]) -> f64 {
    let term = |k: usize| {
        let k = k as f64;
        k * (k - 1.0) * (2.0 * k + 5.0)
    };
    let ties = |sorted: &[f64]| {
        let groups = sorted.chunk_by(|a, b| a.partial_cmp(b) == Some(Ordering::Equal));
        groups.map(|group| term(group.len())).sum::<f64>()
    };
    let variance = (term(xs.len()) - ties(xs) - ties(ys)) / 18.0;
    if variance < 0.0 { f64::NAN } else { variance }
}

/// The quantile of the standard normal distribution, for p in `[0.5, 1)`.
///
/// P. J. Acklam's rational approximation (2003), relative error below 1.15e-9: it only chooses a rank.
fn normal_quantile(p: f64) -> f64 {
    const A: [f64; 6] = [
        -3.969683028665376e+01,
        2.209460984245205e+02,
        -2.759285104469687e+02,
        1.38357751867269e+02,
        -3.066479806614716e+01,
        2.506628277459239e+00,
    ];
    const B: [f64; 6] = [
        -5.447609879822406e+01,
        1.615858368580409e+02,
        -1.556989798598866e+02,
        6.680131188771972e+01,
        -1.328068155288572e+01,
        1.0,
    ];
    const C: [f64; 6] = [
        -7.784894002430293e-03,
        -3.223964580411365e-01,
        -2.400758277161838e+00,
        -2.549732539343734e+00,
        4.374664141464968e+00,
        2.938163982698783e+00,
    ];
    const D: [f64; 5] =
        [7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00, 3.754408661907416e+00, 1.0];
    const TAIL: f64 = 0.02425;

    let polynomial = |coefficients: &[f64], x: f64| coefficients.iter().fold(0.0, |sum, c| sum * x + c);
    let above = 1.0 - p;
    if above < TAIL {
        let q = (-2.0 * above.ln()).sqrt();
        -polynomial(&C, q) / polynomial(&D, q)
    } else {
        let q = p - 0.5;
        q * polynomial(&A, q * q) / polynomial(&B, q * q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(a: f64, b: f64) -> bool {
        a == b || (a - b).abs() <= 1e-9 * a.abs().max(b.abs())
    }

    #[test]
    fn two_points_make_a_line_but_no_interval() {
        let trend = theil_sen(&[(1.0, 5.0), (3.0, 1.0)], 0.95).unwrap();
        assert_eq!(trend, Trend { slope: -2.0, intercept: 7.0, low: f64::NEG_INFINITY, high: f64::INFINITY });
    }

    #[test]
    fn without_two_places_there_is_no_trend() {
        assert_eq!(theil_sen(&[], 0.95), None);
        assert_eq!(theil_sen(&[(1.0, 5.0)], 0.95), None);
        assert_eq!(theil_sen(&[(1.0, 5.0), (1.0, 6.0), (f64::NAN, 7.0), (2.0, f64::INFINITY)], 0.95), None);
        assert_eq!(theil_sen(&[(1.0, 5.0), (2.0, 6.0)], 1.0), None);
        assert_eq!(theil_sen(&[(1.0, 5.0), (2.0, 6.0)], f64::NAN), None);
    }

    #[test]
    fn one_dreadful_week_does_not_bend_the_line() {
        let mut weeks = (0..12).map(|week| (f64::from(week), 0.999)).collect::<Vec<_>>();
        weeks[7].1 = 0.93;
        let trend = theil_sen(&weeks, 0.95).unwrap();
        assert_eq!((trend.slope, trend.low, trend.high), (0.0, 0.0, 0.0));
    }

    #[test]
    fn ties_in_both_that_leave_no_variance_leave_no_interval() {
        let points = [(0.0, 0.0), (0.0, 0.0), (0.0, 0.0), (1.0, 0.0)];
        let trend = theil_sen(&points, 0.95).unwrap();
        assert_eq!((trend.slope, trend.low, trend.high), (0.0, f64::NEG_INFINITY, f64::INFINITY));
    }
    /// Points, a confidence, and what SciPy 1.x says of them, in the order of its result.
    type Case = (&'static [(f64, f64)], f64, [f64; 4]);

    /// Each made by
    /// `python3 -c 'import scipy.stats as s; print(s.theilslopes([5, 5, 6], [0, 1, 2], 0.95))'`,
    /// which takes y, x and the confidence, and prints slope, intercept, low and high.
    const SCIPY: [Case; 9] = [
        (WEEKS, 0.95, [-0.0001354166666666587, 0.9990947916666666, -0.00023333333333332615, -6.666666666665932e-05]),
        (WEEKS, 0.99, [-0.0001354166666666587, 0.9990947916666666, -0.0003666666666666633, -1.9999999999997796e-05]),
        (UNEVEN, 0.95, [0.37286324786324787, 1.6442307692307692, 0.1111111111111111, 0.7142857142857143]),
        (UNEVEN, 0.9, [0.37286324786324787, 1.6442307692307692, 0.16666666666666666, 0.6625]),
        (TIED_Y, 0.95, [0.5, 4.25, 0.3333333333333333, 0.6]),
        (TIED_Y, 0.99, [0.5, 4.25, 0.25, 0.6666666666666666]),
        (TIED_X, 0.9, [1.0625, 1.0, 0.75, 1.5]),
        (TIED_BOTH, 0.95, [1.0, 1.0, 0.75, 1.5]),
        (FALLING, 0.95, [-2.83974358974359, 29.959935897435898, -3.2857142857142856, -1.6363636363636365]),
    ];

    #[rustfmt::skip]
    const WEEKS: &[(f64, f64)] = &[
        (0.0, 0.9991), (1.0, 0.9987), (2.0, 0.9993), (3.0, 0.9989), (4.0, 0.9984), (5.0, 0.9990),
        (6.0, 0.9981), (7.0, 0.9412), (8.0, 0.9979), (9.0, 0.9983), (10.0, 0.9976), (11.0, 0.9978),
    ];
    #[rustfmt::skip]
    const UNEVEN: &[(f64, f64)] = &[
        (1.0, 3.5), (2.0, 1.25), (4.0, 4.0), (7.0, 2.5), (11.0, 9.0), (16.0, 6.0), (22.0, 14.5), (29.0, 11.0),
    ];
    #[rustfmt::skip]
    const TIED_Y: &[(f64, f64)] = &[
        (0.0, 5.0), (1.0, 5.0), (2.0, 6.0), (3.0, 6.0), (4.0, 6.0),
        (5.0, 7.0), (6.0, 7.0), (7.0, 9.0), (8.0, 9.0), (9.0, 9.0),
    ];
    #[rustfmt::skip]
    const TIED_X: &[(f64, f64)] = &[
        (0.0, 1.5), (0.0, 2.5), (1.0, 1.0), (1.0, 3.25), (2.0, 4.0),
        (2.0, 2.0), (3.0, 5.5), (3.0, 3.0), (4.0, 7.0), (4.0, 6.0),
    ];
    #[rustfmt::skip]
    const TIED_BOTH: &[(f64, f64)] = &[
        (0.0, 1.0), (0.0, 2.0), (1.0, 2.0), (1.0, 3.0), (2.0, 3.0),
        (2.0, 3.0), (3.0, 4.0), (3.0, 5.0), (4.0, 5.0), (4.0, 7.0),
    ];
    #[rustfmt::skip]
    const FALLING: &[(f64, f64)] = &[
        (-5.0, 40.0), (-3.5, 33.0), (-1.0, 30.5), (0.0, 28.0), (0.5, 31.0), (2.0, 22.0), (8.0, 3.0), (9.0, -1.0),
    ];

    #[test]
    fn scipy_says_the_same() {
        for (points, confidence, expected) in SCIPY {
            let shuffled = points.iter().rev().copied().collect::<Vec<_>>();
            let trend = theil_sen(&shuffled, confidence).unwrap();
            let got = [trend.slope, trend.intercept, trend.low, trend.high];
            assert!(got.iter().zip(expected).all(|(a, b)| close(*a, b)), "{got:?} is not {expected:?}");
        }
    }

    #[test]
    fn normal_quantiles_are_scipys() {
        // python3 -c 'import scipy.stats as s; print(s.norm.ppf([.5, .75, .95, .975, .98, .995, .9999]))'
        let quantiles = [
            (0.5, 0.0),
            (0.75, 0.6744897501960817),
            (0.95, 1.6448536269514722),
            (0.975, 1.959963984540054),
            (0.98, 2.0537489106318225),
            (0.995, 2.5758293035489004),
            (0.9999, 3.719016485455709),
        ];
        for (p, z) in quantiles {
            assert!((normal_quantile(p) - z).abs() <= 1.2e-9 * z, "{p}: {}", normal_quantile(p));
        }
    }
}
