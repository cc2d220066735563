//! The tables, a file each.

pub(super) mod annotations;
pub(super) mod definitions;
pub(super) mod drafts;
pub(super) mod events;
pub(super) mod exclusions;
pub(super) mod fees;
pub(super) mod gauges;
pub(super) mod incidents;
pub(super) mod requests;
pub(super) mod slo_days;
pub(super) mod slo_facts;
pub(super) mod statements;
