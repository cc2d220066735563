//! The names of data files, which say what a reader has to know before it trusts a byte.
//!
//! - `k2-<content>-<id>-<tail length>-<CRC32C of the tail>.parquet`: sorted by the table's key. The sums of its blocks stand in
//!   its footer, which is in its tail (see [`write::blocks`](crate::write)). *content* names the rows: a change of data gives a
//!   file a random one, a rewrite of the same rows keeps the sum of those that it replaces.
//! - `k1-<id>-<CRC32C of the file>.parquet`: the older form, sorted as well.
//! - Any other name is foreign: another Delta writer's, about whose bytes and order nothing is known.

use std::fmt;

/// The name of a data file of ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileName {
    /// `k2-`
    Blocks { content: u64, id: u128, tail: u64, crc: u32 },
    /// `k1-`
    Whole { id: u128, crc: u32 },
}

impl FileName {
    /// A name that nobody else has, for a file whose rows are called `content`.
    pub(crate) fn new(content: u64, tail: u64, crc: u32) -> Self {
        Self::Blocks { content, id: uuid::Uuid::new_v4().as_u128(), tail, crc }
    }

    /// Reads a name without the folders before it; `None` if it is foreign.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let mut parts = name.strip_suffix(".parquet")?.split('-');
        let parsed = match parts.next()? {
            "k2" => Self::Blocks {
                content: u64::from_str_radix(parts.next()?, 16).ok()?,
                id: u128::from_str_radix(parts.next()?, 16).ok()?,
                tail: parts.next()?.parse().ok()?,
                crc: u32::from_str_radix(parts.next()?, 16).ok()?,
            },
            "k1" => Self::Whole {
                id: u128::from_str_radix(parts.next()?, 16).ok()?,
                crc: u32::from_str_radix(parts.next()?, 16).ok()?,
            },
            _ => return None,
        };
        // Only the one way to write a name is it: with other digits or anything behind, it is somebody else's.
        (parsed.to_string() == name).then_some(parsed)
    }

    /// Bytes of the file's end in which its footer and indexes are, where the name says so.
    pub(crate) fn tail(&self) -> Option<u64> {
        match self {
            Self::Blocks { tail, .. } => Some(*tail),
            Self::Whole { .. } => None,
        }
    }
}

impl fmt::Display for FileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blocks { content, id, tail, crc } => {
                write!(f, "k2-{content:016x}-{id:032x}-{tail}-{crc:08x}.parquet")
            }
            Self::Whole { id, crc } => write!(f, "k1-{id:032x}-{crc:08x}.parquet"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::FileName;

    #[test]
    fn names_are_read_as_they_are_written_and_no_other_way() {
        let new = FileName::Blocks { content: 7, id: 9, tail: 3210, crc: 0xabc };
        assert_eq!(new.to_string(), "k2-0000000000000007-00000000000000000000000000000009-3210-00000abc.parquet");
        for name in [new, FileName::Whole { id: u128::MAX, crc: u32::MAX }, FileName::new(u64::MAX, 1, 0)] {
            let told = name.to_string();
            assert_eq!(FileName::parse(&told), Some(name));
            for (at, byte) in told.bytes().enumerate() {
                let mut other = told.clone().into_bytes();
                other[at] ^= 0x20;
                let other = String::from_utf8(other).unwrap();
                assert_ne!(FileName::parse(&other), Some(name), "{} for {}", other, byte as char);
            }
            assert_eq!(FileName::parse(&told[1..]), None);
            assert_eq!(FileName::parse(&format!("{told}#1")), None);
        }
        assert_eq!(FileName::parse("part-00000-aa-c000.snappy.parquet"), None);
        assert_eq!(FileName::parse("k1-.parquet"), None);
    }
}
