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
mod keys;
mod types;

use crate::partition::Partition;

pub use types::{counts_le_type, histogram_type, time_type, timeline_type};

/// Field metadata of a stored `time` column: the store's slice width in whole seconds.
pub const SLICE_SECONDS: &str = "nines.slice_seconds";

/// The time zone in which instants are stored.
pub const UTC: &str = "UTC";

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum TableKind {
    /// Requests per slice, key, status and cause, with their latencies.
    Requests,
    /// Good and total events per slice and key.
    Events,
    /// Samples of a measured value per slice and key.
    Gauges,
    /// Incidents with the instants of their phases. A record: one row per id.
    Incidents,
    /// Time that objectives and agreements do not count. A record: one row per id.
    Exclusions,
    /// What a customer pays for a service in a month. A record.
    Fees,
    /// What happened at an instant: a release, a change of configuration. A record.
    Annotations,
    /// Versions of objectives and agreements, as they were applied. A record, written by `nines apply`.
    Definitions,
    /// One timeline per objective and UTC day. Derived: what is in it can be computed again at any time.
    SloDays,
    /// Single numbers that evaluation found out about a subject in a period. Derived.
    SloFacts,
    /// What was issued, with its evidence. A record, written by `nines credits --issue`.
    Statements,
}

/// How a measure of two rows with the same key combines into one row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Measure {
    /// Counts and sums of what cannot be negative add; NULL is "not measured" and adds nothing.
    Sum,
    /// Numbers of either sign add.
    Total,
    /// The least counts.
    Min,
    /// The greatest counts.
    Max,
    /// The one that came last counts.
    Last,
    /// Exponential histograms merge bucket by bucket.
    Histogram,
    /// Exact cumulative counts at thresholds: counts add per threshold. Both rows must carry the same thresholds.
    CountsLe,
    /// A statement that a batch cannot make twice differently: both rows must agree.
    Same,
}

/// Digits of an amount of money, and how many of them follow the decimal point.
pub const MONEY: (u8, i8) = (24, 6);

/// Digits of a day's sum of slice ratios, and how many of them follow the decimal point.
pub const RATIOS: (u8, i8) = (38, 28);

impl TableKind {
    /// Every table, in the order in which they are listed to people.
    pub const ALL: &[TableKind] = &[
        TableKind::Requests,
        TableKind::Events,
        TableKind::Gauges,
        TableKind::Incidents,
        TableKind::Exclusions,
        TableKind::Fees,
        TableKind::Annotations,
        TableKind::Definitions,
        TableKind::SloDays,
        TableKind::SloFacts,
        TableKind::Statements,
    ];

    /// The tables that are loaded from files and take INSERTs, in the same order. The others are written by Nines
    /// itself: [`kept_by_nines`](Self::kept_by_nines).
    pub const INGESTED: &[TableKind] = &[
        TableKind::Requests,
        TableKind::Events,
        TableKind::Gauges,
        TableKind::Incidents,
        TableKind::Exclusions,
        TableKind::Fees,
        TableKind::Annotations,
    ];

    /// The table's name in SQL and its folder in the store.
    pub fn name(self) -> &'static str {
        match self {
            TableKind::Requests => "requests",
            TableKind::Events => "events",
            TableKind::Gauges => "gauges",
            TableKind::Incidents => "incidents",
            TableKind::Exclusions => "exclusions",
            TableKind::Fees => "fees",
            TableKind::Annotations => "annotations",
            TableKind::Definitions => "definitions",
            TableKind::SloDays => "slo_days",
            TableKind::SloFacts => "slo_facts",
            TableKind::Statements => "statements",
        }
    }

    /// The table of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.name() == name)
    }

    /// How rows come into a table that is not loaded from files and takes no INSERT; `None` for one that is and does.
    pub fn kept_by_nines(self) -> Option<&'static str> {
        match self {
            TableKind::Definitions => Some("record definitions with: nines apply FILE"),
            TableKind::Statements => Some("issue statements with: nines credits PERIOD --issue"),
            TableKind::SloDays | TableKind::SloFacts => {
                Some("nines derives its rows from definitions and counts, and keeps them to answer sooner")
            }
            _ => None,
        }
    }

    /// Whether its rows are aggregates of one slice each, with a `time`. The others are records, which people
    /// write by hand, or derived.
    pub fn is_series(self) -> bool {
        matches!(self, TableKind::Requests | TableKind::Events | TableKind::Gauges)
    }

    /// Whether its rows can be computed again from those of the others.
    pub fn is_derived(self) -> bool {
        matches!(self, TableKind::SloDays | TableKind::SloFacts)
    }

    /// By what its files are put into folders.
    pub fn partition(self) -> Partition {
        match self {
            TableKind::Requests | TableKind::Events | TableKind::Gauges => Partition::Day,
            TableKind::SloDays => Partition::Month,
            _ => Partition::None,
        }
    }
}
