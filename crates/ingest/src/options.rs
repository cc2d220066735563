//! How an input is to be understood.

use chrono_tz::Tz;
use nines_store::TableKind;

use crate::{ErrorKind, IngestError, Result};

/// How an input is to be understood: which table it fills and what it leaves unsaid.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// The table that the rows are for.
    pub kind: TableKind,
    /// The store's slice width; `time` is rounded down to it.
    pub slice_seconds: i64,
    /// The business of rows that name none: the column is absent, or empty in that row.
    pub business: Option<String>,
    /// The service of rows that name none, likewise.
    pub service: Option<String>,
    /// The source of rows that name none, likewise.
    pub source: Option<String>,
    /// The time zone of times that are written without one.
    pub time_zone: Tz,
}

impl Options {
    /// Rows for this table, nothing filled in, zoneless times in UTC.
    pub fn new(kind: TableKind, slice_seconds: i64) -> Self {
        Self { kind, slice_seconds, business: None, service: None, source: None, time_zone: Tz::UTC }
    }

    /// What fills an empty field of this column.
    pub(crate) fn fill(&self, column: &str) -> &str {
        let option = match column {
            "business" => &self.business,
            "service" => &self.service,
            "source" => &self.source,
            _ => &None,
        };
        option.as_deref().unwrap_or_default()
    }

    /// The slice width in microseconds.
    pub(crate) fn slice_micros(&self) -> Result<i64> {
        self.slice_seconds.checked_mul(1_000_000).filter(|&micros| micros > 0).ok_or_else(|| {
            IngestError::new(ErrorKind::Options, format!("the slice width is {} seconds", self.slice_seconds))
                .expected("a positive number of seconds")
        })
    }
}
