//! Where the store is, and the store as soon as it is there.

use nines_store::{Result, Store};
use tokio::sync::OnceCell;

/// Reading never creates a store; whatever writes first does.
#[derive(Debug)]
pub(crate) struct Place {
    url: String,
    store: OnceCell<Store>,
}

impl Place {
    pub fn new(url: &str, store: Option<Store>) -> Self {
        Place { url: url.to_string(), store: OnceCell::new_with(store) }
    }

    pub fn store(&self) -> Option<&Store> {
        self.store.get()
    }

    /// The store, created with the default slice width where there is none.
    pub async fn open_or_create(&self) -> Result<&Store> {
        self.store.get_or_try_init(|| Store::open_or_create(&self.url, None)).await
    }
}
