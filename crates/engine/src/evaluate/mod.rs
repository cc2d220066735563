//! Evaluation: from definitions and raw rows to what every objective was, slice by slice.
//!
//! ```text
//! definitions ─┐                          ┌─ slo_days: days whose keys still hold ─────────────┐
//! exclusions  ─┼─▶ subjects ─▶ pieces ────┤                                                    ├─▶ parts ─▶ lines ─▶ an answer
//! incidents   ─┘  (versions,  (days of    └─ leaves: one scan per raw table ─▶ pass ─▶ part ────┘   (one per
//! facts, limits    resolved)   subjects)          rows routed by key       lanes    judged        objective and day)
//! ```
//!
//! What must hold: each raw table is scanned once for all objectives together, and nothing is read that no objective needs; a
//! kept day is used only under the key that it would get now; whatever is kept or not, the answer is the same.

mod answer;
mod baselines;
mod blame;
mod burning;
mod columns;
mod common;
mod compare;
mod count;
mod counter;
mod evaluator;
mod excluded;
mod exclusions;
mod expressions;
mod first_data;
mod fold;
mod inputs;
mod judge;
mod keep;
mod known;
mod lane;
mod limits;
mod line;
mod measurable;
mod name;
mod part;
mod part_rows;
mod pieces;
mod prepare;
mod recall;
mod resolve;
mod row_slots;
mod run;
mod samples;
mod scan;
mod sealed;
mod sealed_day;
mod select;
pub(crate) mod session;
mod shared;
mod subject;
mod task;

pub(crate) use answer::{AnswerExec, Tabulation};
pub(crate) use baselines::Baseline;
pub(crate) use burning::burning;
pub(crate) use columns::{BUSINESS, CAUSE, CUSTOMER, Columns, ENDPOINT, SERVICE};
pub(crate) use common::{Common, Read};
pub(crate) use count::CountExec;
pub(crate) use counter::charged;
pub(crate) use evaluator::{Evaluator, Proposed, stored};
pub(crate) use exclusions::{Exclusion, Incident, flags, instants, texts};
pub(crate) use expressions::{Counting, Expressions};
pub(crate) use fold::{Fold, fold};
pub(crate) use inputs::{Inputs, RAW, raw};
pub(crate) use line::{Line, latency, lines, lines_of, seconds_of};
pub(crate) use measurable::{complaint, too_fine};
pub(crate) use name::hash_of;
pub(crate) use part::{Culprit, Detail, Part, Slice, Split};
pub(crate) use prepare::{Prepared, Question};
pub(crate) use resolve::{ResolveExec, Template, View};
pub(crate) use run::Running;
pub(crate) use select::{Selection, narrowed, pushed_down, speaks_of, unqualified};
pub(crate) use session::{Evaluation, task};
pub(crate) use shared::Evaluated;
pub(crate) use subject::{Bound, LimitAt, Subject, definition_hash};
pub(crate) use task::Task;

/// A UTC day in µs.
pub(crate) const DAY: i64 = 86_400 * nines_timeline::MICROS;

/// Part of every key under which something is kept: raised whenever the same rows would be judged otherwise.
pub(crate) const EVALUATOR: u32 = 4;
