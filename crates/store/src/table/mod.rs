//! One table of a store: appending rows, taking snapshots.

mod append;
mod commit;
mod pause;
mod state;
mod versions;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use datafusion::arrow::datatypes::SchemaRef;

use crate::log::Log;
use crate::objects::Objects;
use crate::schema::TableKind;
use crate::store::Store;
use crate::write::Layout;

pub(crate) use pause::pause;
pub(crate) use state::TableState;

/// A table of a store. Cheap to clone.
#[derive(Clone)]
pub struct Table {
    store: Store,
    state: Arc<TableState>,
}

impl Store {
    /// A table. It need not have been written yet.
    pub fn table(&self, kind: TableKind) -> Table {
        let table = self.tables().iter().find(|(of, _)| *of == kind);
        match table {
            Some((_, state)) => Table::new(self.clone(), Arc::clone(state)),
            None => unreachable!("every table is in TableKind::ALL"),
        }
    }
}

impl Table {
    fn new(store: Store, state: Arc<TableState>) -> Self {
        Self { store, state }
    }

    /// Which table this is.
    pub fn kind(&self) -> TableKind {
        self.state.layout.kind()
    }

    /// The store that it belongs to.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// The columns: [`TableKind::stored_schema`] at the store's slice width.
    pub fn schema(&self) -> SchemaRef {
        Arc::clone(self.state.layout.schema())
    }

    /// Whether nobody was told yet that files are another Delta writer's, who is told now.
    pub(crate) fn foreign_is_news(&self) -> bool {
        !self.state.foreign_told.swap(true, Relaxed)
    }

    pub(crate) fn objects(&self) -> &Objects {
        &self.state.objects
    }

    pub(crate) fn log(&self) -> &Log {
        &self.state.log
    }

    pub(crate) fn log_handle(&self) -> Arc<Log> {
        Arc::clone(&self.state.log)
    }

    /// How files are written: when rows come, or for good.
    pub(crate) fn layout(&self, for_good: bool) -> Arc<Layout> {
        Arc::clone(if for_good { &self.state.for_good } else { &self.state.layout })
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.log.fmt(f)
    }
}

impl fmt::Debug for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Table({self})")
    }
}
