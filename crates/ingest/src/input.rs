//! Opening an input: counting what is read from it and unpacking gzip, which its first bytes tell.

use std::fs::File;
use std::io::{self, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;

use crate::{IngestError, Progress, Result};

/// Bytes looked at to tell what an input holds.
const HEAD: usize = 64 << 10;

const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An input's text, unpacked.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Opens a file; its first unpacked bytes come apart and again from the reader.
pub(crate) fn open(path: &Path, progress: &Arc<Progress>) -> Result<(Vec<u8>, Bytes)> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| IngestError::io(&name, e))?;
    unpack(&name, Box::new(file), progress)
}

/// Counts what is read and unpacks it if it is gzip.
pub(crate) fn unpack(name: &str, input: Bytes, progress: &Arc<Progress>) -> Result<(Vec<u8>, Bytes)> {
    let (magic, input) = peek(name, counted(input, progress), GZIP.len())?;
    if magic == GZIP { peek(name, unpacked(input), HEAD) } else { peek(name, input, HEAD) }
}

/// Whether a file is gzip.
pub(crate) fn is_packed(path: &Path) -> Result<bool> {
    let failed = |error| IngestError::io(&path.display().to_string(), error);
    let mut magic = Vec::new();
    File::open(path).map_err(failed)?.take(GZIP.len() as u64).read_to_end(&mut magic).map_err(failed)?;
    Ok(magic == GZIP)
}

/// What is in gzip, several members one after the other included.
pub(crate) fn unpacked(input: Bytes) -> Bytes {
    Box::new(MultiGzDecoder::new(input))
}

/// An input whose bytes count as read.
pub(crate) fn counted(input: Bytes, progress: &Arc<Progress>) -> Bytes {
    Box::new(Counted { input, progress: Arc::clone(progress) })
}

/// The first bytes of a reader, which it gives again.
fn peek(name: &str, mut input: Bytes, length: usize) -> Result<(Vec<u8>, Bytes)> {
    let mut head = Vec::new();
    input.by_ref().take(length as u64).read_to_end(&mut head).map_err(|e| IngestError::io(name, e))?;
    Ok((head.clone(), Box::new(Cursor::new(head).chain(input))))
}

struct Counted {
    input: Bytes,
    progress: Arc<Progress>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.input.read(buffer)?;
        self.progress.add_bytes(n as u64);
        Ok(n)
    }
}
