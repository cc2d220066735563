//! Definitions: OpenSLO documents and agreements read and checked, their versions in time, the objectives they come to,
//! and what is owed under an agreement.
//!
//! ```text
//! files ──read──▶ documents ──plan──▶ what would be recorded     (every mistake of a run, each with its place)
//! what is recorded ──resolve──▶ Definitions: objectives and agreements, each with its versions in time
//! agreement + period + what was counted ──credit──▶ Credit: availability, tier, amount
//! Credit + all that it came from ──draw up──▶ Statement: verified from itself, compared, read by people
//! ```
//!
//! Pure: no I/O, no clock. Whoever calls reads the files, says what time it is and records what was planned.

mod agreement;
mod alerts;
mod credit;
mod describe;
mod document;
mod duration;
mod excerpt;
mod fields;
mod goal;
mod indicator;
mod instant;
mod local_days;
mod metadata;
mod mistake;
pub mod moment;
pub mod nearest;
mod objective;
mod period;
mod plan;
mod resolve;
mod rules;
mod sli;
mod slo;
mod spans;
mod spec;
mod statement;
mod unmeasured;
mod yaml;

pub use agreement::{
    Agreement, AgreementChange, AgreementVersion, Bad, ClaimWithin, Covered, Exclude, ExcludedTime, LostTelemetry,
    Measure, MinPayout, NotValid, RateOp, Terms, Tier, agreement_changes,
};
pub use credit::{
    Bounds, Counts, Credit, CreditError, Estimate, Evidence, Excluded, Fee, Fraction, MONEY_SCALE, Measured, Outcome,
    PERCENT_SCALE, bounds, credit, minor_digits,
};
pub use document::{Document, Kind, Reading, SINCE_EVER, Stored, read};
pub use local_days::{day_unit, midnight_unit};
pub use mistake::{Mistake, Severity};
pub use nearest::nearest;
pub use objective::{
    Belonging, Budgeting, Causes, Charge, Composite, Definitions, Hold, Indicator, Level, Limit, NoData, Objective, Op,
    Party, Pattern, Promise, Rows, Service, Spec, SqlIndicator, Statistic, Vela, Version, Window,
};
pub use period::{Month, Period};
pub use plan::{Change, Plan, What, plan};
pub use resolve::{recorded, resolve};
pub use rules::Rules;
pub use statement::{
    AgreementText, Basis, Difference, Statement, StatementError, Step, Subject, Verdict, differences, html, markdown,
    steps,
};
pub use unmeasured::{Unmeasured, Unreadable};
