//! `nines/gauge`: samples that meet a level.

use super::indicator_type::IndicatorType;
use crate::duration;
use crate::fields::Fields;
use crate::measure::Counts;
use crate::mistake::Notes;
use crate::objective::{Hold, Statistic};

pub(super) const TYPE: IndicatorType =
    IndicatorType { name: "nines/gauge", parameters: &["name", "statistic", "hold"], is_threshold: true, read };

fn read(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let words =
        [("last", Statistic::Last), ("min", Statistic::Min), ("max", Statistic::Max), ("mean", Statistic::Mean)];
    let statistic = spec.word("statistic", &words, notes).unwrap_or(Statistic::Last);
    let hold = spec.parse("hold", notes, |text| duration::micros(text, duration::SPAN)).map(Hold);
    Some(Counts::Gauge { name: spec.need_text("name", notes)?.to_string(), statistic, hold })
}
