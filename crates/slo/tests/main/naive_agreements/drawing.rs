//! How agreements and what happened are drawn: so that most have something to decide, and what is drawn meets.

use chrono_tz::Tz;
use proptest::prelude::*;

use super::clock::{DAY, Slots, Weekly, first_at, shown, weekday};
use super::drawn::{
    Cap, Case, Clause, Each, Exclusion, FAILED, FAILED_CAUSES, Fails, HOURS, LATENCIES, Metric, NARROWED, NOT_VALID,
    Notice, Paid, Requests, TICKS, period,
};
use crate::naive_forms::{Form, Worth, form, mode};

fn rare<S: Strategy>(of: S) -> impl Strategy<Value = Option<S::Value>> {
    prop::option::weighted(0.25, of)
}

fn fails() -> impl Strategy<Value = Fails> {
    let named =
        (0..FAILED.len(), 0..FAILED_CAUSES.len(), prop::option::weighted(0.7, prop::sample::select(vec![0, 1, 2, 2])));
    prop_oneof![
        (any::<bool>(), 0..4usize).prop_map(|(gateway, causes)| Fails::Charged { gateway, causes }),
        named.prop_map(|(statuses, causes, slower)| {
            let statuses = if (statuses, causes, slower) == (0, 0, None) { 1 } else { statuses };
            Fails::Named { statuses, causes, slower }
        }),
    ]
}

fn each() -> impl Strategy<Value = Each> {
    let silent = prop::sample::select(vec!["ok", "error", "ignore"]);
    prop_oneof![
        2 => Just(Each::No),
        1 => Just(Each::Sum),
        3 => Just(Each::Worst),
        2 => Just(Each::Any),
        3 => (1..4usize, prop::bool::weighted(0.1), silent).prop_map(|(of, ghost, silent)| Each::All { of, ghost, silent }),
    ]
}

fn exclusions() -> impl Strategy<Value = Vec<Clause>> {
    let notice = prop_oneof![Just(Notice::Before), prop::sample::select(vec![60, 1440]).prop_map(Notice::Ahead)];
    let most = (prop::sample::select(vec![10, 45, 180, 600]), prop::sample::select(vec![1, 3, 12]));
    let clause = (prop::bool::weighted(0.75), prop::option::of(notice), prop::option::weighted(0.4, most));
    (prop::collection::vec(clause, 3), any::<bool>()).prop_map(|(clauses, reversed)| {
        let mut found: Vec<Clause> = Vec::new();
        for (category, (_, notice, at_most)) in clauses.into_iter().enumerate().filter(|(_, own)| own.0) {
            found.push(Clause { category, notice, at_most });
        }
        if reversed {
            found.reverse();
        }
        found
    })
}

/// A metric, whose width of a slice and shortest run are settled when it is known of what store.
fn metric() -> impl Strategy<Value = Metric> {
    let commitment = prop::sample::select(vec![90_000i128, 98_000, 99_000, 99_900, 99_990]);
    let measures = vec!["MeanErrorRate", "BadSlices", "Downtime", "Downtime", "Occurrences", "Proportional"];
    let whose =
        (prop::bool::weighted(0.12), rare(0..NARROWED.len()), fails(), rare(0..NOT_VALID.len()), each(), any::<bool>());
    let how = (
        0..5i64,
        prop::sample::select(measures),
        (any::<bool>(), 1..70i64),
        (1..5i64, 0..2i64),
        any::<bool>(),
        prop_oneof![2 => Just(1i64), 1 => 2..40i64],
        prop::option::weighted(0.4, (prop::sample::select(vec![0, 0, 0, 1, 1, 2, 3u32]), mode())),
        commitment.prop_flat_map(|commitment| (Just(commitment), form(commitment))),
    );
    let spared =
        (exclusions(), prop::bool::weighted(0.3), any::<bool>(), any::<bool>(), prop::option::weighted(0.6, 1..4i64));
    (whose, how, spared).prop_map(|(whose, how, (exclusions, by_slice, bridge, removed, lost))| {
        let (is_of_objective, narrowed, fails, not_valid, each, by_business) = whose;
        let (slice, measure, bad, (slices, less), split, min_requests, round, (commitment, form)) = how;
        let bridge = bridge && measure == "Downtime";
        let each = match each {
            _ if is_of_objective => Each::No,
            Each::Any | Each::All { .. } if measure == "Occurrences" => Each::Worst,
            Each::All { of, ghost, silent } if by_business => Each::All { of: of.min(2), ghost, silent },
            each => each,
        };
        let form = match form {
            Form::Steps { .. } if measure != "Downtime" => Form::Linear { thousandths: 2500, below_commitment: false },
            form => form,
        };
        Metric {
            objective: is_of_objective.then_some(0),
            narrowed,
            fails,
            not_valid,
            each,
            by_business,
            slice,
            measure,
            bad,
            min_run: 10 * slices + less,
            split: split && !bridge,
            min_requests,
            commitment,
            round,
            form,
            exclusions,
            by_slice,
            bridge,
            removed,
            lost: lost.filter(|_| !matches!(each, Each::Any | Each::All { .. })),
        }
    })
}

