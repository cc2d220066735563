//! Laws of the algebra, on random timelines.

use nines_timeline::{
    ALLOWANCE, Alert, Burning, Failure, Interval, Rule, Share, Spell, State, Timeline, burn_alerts, theil_sen, union,
};
use proptest::prelude::*;

use crate::naive::{laid_from, text, timeline};

fn states(max: usize) -> impl Strategy<Value = String> {
    // Runs rather than single slices, so that neighbours share states as they do in life.
    let run = (prop::sample::select(vec!['o', 'o', 'E', '.', 'x']), 1..6usize);
    prop::collection::vec(run, 0..max).prop_map(|runs| runs.iter().map(|(c, n)| c.to_string().repeat(*n)).collect())
}

/// Somewhere around the epoch, before it too, in one of several widths, its slices laid from anywhere.
fn any_timeline() -> impl Strategy<Value = Timeline> {
    (states(12), -40i64..40, prop::sample::select(vec![1i64, 3, 4, 12]), prop::sample::select(vec![0i64, 0, 1, 6]))
        .prop_map(|(states, start, slice, offset)| laid_from(&states, start * slice + offset, slice))
}

/// All of one width.
fn timelines(n: impl Into<prop::collection::SizeRange>) -> impl Strategy<Value = Vec<Timeline>> {
    let one = (states(12), -20i64..20).prop_map(|(states, start)| timeline(&states, start, 3));
    prop::collection::vec(one, n)
}

fn union_of(timelines: &[Timeline]) -> Timeline {
    union(&timelines.iter().collect::<Vec<_>>()).unwrap()
}

/// The state at an instant, no data outside the span.
fn at(timeline: &Timeline, time: i64) -> State {
    timeline.segments().find(|run| run.start <= time && time < run.end).map_or(State::NoData, |run| run.state)
}

/// Slices as (bad, all, allowed thousandths), of which nothing may be measured.
fn counted() -> impl Strategy<Value = Vec<(i64, i64, i64)>> {
    let slice = (0i64..4, 0i64..6).prop_map(|(bad, all)| (bad.min(all), all));
    let run = (slice, 1..5usize, prop::sample::select(vec![0i64, 1, 50, 100, 500]));
    let runs = prop::collection::vec(run, 0..14);
    runs.prop_map(|runs| runs.iter().flat_map(|((bad, all), n, left)| vec![(*bad, *all, *left); *n]).collect())
}

/// Burn alerts, each slice end from what the slices are that ended in its windows.
fn naive_alerts(slices: &[(i64, i64, i64)], width: i64, rule: &Rule, min_events: i64, from: i64) -> Vec<Alert> {
    let ended = |t: i64, window: i64| {
        let window = window.max(width);
        let own =
            slices.iter().enumerate().filter(|(at, _)| (t - window + 1..=t).contains(&((*at as i64 + 1) * width)));
        own.fold((0, 0, 0), |(bad, all, left), (_, slice)| (bad + slice.0, all + slice.1, left + slice.1 * slice.2))
    };
    let (n, d) = (i64::from(rule.factor.0), i64::from(rule.factor.1));
    let fires = |(bad, _, left): (i64, i64, i64)| left > 0 && bad * 1000 * d >= left * n;
    let mut found = Vec::<Alert>::new();
    let mut firing = false;
    for end in 1..=slices.len() as i64 {
        let t = end * width;
        let (long, short) = (ended(t, rule.long), ended(t, rule.short));
        let fires = fires(long) && fires(short) && long.1 >= min_events;
        let burn = (long.0 * 1000) as f64 / long.2 as f64;
        match (firing, fires) {
            (false, true) => found.push(Alert { fired: t, cleared: None, peak: burn }),
            (true, true) => found.iter_mut().last().unwrap().peak = burn.max(found.last().unwrap().peak),
            (true, false) => found.iter_mut().last().unwrap().cleared = Some(t),
            (false, false) => {}
        }
        firing = fires;
    }
    let last = slices.len() as i64 * width;
    found.retain(|alert| alert.cleared.map_or(last, |cleared| cleared - width) >= from);
    found
}

