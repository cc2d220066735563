//! Ticks of numbers: round values, written with the digits that tell them apart.

use crate::format;
use crate::unit::Unit;

/// An axis of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Scale {
    pub low: f64,
    pub high: f64,
    /// Values and their text.
    pub ticks: Vec<(f64, String)>,
}

/// Lengths in seconds that clocks are divided by.
const CLOCK: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 10_800.0, 21_600.0,
    43_200.0, 86_400.0,
];

impl Scale {
    /// An axis that holds both values, in at most about so many ticks. It begins at zero where that costs less than
    /// half of it, and always with bars.
    pub fn new(low: f64, high: f64, unit: &Unit, most: usize) -> Self {
        let whole = matches!(unit, Unit::Percent) && low >= 0.0 && high <= 1.0;
        let low = if low > 0.0 && low < high / 2.0 { 0.0 } else { low };
        // A flat line lies in the middle of its chart.
        let (low, high) = match high - low {
            span if span > high.abs().max(low.abs()) * 1e-9 => (low, high),
            _ if whole => ((low - 0.001).max(0.0), (high + 0.001).min(1.0)),
            _ if low == 0.0 => (0.0, 1.0),
            _ => (low - low.abs() * 0.1, high + high.abs() * 0.1),
        };
        let each = match unit {
            Unit::Percent => 100.0,
            Unit::Duration(each) => *each,
            Unit::Guess | Unit::None | Unit::Suffix(_) => 1.0,
        };
        let (low, high) = (low * each, high * each);
        let step = step((high - low) / most.max(1) as f64, matches!(unit, Unit::Duration(_)));
        let (first, last) = ((low / step + 1e-9).floor() as i64, (high / step - 1e-9).ceil() as i64);
        let digits = (-step.log10() - 1e-9).ceil().max(0.0) as usize;
        let text = |value: f64| match unit {
            Unit::Percent => format!("{value:.digits$} %"),
            Unit::Duration(_) => format::duration(value),
            Unit::Suffix(suffix) => format!("{} {suffix}", format::grouped(&format!("{value:.digits$}"))),
            Unit::None | Unit::Guess if value.abs() >= 1e7 => short(value),
            Unit::None | Unit::Guess if digits > 9 => format::plain(value),
            Unit::None | Unit::Guess => format::grouped(&format!("{value:.digits$}")),
        };
        // Multiplying a whole number keeps 0.30000000000000004 away.
        let ticks = (first..=last).map(|n| n as f64 * step);
        let ticks = ticks.map(|value| (value / each, text(if value == 0.0 { 0.0 } else { value }))).collect();
        let (low, high) = (first as f64 * step / each, last as f64 * step / each);
        Scale { low, high, ticks }
    }

    /// Where a value lies, from 0 to 1.
    pub fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }
}

/// 12,500,000 as `12.5 M`.
fn short(value: f64) -> String {
    let (size, name) = match value.abs() {
        size if size >= 1e12 => (1e12, "T"),
        size if size >= 1e9 => (1e9, "G"),
        _ => (1e6, "M"),
    };
    format!("{} {name}", format::plain(value / size))
}

/// The least round step that is not below.
fn step(least: f64, clock: bool) -> f64 {
    if clock && (0.5..=86_400.0).contains(&least) {
        return CLOCK.iter().copied().find(|step| *step >= least).unwrap_or(86_400.0);
    }
    // From a day on, round numbers of days.
    let each = if clock && least > 86_400.0 { 86_400.0 } else { 1.0 };
    let power = 10f64.powf((least / each).log10().floor());
    let rounded = [1.0, 2.0, 5.0, 10.0].into_iter().find(|n| n * power * (1.0 + 1e-9) >= least / each);
    // A power below one is never exact; what it is a fraction of is.
    let n = rounded.unwrap_or(10.0);
    if power < 1.0 { n / (1.0 / power).round() * each } else { n * power * each }
}

/// The greatest round value that is not above: 1, 2 or 5 times a power of ten, or a length that clocks are divided by.
pub(crate) fn round_down(value: f64, unit: &Unit) -> f64 {
    if let Unit::Duration(each) = unit
        && let Some(step) = CLOCK.iter().rfind(|step| **step <= value * each * (1.0 + 1e-9))
        && value * each < 2.0 * 86_400.0
    {
        return step / each;
    }
    let power = 10f64.powf(value.log10().floor());
    let n = [5.0, 2.0, 1.0].into_iter().find(|n| n * power <= value * (1.0 + 1e-9)).unwrap_or(1.0);
    if power < 1.0 { n / (1.0 / power).round() } else { n * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(low: f64, high: f64, unit: &Unit) -> Vec<String> {
        Scale::new(low, high, unit, 5).ticks.into_iter().map(|(_, text)| text).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(texts(0.05, 0.93, &Unit::None), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(
            texts(0.9991, 1.0, &Unit::Percent),
            ["99.90 %", "99.92 %", "99.94 %", "99.96 %", "99.98 %", "100.00 %"]
        );
        assert_eq!(texts(3.0, 200.0, &Unit::Duration(1.0)), ["0 s", "1 min", "2 min", "3 min", "4 min"]);
        assert_eq!(texts(0.0, 0.4, &Unit::Duration(1.0)), ["0 s", "100 ms", "200 ms", "300 ms", "400 ms"]);
        assert_eq!(texts(-3.0, 1.0, &Unit::Suffix("EUR".into())), ["-3 EUR", "-2 EUR", "-1 EUR", "0 EUR", "1 EUR"]);
        assert_eq!(texts(5.0, 5.0, &Unit::None), ["4.4", "4.6", "4.8", "5.0", "5.2", "5.4", "5.6"]);
        assert_eq!(texts(1.0, 1.0, &Unit::Percent)[0], "99.90 %");
        assert_eq!(texts(0.0, 0.0, &Unit::None)[0], "0.0");
        assert_eq!(texts(0.0, 36e6, &Unit::None), ["0", "10 M", "20 M", "30 M", "40 M"]);
    }

    proptest::proptest! {
        #[test]
        fn every_axis_holds_its_values_and_few_ticks(a in -1e9..1e9f64, size in -6..9i32, span in 0.0..1.0f64) {
            let low = a * 10f64.powi(-size);
            let high = low + span * 10f64.powi(size - 3);
            for unit in [Unit::None, Unit::Percent, Unit::Duration(1.0), Unit::Duration(60.0)] {
                let scale = Scale::new(low, high, &unit, 5);
                let room = (scale.high - scale.low) * 1e-6;
                proptest::prop_assert!(scale.low - room <= low && high <= scale.high + room, "{scale:?}");
                proptest::prop_assert!((2..=8).contains(&scale.ticks.len()), "{scale:?}");
            }
        }
    }
}
