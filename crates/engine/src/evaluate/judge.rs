//! From the counts of a day to a part: what an objective was in the slices that begin in one stretch of one UTC day.
//!
//! A slice is judged by the stored slices that are left of it. Precedence: excluded (none is left), then lost telemetry, then
//! measured, then what `noData` says. A slice that is not over at the watermark is not measured, unless held samples cover the
//! rest of it.

use datafusion::common::exec_err;
use datafusion::error::Result;
use nines_slo::{Budgeting, NoData, Spec};
use nines_timeline::{Builder, Interval, Run, State, ratio};

use super::blame::{Blamed, accuse, by_endpoint, meets};
use super::lane::{Apart, Slots};
use super::part::{Culprit, Detail, Details, Part, Slice, internal};
use super::subject::{Between, Subject, touching};

/// The day whose counts are at hand.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Day {
    /// Where its counts begin, in µs.
    pub start: i64,
    /// The store's slice width in µs.
    pub slot: i64,
}

/// Judges the slices of `interval`, whose counts are those of `day`. One pass over the slots where anything was counted, over the runs alone
/// where nothing was.
pub(crate) fn part(
    subject: &Subject,
    (at, range, interval): (usize, usize, Interval),
    day: Day,
    lanes: &[Apart<'_>],
    detail: Detail,
) -> Result<Part> {
    if lanes.iter().any(|apart| apart.lane.overflow) {
        return too_many(subject);
    }
    let mut left = Vec::new();
    let slice = subject.spec.slice;
    let mut part = Part {
        subject: at,
        range,
        interval,
        runs: Box::default(),
        good: 0,
        total: 0,
        ratio_sum: 0.0,
        ratios: 0,
        assumed: 0,
        last_data: last_data(subject, lanes, day, interval),
        between: None,
        uncounted: false,
        details: None,
    };
    let by_ratio = subject.spec.budgeting == Budgeting::RatioTimeslices;
    let events = detail.events_of(&subject.spec);
    let mut details = Details::default();
    let mut states = Builder::new(interval, slice).map_err(internal)?;
    let grouped = subject.each_endpoint().then(|| by_endpoint(lanes));
    // What one lane counted, if slices are judged by nothing else.
    let alone = match (lanes, detail) {
        ([apart], Detail::None | Detail::Events { .. })
            if grouped.is_none() && !apart.lane.is_rounded_anywhere() && subject.hold() == 0 =>
        {
            Some(apart.lane)
        }
        _ => None,
    };
    for (stretch, fate) in fates(subject, interval) {
        // Of an excluded slice only people want to see what was counted.
        let judged = match fate {
            Fate::Lost => false,
            Fate::Excluded => !lanes.is_empty() && detail == Detail::Slices,
            Fate::Assumed(_) | Fate::Open => !lanes.is_empty(),
        };
        if !judged && detail != Detail::Slices {
            let state = fate.state(false, false);
            states.push(stretch.start, stretch.end, state);
            let slices = stretch.duration() / slice;
            if let Fate::Assumed(no_data) = fate {
                part.assume(no_data, slices);
            }
            if events {
                details.events.resize(details.events.len() + slices as usize, [0, 0]);
            }
            continue;
        }
        if let Some(lane) = alone.filter(|_| touching(&subject.removed, stretch).is_empty()) {
            let place = |at: i64| ((at - day.start) / day.slot) as usize;
            let counts = &lane.counts()[place(stretch.start)..place(stretch.end)];
            let events = events.then_some(&mut details.events);
            let Some(()) = judge_whole(subject, fate, (stretch, counts, day.slot), (&mut part, &mut states, events))
            else {
                return too_many(subject);
            };
            continue;
        }
        let mut start = stretch.start;
        while start < stretch.end {
            let end = start + slice;
            self::left(subject, Interval::new(start, end), day, &mut left);
            let (mut good, mut total) = (0i64, 0i64);
            if judged {
                // Plain loops: most of what a question costs is spent here, and iterators over iterators are not always inlined.
                let mut sums = Some([0; 2]);
                for apart in lanes {
                    for slots in &left {
                        for count in &apart.lane.counts()[slots.clone()] {
                            sums = sums.and_then(|sums| added(sums, *count));
                        }
                    }
                }
                let Some(sums) = sums else { return too_many(subject) };
                [good, total] = sums;
            }
            let over = end <= subject.watermark || is_held(subject, &left, day, lanes);
            let measured = total > 0 && over;
            let approximate = judged && lanes.iter().any(|apart| apart.lane.is_rounded(&left));
            let ok = measured && meets(subject.spec.slice_target, (good, total), grouped.as_deref(), &left, lanes);
            let state = fate.state(measured, ok);
            states.push(start, end, state);
            match (fate, measured) {
                (Fate::Excluded, _) => {}
                (_, true) => {
                    let Some(sums) = added([part.good, part.total], [good, total]) else { return too_many(subject) };
                    [part.good, part.total] = sums;
                    part.ratio_sum += good as f64 / total as f64;
                    part.ratios += if by_ratio { ratio(good, total) } else { 0 };
                    if approximate {
                        let of = |apart: &Apart<'_>| apart.lane.between.filter(|_| apart.lane.is_rounded(&left));
                        part.between = lanes.iter().map(of).fold(part.between, Between::joined);
                    }
                }
                (Fate::Assumed(no_data), false) => part.assume(no_data, 1),
                (Fate::Lost | Fate::Open, false) => {}
            }
            if events {
                details.events.push(if measured && fate != Fate::Excluded { [good, total] } else { [0, 0] });
            }
            match detail {
                Detail::Slices => details.slices.push(Slice { start, good, total, state, approximate }),
                Detail::Culprits if state == State::Error && measured => {
                    let blamed = accuse(subject.spec.slice_target, grouped.as_deref(), &left, lanes);
                    details.culprits.extend(blamed.into_iter().map(|Blamed { lane, bad, decisive }| Culprit {
                        endpoint: lanes[lane].endpoint.cloned().unwrap_or_default(),
                        cause: lanes[lane].cause.cloned().unwrap_or_default(),
                        slice: start,
                        bad,
                        decisive,
                    }));
                }
                _ => {}
            }
            start = end;
        }
    }
    if !by_ratio {
        part.ratios = 0;
    }
    part.runs = states.finish().into_runs().into();
    part.details = (detail != Detail::None).then(|| Box::new(details));
    Ok(part)
}

/// Judges the slices of a stretch by the counts of all of their stored slices, which are those of `counts`, `slot` µs each. This is what
/// most questions spend their time on. `None` if the counts add up to more than fits.
fn judge_whole(
    subject: &Subject,
    fate: Fate,
    (stretch, counts, slot): (Interval, &[[i64; 2]], i64),
    (part, states, mut events): (&mut Part, &mut Builder, Option<&mut Vec<[i64; 2]>>),
) -> Option<()> {
    let Spec { slice, slice_target, budgeting, .. } = subject.spec.as_ref();
    let by_ratio = *budgeting == Budgeting::RatioTimeslices;
    let unmeasured = fate.state(false, false);
    let mut run = Run { start: stretch.start, end: stretch.start, state: State::Ok };
    let mut all = [part.good, part.total];
    for slots in counts.chunks_exact((slice / slot) as usize) {
        let count = match slots {
            [count] => *count,
            slots => slots.iter().try_fold([0; 2], |sum, count| added(sum, *count))?,
        };
        let [good, total] = count;
        let end = run.end + slice;
        let measured = total > 0 && end <= subject.watermark;
        let state = if !measured {
            if let Fate::Assumed(no_data) = fate {
                part.assume(no_data, 1);
            }
            unmeasured
        } else {
            all = added(all, count)?;
            part.ratios += if by_ratio { ratio(good, total) } else { 0 };
            // All good: neither division nor comparison says anything else.
            part.ratio_sum += if good == total { 1.0 } else { good as f64 / total as f64 };
            fate.state(true, good == total || slice_target.met_by(good, total))
        };
        if let Some(events) = &mut events {
            events.push(if measured { count } else { [0; 2] });
        }
        if state != run.state {
            states.push(run.start, run.end, run.state);
            (run.start, run.state) = (run.end, state);
        }
        run.end = end;
    }
    states.push(run.start, run.end, run.state);
    [part.good, part.total] = all;
    Some(())
}

fn too_many<T>(subject: &Subject) -> Result<T> {
    exec_err!("the events of {} in a slice or a day add up to more than 64 bits hold", subject.name)
}

/// The stored slices that are left of a slice. Of an excluded one all are named, to show what was not counted.
fn left(subject: &Subject, slice: Interval, day: Day, left: &mut Vec<std::ops::Range<usize>>) {
    let place = |at: i64| ((at - day.start) / day.slot) as usize;
    left.clear();
    let mut start = slice.start;
    for removed in touching(&subject.removed, slice) {
        if removed.start > start {
            left.push(place(start)..place(removed.start));
        }
        start = removed.end;
    }
    if start < slice.end {
        left.push(place(start)..place(slice.end));
    }
    if left.is_empty() {
        left.push(place(slice.start)..place(slice.end));
    }
}

/// Whether held samples cover all that is left of a slice beyond the watermark.
fn is_held(subject: &Subject, left: &Slots, day: Day, lanes: &[Apart<'_>]) -> bool {
    let covered = |slot: usize| {
        let beyond = day.start + (slot as i64 + 1) * day.slot > subject.watermark;
        !beyond || lanes.iter().any(|apart| apart.lane.counts()[slot][1] > 0)
    };
    subject.hold() > 0 && left.iter().flat_map(Clone::clone).all(covered)
}

/// End of the last stored slice of a part in which anything was counted; a held sample is data no longer than other rows are there.
fn last_data(subject: &Subject, lanes: &[Apart<'_>], day: Day, interval: Interval) -> Option<i64> {
    let slots = ((interval.start - day.start) / day.slot) as usize..((interval.end - day.start) / day.slot) as usize;
    let last =
        lanes.iter().filter_map(|apart| apart.lane.counts()[slots.clone()].iter().rposition(|count| count[1] > 0));
    last.max().map(|last| (interval.start + (last as i64 + 1) * day.slot).min(subject.watermark))
}

/// What decides a stretch of slices before their counts do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Excluded,
    Lost,
    /// Where nothing was measured.
    Assumed(NoData),
    Open,
}

impl Fate {
    fn state(self, measured: bool, ok: bool) -> State {
        match self {
            Fate::Excluded => State::Excluded,
            Fate::Lost => State::Error,
            _ if measured => {
                if ok {
                    State::Ok
                } else {
                    State::Error
                }
            }
            Fate::Assumed(NoData::Ok) => State::Ok,
            Fate::Assumed(NoData::Error) => State::Error,
            Fate::Assumed(NoData::Ignore) | Fate::Open => State::NoData,
        }
    }
}

/// The interval cut into stretches of one fate.
fn fates(subject: &Subject, interval: Interval) -> Vec<(Interval, Fate)> {
    let excluded = touching(&subject.excluded, interval);
    let lost = touching(&subject.lost, interval);
    let assumed = subject.assumed();
    if excluded.is_empty() && lost.is_empty() && assumed.is_none() {
        return vec![(interval, Fate::Open)];
    }
    let bounds = excluded.iter().chain(lost).chain(assumed.as_ref().map(|(_, span)| span));
    let inside = |t: &i64| *t > interval.start && *t < interval.end;
    let mut cuts: Vec<i64> = bounds.flat_map(|i| [i.start, i.end]).filter(inside).collect();
    cuts.extend([interval.start, interval.end]);
    cuts.sort_unstable();
    cuts.dedup();
    let within = |intervals: &[Interval], t: i64| intervals.iter().any(|i| i.start <= t && t < i.end);
    let fate = |t: i64| {
        if within(excluded, t) {
            Fate::Excluded
        } else if within(lost, t) {
            Fate::Lost
        } else {
            match assumed {
                Some((no_data, span)) if span.start <= t && t < span.end => Fate::Assumed(no_data),
                _ => Fate::Open,
            }
        }
    };
    cuts.windows(2).map(|cut| (Interval::new(cut[0], cut[1]), fate(cut[0]))).collect()
}

/// Good and total of both; `None` if they do not fit.
fn added(a: [i64; 2], b: [i64; 2]) -> Option<[i64; 2]> {
    Some([a[0].checked_add(b[0])?, a[1].checked_add(b[1])?])
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use nines_slo::{ObjectKind, Rules, Stored};
    use nines_store::TableKind;
    use nines_timeline::Grid;
    use proptest::prelude::*;

    use super::*;
    use crate::evaluate::DAY;
    use crate::evaluate::lane::Lane;
    use crate::evaluate::subject::{excluded_slices, lost_slices};

    const HOUR: i64 = DAY / 24;
    const OBJECTIVE: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: {name: o, labels: {vela: availability}}
spec:
  service: s
  indicator:
    metadata: {name: o}
    spec: {ratioMetric: {rawType: success, raw: {metricSource: {type: nines/availability, spec: {business: b}}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, timeSliceTarget: 0.9, timeSliceWindow: 1h}]
";

    fn spec() -> Spec {
        let (name, text) = ("o".to_string(), OBJECTIVE.to_string());
        let effective_from = nines_slo::SINCE_EVER;
        let stored = Stored { kind: ObjectKind::Slo, name, effective_from, text, rules: Rules::CURRENT };
        nines_slo::recorded(&[stored]).objectives[0].versions[0].spec.as_ref().clone()
    }

    /// Hours of the day and of what lies beside it.
    fn hours() -> impl Strategy<Value = Vec<Interval>> {
        let hours = (-3i64..27, 1i64..6).prop_map(|(at, hours)| Interval::new(at * HOUR, (at + hours) * HOUR));
        prop::collection::vec(hours, 0..3)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2048))]

        /// What is judged together, slice after slice, is what is judged slice by slice, as people are shown it.
        #[test]
        fn without_details_a_part_says_the_same(
            counts in prop::collection::vec(prop_oneof![
                2 => Just((0, 0)),
                3 => (1i64..9).prop_map(|all| (all, 0)),
                2 => (0i64..20, 0i64..3),
            ], 24),
            (wide, shift) in (prop::sample::select(vec![1i64, 2, 3, 6]), 0i64..6),
            (removed, lost) in (hours(), hours()),
            (first, watermark, now) in (prop::option::of(-3i64..27), -3i64..27, 0i64..9),
            no_data in prop::sample::select(vec![NoData::Ok, NoData::Error, NoData::Ignore]),
            budgeting in prop::sample::select(vec![Budgeting::Timeslices, Budgeting::RatioTimeslices, Budgeting::Occurrences]),
            stretch in (0i64..24, 1i64..25),
            huge in prop::option::weighted(0.1, 0usize..24),
        ) {
            let slices = Grid::new(shift % wide * HOUR, wide * HOUR);
            let stored = Grid::new(0, HOUR);
            let removed = nines_timeline::normalize(removed);
            let (watermark, hours) = (watermark * HOUR, |hours: i64| hours * HOUR);
            let spec = Spec { slice: wide * HOUR, slices, no_data, budgeting, ..spec() };
            let subject = Subject {
                objective: 0,
                name: "o".into(),
                business: "b".into(),
                service: "s".into(),
                definition: 0,
                said: "".into(),
                table: TableKind::Requests,
                in_force: Interval::new(i64::MIN, i64::MAX),
                first: first.map(hours),
                watermark,
                now: watermark + hours(now),
                assumed_until: if no_data == NoData::Error { watermark + hours(now) } else { watermark },
                excluded: excluded_slices(&removed, slices),
                lost: lost_slices(lost.into_iter(), &removed, stored, slices),
                removed,
                limits: Vec::new(),
                spec: Arc::new(spec),
            };
            let own = subject.day(0);
            let day = Day { start: own.start, slot: HOUR };
            let mut lane = Lane::new(24);
            for (slot, (good, bad)) in counts.iter().enumerate() {
                lane.add(slot, *good, good + bad);
            }
            if let Some(slot) = huge {
                lane.add(slot, i64::MAX / 2, i64::MAX / 2);
            }
            lane.finish();
            let begin = own.start + stretch.0 / wide * wide * HOUR;
            let end = (begin + (stretch.1 + wide - 1) / wide * wide * HOUR).min(own.end);
            let judged = |detail| {
                let lanes = [Apart { lane: &lane, endpoint: None, cause: None }];
                part(&subject, (0, 0, Interval::new(begin, end)), day, &lanes, detail)
            };
            let told = |part: Result<Part>| part.map_err(|error| error.to_string());
            let shown = told(judged(Detail::Slices));
            for detail in [Detail::None, Detail::Events { of_all: true }, Detail::Events { of_all: false }] {
                match (&shown, told(judged(detail))) {
                    (Ok(shown), Ok(part)) => {
                        prop_assert!(part.says_as(shown), "{:?}\n{:?}", part, shown);
                        if let Detail::Events { of_all: true } = detail {
                            let counted = |slice: &Slice| {
                                let is_over = slice.start + wide * HOUR <= watermark;
                                is_over && matches!(slice.state, State::Ok | State::Error)
                            };
                            let lost = |slice: &Slice| {
                                subject.lost.iter().any(|lost| lost.start <= slice.start && slice.start < lost.end)
                            };
                            let expected: Vec<[i64; 2]> = shown.slices().iter()
                                .map(|of| if counted(of) && !lost(of) { [of.good, of.total] } else { [0, 0] })
                                .collect();
                            prop_assert_eq!(part.events(), expected);
                        }
                    }
                    (Err(shown), Err(error)) => prop_assert_eq!(shown, &error),
                    // Counts of excluded slices are shown, and for nothing else added up.
                    (Err(_), Ok(_)) if !subject.removed.is_empty() => {}
                    (shown, part) => prop_assert!(false, "{:?}\n{:?}", part, shown),
                }
            }
        }
    }
}
