//! Definitions: OpenSLO documents and agreements read and checked, their versions in time, the objectives they come to,
//! and what is owed under an agreement.
//!
//! ```text
//! files ──read──▶ documents ──plan──▶ what would be recorded     (every mistake of a run, each with its place)
//! what is recorded ──resolve──▶ Definitions: objectives and agreements, each with its versions in time
//! agreement + period + what was counted ──credit──▶ Credit: availability, tier, amount
//! Credit + all that it came from ──draw up──▶ IssuedStatement: verified from itself, compared, read by people
//! ```
//!
//! Pure: no I/O, no clock. Whoever calls reads the files, says what time it is and records what was planned.

mod agreement;
mod alerts;
mod credit;
mod definitions;
mod describe;
mod digest;
mod document;
mod duration;
mod excerpt;
mod fields;
mod fraction;
mod goal;
mod import;
mod indicators;
mod instant;
mod local_days;
mod mapping;
mod measure;
mod metadata;
mod mistake;
pub mod moment;
mod money;
pub mod nearest;
mod object;
mod objective;
mod pattern;
mod period;
mod place;
mod plan;
mod promql;
mod resolve;
mod rules;
mod service;
mod sli;
mod slo;
mod source;
mod spans;
mod spec;
mod statement;
mod statuses;
mod unmeasured;
mod words;
mod written;
mod yaml;

pub use agreement::{
    Agreement, AgreementChange, AgreementVersion, Allowance, Bad, Beginning, Cap, ClaimFrom, ClaimTime, ClaimWithin,
    Covered, CreditValue, Credits, Downtime, Each, EachBy, Exclude, ExcludedTime, Failures, Granularity, Issuer, Join,
    Linear, LostTelemetry, Measure, Money, NotValid, Notice, OverEnd, RateOp, Rounded, ServiceHours, Shortfall, Side,
    Silent, StepOf, Steps, Terms, Tier, Tiers, Together, WholeSteps, YearCap, agreement_changes, listed_names,
};
pub use credit::{
    Bounds, Compacted, Compactor, Counts, Credit, CreditError, Credited, Estimate, Evidence, Excluded, Fee, Measured,
    MonthFee, Outcome, Part, PartCredit, Pieces, bounds, credit,
};
pub use definitions::{Belonging, Composite, Definitions, Promise};
pub use document::{Document, Reading, read};
pub use fraction::{Fraction, PERCENT_SCALE, Rounding};
pub use import::{ImportFormat, Imported, import};
pub use instant::{SINCE_EVER, first_instant};
pub use local_days::{day_unit, midnight_unit};
pub use mapping::{ColumnFrom, Counted, Mapping, NewSeries, Rule};
pub use mistake::{Mistake, Severity};
pub use money::{MONEY_SCALE, minor_digits};
pub use nearest::nearest;
pub use object::{ObjectKind, Stored};
pub use objective::{
    Budgeting, Causes, Charge, Hold, Indicator, Level, Limit, NoData, Objective, Op, Party, Spec, SqlIndicator,
    Statistic, Vela, Version, Window,
};
pub use pattern::{Pattern, RowFilter};
pub use period::{Cycle, Month, Period, PeriodName};
pub use plan::{Change, Plan, What, plan};
pub use promql::{Matcher, Selector, quoted};
pub use resolve::{recorded, resolve};
pub use rules::Rules;
pub use service::Service;
pub use statement::{
    AgreementText, Basis, Difference, IssuedStatement, KeyError, PublicKey, Signed, SigningKey, Standing,
    StatementError, StatementFacts, Step, Subject, Verdict, days_of, differences, html, markdown, steps,
};
pub use statuses::Statuses;
pub use unmeasured::{Unmeasured, Unreadable};
