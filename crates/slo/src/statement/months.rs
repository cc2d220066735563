//! The months of a period of several: for information, of the same slices and decisions as the period.
//!
//! Nothing is judged anew: a run of bad slices that lasts from one month into the next is downtime in both, as long as it is in
//! each. So the months add up to the period.

use nines_timeline::Interval;

use crate::agreement::{ExcludedTime, Measure};
use crate::credit::{Sum, available, of_requests, printed};
use crate::fraction::Fraction;
use crate::period::Month;
use crate::spans::{clip, contains};
use crate::statement::view::View;
use crate::words::{fraction, grouped, micro_percent};

/// What stands above the table.
pub(crate) const SAID: &str = "For information: judged is the period as a whole.";
/// The head of the table.
pub(crate) const COLUMNS: [&str; 5] = ["Month", "Valid", "Failed", "Lost", "Availability"];

/// What was counted in a month, and what it lost.
pub(crate) struct MonthFigures {
    pub month: Month,
    /// Valid requests that count; `None`: the statement does not tell them by month.
    pub valid: Option<i64>,
    /// Failed requests that count.
    pub failed: i64,
    /// Failed requests that are assumed where telemetry was lost; for [`Measure::Occurrences`] alone.
    pub estimated: Fraction,
    /// The measure's sum, in slices; for [`Measure::Occurrences`] 0.
    pub lost: Fraction,
    /// µs of the denominator.
    pub time: i64,
}

/// The months of a period of several, in order; empty for a period of one, and of days.
pub(crate) fn months(view: &View<'_>) -> Vec<MonthFigures> {
    let months = view.covered.period.months(view.terms().time_zone);
    months.into_iter().enumerate().map(|(at, (month, span))| figures(view, at, month, span)).collect()
}

fn figures(view: &View<'_>, at: usize, month: Month, span: Interval) -> MonthFigures {
    let (terms, workings) = (view.terms(), &view.workings);
    let (special, judged) = (&workings.special, view.judged());
    let (slice, measure, removed) = (terms.slice, terms.measure, terms.excluded_time == ExcludedTime::Removed);
    // A slice is its first instant's.
    let own_time = clip(&special.judged, view.covered.grid().beginning(span));
    let inside =
        |spans: &[Interval]| -> i64 { own_time.iter().flat_map(|own| clip(spans, *own)).map(Interval::duration).sum() };
    let (mut sum, mut failed) = (Sum::default(), 0i64);
    let from = judged.slices.partition_point(|own| own.start < span.start);
    for own in judged.slices[from..].iter().take_while(|own| own.start < span.end) {
        own.add_to(&mut sum, measure, slice);
        failed = failed.saturating_add(own.failed);
    }
    let (lost, estimated) = match measure {
        Measure::Occurrences => {
            let each = workings.estimates.iter().zip(&special.outages);
            let each = each.map(|(estimate, (_, spans))| estimate.rate(inside(spans) / special.losing.width()));
            (Fraction::zero(), each.fold(Fraction::zero(), |sum, own| sum.plus(&own)))
        }
        Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Downtime { .. } | Measure::Proportional(_) => {
            sum.add_time(inside(&judged.lost), slice);
            (sum.total(), Fraction::zero())
        }
    };
    let all: i64 = own_time.iter().copied().map(Interval::duration).sum();
    let time = all - if removed { inside(&special.excluded) } else { 0 };
    MonthFigures { month, valid: valid(view, at, span, removed), failed, estimated, lost, time }
}

/// Valid requests of a month: those of its slices that are listed, and of those that are not.
fn valid(view: &View<'_>, at: usize, span: Interval, removed: bool) -> Option<i64> {
    let (evidence, special) = (view.evidence, &view.workings.special);
    let mut valid = *evidence.other_valid_months.get(at)?;
    for counts in &evidence.slices {
        let start = special.slices.start_of(counts.start);
        if !(span.start..span.end).contains(&start) || !contains(&special.judged, start) {
            continue;
        }
        let counted = match contains(&special.excluded, counts.start) {
            true => !removed,
            false => !contains(&special.lost, counts.start),
        };
        valid = valid.saturating_add(if counted { counts.valid } else { 0 });
    }
    Some(valid)
}