impl Metric {
    /// With what depends on one another: the width of a slice and the shortest run in minutes, bounds and how is rounded.
    fn settled(mut self, store: i64, widest: i64) -> Metric {
        let widths: Vec<i64> =
            [1, 5, 15, 30, 60].into_iter().filter(|width| width % store == 0 && *width <= widest).collect();
        self.slice = widths[self.slice as usize % widths.len()];
        self.min_run = (self.slice * (self.min_run / 10) - self.min_run % 10).max(1);
        self.objective = self.objective.map(|_| store);
        // What is rounded is at times just a tier's bound.
        if let (Form::Tiers([first, second]), Some((places, _))) = (&mut self.form, self.round) {
            let unit = 10i128.pow(3 - places);
            (first.1, first.0) = (true, (self.commitment - 1) / unit * unit);
            second.0 = (second.0 / unit * unit).min(first.0 - unit);
        }
        self
    }
}

/// Money, and when a limit of a year is reached.
fn cap() -> impl Strategy<Value = Cap> {
    prop_oneof![3 => Just(Cap::None), 1 => (5..100i128).prop_map(Cap::Percent), 1 => (1..9_000i128).prop_map(Cap::Money)]
}

/// Around what something is drawn, and by how many minutes about it.
type Near = (usize, i64);

fn near(before: i64, after: i64) -> impl Strategy<Value = Near> {
    (0..5usize, -before..after)
}

/// Requests, with how many minutes they go on.
fn requests() -> impl Strategy<Value = (Near, i64, Requests)> {
    let of = |from: [usize; 2], causes: usize, latencies: [usize; 2]| {
        (0..3usize, 0..2usize, from[0]..from[1], 0..causes, latencies[0]..latencies[1], 1..9i64)
    };
    let healthy = (near(6000, 2000), 60..9000i64, of([0, 1], 1, [0, 4]));
    let slow = (near(180, 180), 1..400i64, of([0, 1], 2, [5, LATENCIES.len()]));
    let mixed = (near(240, 400), 1..500i64, of([0, 7], 6, [0, LATENCIES.len()]));
    let failing = (near(180, 180), 1..400i64, of([1, 3], 6, [6, LATENCIES.len()]));
    prop_oneof![2 => healthy, 2 => mixed, 2 => failing, 1 => slow].prop_map(|(near, long, own)| {
        let (endpoint, business, status, cause, latency, number) = own;
        (near, long, Requests { from: 0, long: 0, endpoint, business, status, cause, latency, number })
    })
}

