//! Samples of series, as Prometheus and its kin and OpenTelemetry write them: one format per file behind one small trait.
//!
//! | format | what is read |
//! |---|---|
//! | [`text`] | the text exposition format, OpenMetrics, and what `promtool tsdb dump` prints: a sample per line, with its time |
//! | [`query_json`] | answers of `query` and `query_range` |
//! | [`export_lines`] | what `/api/v1/export` of VictoriaMetrics gives: a series per line |
//! | [`otlp`] | metrics of OpenTelemetry, as JSON and as protobuf |
//!
//! A reader hands on one sample after the other and keeps nothing of them, but for the series of JSON that is being read. Samples of
//! a series may come in any order, and again.

mod bounds;
mod export_lines;
mod json_error;
mod labels;
mod long_lines;
mod native;
mod numbers;
mod objects;
mod otlp;
mod query_json;
mod reader;
mod sample;
mod sink;
mod text;
mod text_histogram;

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use crate::lines::Lines;
use crate::{ErrorKind, IngestError, Progress, Rejected, Result, input};

pub use labels::Labels;
pub use native::NativeHistogram;
pub(crate) use native::whole;
pub(crate) use reader::Reader;
pub use sample::{Sample, Temporality, Value};
pub(crate) use sink::Sink;

/// What a file was.
pub(crate) struct FileRead {
    /// Its format, for a person.
    pub format: String,
    /// Where it ends within a message, so that the rest of it is not written yet.
    pub cut: Option<String>,
}

/// Reads a file of samples. Its first bytes say which of the formats it has; it may be packed. What is refused ends the reading, or is
/// written into `rejected`.
pub(crate) fn read_file(
    path: &Path,
    progress: &Arc<Progress>,
    rejected: Option<&Rejected>,
    take: &mut dyn FnMut(Sample) -> Result<()>,
) -> Result<FileRead> {
    let name = path.display().to_string();
    let (head, input) = input::open_bytes(path, progress)?;
    let mut reader = reader(&name, head, input)?;
    let mut sink = Sink::new(&name, take, rejected);
    reader.read(&mut sink).map_err(|error| error.in_file(&name))?;
    Ok(FileRead { format: reader.format(), cut: reader.cut() })
}

/// Reads samples of a text that errors call `name`.
pub fn read_bytes(name: &str, text: Vec<u8>, take: &mut dyn FnMut(Sample) -> Result<()>) -> Result<()> {
    let head = text.get(..text.len().min(4096)).unwrap_or_default().to_vec();
    let mut reader = reader(name, head, Box::new(std::io::Cursor::new(text)))?;
    reader.read(&mut Sink::new(name, take, None)).map_err(|error| error.in_file(name))
}

fn reader(name: &str, head: Vec<u8>, input: input::Bytes) -> Result<Box<dyn Reader>> {
    if let Some(encoding) = otlp::detect(&head) {
        return Ok(Box::new(otlp::Otlp::new(name, encoding, input)));
    }
    let (head, input) = input::text(name, head, input)?;
    let start = head.trim_ascii_start();
    if start.is_empty() {
        return Err(unknown("the file is empty").in_file(name));
    }
    let key = |name: &str| {
        let rest = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    Ok(if otlp::KEYS.into_iter().any(key) {
        Box::new(otlp::Otlp::new(name, otlp::Encoding::Json, input))
    } else if export_lines::KEYS.into_iter().any(key) {
        Box::new(export_lines::ExportLines::new(name, BufReader::new(input)))
    } else if ["\"status\"", "\"data\"", "\"resultType\"", "\"result\""].into_iter().any(key) {
        Box::new(query_json::QueryJson::new(BufReader::new(input)))
    } else if start.starts_with(b"[") || start.starts_with(b"<") {
        return Err(unknown("this is none of the formats of samples").in_file(name));
    } else {
        Box::new(text::Text::new(Lines::new(name, input)))
    })
}

fn unknown(problem: &str) -> IngestError {
    IngestError::new(ErrorKind::UnknownFormat, problem).expected(
        "the text format of Prometheus or OpenMetrics with times, what promtool tsdb dump prints, an answer of query or \
         query_range, lines of VictoriaMetrics' /api/v1/export, or metrics of OTLP as JSON or protobuf",
    )
}