impl MonthFigures {
    /// By the agreement's measure; `None` where nothing of the month is judged, or it is not known of what.
    pub fn availability(&self, measure: Measure, slice: i64) -> Option<Fraction> {
        match measure {
            _ if self.time == 0 => None,
            Measure::Occurrences => Some(of_requests(self.failed, self.valid?, &self.estimated)),
            Measure::MeanErrorRate | Measure::BadSlices(_) | Measure::Downtime { .. } | Measure::Proportional(_) => {
                Some(available(&self.lost, self.time, slice))
            }
        }
    }
}

/// The months as rows of a page, and their sum: month, valid, failed, what was lost of how much, availability.
pub(crate) fn rows(view: &View<'_>) -> Vec<[String; 5]> {
    const UNKNOWN: &str = "–";
    let (terms, credit) = (view.terms(), view.credit);
    let (measure, slice) = (terms.measure, terms.slice);
    let number = |number: i64| Fraction::new(number.unsigned_abs(), 1u8);
    let lost = |own: &MonthFigures| match (measure, own.valid) {
        (Measure::Occurrences, None) => UNKNOWN.to_string(),
        (Measure::Occurrences, Some(valid)) => {
            let with = |counted: i64| fraction(&own.estimated.plus(&number(counted)));
            format!("{} of {} requests", with(own.failed), with(valid))
        }
        _ => {
            let all = Fraction::new(own.time.unsigned_abs(), slice.unsigned_abs());
            format!("{} of {} slices", fraction(&own.lost), fraction(&all))
        }
    };
    let row = |name: String, own: &MonthFigures, percent: Option<i64>| {
        let valid = own.valid.map_or_else(|| UNKNOWN.to_string(), grouped);
        [name, valid, grouped(own.failed), lost(own), percent.map_or_else(|| UNKNOWN.to_string(), micro_percent)]
    };
    let months = months(view);
    let mut rows: Vec<[String; 5]> = Vec::with_capacity(months.len() + 1);
    for own in &months {
        let percent = own.availability(measure, slice).map(|availability| printed(terms, &availability));
        rows.push(row(own.month.to_string(), own, percent));
    }
    if let Some(first) = months.first() {
        let all = MonthFigures {
            month: first.month,
            valid: Some(credit.valid),
            failed: credit.failed,
            estimated: if measure == Measure::Occurrences { credit.estimated.clone() } else { Fraction::zero() },
            lost: view.judged().lost_time.clone(),
            time: view.judged().time,
        };
        rows.push(row("all".to_string(), &all, Some(credit.availability_percent)));
    }
    rows
}

#[cfg(test)]
mod tests {
    use crate::statement::view::Figured;
    use proptest::prelude::*;

    use super::*;
    use crate::IssuedStatement;
    use crate::credit::{Counts, Evidence};
    use crate::statement::testing::{hourly, hours, statement};

    const HOUR: i64 = 3_600_000_000;

