//! The period as a strip of local days: what was worst on each, and how much of it was lost.

use chrono::{DateTime, NaiveDate};
use nines_timeline::Interval;

use crate::agreement::Measure;
use crate::credit::{Fate, Sum};
use crate::fraction::Fraction;
use crate::instant::first_instant;
use crate::spans::clip;
use crate::statement::view::View;
use crate::words::{grouped, minutes};

/// The worst of a day, from bad to good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// It lost more than the commitment allows a day to lose.
    Over,
    /// It lost something.
    Error,
    /// Failures that do not lower the availability.
    Tolerated,
    /// Without failures, and some of it was excluded.
    Excluded,
    /// Without failures.
    Clean,
    /// Not part of what is judged.
    Outside,
}

impl State {
    pub const ALL: [State; 6] =
        [State::Clean, State::Tolerated, State::Error, State::Over, State::Excluded, State::Outside];

    /// A letter for it that is told from the others at a glance.
    pub fn symbol(self) -> char {
        match self {
            State::Over => '█',
            State::Error => '▄',
            State::Tolerated => '▁',
            State::Excluded => '=',
            State::Clean => '·',
            State::Outside => ' ',
        }
    }

    pub fn meaning(self) -> &'static str {
        match self {
            State::Over => "more lost than the commitment allows a day",
            State::Error => "something lost",
            State::Tolerated => "failures that do not count",
            State::Excluded => "excluded in part or whole",
            State::Clean => "no failures",
            State::Outside => "not part of this statement",
        }
    }
}

/// A local day.
pub(crate) struct Day {
    pub date: NaiveDate,
    pub state: State,
    /// Whether telemetry was lost.
    pub telemetry_lost: bool,
    /// What lowers the availability: slices, each as far as it was lost; for [`Measure::Occurrences`] failed requests.
    pub lost: Fraction,
}

/// The days of the period, one after the other.
pub(crate) fn days(view: &View<'_>) -> Vec<Day> {
    let zone = view.terms().time_zone;
    let whole = view.covered.period.interval;
    let date = |at: i64| DateTime::from_timestamp_micros(at).map(|at| at.with_timezone(&zone).date_naive());
    let (Some(first), Some(last)) = (date(whole.start), date(whole.end - 1)) else { return Vec::new() };
    let dates = first.iter_days().take_while(|date| *date <= last);
    let spans = dates.filter_map(|date| {
        let span = Interval::new(first_instant(date, zone)?, first_instant(date.succ_opt()?, zone)?);
        (!span.is_empty()).then_some((date, span))
    });
    spans.map(|(date, span)| day(view, date, span)).collect()
}

fn day(view: &View<'_>, date: NaiveDate, span: Interval) -> Day {
    let (slice, measure) = (view.terms().slice, view.terms().measure);
    // A slice is its first instant's.
    let judged = clip(&view.workings.special.judged, view.covered.grid().beginning(span));
    let slices = judged.iter().map(|span| span.duration() / slice).sum::<i64>();
    let inside = |spans: &[Interval]| judged.iter().flat_map(|day| clip(spans, *day)).map(Interval::duration).sum();
    let special = &view.workings.special;
    let (lost, excluded): (i64, i64) = (inside(&view.judged().lost), inside(&special.excluded));
    let all = &view.judged().slices;
    let from = all.partition_point(|own| own.start < span.start);
    let (mut sum, mut failures, mut estimated) = (Sum::default(), false, false);
    for own in all[from..].iter().take_while(|own| own.start < span.end) {
        own.add_to(&mut sum, measure, slice);
        failures |= !matches!(own.fate, Fate::Excluded | Fate::Lost);
        estimated |= own.estimate.is_some();
    }
    if measure != Measure::Occurrences {
        sum.add_time(lost, slice);
    }
    let total = sum.total();
    let over = measure != Measure::Occurrences && slices > 0 && {
        let left = total.complement(slices.unsigned_abs());
        left.is_below(view.terms().commitment)
    };
    let state = match () {
        () if slices == 0 => State::Outside,
        () if over => State::Over,
        () if total != Fraction::zero() || lost > 0 || estimated && measure == Measure::Occurrences => State::Error,
        () if failures => State::Tolerated,
        () if excluded > 0 => State::Excluded,
        () => State::Clean,
    };
    Day { date, state, telemetry_lost: lost > 0 || estimated, lost: total }
}

/// How much a day lost: `12.5 min`, or for [`Measure::Occurrences`] a number of requests.
pub(crate) fn lost(view: &View<'_>, day: &Day) -> String {
    match view.terms().measure {
        Measure::Occurrences if day.lost == Fraction::zero() => "estimated".to_string(),
        Measure::Occurrences => format!("{} failed", grouped(day.lost.numerator())),
        _ => match minutes(&day.lost, view.terms().slice, 1).as_str() {
            "0" => "< 0.1 min".to_string(),
            minutes => format!("{minutes} min"),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::credit::credit;
    use crate::statement::testing::{hourly, hours, statement};
    use crate::statement::view::Figured;

    const HOUR: i64 = 3_600_000_000;

    proptest! {
        /// What the days lost adds up to what the period lost.
        #[test]
        fn days_add_up(
            measure in prop::sample::select(vec![
                "measure: MeanErrorRate",
                "measure: BadSlices\n  bad: errorRate > 40%",
                "measure: Downtime\n  bad: errorRate > 40%\n  minRun: 2h\n  minRequests: 3",
                "measure: Proportional\n  bad: errorRate >= 50%",
                "measure: Occurrences",
            ]),
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kolkata"]),
            counts in prop::collection::btree_map(0..30 * 24 + 20i64, (0..9i64, 0..9i64), 0..80),
            excluded in prop::option::of((0..700i64, 1..60i64)),
            lost in prop::collection::vec((0..700i64, 1..30i64), 0..3),
        ) {
            // Slices begin at the half hour there.
            let first = 1_793_491_200_000_000 - 10 * HOUR - if zone == "Asia/Kolkata" { HOUR / 2 } else { 0 };
            let evidence = hours(first, &counts, excluded, &lost);
            let statement = statement(&hourly("1M", zone, measure), "2026-11", evidence.clone());
            let agreement = statement.agreement().unwrap();
            let figured = Figured::of(&statement, &agreement).unwrap();
            let view = figured.deciding().unwrap();
            let days = days(&view);
            prop_assert_eq!(days.len(), 30);
            let lost = days.iter().fold(Fraction::zero(), |sum, day| sum.plus(&day.lost));
            let expected = match view.terms().measure {
                Measure::Occurrences => Fraction::new(view.judged().failed.unsigned_abs(), 1u8),
                _ => view.judged().lost_time.clone(),
            };
            prop_assert_eq!(lost, expected);
            prop_assert_eq!(&credit(&view.covered, &evidence).unwrap(), &statement.credit);
        }
    }
}
