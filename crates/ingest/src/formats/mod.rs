//! One file per format. A text format is [`Records`]; [`Combined`] adds its records to the table's rows
//! and hands out batches.

mod csv;
pub(crate) mod delimited;
mod json;
pub(crate) mod json_lines;
mod log;
pub(crate) mod log_line;
mod parquet;
mod records;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use nines_store::TableKind;

pub(crate) use delimited::separator;
pub(crate) use records::{BatchesOfOne, Combined, Records};

use crate::calendar;
use crate::lines::Lines;
use crate::rows::{Events, Gauges, RecordRows, Requests, Rows, SeriesRows};
use crate::{ErrorKind, Format, IngestError, Options, Progress, Rejected, Result};

/// The batches of a text input.
pub(crate) fn text(
    format: Format,
    lines: Lines,
    options: &Options,
    progress: &Arc<Progress>,
    stop: &Arc<AtomicBool>,
) -> Result<BatchesOfOne> {
    let rejected = options.rejected.clone();
    let input = Input { format, kind: options.kind, lines, rejected, progress, stop };
    match (options.kind, format) {
        (TableKind::Requests, Format::Log) => input.log(SeriesRows::new(options, format)?, options),
        (TableKind::Requests, Format::Csv | Format::JsonLines | Format::Json | Format::Calendar | Format::Parquet) => {
            input.by_column(SeriesRows::<Requests>::new(options, format)?)
        }
        (TableKind::Events, _) => input.by_column(SeriesRows::<Events>::new(options, format)?),
        (TableKind::Gauges, _) => input.by_column(SeriesRows::<Gauges>::new(options, format)?),
        _ => input.by_column(RecordRows::new(options)?),
    }
}

/// A text input about to be read.
struct Input<'a> {
    format: Format,
    kind: TableKind,
    lines: Lines,
    rejected: Option<Arc<Rejected>>,
    progress: &'a Arc<Progress>,
    stop: &'a Arc<AtomicBool>,
}

impl Input<'_> {
    /// A format whose fields name their columns.
    fn by_column<R: Rows + 'static>(self, rows: R) -> Result<BatchesOfOne> {
        let (progress, stop, name) = (self.progress, self.stop, self.lines.name().to_string());
        let records: Box<dyn Records<R>> = match self.format {
            Format::Csv => Box::new(csv::Csv::new(self.lines, rows.columns(), Some(progress))?),
            Format::JsonLines => Box::new(json_lines::JsonLines::new(self.lines)),
            Format::Json => Box::new(json::Json::new(self.lines)),
            Format::Calendar => return Err(calendar::unmapped(self.kind).in_file(name)),
            Format::Log => {
                let problem = format!("an access log holds no {}", self.kind.name());
                return Err(IngestError::new(ErrorKind::Options, problem)
                    .in_file(name)
                    .advice("Ingest it into the table requests"));
            }
            Format::Parquet => {
                return Err(IngestError::new(ErrorKind::Options, "Parquet cannot be read from a stream")
                    .in_file(name)
                    .advice("Put it into a file and name that"));
            }
        };
        Ok(Combined::batches(name, records, rows, self.rejected, progress, stop))
    }

    fn log(self, rows: SeriesRows<Requests>, options: &Options) -> Result<BatchesOfOne> {
        let name = self.lines.name().to_string();
        let records = Box::new(log::AccessLog::new(self.lines, rows.columns(), options, self.progress)?);
        Ok(Combined::batches(name, records, rows, self.rejected, self.progress, self.stop))
    }
}

/// The records of a text format, to look at their times before they are read.
pub(crate) fn looked_at<R: Rows>(
    format: Format,
    lines: Lines,
    options: &Options,
    rows: &R,
) -> Result<Option<Box<dyn Records<R>>>> {
    Ok(match format {
        Format::Csv => Some(Box::new(csv::Csv::new(lines, rows.columns(), None)?)),
        Format::JsonLines => Some(Box::new(json_lines::JsonLines::new(lines))),
        Format::Json => Some(Box::new(json::Json::new(lines))),
        Format::Log => Some(Box::new(log::TimesOfLog::new(lines, options)?)),
        Format::Calendar | Format::Parquet => None,
    })
}

/// The batches of a Parquet file.
pub(crate) fn parquet(path: &Path, options: &Options, progress: &Arc<Progress>) -> Result<BatchesOfOne> {
    Ok(Box::new(parquet::Parquet::open(path, options, Arc::clone(progress))?))
}
