//! `nines/latency`: requests that are quick enough.

use super::indicator_type::IndicatorType;
use crate::duration;
use crate::fields::Fields;
use crate::measure::Counts;
use crate::mistake::Notes;
use crate::objective::{Indicator, Limit};

pub(super) const TYPE: IndicatorType = IndicatorType {
    name: "nines/latency",
    parameters: &["quantile", "threshold", "baseline", "each"],
    is_threshold: false,
    read,
};

fn read(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let quantile = match spec.need("quantile", notes) {
        Some(_) => spec.share("quantile", notes),
        None => None,
    };
    if let (Some(0), Some(node)) = (quantile.map(|q| q.numerator()), spec.get("quantile")) {
        notes.error(node.place, "'quantile' must be above 0");
    }
    let threshold = spec.parse("threshold", notes, |text| duration::micros(text, duration::LATENCY));
    let baseline = spec.word("baseline", &[("previous month", ())], notes);
    let each = spec.word("each", &[("endpoint", ())], notes).is_some();
    let limit = match (spec.get("threshold"), spec.get("baseline")) {
        (Some(_), None) => Limit::Micros(threshold?),
        (None, Some(_)) => baseline.map(|()| Limit::PreviousMonth)?,
        (Some(_), Some(node)) => {
            notes.error(node.place, "a latency has a 'threshold' or a 'baseline', not both");
            return None;
        }
        (None, None) => {
            let hint = "such as threshold: 275ms, or baseline: previous month";
            notes.error_hint(spec.place, "missing field 'threshold' or 'baseline' in the indicator's spec", hint);
            return None;
        }
    };
    let each_endpoint = each || limit == Limit::PreviousMonth;
    Some(Counts::Whole(Indicator::Latency { quantile: quantile?, limit, each_endpoint }))
}
