//! Files as tables: CSV, JSON, calendars and text are read by `nines-ingest`, so that SQL sees what `nines ingest` sees.
//!
//! [`provider`] is one table of such files, [`Urls`] what stands behind `FROM 'file'`. Parquet has types of its own and
//! is read by DataFusion. To plan a statement over a file is to read the file once, since its columns and their types
//! are those of all its rows.

mod external;
mod inputs;
mod named;
pub(crate) mod provider;
mod urls;

use std::sync::Arc;

use datafusion::catalog::DynamicFileCatalog;
use datafusion::prelude::SessionContext;

use external::External;
pub(crate) use inputs::present_files;
pub use inputs::{InputFiles, input_files};
use urls::Urls;

/// The session in which a file is a table: SELECT … FROM 'rows.csv'.
pub(crate) fn with_files(context: SessionContext) -> SessionContext {
    let urls = Arc::new(Urls::default());
    let catalogs = DynamicFileCatalog::new(context.state().catalog_list().clone(), urls.clone());
    let id = context.session_id();
    let mut state = context.into_state_builder().with_session_id(id).with_catalog_list(Arc::new(catalogs)).build();
    for (name, format) in external::TYPES {
        let factories = state.table_factories_mut();
        if let Some(otherwise) = factories.get(name).cloned() {
            factories.insert(name.to_string(), Arc::new(External { format, otherwise }));
        }
    }
    let context = SessionContext::new_with_state(state);
    urls.belongs_to(context.state_weak_ref());
    context
}
