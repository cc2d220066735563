//! Multi-window, multi-burn-rate alerts, replayed: when would who was on call have been called?
//!
//! At the end of each slice a rule looks back over a long and a short window. In each
//!
//! ```text
//! burn rate = spent / budget      over the slices that ended in (t − window, t]
//! ```
//!
//! where what a slice spends and what it may spend are the objective's own: by time, by events, or by ratios ([`Spell`]). The alert
//! is firing if both burn rates are at least the rule's factor: the long window says that it matters, the short one that it has not
//! ended yet. A window that is shorter than a slice is the last slice that ended. Where nothing in a window has a budget (nothing was
//! measured, there was no event, or the target is 1), it has no burn rate, and the alert is not firing.
//!
//! Source: "The Site Reliability Workbook", chapter 5, "Alerting on SLOs", section 6. Its table has three rules; the
//! fourth (three over a day) stands between them in most tools that generate such alerts.
//!
//! Between two moments at which another spell enters or leaves a window, all sums are linear in time, so
//! the slices of such a stretch that fire are found by division: the cost is linear in spells, however many slices
//! there are. Nothing is rounded: what compares with the factor are integers.

use std::iter;

use crate::share::{ALLOWANCE, gcd, quotient};
use crate::{Interval, MICROS, Share, State, Timeline};

const MINUTE: i64 = 60 * MICROS;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// When an alert fires: the burn rate over both windows is at least the factor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rule {
    /// The factor as numerator and denominator: 14.4 is `(144, 10)`. Never fires with the denominator 0.
    pub factor: (u32, u32),
    /// The long window in microseconds.
    pub long: i64,
    /// The short window in microseconds.
    pub short: i64,
}

impl Rule {
    /// The usual four, the most urgent first, as the percentage of the whole budget that the long window spends, the long and the
    /// short window.
    pub const DEFAULTS: [(u32, i64, i64); 4] =
        [(2, HOUR, 5 * MINUTE), (5, 6 * HOUR, 30 * MINUTE), (10, DAY, 2 * HOUR), (10, 3 * DAY, 6 * HOUR)];

    /// Fires when the long window spends this share (a fraction) of the budget of an objective's `window`: the factor is
    /// share × window / long. `None` if that is no fraction of 32-bit numbers.
    pub fn spending(share: (u32, u32), window: i64, long: i64, short: i64) -> Option<Rule> {
        let n = u128::from(share.0) * u128::try_from(window).ok()?;
        let d = u128::from(share.1) * u128::try_from(long).ok()?;
        let divisor = gcd(n, d);
        Some(Rule { factor: ((n / divisor).try_into().ok()?, (d / divisor).try_into().ok()?), long, short })
    }

    /// The factor as a number to print.
    pub fn factor(&self) -> f64 {
        f64::from(self.factor.0) / f64::from(self.factor.1)
    }
}

/// Slices side by side that all count the same, each:
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spell {
    /// How many slices.
    pub slices: i64,
    /// What it spent of the budget.
    pub spent: i128,
    /// What it was allowed, in the same unit.
    pub allowed: i128,
    /// Its events.
    pub events: i64,
}

/// An objective's slices from an instant on, without gaps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Burning {
    /// Start of the first slice in microseconds.
    pub start: i64,
    /// Width of a slice in microseconds.
    pub slice: i64,
    /// At least so many slices belong to a window: more than 1 where an objective's own slices are wider than these, each counting
    /// in the last of these that it covers.
    pub least: i64,
    /// What the slices were, ascending.
    pub spells: Vec<Spell>,
}

impl Burning {
    /// By time: a slice in error spends a whole slice. Promises are ascending and apart; outside of them nothing is promised, so
    /// nothing is spent. No events are known.
    pub fn by_time(timeline: &Timeline, promises: &[(Interval, Share)]) -> Burning {
        let nothing = Spell { slices: 0, spent: 0, allowed: 0, events: 0 };
        let mut spells = Vec::new();
        let mut promises = promises.iter().peekable();
        for run in timeline.segments() {
            let mut at = run.start;
            while at < run.end {
                while promises.peek().is_some_and(|(of, _)| of.end <= at) {
                    promises.next();
                }
                let (until, spell) = match (promises.peek(), run.state) {
                    (Some((of, _)), _) if of.start > at => (of.start, nothing),
                    (Some((of, target)), State::Error) => {
                        (of.end, Spell { spent: ALLOWANCE, allowed: target.allowance(), ..nothing })
                    }
                    (Some((of, target)), State::Ok) => (of.end, Spell { allowed: target.allowance(), ..nothing }),
                    (Some((of, _)), State::NoData | State::Excluded) => (of.end, nothing),
                    (None, _) => (run.end, nothing),
                };
                // A promise that begins inside a slice is about the next.
                let whole = (until.min(run.end) - at) / timeline.slice() * timeline.slice();
                let until = at + whole.max(timeline.slice());
                spells.push(Spell { slices: (until - at) / timeline.slice(), ..spell });
                at = until;
            }
        }
        Burning { start: timeline.start(), slice: timeline.slice(), least: 1, spells }
    }
}

