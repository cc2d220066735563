//! Versions of nines, as they stand in a store: `1.2.3`.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A version of nines, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version(pub u64, pub u64, pub u64);

impl Version {
    /// That of this program.
    pub(crate) const OURS: Version = match Version::parse(env!("CARGO_PKG_VERSION")) {
        Some(version) => version,
        None => panic!("the version of the package is not of three numbers"),
    };

    /// Reads three numbers between points.
    const fn parse(text: &str) -> Option<Self> {
        let (bytes, mut numbers, mut at, mut digits) = (text.as_bytes(), [0u64; 3], 0, 0);
        let mut i = 0;
        while i < bytes.len() {
            match bytes[i] {
                digit @ b'0'..=b'9' if digits < 9 => {
                    numbers[at] = numbers[at] * 10 + (digit - b'0') as u64;
                    digits += 1;
                }
                b'.' if at < 2 && digits > 0 => {
                    at += 1;
                    digits = 0;
                }
                _ => return None,
            }
            i += 1;
        }
        if at == 2 && digits > 0 { Some(Version(numbers[0], numbers[1], numbers[2])) } else { None }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Version {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let unfit = || serde::de::Error::custom(format_args!("{text:?} is no version of nines, as 1.2.3"));
        Version::parse(&text).ok_or_else(unfit)
    }
}

#[cfg(test)]
mod tests {
    use super::Version;

    #[test]
    fn versions_are_three_numbers_in_order() {
        assert_eq!(Version::parse("0.1.0"), Some(Version(0, 1, 0)));
        assert_eq!(Version::parse("12.0.345").unwrap().to_string(), "12.0.345");
        assert!(Version::parse("0.10.0") > Version::parse("0.9.9"));
        for text in ["", "1", "1.2", "1.2.", "1..2", ".1.2", "1.2.3.4", "1.2.3-rc", "1.2.x", "1.2.9999999999"] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
    }
}
