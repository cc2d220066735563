//! Whether a file is raw: its rows are single requests, events or samples, without a count.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use nines_store::TableKind;
use serde::de::IgnoredAny;

use crate::columns::Columns;
use crate::formats::separator;
use crate::json_objects::JsonObjects;
use crate::lines::Lines;
use crate::{Format, FromField, IngestError, Result, input};

/// Whether the rows of a file carry no count, as its first record says. An access log's never do, a record's are no rows to
/// count. What cannot be read is not raw: whoever reads it says why.
pub fn is_raw(path: &Path, format: Format, kind: TableKind, from: &[FromField]) -> Result<bool> {
    if !kind.is_series() {
        return Ok(false);
    }
    match format {
        Format::Log => Ok(true),
        Format::Parquet => are_raw(kind, &parquet_columns(path)?, from),
        Format::Csv | Format::JsonLines => {
            first_line(path)?.map_or(Ok(false), |line| is_raw_line(&line, format, kind, from))
        }
        Format::Json => first_object(path).map_or(Ok(false), |object| are_raw(kind, &members(&object), from)),
        Format::Calendar => Ok(false),
    }
}

/// The same, by the first line that is not blank.
pub(crate) fn is_raw_line(line: &[u8], format: Format, kind: TableKind, from: &[FromField]) -> Result<bool> {
    let line = line.trim_ascii_end();
    match format {
        Format::Log => Ok(kind.is_series()),
        Format::Json | Format::Calendar | Format::Parquet => Ok(false),
        // Lines may end in carriage returns, a newline here and there among them.
        Format::Csv => are_raw(kind, &header(line.split(|&byte| byte == b'\r').next().unwrap_or_default()), from),
        Format::JsonLines => are_raw(kind, &members(line), from),
    }
}

/// Whether rows with these columns are single requests, events or samples. Columns that are no row of the table are not: whoever
/// reads them says why.
pub fn are_raw(kind: TableKind, names: &[String], from: &[FromField]) -> Result<bool> {
    if !kind.is_series() {
        return Ok(false);
    }
    let Ok(columns) = Columns::with(kind, from) else { return Ok(false) };
    let found = columns.find_each(names.iter().map(String::as_str));
    Ok(found.is_ok_and(|found| !found.iter().any(|(_, column)| column.is_count())))
}

/// The first line that is not blank.
fn first_line(path: &Path) -> Result<Option<Vec<u8>>> {
    let (_, bytes) = input::open(path, &Arc::default())?;
    let mut lines = Lines::new(&path.display().to_string(), bytes);
    while lines.advance()? {
        if !lines.line().trim_ascii().is_empty() {
            return Ok(Some(lines.line().to_vec()));
        }
    }
    Ok(None)
}

/// The first object of a document.
fn first_object(path: &Path) -> Option<Vec<u8>> {
    let (_, bytes) = input::open(path, &Arc::default()).ok()?;
    let mut objects = JsonObjects::new(Lines::new(&path.display().to_string(), bytes));
    objects.advance().ok()?.then(|| objects.object().to_vec())
}

/// The names in a header line. One that is quoted because it has a separator or a newline in it is no column of ours.
fn header(line: &[u8]) -> Vec<String> {
    let separator = separator(line);
    let name = |field: &[u8]| String::from_utf8_lossy(field).trim().trim_matches('"').trim().to_string();
    line.split(|&byte| byte == separator).map(name).collect()
}

fn members(line: &[u8]) -> Vec<String> {
    serde_json::from_slice::<HashMap<String, IgnoredAny>>(line)
        .map_or_else(|_| Vec::new(), |all| all.into_keys().collect())
}

fn parquet_columns(path: &Path) -> Result<Vec<String>> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| IngestError::io(&name, error))?;
    let names = ParquetRecordBatchReaderBuilder::try_new(file)
        .map(|file| file.schema().fields().iter().map(|field| field.name().clone()).collect());
    Ok(names.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Fills;
    use std::io::Write;

    fn raw(kind: TableKind, format: Format, text: &str) -> bool {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let zone = FromField { fills: Fills::Label("zone".into()), field: "zone".into() };
        is_raw(file.path(), format, kind, &[zone]).unwrap()
    }

    #[test]
    fn rows_without_a_count_are_raw() {
        for (kind, raws, counted) in [
            (
                TableKind::Requests,
                vec![
                    "time,status",
                    "time,status\r1791936000,200\n",
                    "time,zone",
                    "\u{feff}\"status\"\t\"time\"",
                    "time",
                ],
                vec!["time;requests", "time,reqests", "what is this"],
            ),
            (TableKind::Events, vec!["time,name,ok"], vec!["time,good,total", "time,name"]),
            (TableKind::Gauges, vec!["time,value"], vec!["time,samples,sum,min,max,last", "time,sum"]),
            (TableKind::Incidents, vec![], vec!["id,started"]),
        ] {
            raws.iter().for_each(|header| assert!(raw(kind, Format::Csv, &format!("{header}\n1,2\n")), "{header}"));
            counted.iter().for_each(|header| assert!(!raw(kind, Format::Csv, header), "{header}"));
        }
        assert!(raw(TableKind::Requests, Format::JsonLines, "\n{\"time\": 1, \"status\": [{}]}\n{\"requests\": 1}"));
        assert!(!raw(TableKind::Requests, Format::JsonLines, "{\"time\": 1, \"requests\": 2}\n"));
        assert!(!raw(TableKind::Requests, Format::JsonLines, "") && !raw(TableKind::Requests, Format::JsonLines, "["));
        assert!(
            raw(TableKind::Requests, Format::Json, "[\n {\"time\": 1}]")
                && !raw(TableKind::Requests, Format::Json, "[1]")
        );
        assert!(!raw(TableKind::Requests, Format::Json, "[{\"time\": 1,\n \"requests\": 2}]"));
        assert!(raw(TableKind::Requests, Format::Log, ""));
    }
}