pub fn case() -> impl Strategy<Value = Case> {
    let zones = vec![
        Tz::UTC,
        Tz::Europe__Berlin,
        Tz::Europe__Berlin,
        Tz::America__New_York,
        Tz::Asia__Kathmandu,
        Tz::Australia__Lord_Howe,
        Tz::Asia__Beirut,
    ];
    let months = prop::sample::select(vec![(2026, 3), (2026, 10), (2026, 11), (2026, 2), (2026, 4), (2025, 12)]);
    let time = (
        prop::sample::select(zones),
        months,
        prop_oneof![4 => Just(1i64), 1 => Just(3i64)],
        (prop::sample::select(vec![1, 1, 15, 31]), prop::option::weighted(0.35, (7..50i64, -3..4i64))),
        prop::sample::select(vec![1i64, 5, 5, 15]),
        prop::option::weighted(0.3, 0..HOURS.len()),
    );
    let money = (
        any::<[bool; 6]>(),
        (cap(), rare(prop_oneof![cap(), (1..3i128).prop_map(Cap::Fees)]), 0..20_000i128),
        rare(1..2000i128),
        rare((0..4u32, mode())),
        prop::collection::vec((1..200_000_000i128, 0..50_000_000i128), 2),
        (0..9usize, 0..9usize),
    );
    // Minutes after the beginning, before the end.
    let life = (
        rare(-500..20_000i64),
        rare(-500..20_000i64),
        rare((0..30_000i64, 1..4000i64)),
        rare(1..9000i64),
        rare(1..9000i64),
    );
    let announced = prop::option::weighted(0.85, prop::sample::select(vec![0, 1, 119, 120, 121, 2880, 6000i64]));
    let excluded = (near(300, 500), 1..900i64, 0..2i64, 0..3usize, announced.clone());
    let earlier = (1..80i64, 1..700i64, announced.clone());
    let weekly = (
        0..3usize,
        0..22i64,
        prop::sample::select(vec![0i64, 90, 135, 600, 1380]),
        1..30i64,
        (0..7i64, 1..3i64),
        rare(1..60i64),
        (0..3usize, announced),
    );
    let what = (
        prop::collection::vec(requests(), 4..16),
        prop::collection::vec((near(600, 900), 1..200usize, 1..9i64, 0..9i64), 0..6),
        prop::collection::vec(excluded, 0..5),
        rare(earlier),
        prop::option::weighted(0.4, weekly),
        prop::collection::vec((near(240, 400), 1..600i64, 0..2i64), 0..4),
    );
    let metrics = (prop::collection::vec(metric(), 1..4), any::<bool>(), any::<bool>());
    (time, metrics, money, life, what).prop_map(|(time, (metrics, listed, sum), money, life, what)| {
        let (zone, (year, month), months, (day, days), store, hours) = time;
        // A tier of three days is worth less than one of 11 % from 28 days on.
        let is_of_days = |own: &Metric| matches!(own.form, Form::Tiers([(.., Worth::Days(_)), _]));
        let least = if metrics.iter().any(is_of_days) { 28 } else { 7 };
        let days = days.map(|(days, later)| (days.max(least), later));
        // A quarter is long.
        let store = if months > 1 { store.max(5) } else { store };
        let month = year * 12 + month - 1;
        let [(start, first_day), (end, _)] = period(zone, month, months, day, days.map(|(days, _)| days));
        let widest = if zone == Tz::Australia__Lord_Howe { 30 } else { 60 };
        let slots = Slots::of(zone, start - 6 * DAY, end + 2 * DAY, store);

        let (came, went, away, begins, ends) = life;
        let (came, went) = (came.map(|minutes| start + minutes), went.map(|minutes| end - minutes));
        let inside = |(left, long): &(i64, i64)| {
            let (left, back) = (start + left, start + left + long);
            came.is_none_or(|came| came < left) && went.is_none_or(|went| back < went) && back < end
        };
        let away = away.filter(inside).map(|(left, long)| (start + left, start + left + long));
        let went = went.filter(|went| came.is_none_or(|came| came < *went));
        // Of a few days the end may lie before the beginning.
        let (begins, ends) = (begins.map(|minutes| start + minutes), ends.map(|minutes| end - minutes));
        let effective = (begins, ends.filter(|ends| begins.is_none_or(|begins| begins < *ends)));
        let (
            [listing, cents, exclude_vouchers, prorate, plans, both],
            (cap, cap_of_year, before),
            min_payout,
            round_amount,
            fees,
            plan,
        ) = money;
        let paid = |at: usize, from, until, plan: usize| {
            let (amount, vouchers) = fees[at];
            // Mostly of a plan that is agreed.
            Paid { from, until, plan: [0, 1, 0, 1, 0, 1, 0, 2, 3][plan], amount, vouchers: vouchers.min(amount) }
        };
        let paid = match away {
            None => vec![paid(0, came, went, plan.0)],
            Some((left, back)) => vec![paid(0, came, Some(left), plan.0), paid(1, Some(back), went, plan.1)],
        };

        // The change of clocks, or what is in the middle.
        let day_of = |at: i64| shown(at * DAY, zone) - at * DAY;
        let change = (start / DAY..end / DAY).find(|at| day_of(*at) != day_of(at + 1));
        let middle = change.map_or(start + 9 * DAY, |at| at * DAY + 600);
        let left = away.map_or(middle, |(left, back)| if both { left } else { back });
        let anchors = [start, end, middle, came.or(went).unwrap_or(middle), left];
        let at = |(anchor, minutes): Near| anchors[anchor] + minutes;

        let (requests, events, excluded, earlier, weekly, lost) = what;
        let requests = requests.into_iter().map(|(near, long, own)| {
            let (from, until) = (slots.at(at(near)), slots.at(at(near) + long));
            Requests { from, long: until - from + 1, ..own }
        });
        let events = events
            .into_iter()
            .map(|(near, long, valid, failed)| (slots.at(at(near)), long, valid, (failed - 2).clamp(0, valid)));
        let exclusion = |from: i64, long: i64, category, announced: Option<i64>| Exclusion {
            from,
            until: from + long,
            category,
            announced: announced.map(|before| from - before),
        };
        let near = excluded.into_iter().map(|(near, long, odd, category, announced)| {
            exclusion(at(near) * TICKS + odd, long * TICKS - odd, category, announced)
        });
        let far =
            earlier.map(|(days, long, announced)| exclusion((start - days * DAY) * TICKS, long * TICKS, 1, announced));
        let weekly = weekly.map(|(of, days, time, half_hours, (other, interval), until, (category, announced))| {
            let zone = [zone, Tz::UTC, Tz::Europe__Berlin][of];
            let first = (first_day - 1 - days) * DAY + time;
            let begins = first_at(first, zone);
            let until = until.map(|days| begins + days * DAY);
            let other = if other < 4 { weekday(first_day - 1 - days) } else { other };
            let weekly = Weekly { zone, first, long: half_hours * 30, weekday: other, interval, until };
            (weekly, category, announced.map(|before| begins * TICKS - before))
        });
        let lost = lost.into_iter().map(|(near, long, odd)| (at(near) * TICKS + odd, (at(near) + long) * TICKS));
        let metrics: Vec<Metric> = metrics.into_iter().map(|metric| metric.settled(store, widest)).collect();
        // The objective counts five minutes at a time, where that fits.
        let fits = |own: &Metric| own.objective.is_none() || own.slice % 5 == 0;
        let width = if 5 % store == 0 && metrics.iter().all(fits) { 5 } else { store };
        let metrics: Vec<Metric> =
            metrics.into_iter().map(|own| Metric { objective: own.objective.map(|_| width), ..own }).collect();
        Case {
            zone,
            month,
            months,
            day,
            days,
            hours,
            sum: sum && metrics.len() > 1,
            metrics,
            listed: listed && listing,
            cents,
            cap,
            cap_of_year: cap_of_year.unwrap_or(Cap::None),
            before,
            min_payout,
            round_amount,
            exclude_vouchers,
            prorate,
            plans,
            effective,
            paid,
            requests: requests.collect(),
            events: events.collect(),
            exclusions: near.chain(far).collect(),
            weekly,
            lost: lost.collect(),
            slots,
        }
    })
}
