//! `nines/events`: good events among all, as they are stored.

use super::indicator_type::IndicatorType;
use crate::fields::Fields;
use crate::measure::Counts;
use crate::mistake::Notes;
use crate::objective::Indicator;

pub(super) const TYPE: IndicatorType =
    IndicatorType { name: "nines/events", parameters: &["name"], is_threshold: false, read };

fn read(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let name = spec.need_text("name", notes)?.to_string();
    Some(Counts::Whole(Indicator::Events { name }))
}
