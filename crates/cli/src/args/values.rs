//! How values on the command line are read. What is wrong with one is said by clap, after its own words.

use std::sync::Arc;

use nines_engine::Zone;
use nines_engine::ingest::{Format, IngestError, LatencyUnit, LogFormat, RepeatedHour, Template};
use nines_engine::store::TableKind;

/// A choice, or leave it to the program. (clap treats an `Option` as "may be left out".)
#[derive(Debug, Clone)]
pub(crate) struct Auto<T>(pub Option<T>);

pub(super) fn table(name: &str) -> Result<TableKind, String> {
    let names = TableKind::INGESTED.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let kind = TableKind::from_name(name).ok_or_else(|| format!("expected one of {names}; or prometheus, or otlp"))?;
    match kind.kept_by_nines() {
        Some(instead) => Err(format!("{name} is not loaded from files; {instead}")),
        None => Ok(kind),
    }
}

/// A table of the store, whoever fills it.
pub(super) fn any_table(name: &str) -> Result<TableKind, String> {
    let names = || TableKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    TableKind::from_name(name).ok_or_else(|| format!("expected one of {}", names()))
}

pub(super) fn repeated_hour(text: &str) -> Result<RepeatedHour, String> {
    match text {
        "first" => Ok(RepeatedHour::First),
        "second" => Ok(RepeatedHour::Second),
        _ => Err("expected first or second".to_string()),
    }
}

pub(super) fn input_format(name: &str) -> Result<Auto<Format>, String> {
    if name == "auto" {
        return Ok(Auto(None));
    }
    let found = Format::ALL.iter().copied().find(|format| format.name() == name);
    let names = Format::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    found.map(|format| Auto(Some(format))).ok_or_else(|| format!("expected auto, {names}"))
}

pub(super) fn log_format(text: &str) -> Result<Arc<LogFormat>, String> {
    LogFormat::read(text).map(Arc::new).map_err(|error| error.to_string())
}

pub(super) fn template(text: &str) -> Result<Template, String> {
    text.parse().map_err(|error: IngestError| error.to_string())
}

pub(super) fn latency_unit(name: &str) -> Result<LatencyUnit, String> {
    LatencyUnit::ALL.into_iter().find(|unit| unit.name() == name).ok_or_else(|| "expected s, ms, us or ns".to_string())
}

pub(super) fn time_zone(name: &str) -> Result<Zone, String> {
    name.parse().map_err(|error: nines_engine::EngineError| error.to_string())
}

pub(super) fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim_start_matches('$').to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

/// A number and a unit.
pub(super) fn quantity(text: &str) -> Option<(f64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit.trim()))
}

/// `15s`, `1m`, `60`.
pub(super) fn seconds(text: &str) -> Result<i64, String> {
    let width = quantity(text).and_then(|(number, unit)| {
        let unit = match unit {
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return None,
        };
        Some(number * unit)
    });
    match width {
        Some(width) if width >= 1.0 && width.fract() == 0.0 => Ok(width as i64),
        _ => Err("expected whole seconds, such as 60s, 15s, 1m, 1h or 1d".to_string()),
    }
}

/// `512MB`, `4GiB`, `4G`.
pub(super) fn bytes(text: &str) -> Result<usize, String> {
    let size = quantity(text).and_then(|(number, unit)| {
        let unit = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        Some(number * unit)
    });
    match size {
        Some(size) if size >= 1e6 => Ok(size as usize),
        Some(_) => Err("expected at least 1MB".to_string()),
        None => Err("expected a size, such as 512MB or 4GiB".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_and_sizes() {
        assert_eq!(seconds("15s"), Ok(15));
        assert_eq!(seconds("1m"), Ok(60));
        assert_eq!(seconds("1d"), Ok(86_400));
        assert!(seconds("0.5s").is_err() && seconds("1w").is_err() && seconds("").is_err());
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert!(bytes("12").is_err() && bytes("lots").is_err());
    }
}
