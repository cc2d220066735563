//! Which of the columns that came in later a table has or needs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use datafusion::arrow::datatypes::{Schema, SchemaRef};

use crate::schema::TableKind;

/// A set of [`TableKind::later`] columns that grows. Clones are the same set: what checks rows adds to it, what writes files
/// looks into it after the last row was checked, because rows are sorted in between.
#[derive(Debug, Clone)]
pub(crate) struct LaterColumns {
    kind: TableKind,
    bits: Arc<AtomicU32>,
}

impl LaterColumns {
    pub(crate) fn new(kind: TableKind) -> Self {
        Self { kind, bits: Arc::default() }
    }

    /// Adds a column, if it is one that came in later.
    pub(crate) fn need(&self, name: &str) {
        if let Some(bit) = self.bit(name) {
            self.bits.fetch_or(bit, Relaxed);
        }
    }

    /// Whether files may have this column: it was there from the first or is in the set.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.bit(name).is_none_or(|bit| self.bits.load(Relaxed) & bit != 0)
    }

    /// The columns of a file of these rows, in the order of the table's.
    pub(super) fn of_file(&self, table: &Schema, rows: &Schema) -> SchemaRef {
        let stored = |name: &str| self.has(name) && rows.field_with_name(name).is_ok();
        let fields = table.fields().iter().filter(|field| stored(field.name())).cloned().collect::<Vec<_>>();
        Arc::new(Schema::new(fields))
    }

    fn bit(&self, name: &str) -> Option<u32> {
        self.kind.later().iter().position(|later| *later == name).map(|at| 1 << at)
    }
}