proptest! {
    #[test]
    fn union_is_slice_by_slice(all in prop::collection::vec(any_timeline(), 1..5)) {
        let union = union_of(&all);
        for time in union.start() - 3..union.end() + 3 {
            let states = all.iter().map(|t| at(t, time)).collect::<Vec<_>>();
            let wanted = [State::Error, State::Ok, State::NoData, State::Excluded];
            let expected = wanted.into_iter().find(|state| states.contains(state)).unwrap();
            if union.start() <= time && time < union.end() {
                prop_assert_eq!(at(&union, time), expected);
            } else {
                prop_assert!(!matches!(expected, State::Ok | State::Error));
            }
        }
    }

    #[test]
    fn union_is_commutative_associative_idempotent(a in any_timeline(), b in any_timeline(), c in any_timeline()) {
        let of = |x: &Timeline, y: &Timeline| union(&[x, y]).unwrap();
        prop_assert_eq!(of(&a, &b), of(&b, &a));
        prop_assert_eq!(of(&of(&a, &b), &c), of(&a, &of(&b, &c)));
        prop_assert_eq!(of(&of(&a, &b), &c), union(&[&a, &b, &c]).unwrap());
        prop_assert_eq!(of(&a, &a), a);
    }

    #[test]
    fn clip_then_union_is_union_then_clip(all in timelines(1..5), from in -90i64..90, length in 0i64..150) {
        let range = Interval::new(from, from + length);
        // Of timelines of one grid, as here.
        let clipped = all.iter().map(|t| t.clip(range)).collect::<Vec<_>>();
        prop_assert_eq!(union_of(&clipped), union_of(&all).clip(range));
    }

    #[test]
    fn ranges_that_follow_each_other_share_no_slice_and_lose_none(t in any_timeline(), cut in -600i64..600) {
        let (all, early) = (t.clip(Interval::new(-9000, 9000)), t.clip(Interval::new(-9000, cut)));
        let late = t.clip(Interval::new(cut, 9000));
        prop_assert_eq!(early.end(), late.start());
        for state in [State::Ok, State::Error, State::NoData, State::Excluded] {
            prop_assert_eq!(early.duration_in(state) + late.duration_in(state), all.duration_in(state));
            // Nothing but what is no data lies outside a span.
            prop_assert!(state == State::NoData || all.duration_in(state) == t.duration_in(state));
        }
    }

    #[test]
    fn figures_of_a_concatenation_add_up(all in states(20), cut in 0usize..60, recovery in 0i64..20) {
        let cut = cut.min(all.len());
        let whole = timeline(&all, -7, 5);
        let (left, right) = (timeline(&all[..cut], -7, 5), timeline(&all[cut..], cut as i64 - 7, 5));
        // No data outside either span, so the union of the two halves of an x-free text is the whole.
        if !all.contains('x') {
            prop_assert_eq!(&union(&[&left, &right]).unwrap(), &whole);
        }
        for state in [State::Ok, State::Error, State::NoData, State::Excluded] {
            prop_assert_eq!(left.duration_in(state) + right.duration_in(state), whole.duration_in(state));
        }
        let (a, b, both) = (left.failures(recovery), right.failures(recovery), whole.failures(recovery));
        // A cut never adds more than one failure, and never joins two.
        prop_assert!(both.len() <= a.len() + b.len() && a.len() + b.len() <= both.len() + 1);
    }

    #[test]
    fn without_a_recovery_time_availability_is_mtbf_of_mtbf_and_mttr(states in states(20)) {
        let t = timeline(&states, 3, 60);
        let failures = t.failures(0);
        // As integers first: every error lies in a failure, and nothing else that was measured does.
        prop_assert_eq!(failures.iter().map(|failure| failure.measured).sum::<i64>(), t.duration_in(State::Error));
        for failure in &failures {
            let Failure { interval, measured, unmeasured, excluded } = *failure;
            prop_assert_eq!(measured + unmeasured + excluded, interval.duration());
        }
        if let (Some(mtbf), Some(mttr)) = (t.mtbf(0), t.mttr(0)) {
            prop_assert!((mtbf / (mtbf + mttr) - t.availability().unwrap()).abs() <= 1e-12);
        } else {
            prop_assert!(failures.is_empty());
        }
    }

    #[test]
    fn failures_are_those_of_each_slice(states in states(20), recovery in 0i64..40) {
        let t = timeline(&states, -7, 10);
        let need = (recovery + 9).max(10) / 10;
        let mut naive: Vec<(usize, usize)> = Vec::new();
        let mut ok = need;
        for (i, c) in states.chars().enumerate() {
            match c {
                'o' => ok += 1,
                'E' => {
                    if ok >= need {
                        naive.push((i, i));
                    }
                    naive.last_mut().unwrap().1 = i;
                    ok = 0;
                }
                _ => {}
            }
        }
        let count = |of: &str, states: &str| 10 * of.chars().map(|c| states.matches(c).count() as i64).sum::<i64>();
        let naive = naive.into_iter().map(|(first, last)| Failure {
            interval: Interval::new((first as i64 - 7) * 10, (last as i64 - 6) * 10),
            measured: count("oE", &states[first..=last]),
            unmeasured: count(".", &states[first..=last]),
            excluded: count("x", &states[first..=last]),
        });
        prop_assert_eq!(t.failures(recovery), naive.collect::<Vec<_>>());
    }

    #[test]
    fn exclude_is_slice_by_slice(t in any_timeline(), cuts in prop::collection::vec((-200i64..200, 0i64..60), 0..6)) {
        let intervals = cuts.iter().map(|&(start, length)| Interval::new(start, start + length)).collect::<Vec<_>>();
        let excluded = t.exclude(&intervals);
        prop_assert_eq!(excluded.span(), t.span());
        for start in (t.start()..t.end()).step_by(t.slice() as usize) {
            // Of several together, too.
            let inside = (start..start + t.slice()).all(|time| intervals.iter().any(|i| i.start <= time && time < i.end));
            prop_assert_eq!(at(&excluded, start), if inside { State::Excluded } else { at(&t, start) });
        }
    }

    #[test]
    fn assumptions_and_short_errors(states in states(20), min_run in 0i64..6) {
        let t = timeline(&states, 3, 10);
        prop_assert_eq!(text(&t.assume_ok()), states.replace('.', "o"));
        prop_assert_eq!(text(&t.assume_error()), states.replace('.', "E"));
        let kept = t.drop_short_errors(min_run * 10);
        let errors = t.intervals(State::Error).filter(|run| run.duration() >= min_run * 10);
        prop_assert_eq!(kept.intervals(State::Error).collect::<Vec<_>>(), errors.collect::<Vec<_>>());
        prop_assert_eq!(kept.duration_in(State::NoData), t.duration_in(State::NoData));
        prop_assert_eq!(kept.measured_seconds(), t.measured_seconds());
    }

    #[test]
    fn the_budget_is_what_the_burn_leaves(states in states(20), thousandths in 0i128..1001) {
        let t = timeline(&states, 0, 60);
        let target = Share::from_decimal(thousandths, 3).unwrap();
        match (t.burn_rate(target), t.budget_remaining(target)) {
            (Some(burn), Some(left)) => prop_assert!((1.0 - burn - left).abs() <= 1e-12 * burn.max(1.0)),
            (burn, left) => {
                prop_assert_eq!((burn, left), (None, None));
                prop_assert!(thousandths == 1000 || t.availability().is_none());
            }
        }
    }

    #[test]
    fn burn_alerts_are_those_of_each_slice(
        slices in counted(),
        width in 1i64..5,
        factor in (0u32..40, prop::sample::select(vec![1u32, 3, 10])),
        (long, short) in (1i64..40, 1i64..15),
        min_events in prop::sample::select(vec![0i64, 0, 3, 40]),
        from in -60i64..120,
    ) {
        let rule = Rule { factor, long, short };
        let spell = |&(bad, all, left): &(i64, i64, i64)| Spell {
            slices: 1,
            spent: i128::from(bad) * ALLOWANCE,
            allowed: Share::from_ratio(1000 - left as u64, 1000).unwrap().allowance() * i128::from(all),
            events: all,
        };
        let single = Burning { start: 0, slice: width, least: 1, spells: slices.iter().map(spell).collect() };
        // The same, with equal neighbours as one spell.
        let mut spells = Vec::<Spell>::new();
        for next in &single.spells {
            match spells.last_mut() {
                Some(last) if (Spell { slices: 1, ..*last }) == *next => last.slices += 1,
                _ => spells.push(*next),
            }
        }
        let joined = Burning { spells, ..single.clone() };
        let expected = naive_alerts(&slices, width, &rule, min_events, from);
        prop_assert_eq!(burn_alerts(&single, &rule, min_events, from).unwrap(), expected.clone());
        prop_assert_eq!(burn_alerts(&joined, &rule, min_events, from).unwrap(), expected);
    }

    #[test]
    fn a_trend_is_the_median_of_the_pairs(points in prop::collection::vec((-9i32..9, -9i32..9), 0..12)) {
        let points = points.iter().map(|&(x, y)| (f64::from(x), f64::from(y))).collect::<Vec<_>>();
        let mut slopes = Vec::new();
        for (i, a) in points.iter().enumerate() {
            slopes.extend(points[..i].iter().filter(|b| a.0 != b.0).map(|b| (a.1 - b.1) / (a.0 - b.0)));
        }
        let Some(trend) = theil_sen(&points, 0.9) else {
            prop_assert!(slopes.is_empty());
            return Ok(());
        };
        let below = slopes.iter().filter(|slope| **slope < trend.slope - 1e-9).count();
        let above = slopes.iter().filter(|slope| **slope > trend.slope + 1e-9).count();
        prop_assert!(2 * below <= slopes.len() && 2 * above <= slopes.len());
        prop_assert!(trend.low <= trend.slope && trend.slope <= trend.high);
        // Moving and stretching the points moves and stretches the line. Powers of two, so that nothing is rounded.
        let moved = points.iter().map(|(x, y)| (4.0 * x + 8.0, 2.0 * y - 16.0)).collect::<Vec<_>>();
        let moved = theil_sen(&moved, 0.9).unwrap();
        prop_assert_eq!((moved.slope, moved.low, moved.high), (trend.slope / 2.0, trend.low / 2.0, trend.high / 2.0));
    }

    #[test]
    fn runs_round_trip(t in any_timeline()) {
        prop_assert_eq!(Timeline::new(t.span(), t.slice(), t.runs().to_vec()).unwrap(), t);
    }
}

#[test]
fn runs_that_make_no_timeline_are_refused() {
    let run = |start, end| nines_timeline::Run { start, end, state: State::Error };
    let made = |runs| Timeline::new(Interval::new(0, 60), 10, runs).map_err(|error| error.to_string());
    assert_eq!(made(vec![run(5, 20)]).unwrap_err(), "[5, 20) µs does not consist of whole slices");
    assert_eq!(
        made(vec![run(0, 20), run(10, 30)]).unwrap_err(),
        "the run [10, 30) µs overlaps another or leaves the span"
    );
    assert_eq!(made(vec![run(50, 70)]).unwrap_err(), "the run [50, 70) µs overlaps another or leaves the span");
    assert!(Timeline::new(Interval::new(0, 60), 0, vec![]).is_err());
}
