//! The names in SQL: stored tables, `functions`, and whatever the session creates itself.

use std::sync::{Arc, Weak};

use async_trait::async_trait;
use datafusion::catalog::{MemorySchemaProvider, SchemaProvider, TableProvider};
use datafusion::common::{exec_err, internal_datafusion_err};
use datafusion::error::Result;
use datafusion::execution::SessionState;
use nines_store::TableKind;

use crate::defined::{Defined, DefinedTable};
use crate::evaluate::Read;
use crate::functions;
use crate::location::StoreLocation;
use crate::statement::StatementTable;

/// Where `functions` finds what is registered, and tables their time zone; weak, since the session owns the catalog.
pub(crate) type SharedState = Weak<parking_lot::RwLock<SessionState>>;

/// The schema `nines.public`.
#[derive(Debug)]
pub(crate) struct StoreSchema {
    pub place: Arc<StoreLocation>,
    pub read: Arc<Read>,
    pub session: SharedState,
    /// Tables and views of this session.
    pub created: MemorySchemaProvider,
}

#[async_trait]
impl SchemaProvider for StoreSchema {
    fn table_names(&self) -> Vec<String> {
        let stored = TableKind::ALL.iter().map(|kind| kind.name().to_string());
        let defined = Defined::ALL.map(|table| table.name().to_string());
        stored.chain(defined).chain([functions::NAME.to_string()]).chain(self.created.table_names()).collect()
    }

    async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if let Some(kind) = TableKind::from_name(name) {
            return Ok(Some(Arc::new(StatementTable::new(kind, self.place.clone(), self.time_zone()?))));
        }
        if let Some(table) = Defined::from_name(name) {
            let (place, read, zone) = (self.place.clone(), self.read.clone(), self.time_zone()?);
            return Ok(Some(Arc::new(DefinedTable::new(table, place, read, zone))));
        }
        if name == functions::NAME {
            return functions::table(&self.session()?.read()).map(Some);
        }
        self.created.table(name).await
    }

    fn register_table(&self, name: String, table: Arc<dyn TableProvider>) -> Result<Option<Arc<dyn TableProvider>>> {
        if self.is_stored(&name) {
            return exec_err!("{name} is a table of the store; choose another name");
        }
        self.created.register_table(name, table)
    }

    fn deregister_table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>> {
        if self.is_stored(name) {
            return exec_err!("{name} is a table of the store and cannot be dropped");
        }
        self.created.deregister_table(name)
    }

    fn table_exist(&self, name: &str) -> bool {
        self.is_stored(name) || self.created.table_exist(name)
    }
}

impl StoreSchema {
    fn session(&self) -> Result<Arc<parking_lot::RwLock<SessionState>>> {
        self.session.upgrade().ok_or_else(|| internal_datafusion_err!("the session is gone"))
    }

    /// The session's, in which a table that is planned now shows its times.
    fn time_zone(&self) -> Result<Arc<str>> {
        let session = self.session()?;
        let zone = session.read().config_options().execution.time_zone.as_deref().map(Arc::from);
        Ok(zone.unwrap_or_else(|| nines_store::UTC.into()))
    }

    fn is_stored(&self, name: &str) -> bool {
        TableKind::from_name(name).is_some() || Defined::from_name(name).is_some() || name == functions::NAME
    }
}
