//! The step of the arithmetic that is the measure's own: what is lost, or failed, over the whole period.

use crate::agreement::Measure;
use crate::credit::Fate;
use crate::fraction::Fraction;
use crate::statement::terms::bad;
use crate::statement::view::View;
use crate::words::{counted, fraction, grouped, length, listed, minutes};

/// The lines of the step.
pub(crate) fn measured(view: &View<'_>) -> Vec<String> {
    match view.terms().measure {
        Measure::MeanErrorRate => vec![
            "The error rate of a slice is failed / valid.".to_string(),
            format!(
                "{} add up to Σ error rate = {}.",
                counting(view, "slice with failures", "slices with failures"),
                lost(view)
            ),
        ],
        Measure::Proportional(_) => vec![
            not_bad(view),
            format!("{} add up to Σ error rate = {}.", counting(view, "bad slice", "bad slices"), lost(view)),
        ],
        Measure::BadSlices(_) => {
            vec![not_bad(view), format!("{} make {}.", counting(view, "bad slice", "bad slices"), lost(view))]
        }
        Measure::Downtime { min_run, .. } => vec![
            not_bad(view),
            format!("{} bad for less than {} in a row.", are(view.judged().count(Fate::TooShort)), length(min_run)),
            format!("{} make a downtime of {}.", counting(view, "bad slice", "bad slices"), lost(view)),
        ],
        Measure::Occurrences => {
            let credit = view.credit;
            vec![
                format!("Failed: {}.", with_estimate(credit.failed, &credit.estimated)),
                format!("Valid: {}.", with_estimate(credit.valid, &credit.estimated)),
            ]
        }
    }
}

/// `12 bad slices and 3 whose telemetry was lost`.
fn counting(view: &View<'_>, one: &str, several: &str) -> String {
    let failing = view.judged().count(Fate::Counted);
    let lost: i64 = view.judged().lost.iter().map(|span| span.duration() / view.terms().slice).sum();
    let failing = format!("{} {}", grouped(failing), if failing == 1 { one } else { several });
    let lost = (lost > 0).then(|| format!("{} whose telemetry was lost", grouped(lost)));
    listed(&[failing].into_iter().chain(lost).collect::<Vec<_>>())
}

/// The sum in slices and in minutes.
fn lost(view: &View<'_>) -> String {
    let total = &view.judged().lost_time;
    format!("{} slices, {} min", fraction(total), minutes(total, view.terms().slice, 3))
}

fn not_bad(view: &View<'_>) -> String {
    format!(
        "A slice is bad with {}; {} not, despite failures.",
        bad(view.terms()),
        are(view.judged().count(Fate::NotBad))
    )
}

fn are(slices: i64) -> String {
    format!("{} {}", counted(slices, "slice"), if slices == 1 { "is" } else { "are" })
}

fn with_estimate(counted: i64, estimated: &Fraction) -> String {
    if *estimated == Fraction::zero() {
        return grouped(counted);
    }
    let sum = estimated.plus(&Fraction::new(counted.unsigned_abs(), 1u8));
    format!("{} + {} = {}", grouped(counted), fraction(estimated), fraction(&sum))
}
