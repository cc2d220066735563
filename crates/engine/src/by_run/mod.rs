//! Aggregates over stored tables, by runs of rows.
//!
//! ```text
//! scan of files sorted by key ──▶ rows ──▶ runs of one group ──▶ counts per slice ──▶ at the end of a day: judged stretches
//!   each partition a run of days           (keys compared         (added as arrays)      (counts given up)
//!                                           with the row before)
//! ```
//!
//! DataFusion's partial aggregate looks the group of each row up, and keeps what the rows of a group come to until the end. In our files
//! the rows of a series stand side by side and follow each other in time: [`RunsExec`] looks a group up once per run, and if
//! days come one after the other, what a timeline needs of a day is known at its end. Its partial states are those of DataFusion's
//! aggregate, so that exchange, final aggregate and spilling stay as they are.
//!
//! What must hold: the answer is the same with and without it, to the bit and to the error.

mod exec;
mod rule;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use exec::RunsExec;
pub(crate) use rule::{ByRun, Plans};
