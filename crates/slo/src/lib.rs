//! Definitions: OpenSLO documents read and checked, their versions in time, and the objectives they come to.
//!
//! ```text
//! files ──read──▶ documents ──plan──▶ what would be recorded     (every mistake of a run, each with its place)
//! what is recorded ──resolve──▶ Definitions: objectives, each with its versions in time
//! ```
//!
//! Pure: no I/O, no clock. Whoever calls reads the files, says what time it is and records what was planned.

mod alerts;
mod describe;
mod document;
mod duration;
mod excerpt;
mod fields;
mod goal;
mod indicator;
mod instant;
mod metadata;
mod mistake;
mod nearest;
mod objective;
mod plan;
mod resolve;
mod sli;
mod slo;
mod spec;
mod yaml;

pub use document::{Document, Kind, Reading, SINCE_EVER, Stored, read};
pub use mistake::{Mistake, Severity};
pub use objective::{
    Budgeting, Causes, Charge, Composite, Definitions, Hold, Indicator, Level, Limit, NoData, Objective, Op, Party,
    Pattern, Rows, Service, Spec, SqlIndicator, Statistic, Vela, Version, Window,
};
pub use plan::{Change, Plan, What, plan};
pub use resolve::resolve;
