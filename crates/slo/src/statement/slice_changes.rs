//! Which slices' counts differ between two statements.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use nines_timeline::Interval;

use crate::credit::Counts;
use crate::statement::view::View;
use crate::words::{counted, grouped};

/// How many are named.
const NAMED: usize = 3;

/// A sentence about the slices of the period, one about those beside it, and one about those from which is estimated.
pub(crate) fn slice_changes(old: &View<'_>, new: &View<'_>) -> Vec<String> {
    let (judged, beside) = (&new.workings.special.judged, &new.workings.special.beside);
    let days = |view: &View<'_>| -> BTreeSet<Interval> {
        view.credit.estimates.iter().map(|estimate| estimate.days).collect()
    };
    // Slices without failures are listed only where is estimated from.
    let (before, after) = (days(old), days(new));
    let common: Vec<Interval> = before.intersection(&after).copied().collect();
    let inside = |spans: &[Interval], at: i64| spans.iter().any(|span| span.start <= at && at < span.end);
    let told = [
        sentence(old, new, "In", &|at| inside(judged, at), &|at| inside(&common, at)),
        sentence(old, new, "Beside what is judged, in", &|at| inside(beside, at), &|_| false),
        sentence(
            old,
            new,
            "Of the days from which is estimated, in",
            &|at| !inside(judged, at) && !inside(beside, at) && inside(&common, at),
            &|_| true,
        ),
    ];
    told.into_iter().flatten().collect()
}

/// `chosen` are the slices that it is about, `whole` those that both list even without failures.
fn sentence(
    old: &View<'_>,
    new: &View<'_>,
    where_: &str,
    chosen: &dyn Fn(i64) -> bool,
    whole: &dyn Fn(i64) -> bool,
) -> Option<String> {
    let listed = |view: &View<'_>| -> BTreeMap<i64, Counts> {
        let slices = view.evidence.slices.iter().filter(|counts| chosen(counts.start));
        slices.map(|counts| (counts.start, *counts)).collect()
    };
    let (before, after) = (listed(old), listed(new));
    let starts: BTreeSet<i64> = before.keys().chain(after.keys()).copied().collect();
    let mut changed: Vec<(i64, Option<Counts>, Option<Counts>)> = Vec::new();
    for start in starts {
        let (then, now) = (before.get(&start).copied(), after.get(&start).copied());
        let failed = |counts: Option<Counts>| counts.map_or(0, |counts| counts.failed);
        let differs = match (then, now) {
            (Some(then), Some(now)) => then != now,
            _ => failed(then) != failed(now) || whole(start),
        };
        if differs {
            changed.push((start, then, now));
        }
    }
    if changed.is_empty() {
        return None;
    }
    let slices = counted(changed.len() as i64, "slice");
    let moved = |(_, then, now): &(i64, Option<Counts>, Option<Counts>)| {
        let of = |counts: Option<Counts>| counts.map_or((0, 0), |counts| (counts.failed, counts.valid));
        let ((f, v), (g, w)) = (of(*then), of(*now));
        (g.abs_diff(f), w.abs_diff(v))
    };
    let all = changed.len();
    changed.sort_by_key(|change| (Reverse(moved(change)), change.0));
    changed.truncate(NAMED);
    let named = changed.iter().map(|(start, then, now)| {
        let shown = |counts: &Option<Counts>| match counts {
            Some(counts) => format!("{} of {} failed", grouped(counts.failed), grouped(counts.valid)),
            None => "no failures".to_string(),
        };
        format!("{}: {}, before {}", new.clock.at(*start), shown(now), shown(then))
    });
    let named = named.collect::<Vec<_>>().join("; ");
    let lead = if all > NAMED { "The largest changes" } else { "They are" };
    Some(format!("{where_} {slices} the counts differ. {lead} ({}): {named}.", new.clock.zone))
}
