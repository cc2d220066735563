//! Opening an input: counting what is read from it, unpacking it and making it UTF-8, as its first bytes tell.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::path::Path;
use std::sync::Arc;

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use crate::encoding::{self, Encoding, MAGIC, Newlines, Packing, Utf16};
use crate::{ErrorKind, IngestError, Progress, Result};

/// Bytes looked at to tell what an input holds.
pub(crate) const HEAD: usize = 64 << 10;

pub(crate) const PARQUET_MAGIC: &[u8] = b"PAR1";

/// An input's text, unpacked.
pub(crate) type Bytes = Box<dyn Read + Send>;

/// Opens a file; its first unpacked bytes come apart and again from the reader.
pub(crate) fn open(path: &Path, progress: &Arc<Progress>) -> Result<(Vec<u8>, Bytes)> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| IngestError::io(&name, e))?;
    unpack(&name, Box::new(file), progress)
}

/// The same of a file that may be no text.
pub(crate) fn open_bytes(path: &Path, progress: &Arc<Progress>) -> Result<(Vec<u8>, Bytes)> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|e| IngestError::io(&name, e))?;
    let opened = plain(counted(Box::new(file), progress)).and_then(|input| peek(input, HEAD));
    opened.map_err(|error| IngestError::io(&name, error))
}

/// Counts what is read, unpacks and decodes it; refuses what is no text, unless it is Parquet.
pub(crate) fn unpack(name: &str, input: Bytes, progress: &Arc<Progress>) -> Result<(Vec<u8>, Bytes)> {
    let failed = |error| IngestError::io(name, error);
    let (hole, input) = plain(counted(input, progress)).and_then(without_hole).map_err(failed)?;
    if hole > 0 {
        progress.add_hole(name, hole);
    }
    let (head, input) = peek(input, HEAD).map_err(failed)?;
    if hole > 0 && head.is_empty() {
        let zeros = usize::try_from(hole).unwrap_or(usize::MAX);
        let refused = encoding::zero_bytes(ErrorKind::Encoding, zeros).expected("text, but there is nothing else");
        return Err(refused.in_file(name));
    }
    text(name, head, input)
}

/// Decodes an unpacked input; refuses what is no text, unless it is Parquet.
pub(crate) fn text(name: &str, head: Vec<u8>, input: Bytes) -> Result<(Vec<u8>, Bytes)> {
    let failed = |error| IngestError::io(name, error);
    if head.starts_with(PARQUET_MAGIC) {
        return Ok((head, input));
    }
    let (decoded, input) = decode(&head, input);
    let (head, input) = if decoded { peek(input, HEAD).map_err(failed)? } else { (head, input) };
    encoding::check_text(&head).map_err(|refused| refused.in_file(name))?;
    Ok((head, input))
}

/// What is in a packed or otherwise encoded input. What goes wrong at its start shows when it is read.
pub(crate) fn unpacked(input: Bytes) -> Bytes {
    let opened = plain(input).and_then(without_hole).and_then(|(_, input)| peek(input, HEAD));
    let opened = opened.map(|(head, input)| decode(&head, input).1);
    opened.unwrap_or_else(|error| Box::new(Failed(Some(error))))
}

/// Memory for the dictionary of an input that is packed by xz, in KiB: as much as `xz -9` asks for, and more.
const XZ_KIB: u32 = 256 << 10;

/// The bytes of an input as they were before it was packed, several members one after the other included.
fn plain(input: Bytes) -> io::Result<Bytes> {
    let (magic, input) = peek(input, MAGIC)?;
    Ok(match encoding::packing(&magic) {
        Some(Packing::Gzip) => Box::new(MultiGzDecoder::new(input)),
        Some(Packing::Zstd) => Box::new(zstd::stream::read::Decoder::new(input)?),
        Some(Packing::Xz) => Box::new(XzReader::new_mem_limit(BufReader::new(input), true, XZ_KIB)),
        Some(Packing::Bzip2) => Box::new(MultiBzDecoder::new(input)),
        None => input,
    })
}

/// The text that begins so in UTF-8 and with newlines, and whether it was otherwise.
fn decode(head: &[u8], input: Bytes) -> (bool, Bytes) {
    match encoding::encoding(head) {
        Some(Encoding::Utf16 { big_endian }) => (true, Box::new(Utf16::new(input, big_endian))),
        Some(Encoding::CarriageReturns) => (true, Box::new(Newlines::new(input))),
        None => (false, input),
    }
}

/// So many zero bytes at the start of a text are a hole; fewer may be the first half of letters of two or four bytes.
const HOLE: usize = 16;

/// The bytes after the zeros at the start, and how many of these there are. Whoever truncates a log while its writer goes on
/// where it was leaves such a hole in the place of the old lines.
pub(crate) fn without_hole(input: Bytes) -> io::Result<(u64, Bytes)> {
    let (first, mut input) = peek(input, HOLE)?;
    if first.is_empty() || first.iter().any(|&byte| byte != 0) {
        return Ok((0, input));
    }
    let (mut hole, mut chunk) = (0, vec![0; HEAD]);
    loop {
        let n = match input.read(&mut chunk) {
            Ok(0) => return Ok((hole, input)),
            Ok(n) => n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        match chunk[..n].iter().position(|&byte| byte != 0) {
            None => hole += n as u64,
            Some(at) => {
                let text = Cursor::new(chunk[at..n].to_vec());
                return Ok((hole + at as u64, Box::new(text.chain(input))));
            }
        }
    }
}

/// An input that could not be opened.
struct Failed(Option<io::Error>);

impl Read for Failed {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

/// An input whose bytes count as read.
pub(crate) fn counted(input: Bytes, progress: &Arc<Progress>) -> Bytes {
    Box::new(Counted { input, progress: Arc::clone(progress) })
}

/// The first bytes of a reader, which it gives again.
fn peek(mut input: Bytes, length: usize) -> io::Result<(Vec<u8>, Bytes)> {
    let mut head = Vec::new();
    input.by_ref().take(length as u64).read_to_end(&mut head)?;
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
