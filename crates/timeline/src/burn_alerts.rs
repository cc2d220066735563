//! Multi-window, multi-burn-rate alerts, replayed over a timeline: when would who was on call have been called?
//!
//! At the end of each slice a rule looks back over a long and a short window. In each
//!
//! ```text
//! burn rate = (error time / measured time) / (1 − target)
//! ```
//!
//! over what of the window the timeline covers, and the alert is firing if both are at least the rule's factor: the long
//! window says that it matters, the short one that it has not ended yet. Where a window holds nothing measured, it has
//! no burn rate and the alert is not firing.
//!
//! Source: "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", section 6. Its table has three rules; the
//! fourth (three over a day) stands between them in most tools that generate such alerts.
//!
//! Between two moments at which a slice of another state enters or leaves a window, all counts are linear in time, so
//! the slices of such a stretch that fire are found by division: the cost is linear in runs, however many slices
//! there are. Nothing is rounded: what compares with the factor are integers.

use std::iter;

use crate::share::{gcd, quotient};
use crate::{MICROS, Run, Share, State, Timeline};

const MINUTE: i64 = 60 * MICROS;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// When an alert fires: the burn rate over both windows is at least the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The factor as numerator and denominator: 14.4 is `(144, 10)`. Never fires with the denominator 0.
    pub factor: (u32, u32),
    /// The long window in microseconds. Like the short one cut down to whole slices of the timeline, at least one.
    pub long: i64,
    /// The short window in microseconds.
    pub short: i64,
}

impl Rule {
    /// The usual four, the most urgent first: they spend 2 % of a budget of 30 days in an hour, 5 % in six, 10 % in a
    /// day, 10 % in three days.
    pub const DEFAULTS: [Rule; 4] = [
        Rule { factor: (144, 10), long: HOUR, short: 5 * MINUTE },
        Rule { factor: (6, 1), long: 6 * HOUR, short: 30 * MINUTE },
        Rule { factor: (3, 1), long: DAY, short: 2 * HOUR },
        Rule { factor: (1, 1), long: 3 * DAY, short: 6 * HOUR },
    ];

    /// The factor as a number to print.
    pub fn factor(&self) -> f64 {
        f64::from(self.factor.0) / f64::from(self.factor.1)
    }
}

/// An alert that fired without pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// End of the first slice at which it was firing.
    pub fired: i64,
    /// End of the first slice at which it was not any more; `None` if it was firing at the timeline's end.
    pub cleared: Option<i64>,
    /// The greatest burn rate over the long window while it was firing.
    pub peak: f64,
}

/// The alerts that were firing at `from` or later, ascending, each with its true start.
///
/// The past counts as far as the timeline goes back: it should begin at least a long window before `from`, else the first
/// windows are shorter than the rule's. A target of 1 leaves no budget and never fires. O(runs).
///
/// Windows are of less than 2^34 slices (at a second each, five centuries); larger ones are cut to it.
pub fn burn_alerts(timeline: &Timeline, target: Share, rule: &Rule, from: i64) -> Vec<Alert> {
    let Some(threshold) = Threshold::new(target, rule.factor) else { return Vec::new() };
    let slices = |window: i64| (window / timeline.slice()).clamp(1, (1 << 34) - 1);
    let (long, short) = (slices(rule.long), slices(rule.short));
    let mut head = Edge::new(timeline, 0);
    let mut tails = [Edge::new(timeline, long), Edge::new(timeline, short)];
    let mut windows = [Counts::default(); 2];
    let mut firing = Vec::<Firing>::new();

    let (mut at, end) = (0, timeline.span().duration() / timeline.slice());
    while at < end {
        let stretch = tails.iter().fold(head.left, |least, tail| least.min(tail.left));
        let steps = [head.gives - tails[0].gives, head.gives - tails[1].gives];
        // Which of the stretch's slice ends: those at which either window fires.
        let [(first, last), short] = [0, 1].map(|i| threshold.reached(windows[i], steps[i], stretch));
        let (first, last) = (first.max(short.0), last.min(short.1));
        if first <= last {
            let ends = [first, last].map(|slice| windows[0] + steps[0] * slice);
            // A quotient of linear functions has no maximum between.
            let peak = if ends[1].is_worse_than(ends[0]) { ends[1] } else { ends[0] };
            match firing.last_mut() {
                Some(before) if before.last + 1 == at + first => {
                    before.last = at + last;
                    before.peak = if peak.is_worse_than(before.peak) { peak } else { before.peak };
                }
                _ => firing.push(Firing { first: at + first, last: at + last, peak }),
            }
        }
        windows = [0, 1].map(|i| windows[i] + steps[i] * stretch);
        at += stretch;
        iter::once(&mut head).chain(&mut tails).for_each(|edge| edge.advance(stretch));
    }

    let time = |slice_end: i64| timeline.start() + slice_end * timeline.slice();
    let alerts = firing.iter().filter(|alert| time(alert.last) >= from).map(|alert| Alert {
        fired: time(alert.first),
        cleared: (alert.last < end).then(|| time(alert.last + 1)),
        peak: threshold.burn_rate(alert.peak),
    });
    alerts.collect()
}

