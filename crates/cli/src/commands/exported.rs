//! `nines credits --statements`: statements for another program, a row each.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, SecondsFormat};
use chrono_tz::Tz;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::datatypes::{DataType, Field, Schema, TimestampMicrosecondType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_engine::slo::PeriodName;
use nines_engine::{ExportedStatements, Session};

use super::outcome::Outcome;
use super::statements::many;
use crate::error::Result;
use crate::output::{Format, Output, note};

/// The columns that a person looks at first.
const SHOWN: [&str; 10] = [
    "agreement",
    "customer",
    "service",
    "period",
    "revision",
    "number",
    "availability",
    "amount",
    "currency",
    "status",
];

/// The columns whose names a person has chosen.
const NAMES: [&str; 5] = ["agreement", "customer", "service", "business", "number"];

/// Prints statements. In text the times of each are those of its agreement's zone.
pub(super) async fn show(
    session: &Session,
    all: &[(PeriodName, ExportedStatements)],
    format: Option<Format>,
    file: Option<&Path>,
) -> Result<()> {
    let Some((_, first)) = all.first() else { return Ok(()) };
    let rows = concat_batches(first.rows.schema_ref(), all.iter().map(|(_, statements)| &statements.rows))?;
    let format = match (format, file) {
        (Some(format), _) => format,
        (None, Some(file)) => Format::of_file(file)?,
        (None, None) => Format::Table,
    };
    if format == Format::Csv {
        let names = NAMES.iter().filter_map(|name| rows.column_by_name(name)?.as_string_view_opt());
        formulas(names.flat_map(|names| names.iter().flatten()));
    }
    let rows = match format {
        Format::Table | Format::Markdown => {
            let shown = SHOWN.iter().filter_map(|name| rows.schema_ref().index_of(name).ok()).collect::<Vec<_>>();
            rows.project(&shown)?
        }
        Format::Csv | Format::Json | Format::Jsonl => with_offsets(&rows)?,
        Format::Parquet | Format::Arrow => rows,
    };
    let output = Output { format, file, time_zone: session.settings().time_zone.name() };
    let schema = rows.schema();
    let rows = futures::stream::iter([Ok(rows)]);
    output.write(schema.clone(), Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await?;
    Ok(())
}

/// Says what is not among the statements, and what to do about it.
pub(super) fn tell(statements: &ExportedStatements, period: PeriodName, outcome: &mut Outcome) {
    if let Some(why) = &statements.unknown {
        note(format_args!("note: what waits for a fee in {period} is not known, or not all of it: {why}"));
    }
    if statements.due > 0 {
        let what = many(statements.due, "credit");
        let are = if statements.due == 1 { "is" } else { "are" };
        note(format_args!("note: {what} of {period} {are} not issued yet: nines credits {period} --issue"));
    }
    if statements.rows.num_rows() == 0 {
        outcome
            .nothing
            .push(format!("there is no statement for {period}: nothing was issued, and nothing waits for a fee"));
    }
}

/// Tells of names that a spreadsheet would run.
pub(super) fn formulas<'a>(names: impl Iterator<Item = &'a str>) {
    let runs = |text: &&str| text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let found: BTreeSet<&str> = names.filter(runs).collect();
    if let Some(first) = found.first() {
        let all = found.len();
        let names = if all == 1 { "a name begins".to_string() } else { format!("{all} names begin") };
        note(format_args!(
            "note: {names} as a formula does, the first is '{first}': a spreadsheet would run it; import the column as text"
        ));
    }
}

/// Rows whose times are text, each with the offset of its agreement's zone.
fn with_offsets(rows: &RecordBatch) -> Result<RecordBatch> {
    let zones = rows.column_by_name("time_zone").and_then(|zones| zones.as_string_view_opt());
    let zone = |row: usize| zones.and_then(|zones| zones.value(row).parse::<Tz>().ok()).unwrap_or(Tz::UTC);
    let (mut fields, mut columns) = (Vec::new(), Vec::<ArrayRef>::new());
    for (field, column) in rows.schema_ref().fields().iter().zip(rows.columns()) {
        match column.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(times) => {
                let text = |row: usize| {
                    let at = DateTime::from_timestamp_micros(times.value(row)).filter(|_| times.is_valid(row))?;
                    Some(at.with_timezone(&zone(row)).to_rfc3339_opts(SecondsFormat::AutoSi, false))
                };
                fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
                columns.push(Arc::new((0..times.len()).map(text).collect::<StringArray>()));
            }
            None => {
                fields.push(Arc::clone(field));
                columns.push(Arc::clone(column));
            }
        }
    }
    Ok(RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)?)
}
