//! What all files of a table have in common.

use std::sync::Arc;

use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Schema, SchemaRef};

use crate::schema::{Measure, TableKind};

/// The column that carries the first day of a row's partition through the sort; it is not stored.
pub(crate) const PARTITION: &str = "__partition";
/// The column that carries a row's place in the stream through the sort, where it matters which came last.
pub(super) const ORDER: &str = "__order";

/// How each column of a key is sorted.
pub(super) const ASCENDING: SortOptions = SortOptions { descending: false, nulls_first: false };

/// The level of zstd for files that are written when rows come.
const QUICK: i32 = 3;
/// The level of zstd for files that are written once and read for years. Reading is as fast as with any other.
const THOROUGH: i32 = 12;

/// What all files of a table have in common.
#[derive(Debug)]
pub(crate) struct Layout {
    kind: TableKind,
    slice_seconds: i64,
    schema: SchemaRef,
    /// The level of zstd.
    level: i32,
}

impl Layout {
    pub(crate) fn new(kind: TableKind, slice_seconds: i64) -> Self {
        Self { kind, slice_seconds, schema: kind.stored_schema(slice_seconds), level: QUICK }
    }

    /// The same for rows that few more will come to: time spent on making files small is spent once.
    pub(crate) fn for_good(&self) -> Self {
        Self { schema: Arc::clone(&self.schema), level: THOROUGH, ..*self }
    }

    pub(crate) fn kind(&self) -> TableKind {
        self.kind
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The level of zstd.
    pub(super) fn level(&self) -> i32 {
        self.level
    }

    pub(crate) fn slice_micros(&self) -> i64 {
        self.slice_seconds * 1_000_000
    }
}

/// The columns of the key that rows have; what came in later they need not.
pub(super) fn present(kind: TableKind, schema: &Schema) -> impl DoubleEndedIterator<Item = &'static str> {
    kind.key().iter().copied().filter(|name| schema.field_with_name(name).is_ok())
}

/// Whether it matters in which order rows of the same key came.
pub(super) fn keeps_order(kind: TableKind) -> bool {
    kind.measures().iter().any(|(_, measure)| *measure == Measure::Last)
}
