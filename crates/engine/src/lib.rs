//! The engine: a SQL session over a store, and the way of files into it.
//!
//! ```text
//! text ──parse──▶ statements ──parameters──▶ plan ──▶ Answer (a stream of batches)
//!                                INSERT: rows ──fit──▶ batches of a table ──▶ Table::append
//! files ──nines-ingest or --select──▶ batches of a table ──▶ Table::append
//! ```
//!
//! What must hold: planning a statement does no I/O; a statement sees one version of each table however
//! often it names it; nothing here writes data or log objects, the store does.

mod agreed;
mod answers;
mod apply;
mod as_of;
mod bounded;
mod by_run;
mod caches;
mod call_table;
mod calls;
mod catalog;
mod codec;
mod credits;
mod deferred;
mod deferred_function;
mod deferred_functions;
mod defined;
mod delete;
mod depth;
mod engine;
mod error;
mod evaluate;
mod excluded;
mod files;
mod fit;
mod functions;
mod held;
mod insert;
mod load;
mod location;
mod lookup;
mod machine;
mod names;
mod parameters;
mod prepared;
mod record;
mod retain;
mod rows;
mod running;
mod session;
mod sink;
mod statement;
mod table_call;
mod threads;
mod tidy;
mod times;
mod tokens;
mod told;
mod values;
mod wording;
mod words;
mod zone;

pub use apply::Applied;
pub use caches::KeptDays;
pub use codec::Codec;
pub use credits::{
    Chosen, Credits, ExportedStatements, Issued, Issuing, Joined, Lack, MovedDays, Owed, RowsBehind, Step, Today,
    Unapproved, Unissued, UnissuedKind, Verified, rows_behind,
};
pub use delete::Deleting;
pub use engine::{Engine, Settings};
pub use error::{EngineError, Mistakes, Result};
pub use files::{InputFiles, input_files};
pub use held::{HeldMemory, bytes_of};
pub use load::{
    FileRead, FileState, Follower, Load, Loaded, MetricFiles, MetricTable, MetricsLoaded, Preview, Pull, Pulled,
    Rotated, Round, RowsOf, Warning,
};
pub use parameters::{Parameter, Parameters};
pub use record::{Edited, Record};
pub use retain::{Retained, Retaining};
pub use running::watch_memory;
pub use session::{Described, Limits, Planned, Role, Session, SessionSettings, Sharing};
pub use sink::Receipt;
pub use statement::{Answer, Sources, Statement};
pub use tokens::{Tokens, tokens};
pub use told::told;
pub use zone::Zone;

// What an embedding program needs to speak with the engine, in the versions that fit.
pub use datafusion;
pub use nines_ingest as ingest;
pub use nines_prometheus as prometheus;
pub use nines_slo as slo;
pub use nines_store as store;
pub use nines_timeline as timeline;

#[cfg(test)]
mod tests {
    #[test]
    fn store_and_functions_agree_without_knowing_each_other() {
        assert_eq!(nines_store::histogram_type(), nines_functions::histogram_type());
        assert_eq!(nines_store::timeline_type(), nines_functions::timeline_type());
        assert_eq!(nines_store::time_type(), nines_functions::instant_type());
        assert_eq!(nines_store::SLICE_SECONDS, nines_functions::SLICE_SECONDS);
    }
}
