//! Laws of the algebra, on random timelines.

use nines_timeline::{Interval, Share, State, Timeline, union};
use proptest::prelude::*;

use crate::naive::{text, timeline};

fn states(max: usize) -> impl Strategy<Value = String> {
    // Runs rather than single slices, so that neighbours share states as they do in life.
    let run = (prop::sample::select(vec!['o', 'o', 'E', '.', 'x']), 1..6usize);
    prop::collection::vec(run, 0..max).prop_map(|runs| runs.iter().map(|(c, n)| c.to_string().repeat(*n)).collect())
}

/// Somewhere around the epoch, before it too, in one of several widths.
fn any_timeline() -> impl Strategy<Value = Timeline> {
    (states(12), -40i64..40, prop::sample::select(vec![1i64, 3, 4, 12]))
        .prop_map(|(states, start, slice)| timeline(&states, start, slice))
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
        let clipped = all.iter().map(|t| t.clip(range)).collect::<Vec<_>>();
        prop_assert_eq!(union_of(&clipped), union_of(&all).clip(range));
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
    fn exclude_is_slice_by_slice(t in any_timeline(), cuts in prop::collection::vec((-200i64..200, 0i64..60), 0..6)) {
        let intervals = cuts.iter().map(|&(start, length)| Interval::new(start, start + length)).collect::<Vec<_>>();
        let excluded = t.exclude(&intervals);
        prop_assert_eq!(excluded.span(), t.span());
        for start in (t.start()..t.end()).step_by(t.slice() as usize) {
            let inside = intervals.iter().any(|i| i.start <= start && start + t.slice() <= i.end);
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
