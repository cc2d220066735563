//! Who was in error when: the evidence behind a union's error time.

use std::collections::BTreeMap;

use crate::Interval;

/// A stretch of time in which exactly these were in error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources<'a> {
    /// When.
    pub interval: Interval,
    /// Who: distinct names, ascending, at least one.
    pub names: Vec<&'a str>,
}

/// The stretches in which anybody was in error, ascending, each with all who were. Every name comes with the
/// intervals of its errors, which may overlap; a name may be given more than once.
///
/// O(n log n) for n intervals, and a copy of the names at each change.
pub fn error_sources<'a>(errors: &[(&'a str, &[Interval])]) -> Vec<Sources<'a>> {
    let mut changes = Vec::with_capacity(2 * errors.iter().map(|(_, intervals)| intervals.len()).sum::<usize>());
    for (name, intervals) in errors {
        for interval in intervals.iter().filter(|interval| !interval.is_empty()) {
            changes.push((interval.start, *name, true));
            changes.push((interval.end, *name, false));
        }
    }
    changes.sort_unstable();
    let mut in_error = BTreeMap::<&'a str, i64>::new();
    let mut found = Vec::<Sources<'a>>::new();
    let mut at = i64::MIN;
    for (time, name, begins) in changes {
        if time > at && !in_error.is_empty() {
            extend(&mut found, Interval::new(at, time), &in_error);
        }
        at = time;
        // At one instant an end sorts before a start, so a count passes through 0 or below for a moment
        // only within that instant, where nothing is emitted.
        let count = in_error.entry(name).or_default();
        *count += if begins { 1 } else { -1 };
        if *count == 0 {
            in_error.remove(name);
        }
    }
    found
}

/// Adds a stretch, or prolongs the last one when it touches and the same names are in error.
fn extend<'a>(found: &mut Vec<Sources<'a>>, interval: Interval, in_error: &BTreeMap<&'a str, i64>) {
    match found.last_mut() {
        Some(last) if last.interval.end == interval.start && last.names.iter().eq(in_error.keys()) => {
            last.interval.end = interval.end;
        }
        _ => found.push(Sources { interval, names: in_error.keys().copied().collect() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_of_who_starts_a_new_stretch() {
        let i = Interval::new;
        let found =
            error_sources(&[("b", &[i(30, 50), i(70, 80)]), ("a", &[i(10, 40)]), ("a", &[i(20, 40), i(80, 80)])]);
        let stretch = |start, end, names: &[&'static str]| Sources { interval: i(start, end), names: names.to_vec() };
        assert_eq!(
            found,
            [stretch(10, 30, &["a"]), stretch(30, 40, &["a", "b"]), stretch(40, 50, &["b"]), stretch(70, 80, &["b"])]
        );
    }

    #[test]
    fn touching_errors_of_one_name_are_one_stretch() {
        let found = error_sources(&[("a", &[Interval::new(0, 5), Interval::new(5, 9)])]);
        assert_eq!(found, [Sources { interval: Interval::new(0, 9), names: vec!["a"] }]);
    }
}
