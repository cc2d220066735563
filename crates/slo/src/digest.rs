//! SHA-256 of texts.

use ring::digest::{SHA256, digest};

/// In hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    hex::encode(digest(&SHA256, text.as_bytes()))
}
