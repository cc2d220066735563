//! The objects that are verified, and what is known of them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::object_store::path::Path;
use datafusion::object_store::{Error, ObjectMeta, ObjectStore, ObjectStoreExt, Result};
use futures::stream::{self, StreamExt, TryStreamExt};

use super::blocks::Blocks;
use super::chain::Chain;
use super::whole::Whole;
use crate::log::Recorded;
use crate::objects::local::Folder;
use crate::objects::notices::Notices;

/// Requests at once where many names are asked for.
const AT_ONCE: usize = 32;

/// Objects that are verified when they are read. Clones share what they know.
#[derive(Debug, Clone)]
pub(crate) struct Verified(Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub(super) inner: Arc<dyn ObjectStore>,
    /// The same, where it is a local folder.
    pub(super) folder: Option<Arc<Folder>>,
    pub(super) blocks: Blocks,
    pub(super) whole: Whole,
    pub(super) chain: Chain,
    /// The newest sound checkpoint of each table that is recorded.
    pub(super) recorded: Mutex<HashMap<String, Recorded>>,
    /// Checkpoints that are not as they were written.
    pub(super) unusable: Mutex<HashSet<Path>>,
    notices: Notices,
}

impl std::ops::Deref for Verified {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Verified {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>, folder: Option<Arc<Folder>>) -> Self {
        Self(Arc::new(Shared {
            inner,
            folder,
            blocks: Blocks::default(),
            whole: Whole::default(),
            chain: Chain::default(),
            recorded: Mutex::default(),
            unusable: Mutex::default(),
            notices: Notices::default(),
        }))
    }

    /// Data files that had to be read whole to be verified, and their bytes.
    pub(crate) fn verified_whole(&self) -> (u64, u64) {
        self.whole.done()
    }

    /// What was survived and should be known.
    pub(crate) fn notices(&self) -> &Notices {
        &self.0.notices
    }

    pub(super) fn lock<'a, T>(&self, what: &'a Mutex<T>) -> MutexGuard<'a, T> {
        what.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_unusable(&self, path: &Path) -> bool {
        self.lock(&self.unusable).contains(path)
    }

    /// Which of these objects are there. Behind a group of so many, not the first, whose last is missing, nothing need be looked for.
    pub(super) async fn find(&self, paths: Vec<Path>, group: usize) -> Result<Vec<Option<ObjectMeta>>> {
        if let Some(folder) = &self.folder {
            return folder.find(paths, group).await;
        }
        let found = stream::iter(paths).map(|path| async move {
            match self.inner.head(&path).await {
                Ok(found) => Ok(Some(found)),
                Err(Error::NotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        found.buffered(AT_ONCE).try_collect().await
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verified {}", self.0.inner)
    }
}
