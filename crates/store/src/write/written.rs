//! The files of an append, whatever became of it.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::object_store::path::Path;
use tokio::sync::{OnceCell, RwLock};

use super::later::LaterColumns;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::log::Log;
use crate::objects::Objects;
use crate::schema::TableKind;

/// Every data file that was begun for an append, whatever became of it.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    paths: Arc<Mutex<Vec<Path>>>,
    columns: LaterColumns,
    /// Held by every put that has begun: it goes on though nobody waits for it any longer.
    underway: Arc<RwLock<()>>,
    /// The log of a table that does not exist yet, and whether it was created since.
    new: Option<(Arc<Log>, Arc<OnceCell<()>>)>,
}

impl Written {
    pub(crate) fn new(kind: TableKind) -> Self {
        Self { paths: Arc::default(), columns: LaterColumns::new(kind), underway: Arc::default(), new: None }
    }

    /// The columns that came in later which the table has or rows of the append need.
    pub(crate) fn columns(&self) -> &LaterColumns {
        &self.columns
    }

    /// Files of a table that has to be created before the first of them: files without a log are what is left of a table
    /// that lost it.
    pub(crate) fn of_new_table(kind: TableKind, log: Arc<Log>) -> Self {
        Self { new: Some((log, Arc::default())), ..Self::new(kind) }
    }

    pub(super) async fn begin(&self, path: &Path) -> Result<()> {
        if let Some((log, created)) = &self.new {
            created.get_or_try_init(|| log.create()).await?;
        }
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).push(path.clone());
        Ok(())
    }

    /// Puts a file whose path was begun; `false` if there is one of this name.
    pub(super) async fn put(&self, objects: &Objects, path: &Path, bytes: Vec<u8>) -> Result<bool> {
        let (objects, path) = (objects.clone(), path.clone());
        let underway = Arc::clone(&self.underway).read_owned().await;
        let put = tokio::spawn(async move {
            let done = objects.put_new(&path, bytes).await;
            drop(underway);
            done
        });
        put.await.map_err(|error| StoreError::caused(StoreErrorKind::Internal, "a put did not end", error))?
    }

    /// Ends when no put is under way, so that what is removed then does not come back.
    pub(crate) async fn settled(&self) {
        drop(self.underway.write().await);
    }

    pub(crate) fn paths(&self) -> Vec<Path> {
        self.paths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
