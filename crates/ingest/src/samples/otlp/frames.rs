//! Messages behind their lengths, as the collector's file exporter writes them with `format: proto` or `compression: zstd`: four bytes
//! in network order say how long a message is.

use std::borrow::Cow;
use std::io::{self, Read};

use super::longest::{LONGEST, too_long};
use crate::{IngestError, Result};

/// With which a frame of zstd begins.
const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The messages of a file, one after the other.
pub(super) struct Frames<R> {
    input: R,
    at: u64,
    cut: Option<u64>,
}

/// A message.
pub(super) struct Frame {
    bytes: Vec<u8>,
    /// Where it begins in the file, behind its length.
    at: u64,
}

impl Frame {
    /// Whether it is packed by zstd.
    pub fn is_packed(&self) -> bool {
        self.bytes.starts_with(&ZSTD)
    }

    /// Its bytes, unpacked.
    pub fn unpacked(&self) -> Result<Cow<'_, [u8]>> {
        if !self.is_packed() {
            return Ok(Cow::Borrowed(&self.bytes));
        }
        let refused = |error: io::Error| {
            IngestError::bad_line(format!("the message cannot be unpacked: {error}")).at_byte(self.at)
        };
        let mut unpacked = Vec::new();
        let decoder = zstd::stream::read::Decoder::new(self.bytes.as_slice()).map_err(refused)?;
        decoder.take(LONGEST + 1).read_to_end(&mut unpacked).map_err(refused)?;
        if unpacked.len() as u64 > LONGEST {
            return Err(too_long(self.at - 4));
        }
        Ok(Cow::Owned(unpacked))
    }

    /// Where its bytes begin: in the file, or, packed, in what they are unpacked.
    pub fn offset(&self) -> u64 {
        if self.is_packed() { 0 } else { self.at }
    }

    /// Says in an error which message it is about.
    pub fn place(&self, error: IngestError) -> IngestError {
        match self.is_packed() {
            true => error.within(&format!("the message at byte {}, unpacked", self.at)),
            false => error,
        }
    }
}

impl<R: Read> Frames<R> {
    pub fn new(input: R) -> Self {
        Frames { input, at: 0, cut: None }
    }

    /// Where a message begins that is not complete, if the file ends with one.
    pub fn cut(&self) -> Option<u64> {
        self.cut
    }

    /// The next message; none at the end, or where one is not complete.
    pub fn next(&mut self, name: &str) -> Result<Option<Frame>> {
        let failed = |error| IngestError::io(name, error);
        let mut bytes = Vec::new();
        let begin = self.at;
        self.input.by_ref().take(4).read_to_end(&mut bytes).map_err(failed)?;
        let Ok(length) = <[u8; 4]>::try_from(bytes.as_slice()) else {
            self.cut = (!bytes.is_empty()).then_some(begin);
            return Ok(None);
        };
        let length = u64::from(u32::from_be_bytes(length));
        if length > LONGEST {
            return Err(too_long(begin));
        }
        bytes.clear();
        self.input.by_ref().take(length).read_to_end(&mut bytes).map_err(failed)?;
        if (bytes.len() as u64) < length {
            self.cut = Some(begin);
            return Ok(None);
        }
        self.at = begin + 4 + length;
        Ok(Some(Frame { bytes, at: begin + 4 }))
    }
}
