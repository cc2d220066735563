//! `nines/availability`: answers that are right, among those that are charged to a party.

use super::indicator_type::IndicatorType;
use super::parameters::{causes, party};
use crate::fields::Fields;
use crate::measure::Counts;
use crate::mistake::Notes;
use crate::objective::{Indicator, Party};

pub(super) const TYPE: IndicatorType =
    IndicatorType { name: "nines/availability", parameters: &["party", "causes"], is_threshold: false, read };

fn read(spec: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Counts> {
    let party = party(spec, notes).unwrap_or(Party::Service);
    Some(Counts::Whole(Indicator::Availability { party, causes: causes(spec, notes) }))
}
