//! A place in a file, known by the hash of what stands before it.

use ring::digest::Context;

use crate::hash::{self, first_64_bits};

/// A place in a file: after so many of its bytes.
#[derive(Clone)]
pub struct Cut {
    pub(super) bytes: u64,
    pub(super) lines: u64,
    /// The hash so far, so that reading can go on from here without what stands before.
    pub(super) context: Context,
}

impl Cut {
    pub(super) fn start() -> Self {
        Self { bytes: 0, lines: 0, context: hash::sha256() }
    }

    pub(super) fn advance(&mut self, bytes: &[u8]) {
        self.bytes += bytes.len() as u64;
        self.lines += bytes.iter().filter(|&&byte| byte == b'\n').count() as u64;
        self.context.update(bytes);
    }

    /// Unpacked bytes before it.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// 63 bits of the SHA-256 of these bytes.
    pub fn hash(&self) -> i64 {
        (first_64_bits(&self.sha256()) >> 1) as i64
    }

    pub(super) fn sha256(&self) -> [u8; 32] {
        hash::bytes(self.context.clone())
    }
}