/// An alert that fired without pause.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alert {
    /// End of the first slice at which it was firing.
    pub fired: i64,
    /// End of the first slice at which it was not any more; `None` if it was firing at the end of the last.
    pub cleared: Option<i64>,
    /// The greatest burn rate over the long window while it was firing.
    pub peak: f64,
}

/// The alerts that were firing at `from` or later, ascending, each with its true start; `None` if sums do not fit 128 bits.
///
/// A long window with fewer than `min_events` events is below every factor. The past counts as far as the slices go back: they
/// should begin at least a long window before `from`, else the first windows are shorter than the rule's. O(spells).
///
/// Windows are of less than 2^34 slices (at a second each, five centuries); larger ones are cut to it.
pub fn burn_alerts(burning: &Burning, rule: &Rule, min_events: i64, from: i64) -> Option<Vec<Alert>> {
    // As many slices as end in (t − window, t], where t is the end of one of them.
    let slices = |window: i64| {
        let whole = window / burning.slice + i64::from(window % burning.slice != 0);
        whole.max(burning.least).clamp(1, (1 << 34) - 1)
    };
    let (long, short) = (slices(rule.long), slices(rule.short));
    let mut head = Edge::new(burning, 0);
    let mut tails = [Edge::new(burning, long), Edge::new(burning, short)];
    let mut windows = [Sums::default(); 2];
    let mut firing = Vec::<Firing>::new();

    let (mut at, end) = (0, burning.spells.iter().map(|spell| spell.slices).sum::<i64>());
    while at < end && rule.factor.1 > 0 {
        let stretch = tails.iter().fold(head.left, |least, tail| least.min(tail.left));
        let steps = [head.gives.less(tails[0].gives)?, head.gives.less(tails[1].gives)?];
        // Which of the stretch's slice ends: those at which both windows fire.
        let in_long = windows[0].firing(steps[0], stretch, rule.factor, min_events)?;
        let in_short = windows[1].firing(steps[1], stretch, rule.factor, 0)?;
        let (first, last) = (in_long.0.max(in_short.0), in_long.1.min(in_short.1));
        if first <= last {
            // A quotient of linear functions has no maximum between.
            let ends = [windows[0].after(steps[0], first)?, windows[0].after(steps[0], last)?];
            let peak = ends[0].burn_rate().max(ends[1].burn_rate());
            match firing.last_mut() {
                Some(before) if before.last + 1 == at + first => {
                    before.last = at + last;
                    before.peak = before.peak.max(peak);
                }
                _ => firing.push(Firing { first: at + first, last: at + last, peak }),
            }
        }
        windows = [windows[0].after(steps[0], stretch)?, windows[1].after(steps[1], stretch)?];
        at += stretch;
        iter::once(&mut head).chain(&mut tails).for_each(|edge| edge.advance(stretch));
    }

    let time = |slice_end: i64| burning.start + slice_end * burning.slice;
    let alerts = firing.iter().filter(|alert| time(alert.last) >= from).map(|alert| Alert {
        fired: time(alert.first),
        cleared: (alert.last < end).then(|| time(alert.last + 1)),
        peak: alert.peak,
    });
    Some(alerts.collect())
}

/// Slice ends from the first to the last, counted from the first slice, and the worst long window.
struct Firing {
    first: i64,
    last: i64,
    peak: f64,
}

/// Sums over a window, or what one step in time adds to them.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Sums {
    spent: i128,
    allowed: i128,
    events: i128,
}

impl Sums {
    fn less(self, other: Sums) -> Option<Sums> {
        Some(Sums {
            spent: self.spent.checked_sub(other.spent)?,
            allowed: self.allowed.checked_sub(other.allowed)?,
            events: self.events - other.events,
        })
    }

    /// After so many steps.
    fn after(self, step: Sums, times: i64) -> Option<Sums> {
        let times = i128::from(times);
        Some(Sums {
            spent: self.spent.checked_add(step.spent.checked_mul(times)?)?,
            allowed: self.allowed.checked_add(step.allowed.checked_mul(times)?)?,
            events: self.events.checked_add(step.events.checked_mul(times)?)?,
        })
    }

