//! SHA-256 of fields and files: what a batch or a log is recognised by.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use ring::digest::{Context, SHA256};

use crate::{IngestError, Progress, Result};

/// Bytes read at once.
pub(crate) const CHUNK: usize = 256 << 10;

/// A SHA-256 of fields, each with its length, so that no two lists of fields are the same bytes.
#[derive(Clone)]
pub struct Hash(Context);

impl Default for Hash {
    fn default() -> Self {
        Self(sha256())
    }
}

impl Hash {
    /// Of no fields yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// The plain SHA-256 of these bytes, as other programs compute it.
    pub fn of(bytes: impl AsRef<[u8]>) -> [u8; 32] {
        let mut context = sha256();
        context.update(bytes.as_ref());
        self::bytes(context)
    }

    /// One more field.
    #[must_use]
    pub fn field(mut self, bytes: impl AsRef<[u8]>) -> Self {
        self.0.update(&(bytes.as_ref().len() as u64).to_le_bytes());
        self.0.update(bytes.as_ref());
        self
    }

    /// A field that may be absent, which is not the same as empty.
    #[must_use]
    pub fn optional(self, bytes: Option<impl AsRef<[u8]>>) -> Self {
        match bytes {
            Some(bytes) => self.field([1]).field(bytes),
            None => self.field([0]),
        }
    }

    /// A file's bytes as it lies on disk, read in one pass, and then their number.
    pub fn file(mut self, path: &Path, progress: &Arc<Progress>) -> Result<Self> {
        let failed = |error| IngestError::io(&path.display().to_string(), error);
        progress.add_total(fs::metadata(path).map_err(failed)?.len());
        let mut file = File::open(path).map_err(failed)?;
        let mut chunk = vec![0; CHUNK];
        let mut length = 0;
        loop {
            let n = file.read(&mut chunk).map_err(failed)?;
            if n == 0 {
                break;
            }
            progress.add_bytes(n as u64);
            length += n as u64;
            self.0.update(&chunk[..n]);
        }
        self.0.update(&length.to_le_bytes());
        Ok(self)
    }

    /// The hash.
    pub fn finish(self) -> [u8; 32] {
        bytes(self.0)
    }
}

/// The first so many digits of a hash, in hexadecimal.
pub fn hex(hash: &[u8; 32], digits: usize) -> String {
    let mut text: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    text.truncate(digits);
    text
}

/// The first 64 bits of a hash.
pub fn first_64_bits(hash: &[u8; 32]) -> u64 {
    hash[..8].iter().fold(0, |bits, &byte| bits << 8 | u64::from(byte))
}

pub(crate) fn sha256() -> Context {
    Context::new(&SHA256)
}

pub(crate) fn bytes(context: Context) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_do_not_run_into_each_other() {
        let hash = |fields: &[&str]| fields.iter().fold(Hash::new(), |hash, field| hash.field(field)).finish();
        assert_eq!(hash(&["ab", "c"]), hash(&["ab", "c"]));
        assert_ne!(hash(&["ab", "c"]), hash(&["a", "bc"]));
        assert_ne!(hash(&["ab", ""]), hash(&["ab"]));
        assert_ne!(Hash::new().optional(Some("")).finish(), Hash::new().optional(None::<&str>).finish());
    }

    #[test]
    fn digits_and_bits_are_the_first_ones() {
        // SHA-256 of nothing: e3b0c44298fc1c14…
        let empty = Hash::new().finish();
        assert_eq!(hex(&empty, 16), "e3b0c44298fc1c14");
        assert_eq!(first_64_bits(&empty), 0xe3b0_c442_98fc_1c14);
        assert_eq!(hex(&empty, 64).len(), 64);
    }
}
