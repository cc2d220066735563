//! Objects with one sum over all of their bytes: they are read once, in pieces, before anything of them is given out, and taken
//! for sound from then on, in this process.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use crc_fast::{CrcAlgorithm, Digest};
use datafusion::object_store::path::Path;
use datafusion::object_store::{ObjectStore, ObjectStoreExt, Result};
use futures::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use ring::digest::{Context, SHA256};

use super::damaged::{damaged, told};

/// Bytes that are read at once.
const PIECE: u64 = 4 << 20;

/// What the bytes of an object must give.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// Of a data file, in its name.
    Crc32c(u32),
    /// Of a checkpoint, in its record.
    Sha256 { size: u64, hash: [u8; 32] },
}

/// The sum of the bytes so far.
enum Sum {
    Crc32c(Digest),
    Sha256(Context),
}

/// Which objects are sound.
#[derive(Debug, Default)]
pub(super) struct Whole {
    sound: Mutex<HashMap<Path, Arc<OnceCell<()>>>>,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Whole {
    /// Number of data files that were read for this, and their bytes.
    pub(super) fn done(&self) -> (u64, u64) {
        (self.files.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Makes sure that an object is as it was written. Who asks while somebody else reads it waits for that. Of an object of which
    /// nothing is known nothing is expected.
    pub(super) async fn verify(
        &self,
        objects: &dyn ObjectStore,
        path: &Path,
        expected: impl Future<Output = Result<Option<Expected>>>,
    ) -> Result<()> {
        let sound = {
            let mut sound = self.sound.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sound.entry(path.clone()).or_default())
        };
        let read = || async {
            match expected.await? {
                Some(expected) => self.read(objects, path, expected).await,
                None => Ok(()),
            }
        };
        sound.get_or_try_init(read).await.copied()
    }

    async fn read(&self, objects: &dyn ObjectStore, path: &Path, expected: Expected) -> Result<()> {
        let size = told(path, objects.head(path).await)?.size;
        let mut found = match expected {
            Expected::Crc32c(_) => Sum::Crc32c(Digest::new(CrcAlgorithm::Crc32Iscsi)),
            Expected::Sha256 { size: written, .. } if size != written => {
                return Err(damaged(path, format_args!("it has {size} bytes, and {written} were written")));
            }
            Expected::Sha256 { .. } => Sum::Sha256(Context::new(&SHA256)),
        };
        let pieces = (0..size.div_ceil(PIECE)).map(|at| at * PIECE..size.min((at + 1) * PIECE));
        // The next piece is read while one is summed.
        let mut pieces = stream::iter(pieces).map(|range| objects.get_range(path, range)).buffered(2);
        while let Some(piece) = told(path, pieces.try_next().await)? {
            match &mut found {
                Sum::Crc32c(found) => found.update(&piece),
                Sum::Sha256(found) => found.update(&piece),
            }
        }
        let right = match (found, expected) {
            (Sum::Crc32c(found), Expected::Crc32c(crc)) => found.finalize() == u64::from(crc),
            (Sum::Sha256(found), Expected::Sha256 { hash, .. }) => found.finish().as_ref() == hash,
            (Sum::Crc32c(_) | Sum::Sha256(_), _) => false,
        };
        if !right {
            return Err(damaged(path, format_args!("its {size} bytes do not give the checksum that was written down")));
        }
        if let Expected::Crc32c(_) = expected {
            self.files.fetch_add(1, Relaxed);
            self.bytes.fetch_add(size, Relaxed);
        }
        Ok(())
    }
}
