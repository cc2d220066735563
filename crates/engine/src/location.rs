//! Where the store is, and the store as soon as it is there.

use nines_store::{Result, Store, StoreErrorKind};
use tokio::sync::OnceCell;

/// Reading never creates a store; whatever writes first does.
#[derive(Debug)]
pub(crate) struct StoreLocation {
    url: String,
    store: OnceCell<Store>,
}

impl StoreLocation {
    pub fn new(url: &str, store: Option<Store>) -> Self {
        StoreLocation { url: url.to_string(), store: OnceCell::new_with(store) }
    }

    pub fn store(&self) -> Option<&Store> {
        self.store.get()
    }

    /// Sees a store that another process has created since.
    pub async fn look(&self) -> Result<()> {
        if self.store.initialized() {
            return Ok(());
        }
        match Store::open(&self.url).await {
            Ok(store) => {
                // Whoever was quicker has opened the same.
                let _ = self.store.set(store);
                Ok(())
            }
            Err(error) if error.kind() == StoreErrorKind::NotFound => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The store, created with the default slice width where there is none.
    pub async fn open_or_create(&self) -> Result<&Store> {
        self.store.get_or_try_init(|| Store::open_or_create(&self.url, None)).await
    }
}
