//! Instants and errors, as people read them.

use chrono_tz::Tz;

use crate::EngineError;

/// An instant as people read it.
pub(super) fn shown(at: i64, zone: Tz) -> String {
    let Some(at) = chrono::DateTime::from_timestamp_micros(at) else { return at.to_string() };
    let suffix = if zone == Tz::UTC { "Z" } else { "%:z" };
    let seconds = match (at.timestamp_subsec_micros(), at.timestamp_subsec_micros() % 1000) {
        (0, _) => "%Y-%m-%d %H:%M:%S",
        (_, 0) => "%Y-%m-%d %H:%M:%S%.3f",
        _ => "%Y-%m-%d %H:%M:%S%.6f",
    };
    at.with_timezone(&zone).format(&format!("{seconds}{suffix}")).to_string()
}

pub(super) fn usage(message: String) -> EngineError {
    EngineError::Usage(message)
}