/// Slice ends from the first to the last, counted from the timeline's start, and the worst long window.
struct Firing {
    first: i64,
    last: i64,
    peak: Counts,
}

/// Slices of a window, or what one step in time adds to them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Counts {
    error: i64,
    measured: i64,
}

impl std::ops::Add for Counts {
    type Output = Counts;

    fn add(self, other: Counts) -> Counts {
        Counts { error: self.error + other.error, measured: self.measured + other.measured }
    }
}

impl std::ops::Sub for Counts {
    type Output = Counts;

    fn sub(self, other: Counts) -> Counts {
        Counts { error: self.error - other.error, measured: self.measured - other.measured }
    }
}

impl std::ops::Mul<i64> for Counts {
    type Output = Counts;

    fn mul(self, times: i64) -> Counts {
        Counts { error: self.error * times, measured: self.measured * times }
    }
}

impl Counts {
    /// Whether a greater part is in error; both have something measured.
    fn is_worse_than(self, other: Counts) -> bool {
        i128::from(self.error) * i128::from(other.measured) > i128::from(other.error) * i128::from(self.measured)
    }
}

/// An edge of a window on its way over the timeline's segments: at the head slices enter, at a tail they leave.
struct Edge<S> {
    segments: S,
    /// What each slice of the current segment counts.
    gives: Counts,
    /// Slices left of the current segment; without bound after the last.
    left: i64,
}

impl Edge<()> {
    /// One that begins this many slices before the timeline.
    fn new(timeline: &Timeline, before: i64) -> Edge<impl Iterator<Item = (State, i64)> + '_> {
        let width = timeline.slice();
        let slices = move |run: Run| (run.state, run.duration() / width);
        let outside = (before > 0).then_some((State::NoData, before));
        let mut segments = outside.into_iter().chain(timeline.segments().map(slices));
        let (gives, left) = segment(segments.next());
        Edge { segments, gives, left }
    }
}

impl<S: Iterator<Item = (State, i64)>> Edge<S> {
    /// Goes on by slices of which there are as many left in the segment.
    fn advance(&mut self, slices: i64) {
        self.left -= slices;
        if self.left == 0 {
            (self.gives, self.left) = segment(self.segments.next());
        }
    }
}

fn segment(next: Option<(State, i64)>) -> (Counts, i64) {
    let (state, slices) = next.unwrap_or((State::NoData, i64::MAX));
    let measured = matches!(state, State::Ok | State::Error);
    (Counts { error: (state == State::Error).into(), measured: measured.into() }, slices)
}

/// The share of errors at which a window fires, factor × (1 − target), as a fraction: below 2^92 over below 2^92, so that
/// its products with slices stay inside 128 bits.
struct Threshold {
    numerator: i128,
    denominator: i128,
    target: Share,
}

impl Threshold {
    fn new(target: Share, (n, d): (u32, u32)) -> Option<Self> {
        let budget = u128::from(target.denominator() - target.numerator());
        let (numerator, denominator) = (u128::from(n) * budget, u128::from(d) * u128::from(target.denominator()));
        let divisor = gcd(numerator, denominator);
        (budget > 0 && d > 0).then(|| Threshold {
            numerator: (numerator / divisor) as i128,
            denominator: (denominator / divisor) as i128,
            target,
        })
    }

    /// The first and the last of the next slice ends, up to `stretch`, at which the window fires; first > last if at none.
    fn reached(&self, window: Counts, step: Counts, stretch: i64) -> (i64, i64) {
        // error / measured ≥ threshold, multiplied out.
        let excess =
            |counts: Counts| i128::from(counts.error) * self.denominator - i128::from(counts.measured) * self.numerator;
        let fires = not_negative(excess(window), excess(step), stretch);
        let measured = not_negative(i128::from(window.measured - 1), step.measured.into(), stretch);
        (fires.0.max(measured.0), fires.1.min(measured.1))
    }

    fn burn_rate(&self, window: Counts) -> f64 {
        let (n, d) = (i128::from(self.target.numerator()), i128::from(self.target.denominator()));
        quotient(i128::from(window.error) * d, i128::from(window.measured) * (d - n))
    }
}

