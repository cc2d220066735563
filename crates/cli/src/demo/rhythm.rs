//! When a business is busy: its load over a day, relative to the busiest hour of an ordinary weekday.
//!
//! Customers live in one time zone, UTC+8, so a UTC day begins with their morning and ends with their night.
//! Load has peaks (lunch, evening), a weekly rhythm, slow growth and good and bad days.

use super::catalog::Business;
use super::rng::Rng;
use super::{DAY, HOUR, Spec, stream};

/// The customers' offset from UTC.
pub(super) const LOCAL: i64 = 8 * HOUR;

/// Traffic grew by this factor within a year.
const YEARLY_GROWTH: f64 = 1.25;

/// Peaks as (local hour, width in hours, height), over a base that is never undercut.
fn peaks(business: Business) -> (f64, &'static [(f64, f64, f64)]) {
    match business {
        Business::Chat => (0.05, &[(9.5, 2.0, 0.45), (13.0, 2.0, 0.40), (20.5, 3.0, 0.90)]),
        Business::Media => (0.04, &[(12.5, 1.5, 0.30), (21.0, 3.2, 0.95)]),
        Business::Shop => (0.06, &[(11.0, 2.2, 0.70), (16.0, 2.5, 0.40), (20.0, 2.2, 0.85)]),
    }
}

/// What a Saturday or Sunday brings, compared with a weekday.
fn weekend(business: Business) -> f64 {
    match business {
        Business::Chat => 0.92,
        Business::Media => 1.30,
        Business::Shop => 1.18,
    }
}

/// The day of the week of an instant, Monday = 0.
pub(super) fn weekday(time: i64) -> i64 {
    // The epoch was a Thursday.
    (time.div_euclid(DAY) + 3).rem_euclid(7)
}

/// The load of each slice of the day that begins at `day`.
pub(super) fn load(spec: &Spec, business: Business, day: i64) -> Vec<f64> {
    let mut rng = Rng::of(spec.seed, [stream::RHYTHM, day, business as i64]);
    let age_in_years = (spec.end - day) as f64 / DAY as f64 / 365.0;
    let scale = YEARLY_GROWTH.powf(-age_in_years) * rng.between(0.93, 1.07);
    let (base, peaks) = peaks(business);
    let at = |time: i64| {
        let local = time + LOCAL;
        let hour = local.rem_euclid(DAY) as f64 / HOUR as f64;
        let mut load = base;
        for (center, width, height) in peaks {
            let distance = (hour - center).abs();
            let distance = distance.min(24.0 - distance) / width;
            load += height * (-0.5 * distance * distance).exp();
        }
        load * if weekday(local) >= 5 { weekend(business) } else { 1.0 }
    };
    (0..spec.slices_per_day()).map(|slice| scale * at(day + slice * spec.slice_micros())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evenings_are_busy_and_nights_are_not() {
        let spec = Spec { seed: 1, days: 1, end: 20_000 * DAY, slice_seconds: 60 };
        for business in Business::ALL {
            let load = load(&spec, business, spec.end - DAY);
            assert_eq!(load.len(), 1440);
            let (evening, night) = (load[(20 - 8) * 60], load[(24 + 4 - 8) * 60]);
            assert!(evening > 5.0 * night, "{business:?}: {evening} in the evening, {night} at night");
            assert!(load.iter().all(|&x| x > 0.02 && x < 2.0));
        }
    }

    #[test]
    fn the_first_of_january_2024_was_a_monday() {
        assert_eq!(weekday(1_704_067_200 * 1_000_000), 0);
    }
}
