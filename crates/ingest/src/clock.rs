//! What time it is. The one place that asks the machine's clock about history: `NINES_NOW` sets it, so that examples and tests
//! say the same on any day. The log of a table keeps the machine's own time.

use std::sync::OnceLock;

use chrono::Utc;
use chrono_tz::Tz;

/// The environment variable with an instant such as `2026-11-22T05:00:00Z`; without a zone it is in UTC.
pub const NOW: &str = "NINES_NOW";

/// The instant to which the clock is set; `None` if it goes on by itself. The error says what was expected.
pub fn set() -> Result<Option<i64>, String> {
    static SET: OnceLock<Result<Option<i64>, String>> = OnceLock::new();
    SET.get_or_init(|| read(std::env::var(NOW).ok())).clone()
}

fn read(value: Option<String>) -> Result<Option<i64>, String> {
    let Some(text) = value.filter(|text| !text.trim().is_empty()) else { return Ok(None) };
    match crate::instant(&text, Tz::UTC) {
        Ok(at) => Ok(Some(at)),
        Err(expected) => Err(format!("{NOW} is '{text}'; expected {expected}")),
    }
}

/// Now, in µs since the epoch. A value of `NINES_NOW` that cannot be read counts for nothing; [`set`] says so.
pub fn now() -> i64 {
    set().ok().flatten().unwrap_or_else(|| Utc::now().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clock_is_set_by_any_time_that_a_person_writes() {
        let read = |text: &str| read(Some(text.to_string()));
        assert_eq!(read("2026-11-22T05:00:00Z"), Ok(Some(1_795_323_600_000_000)));
        assert_eq!(read("2026-11-22 05:00"), Ok(Some(1_795_323_600_000_000)));
        assert_eq!(read(""), Ok(None));
        assert!(read("noon").unwrap_err().starts_with("NINES_NOW is 'noon'; expected a time as 2026-10-03T09:12:00Z"));
    }
}
