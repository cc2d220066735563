//! How an entry becomes the next version, and its head after it.
//!
//! A put whose outcome is unknown is settled by reading the entry and comparing bytes.

use datafusion::object_store::path::Path;

use super::{Entry, HEADS_FOLDER, Head, LOG_FOLDER, Log, LogPlace, Origin};
use crate::digest::sha256;
use crate::error::{Result, StoreError, StoreErrorKind};
use crate::objects::damaged;

/// How often an object is put or looked for before its outcome is called unknown.
const PUTS: u32 = 5;

/// How an attempt to commit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attempt {
    /// The version is this entry, durably, and so is its head.
    Committed,
    /// Another writer took that version first.
    Lost,
}

impl Log {
    /// Tries to make `entry` the version after `base`.
    ///
    /// A put that reports an error may have succeeded, and one that reports success to nobody may succeed later. So a
    /// version is not given up before somebody's entry is seen there, which then is ours byte for byte or lost, or before
    /// it is certain that none of ours will come.
    pub(crate) async fn commit(&self, base: u64, entry: &Entry) -> Result<Attempt> {
        let before = sha256(&self.entry(base).await?);
        // Its writer may have died before it came to this.
        self.complete_head(base, &before).await?;
        let bytes = entry.to_bytes(self.kind, base + 1, &before)?;
        let path = self.place(base + 1).entry();
        let mut trouble = None;
        for put in 0..PUTS {
            match self.objects.put_new(&path, bytes.clone()).await {
                Ok(true) => return self.committed(base + 1, &bytes).await,
                Ok(false) => {}
                Err(error) => trouble = Some(error),
            }
            match self.objects.get(&path).await {
                Ok(Some(found)) if found == bytes => {
                    // Seen is not durable: the put may have failed at its last step.
                    match self.objects.settle(&self.folder(LOG_FOLDER)).await {
                        Ok(()) => return self.committed(base + 1, &bytes).await,
                        Err(error) => trouble = Some(error),
                    }
                }
                Ok(Some(_)) => return Ok(Attempt::Lost),
                // Nothing is there and nothing will be.
                Ok(None) if self.objects.failures_are_final() => {
                    if let Some(error) = trouble {
                        return Err(error);
                    }
                }
                Ok(None) => {}
                Err(error) => trouble = Some(error),
            }
            pause(put).await;
        }
        let why = trouble.map_or_else(|| "the entry can neither be written nor read".to_string(), |e| e.to_string());
        Err(StoreError::new(
            StoreErrorKind::Unknown,
            format!(
                "it is not known whether the rows are stored as version {} of {self}: {why}. Run the same again when \
                 the store can be reached: what is stored already is not stored twice",
                base + 1
            ),
        ))
    }

    /// Puts the head of an entry that is there.
    async fn committed(&self, version: u64, bytes: &[u8]) -> Result<Attempt> {
        let hash = sha256(bytes);
        let mut put = 0;
        loop {
            match self.complete_head(version, &hash).await {
                Ok(()) => return Ok(Attempt::Committed),
                Err(error) if error.kind() != StoreErrorKind::Io || put + 1 == PUTS => {
                    return Err(StoreError::new(
                        StoreErrorKind::Unknown,
                        format!(
                            "the rows are stored as version {version} of {self}, but what says that this version must be there \
                             cannot be written: {error}. Run the same again when it can: what is stored already is not \
                             stored twice"
                        ),
                    ));
                }
                Err(_) => pause(put).await,
            }
            put += 1;
        }
    }

    /// Makes sure that the entry of a version, of which this is the hash, has a head.
    async fn complete_head(&self, version: u64, entry: &[u8; 32]) -> Result<()> {
        if self.is_headed(version) {
            return Ok(());
        }
        let place = self.place(version);
        if self.head_of(version, entry).await? {
            return Ok(());
        }
        let head = Head::new(&place, entry, self.objects.newest_checkpoint(self.kind.name()).as_ref());
        let bytes = head.to_bytes().map_err(|error| {
            StoreError::caused(StoreErrorKind::Internal, format_args!("the head of version {version} of {self}"), error)
        })?;
        if self.objects.put_new(&place.head(), bytes).await? || self.head_of(version, entry).await? {
            self.set_headed(version);
            return Ok(());
        }
        Err(StoreError::new(StoreErrorKind::Io, format!("{} can neither be written nor read", place.head())))
    }

    /// Whether the entry of a version has a head. [`StoreErrorKind::Corrupt`] if it is that of other bytes.
    async fn head_of(&self, version: u64, entry: &[u8; 32]) -> Result<bool> {
        let place = self.place(version);
        match self.objects.head(&place).await? {
            None => Ok(false),
            Some(hash) if hash == *entry => Ok(true),
            Some(_) => {
                let why = format!("it is not what {} was written for", place.head());
                Err(StoreError::found_in(&damaged(&place.entry(), &why)).unwrap_or_else(|| StoreError::corrupt(why)))
            }
        }
    }

    /// Compares the newest entry with its head. It may have none: its writer died, or has not come to it yet.
    pub(crate) async fn check_head(&self, version: u64) -> Result<()> {
        if self.is_headed(version) {
            return Ok(());
        }
        let place = self.place(version);
        if self.objects.head(&place).await?.is_none() {
            return Ok(());
        }
        // Without the entry its checkpoint is there, which is verified by itself.
        let Some(entry) = self.objects.get(&place.entry()).await? else { return Ok(()) };
        if self.head_of(version, &sha256(&entry)).await? {
            self.set_headed(version);
        }
        Ok(())
    }

    /// Makes durable what the log holds up to a version, and what says so, by whomever it was written.
    pub(crate) async fn settle(&self, version: u64) -> Result<()> {
        self.objects.settle(&self.folder(LOG_FOLDER)).await?;
        let entry = sha256(&self.entry(version).await?);
        self.complete_head(version, &entry).await?;
        self.objects.settle(&self.folder(HEADS_FOLDER)).await
    }

    /// Who wrote an entry.
    pub(crate) async fn origin_of(&self, version: u64) -> Result<Origin> {
        let place = self.place(version);
        match self.objects.origin_of(&place).await? {
            Some(origin) => Ok(origin),
            None => Err(StoreError::new(
                StoreErrorKind::NotFound,
                format!("version {version} of {self} has no entry, or no longer"),
            )),
        }
    }

    fn folder(&self, name: &str) -> Path {
        Path::from(format!("{}/{name}", self.kind.name()))
    }

    pub(crate) fn place(&self, version: u64) -> LogPlace {
        LogPlace { table: self.kind.name().to_string(), version }
    }

    pub(crate) async fn entry(&self, version: u64) -> Result<Vec<u8>> {
        let entry = self.objects.get(&self.place(version).entry()).await?;
        entry.ok_or_else(|| StoreError::corrupt(format!("the entry of version {version} of {self} is missing")))
    }
}

/// Longer each time.
async fn pause(put: u32) {
    tokio::time::sleep(std::time::Duration::from_millis(1 << (2 * put))).await;
}
