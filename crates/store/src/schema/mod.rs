//! The stored tables: their columns, keys and measures.
//!
//! A table is described here and nowhere else; writer, reader and SQL provider all derive what they
//! need from [`TableKind`]. There are three sorts: *series*, aggregates of one slice each, stored by UTC day;
//! *records*, which people state; and what Nines *derives* from both and keeps only to answer sooner. Columns are plain types that
//! every Delta reader knows: no unsigned integers, no durations, no dictionaries in the declared schema.
//!
//! Tables grow by nullable columns ([`TableKind::later`]). A stored table has those that one of its writes needed; readers
//! fill NULL. A key grows only by a column in which NULL is a value like any other, so that what was stored before keeps
//! its identity and its order.

mod columns;
mod description;
mod tables;
mod types;

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::common::ScalarValue;

use crate::partition::Partition;

pub use columns::{MONEY, RATIOS};
pub use description::Measure;
use description::{Description, Sort};
pub use types::{SLICE_SECONDS, UTC, counts_le_type, histogram_type, time_type, timeline_type};

/// The one list of tables: a table is a file in `tables/` and a line here.
macro_rules! tables {
    (
        $(#[doc = $all:expr])*
        ingested { $($(#[doc = $doc:expr])* $kind:ident = $module:ident,)* }
        kept { $($(#[doc = $own:expr])* $other:ident = $file:ident,)* }
    ) => {
        /// A table of the store.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        pub enum TableKind {
            $($(#[doc = $doc])* $kind,)*
            $($(#[doc = $own])* $other,)*
        }

        impl TableKind {
            /// Every table, in the order in which they are listed to people.
            pub const ALL: &[TableKind] = &[$(TableKind::$kind,)* $(TableKind::$other,)*];

            /// The tables that are loaded from files and take INSERTs, in the same order. The others are written by Nines
            /// itself: [`kept_by_nines`](Self::kept_by_nines).
            pub const INGESTED: &[TableKind] = &[$(TableKind::$kind,)*];

            fn description(self) -> &'static Description {
                match self {
                    $(TableKind::$kind => &tables::$module::TABLE,)*
                    $(TableKind::$other => &tables::$file::TABLE,)*
                }
            }
        }
    };
}

tables! {
    ingested {
        /// Requests per slice, key, status and cause, with their latencies.
        Requests = requests,
        /// Good and total events per slice and key.
        Events = events,
        /// Samples of a measured value per slice and key.
        Gauges = gauges,
        /// Incidents with the instants of their phases. A record: one row per id.
        Incidents = incidents,
        /// Time that objectives and agreements do not count, once or as often as a rule says. A record: one row per id.
        Exclusions = exclusions,
        /// What a customer pays for a service in a month. A record.
        Fees = fees,
        /// What happened at an instant: a release, a change of configuration. A record.
        Annotations = annotations,
    }
    kept {
        /// Versions of objectives and agreements, as they were applied. A record, written by `nines apply`.
        Definitions = definitions,
        /// One timeline per objective and UTC day. Derived: what is in it can be computed again at any time.
        SloDays = slo_days,
        /// Single numbers that evaluation found out about a subject in a period. Derived.
        SloFacts = slo_facts,
        /// What was issued, with its evidence. A record, written by `nines credits --issue`.
        Statements = statements,
        /// Statements that wait for approval. A record, written by `nines credits --issue --draft`.
        Drafts = drafts,
    }
}

impl TableKind {
    /// The table's name in SQL and its folder in the store.
    pub fn name(self) -> &'static str {
        self.description().name
    }

    /// The table of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// How rows come into a table that is not loaded from files and takes no INSERT; `None` for one that is and does.
    pub fn kept_by_nines(self) -> Option<&'static str> {
        self.description().kept_by_nines
    }

    /// Whether its rows are aggregates of one slice each, with a `time`. The others are records, which people
    /// write by hand, or derived.
    pub fn is_series(self) -> bool {
        self.description().sort == Sort::Series
    }

    /// Whether its rows can be computed again from those of the others.
    pub fn is_derived(self) -> bool {
        self.description().sort == Sort::Derived
    }

    /// By what its files are put into folders.
    pub fn partition(self) -> Partition {
        self.description().partition
    }

    /// The columns that identify a row, in sort order: `time` last, so that a series is one run of rows.
    pub fn key(self) -> &'static [&'static str] {
        self.description().key
    }

    /// The columns that identify a *unit*: what a batch says of a unit replaces all that was said of it before. It
    /// is the key without what a correction may relabel.
    pub fn unit(self) -> impl Iterator<Item = &'static str> {
        self.key().iter().copied().filter(|name| !matches!(*name, "status" | "cause"))
    }

    /// How many of the first columns of the key are the same in all rows of a unit, so that rows sorted by key have
    /// their units side by side as far as these columns go.
    pub(crate) fn group(self) -> usize {
        self.description().group
    }

    /// The measured columns and how each combines.
    pub fn measures(self) -> &'static [(&'static str, Measure)] {
        self.description().measures
    }

    /// The columns that came in later, all nullable, in the order of [`stored_schema`](Self::stored_schema). A stored table has
    /// those that one of its writes needed, a file those in which one of its rows has a value.
    pub fn later(self) -> &'static [&'static str] {
        self.description().later
    }

    /// Those of them that change what the other columns of a row say: a version of nines that does not know one would take such a row
    /// for something else, and must not read it.
    pub(crate) fn telling(self) -> &'static [&'static str] {
        match self {
            // Without its rule, what recurs is excluded once.
            TableKind::Exclusions => &["every"],
            TableKind::Requests
            | TableKind::Events
            | TableKind::Gauges
            | TableKind::Incidents
            | TableKind::Fees
            | TableKind::Annotations
            | TableKind::Definitions
            | TableKind::SloDays
            | TableKind::SloFacts
            | TableKind::Statements
            | TableKind::Drafts => &[],
        }
    }

    /// Those of them that the store holds, sorts and replaces, while nothing fills or shows them yet.
    pub fn reserved(self) -> &'static [&'static str] {
        self.description().reserved
    }

    /// What stands in a column that a writer leaves out, `None` where a row is nothing without it. NULL is the
    /// default of a nullable column.
    pub fn default_of(self, column: &str) -> Option<ScalarValue> {
        let schema = self.stored_schema(1);
        let field = schema.field_with_name(column).ok()?;
        match (column, field.data_type()) {
            _ if field.is_nullable() => ScalarValue::try_from(field.data_type()).ok(),
            ("id" | "period" | "category" | "currency", _) => None,
            (_, DataType::Utf8View) => Some(ScalarValue::Utf8View(Some(String::new()))),
            (_, DataType::Boolean) => Some(ScalarValue::Boolean(Some(false))),
            ("status", _) => Some(ScalarValue::Int32(Some(0))),
            ("voucher_amount", _) => Some(ScalarValue::Decimal128(Some(0), MONEY.0, MONEY.1)),
            _ => None,
        }
    }

    /// The table's columns as SQL sees them, for a store of this slice width.
    pub fn schema(self, slice_seconds: i64) -> SchemaRef {
        let stored = self.stored_schema(slice_seconds);
        let shown = stored.fields().iter().filter(|field| !self.reserved().contains(&field.name().as_str()));
        Arc::new(Schema::new(shown.cloned().collect::<Vec<_>>()))
    }

    /// All columns that the store holds: those of [`schema`](Self::schema) first, then the [`reserved`](Self::reserved) ones.
    pub fn stored_schema(self, slice_seconds: i64) -> SchemaRef {
        Arc::new(Schema::new((self.description().columns)(slice_seconds)))
    }
}
