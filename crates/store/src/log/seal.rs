//! Objects of the log that state their own hash, and who wrote an entry.
//!
//! A sealed text is a line of JSON (or several, the first of which counts) with a field that holds the SHA-256 of all of its
//! bytes, these 64 digits taken as zeros.

use serde_json::Value;

use crate::digest::sha256;

/// The field of an entry's `commitInfo` that seals it.
pub(crate) const ENTRY_SEAL: &str = "entrySha256";
/// What stands for a hash that is not known yet.
pub(crate) const UNSEALED: &str = "0000000000000000000000000000000000000000000000000000000000000000";

/// Puts the hash of a text into the field of its first line, where [`UNSEALED`] stands.
pub(crate) fn seal(text: String, field: &str) -> Vec<u8> {
    let mut bytes = text.into_bytes();
    if let Some(at) = digits_at(&bytes, field) {
        let hash = hex::encode(sha256(&bytes));
        bytes[at..at + UNSEALED.len()].copy_from_slice(hash.as_bytes());
    }
    bytes
}

/// Whether bytes give the hash in this field; `None` if they have no such field.
pub(crate) fn holds(bytes: &[u8], field: &str) -> Option<bool> {
    let at = digits_at(bytes, field)?;
    let mut unsealed = bytes.to_vec();
    let sealed = unsealed.get(at..at + UNSEALED.len())?.to_vec();
    unsealed[at..at + UNSEALED.len()].copy_from_slice(UNSEALED.as_bytes());
    Some(hex::encode(sha256(&unsealed)).as_bytes() == sealed)
}

/// Where the digits of a field begin in the first line.
fn digits_at(bytes: &[u8], field: &str) -> Option<usize> {
    let line = bytes.split(|byte| *byte == b'\n').next()?;
    let before = format!("\"{field}\":\"");
    let at = line.windows(before.len()).position(|window| window == before.as_bytes())? + before.len();
    (line.get(at + UNSEALED.len()) == Some(&b'"')).then_some(at)
}

/// Who wrote an entry of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// This program; its own hash holds.
    Nines,
    /// This program, before entries had a hash of their own: the entry after it has one of it.
    Older,
    /// Another Delta writer. Nobody can tell whether it is as it was written.
    Foreign,
}

/// What the bytes of an entry say of themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Examined {
    pub origin: Origin,
    /// The hash of all bytes.
    pub hash: [u8; 32],
    /// The hash of the entry before.
    pub previous: Option<[u8; 32]>,
}

/// The hash of the entry before, as an entry says it.
pub(crate) fn previous(entry: &[u8]) -> Option<[u8; 32]> {
    let first: Value = serde_json::from_slice(entry.split(|byte| *byte == b'\n').next()?).ok()?;
    from_hex(first["commitInfo"]["previousEntrySha256"].as_str()?)
}

/// Reads what an entry says of itself. An error is why it cannot be one of this table and version.
pub(crate) fn examine(bytes: &[u8], table: &str, version: u64) -> Result<Examined, String> {
    let lines = || bytes.split(|byte| *byte == b'\n').filter(|line| !line.iter().all(u8::is_ascii_whitespace));
    let Some(first) = lines().next() else { return Err("it is empty".to_string()) };
    let parsed = |line: &[u8]| serde_json::from_slice::<Value>(line).ok().filter(Value::is_object);
    let Some(first) = parsed(first) else { return Err("its first line is no JSON".to_string()) };
    let said = |field: &str| first["commitInfo"][field].as_str();
    let examined =
        |origin| Examined { origin, hash: sha256(bytes), previous: said("previousEntrySha256").and_then(from_hex) };
    match holds(bytes, ENTRY_SEAL) {
        Some(false) => return Err("its bytes do not give the hash in it".to_string()),
        Some(true) => {
            let (of, at) = (said("table").unwrap_or_default(), first["commitInfo"]["version"].as_u64());
            if (of, at) != (table, Some(version)) {
                let at = at.map_or("no version".to_string(), |at| format!("version {at}"));
                return Err(format!("it holds {at} of {of}"));
            }
            return Ok(examined(Origin::Nines));
        }
        None => {}
    }
    // Only a hash says of other lines that they are what was written; here they are at least lines of an entry.
    if let Some(at) = lines().position(|line| parsed(line).is_none()) {
        return Err(format!("its line {} is no JSON", at + 1));
    }
    let ours = said("engineInfo").is_some_and(|by| by.starts_with("nines "));
    let chained = said("previousEntrySha256").is_some() || version == 0;
    Ok(examined(if ours && chained { Origin::Older } else { Origin::Foreign }))
}

/// The hash that 64 digits stand for.
pub(crate) fn from_hex(digits: &str) -> Option<[u8; 32]> {
    let mut hash = [0; 32];
    hex::decode_to_slice(digits, &mut hash).ok().map(|()| hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(version: u64) -> Vec<u8> {
        let text = format!(
            "{{\"commitInfo\":{{\"engineInfo\":\"nines 0.1.0\",\"entrySha256\":\"{UNSEALED}\",\"previousEntrySha256\":\"{}\",\
             \"table\":\"requests\",\"version\":{version}}}}}\n{{\"txn\":{{\"appId\":\"a\",\"version\":1}}}}\n",
            "ab".repeat(32)
        );
        seal(text, ENTRY_SEAL)
    }

    #[test]
    fn an_entry_is_that_of_its_table_and_version_with_every_byte() {
        let bytes = entry(7);
        let examined = examine(&bytes, "requests", 7).unwrap();
        assert_eq!((examined.origin, examined.previous), (Origin::Nines, Some([0xab; 32])));
        assert_eq!(examine(&bytes, "requests", 8).unwrap_err(), "it holds version 7 of requests");
        assert_eq!(examine(&bytes, "events", 7).unwrap_err(), "it holds version 7 of requests");
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1 << (at % 8);
            // What no longer says that it has a hash is known by its head.
            if let Ok(found) = examine(&other, "requests", 7) {
                assert!(found.origin != Origin::Nines && found.hash != examined.hash, "byte {at}");
            }
            assert!(examine(&bytes[..at], "requests", 7).is_err(), "{at} bytes");
        }
    }

    #[test]
    fn who_wrote_an_entry_is_told() {
        let of = |text: &str, version| examine(text.as_bytes(), "requests", version).map(|examined| examined.origin);
        let older = r#"{"commitInfo":{"engineInfo":"nines 0.1.0","previousEntrySha256":"00"}}"#;
        assert_eq!(of(older, 3), Ok(Origin::Older));
        assert_eq!(of(r#"{"commitInfo":{"engineInfo":"nines 0.1.0"}}"#, 0), Ok(Origin::Older));
        assert_eq!(of(r#"{"commitInfo":{"engineInfo":"nines 0.1.0"}}"#, 1), Ok(Origin::Foreign));
        assert_eq!(of("{\"add\":{}}\n{\"commitInfo\":{\"engineInfo\":\"Apache-Spark\"}}", 3), Ok(Origin::Foreign));
        assert_eq!(of("{\"add\":{}}\nadd", 3).unwrap_err(), "its line 2 is no JSON");
        assert_eq!(of("", 3).unwrap_err(), "it is empty");
    }
}