    /// The first and the last of the next slice ends, up to `stretch`, at which the window fires; first > last if at none.
    fn firing(self, step: Sums, stretch: i64, factor: (u32, u32), min_events: i64) -> Option<(i64, i64)> {
        // spent / allowed ≥ factor, multiplied out.
        let excess = |sums: Sums| -> Option<i128> {
            let (n, d) = (i128::from(factor.0), i128::from(factor.1));
            sums.spent.checked_mul(d)?.checked_sub(sums.allowed.checked_mul(n)?)
        };
        let conditions = [
            not_negative(excess(self)?, excess(step)?, stretch),
            not_negative(self.allowed - 1, step.allowed, stretch),
            not_negative(self.events - i128::from(min_events), step.events, stretch),
        ];
        Some(conditions.iter().fold((1, stretch), |all, one| (all.0.max(one.0), all.1.min(one.1))))
    }

    fn burn_rate(self) -> f64 {
        quotient(self.spent, self.allowed)
    }
}

/// An edge of a window on its way over the spells: at the head slices enter, at a tail they leave.
struct Edge<S> {
    spells: S,
    /// What each slice of the current spell counts.
    gives: Sums,
    /// Slices left of the current spell; without bound after the last.
    left: i64,
}

impl Edge<()> {
    /// One that begins this many slices before the first.
    fn new(burning: &Burning, before: i64) -> Edge<impl Iterator<Item = Spell> + '_> {
        let outside = (before > 0).then_some(Spell { slices: before, spent: 0, allowed: 0, events: 0 });
        let mut spells = outside.into_iter().chain(burning.spells.iter().copied().filter(|spell| spell.slices > 0));
        let (gives, left) = of_spell(spells.next());
        Edge { spells, gives, left }
    }
}

impl<S: Iterator<Item = Spell>> Edge<S> {
    /// Goes on by slices of which there are as many left in the spell.
    fn advance(&mut self, slices: i64) {
        self.left -= slices;
        if self.left == 0 {
            (self.gives, self.left) = of_spell(self.spells.next());
        }
    }
}

