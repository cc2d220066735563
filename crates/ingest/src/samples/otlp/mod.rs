//! Metrics of OpenTelemetry as its collector's `file` exporter writes them, and single messages.
//!
//! | encoding | what is read |
//! |---|---|
//! | [`json`] | OTLP/JSON, a message after the other, mostly one per line |
//! | [`protobuf`] | a message of protobuf, `ExportMetricsServiceRequest` or `MetricsData` |
//! | [`frames`] | messages of either, each behind its length and perhaps packed by zstd: `format: proto`, or `compression: zstd` |
//!
//! Attributes of point, scope and resource are the labels of a series ([`series`]). A histogram is the series that Prometheus makes
//! of it: `…_bucket` with `le`, `…_sum` and `…_count`. What is held is a message of protobuf and one of its points, or the metrics of
//! one resource of JSON; both are bounded.

mod found;
mod frames;
mod json;
mod json_numbers;
mod longest;
mod messages;
mod metric;
mod point;
mod protobuf;
mod series;
#[cfg(test)]
mod tests;
mod wire;

use std::io::{BufReader, Read};

use super::objects::{Next, Objects};
use super::{Reader, Sink};
use crate::{IngestError, Result, input};
use found::Found;
use frames::Frames;
use json::{Failed, Take};
use longest::{LONGEST, too_long};
use series::Series;
use wire::Message;

/// How a file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Json,
    Protobuf,
    Frames,
}

/// Keys with which OTLP/JSON begins: of metrics, and of what is left out.
pub(super) const KEYS: [&str; 4] =
    ["\"resourceMetrics\"", "\"resourceSpans\"", "\"resourceLogs\"", "\"resourceProfiles\""];

/// Whether a file begins as protobuf does, or as messages with their lengths do.
pub(super) fn detect(head: &[u8]) -> Option<Encoding> {
    // Lengths of 64 MiB and more are refused. A message begins with its only field, as an object of JSON, or as zstd does.
    if head.first().is_some_and(|first| *first <= 4) && matches!(head.get(4), Some(b'\n' | b'{' | 0x28)) {
        return Some(Encoding::Frames);
    }
    // A list of resources is the only field; a text may begin with an empty line, but has no bytes such as lengths and times.
    let is_text =
        std::str::from_utf8(head).is_ok_and(|text| !text.chars().any(|c| c.is_control() && !c.is_whitespace()));
    (head.starts_with(b"\n") && !is_text).then_some(Encoding::Protobuf)
}

/// A file of metrics.
pub(super) struct Otlp {
    encoding: Encoding,
    input: input::Bytes,
    found: Found,
    /// What to call the file in messages.
    name: String,
    cut: Option<String>,
}

impl Otlp {
    pub(super) fn new(name: &str, encoding: Encoding, input: input::Bytes) -> Self {
        Otlp { encoding, input, found: Found::default(), name: name.to_string(), cut: None }
    }
}

impl Reader for Otlp {
    fn read(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        let (mut series, found) = (Series::default(), &mut self.found);
        let mut cut_at = None;
        match self.encoding {
            // One message after the other, each to be left out by itself; else one resource after the other, which takes less memory.
            Encoding::Json if sink.is_lenient() => {
                let input = BufReader::with_capacity(64 << 10, &mut self.input);
                let mut messages = Objects::new(&self.name, input, LONGEST, &KEYS);
                loop {
                    let next = messages.advance()?;
                    let place = messages.place();
                    let bytes = messages.found();
                    if next == Next::End {
                        break;
                    }
                    let message = |take: &mut Take<'_>| match json::read_one(bytes, &mut series, found, take) {
                        // The rest is not written yet.
                        Err(Failed::Cut(_)) if next == Next::Cut => Ok(()),
                        read => read.map_err(Failed::refused),
                    };
                    let text = || String::from_utf8_lossy(bytes).into_owned();
                    sink.message(message, |error| place.of(error), text)?;
                    if next == Next::Cut {
                        cut_at = Some(format!("line {}", messages.line()));
                    }
                }
            }
            Encoding::Json => {
                let input = BufReader::with_capacity(64 << 10, &mut self.input);
                let read = json::read_all(input, &mut series, found, &mut |sample| sink.take(sample))?;
                cut_at = read.map(|line| format!("line {line}"));
            }
            Encoding::Protobuf => {
                let mut bytes = Vec::new();
                let read = self.input.by_ref().take(LONGEST + 1).read_to_end(&mut bytes);
                read.map_err(|error| IngestError::io(&self.name, error))?;
                if bytes.len() as u64 > LONGEST {
                    return Err(too_long(0));
                }
                let message = |take: &mut Take<'_>| protobuf::read(Message::new(&bytes, 0), &mut series, take);
                sink.message(message, |error| error, String::new)?;
            }
            Encoding::Frames => {
                let mut frames = Frames::new(&mut self.input);
                while let Some(frame) = frames.next(&self.name)? {
                    let bytes = match frame.unpacked() {
                        Ok(bytes) => bytes,
                        Err(error) => {
                            sink.refuse(error, "")?;
                            continue;
                        }
                    };
                    found.packed |= frame.is_packed();
                    let is_json = bytes.trim_ascii_start().starts_with(b"{");
                    found.json |= is_json;
                    let text = || if is_json { String::from_utf8_lossy(&bytes).into_owned() } else { String::new() };
                    let message = |take: &mut Take<'_>| match is_json {
                        true => json::read_one(&bytes, &mut series, found, take).map_err(Failed::refused),
                        false => protobuf::read(Message::new(&bytes, frame.offset()), &mut series, take),
                    };
                    sink.message(message, |error| frame.place(error), text)?;
                }
                if let Some(at) = frames.cut() {
                    cut_at = Some(format!("byte {at}"));
                }
            }
        }
        self.cut = cut_at.map(|at| format!("{}: the message at {at} is not complete", self.name));
        Ok(())
    }

    fn format(&self) -> String {
        let mut format = match (self.encoding, self.found.json) {
            (Encoding::Json, _) => "OTLP as JSON".to_string(),
            (Encoding::Protobuf, _) => "OTLP as a message of protobuf".to_string(),
            (Encoding::Frames, false) => "OTLP as protobuf behind lengths".to_string(),
            (Encoding::Frames, true) => "OTLP as JSON behind lengths".to_string(),
        };
        if self.found.packed {
            format += ", packed by zstd";
        }
        if self.found.others > 0 {
            format += ", with messages of traces, logs or profiles, which are left out";
        }
        format
    }

    fn cut(&self) -> Option<String> {
        self.cut.clone()
    }
}