    proptest! {
        /// The months add up to the quarter, and each is what an agreement by months makes of it. Only a run of bad slices over the end
        /// of a month may be too short in each.
        #[test]
        fn months_add_up_and_are_those_of_a_monthly_agreement(
            clauses in prop::sample::select(vec![
                "measure: MeanErrorRate",
                "measure: MeanErrorRate\n  excludedTime: removed",
                "measure: BadSlices\n  bad: errorRate > 40%",
                "measure: Downtime\n  bad: errorRate > 40%\n  minRun: 1h",
                "measure: Downtime\n  bad: errorRate > 40%\n  minRun: 3h",
                "measure: Proportional\n  bad: errorRate >= 50%",
                "measure: Occurrences",
                "measure: Occurrences\n  excludedTime: removed",
            ]),
            zone in prop::sample::select(vec!["UTC", "America/New_York", "Asia/Kolkata"]),
            counts in prop::collection::btree_map(0..92 * 24 + 20i64, (0..9i64, 0..9i64), 0..160),
            excluded in prop::option::of((0..2200i64, 1..60i64)),
            lost in prop::collection::vec((200..2200i64, 1..30i64), 0..3),
        ) {
            // Slices begin at the half hour there.
            let first = 1_790_812_800_000_000 - 10 * HOUR - if zone == "Asia/Kolkata" { HOUR / 2 } else { 0 };
            let evidence = hours(first, &counts, excluded, &lost);
            let quarter = statement(&hourly("1Q", zone, clauses), "2026-11", evidence.clone());
            prop_assert_eq!(quarter.verify().problems, Vec::<String>::new());
            prop_assert_eq!(&IssuedStatement::from_json(&quarter.to_json()).unwrap(), &quarter);
            let agreement = quarter.agreement().unwrap();
            let figured = Figured::of(&quarter, &agreement).unwrap();
            let view = figured.deciding().unwrap();
            let months = months(&view);
            prop_assert_eq!(months.len(), 3);
            let sum = |of: &dyn Fn(&MonthFigures) -> i64| months.iter().map(of).sum::<i64>();
            prop_assert_eq!(sum(&|own| own.valid.unwrap()), quarter.credit.valid);
            prop_assert_eq!(sum(&|own| own.failed), quarter.credit.failed);
            prop_assert_eq!(sum(&|own| own.time), view.judged().time);
            let add = |of: &dyn Fn(&MonthFigures) -> &Fraction| {
                months.iter().fold(Fraction::zero(), |sum, own| sum.plus(of(own)))
            };
            prop_assert_eq!(add(&|own| &own.lost), view.judged().lost_time.clone());
            if view.terms().measure == Measure::Occurrences {
                prop_assert_eq!(add(&|own| &own.estimated), quarter.credit.estimated.clone());
            }
            let is_cut = clauses.contains("minRun: 3h");
            for own in months.iter().filter(|_| !is_cut) {
                let alone = statement(&hourly("1M", zone, clauses), &own.month.to_string(), evidence.clone());
                let availability = own.availability(view.terms().measure, view.terms().slice);
                prop_assert_eq!(availability.unwrap_or_else(Fraction::one), alone.credit.availability);
                prop_assert_eq!(own.valid, Some(alone.credit.valid));
                prop_assert_eq!(own.failed, alone.credit.failed);
            }
        }
    }

    /// What was issued before months were kept shows what its evidence tells.
    #[test]
    fn statements_without_months_show_what_they_know() {
        let at = |hour: i64| 1_790_812_800_000_000 + hour * HOUR;
        let slices = [(0, 10, 5), (1, 8, 0), (800, 4, 4)];
        let slices = slices.map(|(hour, valid, failed)| Counts { start: at(hour), valid, failed });
        let evidence = Evidence { slices: slices.to_vec(), ..Evidence::default() };
        let shown = |clauses: &str, forget: bool| {
            let mut quarter = statement(&hourly("1Q", "UTC", clauses), "2026-10", evidence.clone());
            if forget {
                quarter.evidence.other_valid_months.clear();
            }
            let agreement = quarter.agreement().unwrap();
            rows(&Figured::of(&quarter, &agreement).unwrap().deciding().unwrap())
        };
        let row = |cells: [&str; 5]| cells.map(str::to_string);
        assert_eq!(
            shown("measure: MeanErrorRate", false),
            [
                row(["2026-10", "18", "5", "1/2 of 744 slices", "99.932796 %"]),
                row(["2026-11", "4", "4", "1 of 720 slices", "99.861111 %"]),
                row(["2026-12", "0", "0", "0 of 744 slices", "100 %"]),
                row(["all", "22", "9", "3/2 of 2,208 slices", "99.932065 %"]),
            ]
        );
        assert_eq!(
            shown("measure: MeanErrorRate", true)[0],
            row(["2026-10", "–", "5", "1/2 of 744 slices", "99.932796 %"])
        );
        let occurrences = shown("measure: Occurrences", false);
        assert_eq!(occurrences[1], row(["2026-11", "4", "4", "4 of 4 requests", "0 %"]));
        assert_eq!(occurrences[3], row(["all", "22", "9", "9 of 22 requests", "59.090909 %"]));
        assert_eq!(shown("measure: Occurrences", true)[1], row(["2026-11", "–", "4", "–", "–"]));
    }
}