fn of_spell(next: Option<Spell>) -> (Sums, i64) {
    let nothing = Spell { slices: i64::MAX, spent: 0, allowed: 0, events: 0 };
    let Spell { slices, spent, allowed, events } = next.unwrap_or(nothing);
    (Sums { spent, allowed, events: events.into() }, slices)
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
    use crate::Builder;

    /// With this target ever since.
    fn by_time(timeline: &Timeline, target: Share) -> Burning {
        Burning::by_time(timeline, &[(Interval::new(i64::MIN, i64::MAX), target)])
    }

    /// Those of a budget over 30 days.
    fn rules() -> Vec<Rule> {
        Rule::DEFAULTS
            .iter()
            .map(|(p, long, short)| Rule::spending((*p, 100), 30 * DAY, *long, *short).unwrap())
            .collect()
    }

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
        let alerts = burn_alerts(&by_time(timeline, share(target)), rule, 0, from * M).unwrap();
        alerts.iter().map(|a| (a.fired / M, a.cleared.map(|t| t / M), a.peak)).collect()
    }

    #[test]
    fn factors_follow_from_the_window() {
        let factors = |days: i64| {
            let rule =
                |(p, long, short): &(u32, i64, i64)| Rule::spending((*p, 100), days * DAY, *long, *short).unwrap();
            Rule::DEFAULTS.iter().map(|one| rule(one).factor()).collect::<Vec<_>>()
        };
        assert_eq!(factors(30), [14.4, 6.0, 3.0, 1.0]);
        assert_eq!(factors(28), [13.44, 5.6, 2.8, 14.0 / 15.0]);
        assert_eq!(factors(7), [3.36, 1.4, 0.7, 7.0 / 30.0]);
    }

    #[test]
    fn a_promise_counts_from_when_it_was_made() {
        let timeline = day(&[(100, 110)]);
        let promises = [
            (Interval::new(60 * M, 104 * M + 1), share("0.9")),
            (Interval::new(104 * M + 1, 106 * M), share("0.5")),
            (Interval::new(200 * M, i64::MAX), share("1")),
        ];
        let found: Vec<(i64, i128, i128)> = Burning::by_time(&timeline, &promises)
            .spells
            .iter()
            .map(|of| (of.slices, of.spent / (ALLOWANCE / 10), of.allowed / (ALLOWANCE / 10)))
            .collect();
        let expected =
            [(60, 0, 0), (40, 0, 1), (4, 10, 1), (1, 10, 1), (1, 10, 5), (4, 0, 0), (90, 0, 0), (1240, 0, 0)];
        assert_eq!(found, expected);
    }

    #[test]
    fn few_events_call_nobody() {
        let spell = |slices, bad: i64, events: i64| Spell {
            slices,
            spent: i128::from(bad) * ALLOWANCE,
            allowed: share("0.99").allowance() * i128::from(events),
            events,
        };
        let burning = |spells: Vec<Spell>| Burning { start: 0, slice: M, least: 1, spells };
        let night = burning(vec![spell(30, 0, 0), spell(1, 1, 1), spell(29, 0, 0)]);
        let rule = &rules()[0];
        let fired = |burning: &Burning, least| burn_alerts(burning, rule, least, 0).unwrap().len();
        assert_eq!((fired(&night, 0), fired(&night, 1), fired(&night, 2)), (1, 1, 0));
        // More than 128 bits hold: said, not wrapped.
        let huge = burning(vec![Spell { slices: 1 << 20, spent: 1 << 120, allowed: 1, events: 1 }]);
        assert_eq!(burn_alerts(&huge, rule, 0, 0), None);
    }

    #[test]
    fn a_window_is_the_slices_that_ended_in_it() {
        // Of slices of three minutes, two end in five minutes.
        let spell = |slices, spent| Spell { slices, spent, allowed: 1, events: 1 };
        let burning = Burning { start: 0, slice: 3 * M, least: 1, spells: vec![spell(1, 4), spell(3, 0)] };
        let rule = Rule { factor: (1, 1), long: 5 * M, short: M };
        let found = burn_alerts(&burning, &rule, 0, 0).unwrap();
        assert_eq!(found, [Alert { fired: 3 * M, cleared: Some(6 * M), peak: 4.0 }]);
        let rule = Rule { short: 5 * M, ..rule };
        assert_eq!(burn_alerts(&burning, &rule, 0, 0).unwrap()[0].cleared, Some(9 * M));
    }

    #[test]
    fn the_short_window_ends_what_the_long_one_began() {
        // 14.4 × 0.1 % of an hour is less than a minute: one minute fires, for as long as it is one of the last five.
        let found = alerts(&day(&[(120, 121)]), "0.999", &rules()[0], 0);
        assert_eq!(found, [(121, Some(126), 1000.0 / 60.0)]);
    }

    #[test]
    fn the_factor_itself_fires() {
        // Six times a budget of 10 % is 36 minutes of an hour, and 3 of the last 5.
        let rule = Rule { factor: (6, 1), long: HOUR, short: 5 * M };
        assert_eq!(alerts(&day(&[(600, 636)]), "0.9", &rule, 0), [(636, Some(639), 6.0)]);
        assert_eq!(alerts(&day(&[(600, 635)]), "0.9", &rule, 0), []);
        // 14.4 times 1 % are 8.64 minutes: 9.
        assert_eq!(alerts(&day(&[(600, 608)]), "0.99", &rules()[0], 0), []);
        assert_eq!(alerts(&day(&[(600, 609)]), "0.99", &rules()[0], 0).len(), 1);
    }

    #[test]
    fn an_alert_has_its_true_start_and_no_end_while_it_fires() {
        let timeline = day(&[(100, 110), (1400, 1440)]);
        let rule = &rules()[0];
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
        assert_eq!(alerts(&timeline, "0.999", &rules()[0], 0), [(101, Some(106), 1000.0 / 56.0)]);
        // Nor does a factor of 0, where there is nothing at all.
        let nothing = with_states(&[((0, 1440), State::NoData)]);
        assert_eq!(alerts(&nothing, "0.999", &Rule { factor: (0, 1), ..rules()[0] }, 0), []);
    }

    #[test]
    fn windows_begin_with_the_timeline() {
        // One minute of one: a burn rate of 1000 at once.
        assert_eq!(alerts(&day(&[(0, 1)]), "0.999", &rules()[3], 0), [(1, Some(361), 1000.0)]);
    }

    #[test]
    fn without_a_budget_nothing_burns() {
        assert_eq!(alerts(&day(&[(0, 1440)]), "1", &rules()[0], 0), []);
    }

    #[test]
    fn a_decade_of_seconds_is_a_few_steps() {
        let span = Interval::new(0, 3650 * DAY);
        let mut builder = Builder::new(span, MICROS).unwrap();
        builder.push(1000 * DAY, 1001 * DAY, State::Error);
        let target = Share::from_decimal(999_999_999_999_999_999, 18).unwrap();
        let found = burn_alerts(&by_time(&builder.finish(), target), &rules()[3], 0, 0).unwrap();
        let fired = 1000 * DAY + MICROS;
        assert_eq!((found.len(), found[0].fired, found[0].cleared), (1, fired, Some(1001 * DAY + 6 * HOUR)));
    }
}
