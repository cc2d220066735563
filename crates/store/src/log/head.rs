//! What stands beside the log, in `<table>/_nines/`: heads of entries and records of checkpoints.
//!
//! Both are sealed lines of JSON that are created only if absent. `<version, 20 digits>.head` is put after the entry of that
//! version and before anything is acknowledged because of it, so that a log that lost its end is told from one that ended there.
//! `<version>.checkpoint` is put before the checkpoint that it is the record of.

use serde::{Deserialize, Serialize};

use super::place::LogPlace;
use super::seal::{UNSEALED, from_hex, holds, seal};

/// What seals a head, and what a record: neither can be taken for the other.
const HEAD_SEAL: &str = "headSha256";
const RECORD_SEAL: &str = "recordSha256";

/// The record of a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recorded {
    pub version: u64,
    pub size: u64,
    pub checkpoint_sha256: String,
    /// The hash of the entry of this version.
    pub entry_sha256: String,
    pub table: String,
    /// Of this line.
    record_sha256: String,
}

impl Recorded {
    pub(crate) fn new(place: &LogPlace, size: u64, checkpoint: &[u8; 32], entry: &[u8; 32]) -> Self {
        Self {
            version: place.version,
            size,
            checkpoint_sha256: hex::encode(checkpoint),
            entry_sha256: hex::encode(entry),
            table: place.table.clone(),
            record_sha256: UNSEALED.to_string(),
        }
    }

    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        Ok(seal(serde_json::to_string(self)? + "\n", RECORD_SEAL))
    }

    /// The hashes of the checkpoint and of the entry. An error is why these bytes are no record of this place.
    pub(crate) fn read(bytes: &[u8], place: &LogPlace) -> Result<(Self, [u8; 32], [u8; 32]), &'static str> {
        let record: Self = unsealed(bytes, RECORD_SEAL)?;
        if (record.version, &record.table) != (place.version, &place.table) {
            return Err("it is that of another checkpoint");
        }
        let hashes = from_hex(&record.checkpoint_sha256).zip(from_hex(&record.entry_sha256));
        let (checkpoint, entry) = hashes.ok_or("it has no hashes")?;
        Ok((record, checkpoint, entry))
    }
}

/// The head of an entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Head {
    table: String,
    version: u64,
    /// The hash of all bytes of the entry.
    entry_sha256: String,
    /// The newest checkpoint that its writer knew.
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint: Option<Checkpoint>,
    /// Of this line.
    head_sha256: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct Checkpoint {
    version: u64,
    hash: String,
}

impl Head {
    pub(crate) fn new(place: &LogPlace, entry: &[u8; 32], checkpoint: Option<&Recorded>) -> Self {
        let checkpoint = checkpoint.filter(|recorded| recorded.version <= place.version);
        Self {
            table: place.table.clone(),
            version: place.version,
            entry_sha256: hex::encode(entry),
            checkpoint: checkpoint
                .map(|recorded| Checkpoint { version: recorded.version, hash: recorded.checkpoint_sha256.clone() }),
            head_sha256: UNSEALED.to_string(),
        }
    }

    pub(crate) fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        Ok(seal(serde_json::to_string(self)? + "\n", HEAD_SEAL))
    }

    /// The hash of the entry. An error is why these bytes are no head of this place.
    pub(crate) fn read(bytes: &[u8], place: &LogPlace) -> Result<[u8; 32], &'static str> {
        let head: Self = unsealed(bytes, HEAD_SEAL)?;
        if (head.version, &head.table) != (place.version, &place.table) {
            return Err("it is that of another entry");
        }
        from_hex(&head.entry_sha256).ok_or("it has no hash")
    }
}

fn unsealed<'a, T: Deserialize<'a>>(bytes: &'a [u8], seal: &str) -> Result<T, &'static str> {
    match holds(bytes, seal) {
        Some(true) => serde_json::from_slice(bytes).map_err(|_| "it lacks what it should say"),
        Some(false) | None => Err("its bytes do not give the hash in it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_or_record_is_that_of_its_place_with_every_byte() {
        let place = LogPlace { table: "requests".to_string(), version: 50 };
        let next = LogPlace { version: 51, ..place.clone() };
        let recorded = Recorded::new(&place, 9, &[1; 32], &[2; 32]);
        let head = Head::new(&next, &[3; 32], Some(&recorded)).to_bytes().unwrap();
        assert_eq!(Head::read(&head, &next), Ok([3; 32]));
        assert!(Head::read(&head, &place).is_err());
        assert!(std::str::from_utf8(&head).unwrap().contains(&"01".repeat(32)));
        let record = recorded.to_bytes().unwrap();
        assert_eq!(Recorded::read(&record, &place).unwrap().1, [1; 32]);
        assert!(Recorded::read(&record, &next).is_err() && Head::read(&record, &place).is_err());
        for bytes in [head, record] {
            for at in 0..bytes.len() {
                let mut other = bytes.clone();
                other[at] ^= 1 << (at % 8);
                assert!(Head::read(&other, &next).is_err() && Recorded::read(&other, &place).is_err(), "byte {at}");
                assert!(Head::read(&bytes[..at], &next).is_err() && Recorded::read(&bytes[..at], &place).is_err());
            }
        }
        assert_eq!(place.entry().as_ref(), "requests/_delta_log/00000000000000000050.json");
        assert_eq!(place.head().as_ref(), "requests/_nines/00000000000000000050.head");
    }
}