/// The first and the last x in `1..=stretch` with `constant + slope × x ≥ 0`; first > last if there is none.
fn not_negative(constant: i128, slope: i128, stretch: i64) -> (i64, i64) {
    let bounded = |x: i128| x.clamp(0, i128::from(stretch) + 1) as i64;
    match slope.signum() {
        1 => (bounded((-constant).div_euclid(slope) + i128::from(constant % slope != 0)).max(1), stretch),
        -1 => (1, bounded(constant.div_euclid(-slope)).min(stretch)),
        _ if constant >= 0 => (1, stretch),
        _ => (1, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Builder, Interval};

    const M: i64 = MINUTE;

    /// A day of minutes with these in error.
    fn day(errors: &[(i64, i64)]) -> Timeline {
        with_states(&errors.iter().map(|minutes| (*minutes, State::Error)).collect::<Vec<_>>())
    }

    fn with_states(runs: &[((i64, i64), State)]) -> Timeline {
        let mut builder = Builder::new(Interval::new(0, DAY), M).unwrap();
        runs.iter().for_each(|((from, to), state)| builder.push(from * M, to * M, *state));
        builder.finish()
    }

    fn share(text: &str) -> Share {
        text.parse().unwrap()
    }

    /// Alerts in minutes, peaks as they are.
    fn alerts(timeline: &Timeline, target: &str, rule: &Rule, from: i64) -> Vec<(i64, Option<i64>, f64)> {
        let alerts = burn_alerts(timeline, share(target), rule, from * M);
        alerts.iter().map(|a| (a.fired / M, a.cleared.map(|t| t / M), a.peak)).collect()
    }

    #[test]
    fn the_short_window_ends_what_the_long_one_began() {
        // 14.4 × 0.1 % of an hour is less than a minute: one minute fires, for as long as it is one of the last five.
        let found = alerts(&day(&[(120, 121)]), "0.999", &Rule::DEFAULTS[0], 0);
        assert_eq!(found, [(121, Some(126), 1000.0 / 60.0)]);
    }

    #[test]
    fn the_factor_itself_fires() {
        // Six times a budget of 10 % is 36 minutes of an hour, and 3 of the last 5.
        let rule = Rule { factor: (6, 1), long: HOUR, short: 5 * M };
        assert_eq!(alerts(&day(&[(600, 636)]), "0.9", &rule, 0), [(636, Some(639), 6.0)]);
        assert_eq!(alerts(&day(&[(600, 635)]), "0.9", &rule, 0), []);
        // 14.4 times 1 % are 8.64 minutes: 9.
        assert_eq!(alerts(&day(&[(600, 608)]), "0.99", &Rule::DEFAULTS[0], 0), []);
        assert_eq!(alerts(&day(&[(600, 609)]), "0.99", &Rule::DEFAULTS[0], 0).len(), 1);
    }

    #[test]
    fn an_alert_has_its_true_start_and_no_end_while_it_fires() {
        let timeline = day(&[(100, 110), (1400, 1440)]);
        let rule = &Rule::DEFAULTS[0];
        let all = alerts(&timeline, "0.999", rule, 0);
        assert_eq!(all.iter().map(|a| (a.0, a.1)).collect::<Vec<_>>(), [(101, Some(115)), (1401, None)]);
        assert_eq!(alerts(&timeline, "0.999", rule, 114), all);
        assert_eq!(alerts(&timeline, "0.999", rule, 115), all[1..]);
        assert_eq!(alerts(&timeline, "0.999", rule, 1440), all[1..]);
        assert_eq!(alerts(&timeline, "0.999", rule, 1441), []);
    }

    #[test]
    fn a_window_without_anything_measured_does_not_fire() {
        // The error of minute 100 stays in the long window; the short one sees nothing from 106 on. Of the 60
        // minutes up to 105, four are unmeasured.
        let timeline = with_states(&[((100, 101), State::Error), ((101, 140), State::NoData)]);
        assert_eq!(alerts(&timeline, "0.999", &Rule::DEFAULTS[0], 0), [(101, Some(106), 1000.0 / 56.0)]);
        // Nor does a factor of 0, where there is nothing at all.
        let nothing = with_states(&[((0, 1440), State::NoData)]);
        assert_eq!(alerts(&nothing, "0.999", &Rule { factor: (0, 1), ..Rule::DEFAULTS[0] }, 0), []);
    }

    #[test]
    fn windows_begin_with_the_timeline() {
        // One minute of one: a burn rate of 1000 at once.
        assert_eq!(alerts(&day(&[(0, 1)]), "0.999", &Rule::DEFAULTS[3], 0), [(1, Some(361), 1000.0)]);
    }

    #[test]
    fn without_a_budget_nothing_burns() {
        assert_eq!(alerts(&day(&[(0, 1440)]), "1", &Rule::DEFAULTS[0], 0), []);
    }

    #[test]
    fn a_decade_of_seconds_is_a_few_steps() {
        let span = Interval::new(0, 3650 * DAY);
        let mut builder = Builder::new(span, MICROS).unwrap();
        builder.push(1000 * DAY, 1001 * DAY, State::Error);
        let target = Share::from_decimal(999_999_999_999_999_999, 18).unwrap();
        let found = burn_alerts(&builder.finish(), target, &Rule::DEFAULTS[3], 0);
        let fired = 1000 * DAY + MICROS;
        assert_eq!((found.len(), found[0].fired, found[0].cleared), (1, fired, Some(1001 * DAY + 6 * HOUR)));
    }
}
