//! Samples of series, as Prometheus and its kin write them: one format per file behind one small trait.
//!
//! | format | what is read |
//! |---|---|
//! | [`text`] | the text exposition format, OpenMetrics, and what `promtool tsdb dump` prints: a sample per line, with its time |
//! | [`query_json`] | answers of `query` and `query_range` |
//! | [`export_lines`] | what `/api/v1/export` of VictoriaMetrics gives: a series per line |
//!
//! A reader hands on one sample after the other and keeps nothing of them, but for the series of JSON that is being read. Samples of
//! a series may come in any order, and again.

mod bounds;
mod export_lines;
mod labels;
mod native;
mod numbers;
mod query_json;
mod sample;
mod text;
mod text_histogram;

use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use crate::lines::Lines;
use crate::{ErrorKind, IngestError, Progress, Result, input};

pub use labels::Labels;
pub use native::NativeHistogram;
pub(crate) use native::whole;
pub(crate) use sample::Reader;
pub use sample::{Sample, Value};

/// Reads a file of samples. Its first bytes say which of the formats it has; it may be packed by gzip or zstd.
pub fn read_file(path: &Path, progress: &Arc<Progress>, take: &mut dyn FnMut(Sample) -> Result<()>) -> Result<()> {
    let name = path.display().to_string();
    let (head, input) = input::open(path, progress)?;
    reader(&name, &head, input)?.read(take).map_err(|error| error.in_file(name))
}

/// Reads samples of a text that errors call `name`.
pub fn read_bytes(name: &str, text: Vec<u8>, take: &mut dyn FnMut(Sample) -> Result<()>) -> Result<()> {
    let head = text.get(..text.len().min(4096)).unwrap_or_default().to_vec();
    reader(name, &head, Box::new(std::io::Cursor::new(text)))?.read(take).map_err(|error| error.in_file(name))
}

fn reader(name: &str, head: &[u8], input: input::Bytes) -> Result<Box<dyn Reader>> {
    let start = head.trim_ascii_start();
    if start.is_empty() {
        return Err(unknown("the file is empty").in_file(name));
    }
    let key = |name: &str| {
        let rest = start.strip_prefix(b"{").map(<[u8]>::trim_ascii_start);
        rest.is_some_and(|rest| rest.starts_with(name.as_bytes()))
    };
    Ok(if key("\"metric\"") || key("\"values\"") || key("\"timestamps\"") {
        Box::new(export_lines::ExportLines::new(BufReader::new(input)))
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
         query_range, or lines of VictoriaMetrics' /api/v1/export",
    )
}
