//! `CREATE EXTERNAL TABLE` over a CSV or JSON file: read as `FROM 'file'` reads it, where the statement says no more of it.

use std::sync::Arc;

use async_trait::async_trait;
use datafusion::catalog::{Session, TableProvider, TableProviderFactory};
use datafusion::error::Result;
use datafusion::logical_expr::CreateExternalTable;
use nines_ingest::Format;
use nines_ingest::table::{AsText, Source};

use super::named::named;
use super::provider::{FileProvider, zone};

/// The types that it stands for.
pub(super) const TYPES: [(&str, Format); 3] =
    [("CSV", Format::Csv), ("JSON", Format::JsonLines), ("NDJSON", Format::JsonLines)];

/// Makes tables of one type.
#[derive(Debug)]
pub(super) struct External {
    pub format: Format,
    /// Makes the table where the statement gives columns or options, or the files are not one: a folder takes INSERT.
    pub otherwise: Arc<dyn TableProviderFactory>,
}

#[async_trait]
impl TableProviderFactory for External {
    async fn create(&self, state: &dyn Session, table: &CreateExternalTable) -> Result<Arc<dyn TableProvider>> {
        let says_more = !table.schema.fields().is_empty()
            || !table.options.is_empty()
            || !table.table_partition_cols.is_empty()
            || !table.order_exprs.is_empty()
            || table.unbounded;
        let file = match &table.locations[..] {
            [location] if !says_more => named(location).ok().flatten().filter(|found| !found.is_several),
            _ => None,
        };
        let Some(file) = file else { return self.otherwise.create(state, table).await };
        let sources = file.files.iter().map(|file| Source::new(file, Some(self.format))).collect();
        Ok(Arc::new(FileProvider::open(sources, AsText::default(), &zone(state), Arc::default()).await?))
    }
}
