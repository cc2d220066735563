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

use super::damaged::{damaged, told};

/// Bytes that are read at once.
const PIECE: u64 = 4 << 20;

/// What the bytes of an object must give.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    Crc32c(u32),
}

/// Which objects are sound.
#[derive(Debug, Default)]
pub(super) struct Whole {
    sound: Mutex<HashMap<Path, Arc<OnceCell<()>>>>,
    files: AtomicU64,
    bytes: AtomicU64,
}

impl Whole {
    /// Number of objects that were read for this, and their bytes.
    pub(super) fn done(&self) -> (u64, u64) {
        (self.files.load(Relaxed), self.bytes.load(Relaxed))
    }

    /// Makes sure that an object is as it was written. Who asks while somebody else reads it waits for that.
    pub(super) async fn verify(&self, objects: &dyn ObjectStore, path: &Path, expected: Expected) -> Result<()> {
        let sound = {
            let mut sound = self.sound.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(sound.entry(path.clone()).or_default())
        };
        sound.get_or_try_init(|| self.read(objects, path, expected)).await.copied()
    }

    async fn read(&self, objects: &dyn ObjectStore, path: &Path, expected: Expected) -> Result<()> {
        let size = told(path, objects.head(path).await)?.size;
        let Expected::Crc32c(expected) = expected;
        let mut found = Digest::new(CrcAlgorithm::Crc32Iscsi);
        let pieces = (0..size.div_ceil(PIECE)).map(|at| at * PIECE..size.min((at + 1) * PIECE));
        // The next piece is read while one is summed.
        let mut pieces = stream::iter(pieces).map(|range| objects.get_range(path, range)).buffered(2);
        while let Some(piece) = told(path, pieces.try_next().await)? {
            found.update(&piece);
        }
        if found.finalize() != u64::from(expected) {
            return Err(damaged(path, format_args!("its {size} bytes do not give the checksum in its name")));
        }
        self.files.fetch_add(1, Relaxed);
        self.bytes.fetch_add(size, Relaxed);
        Ok(())
    }
}
