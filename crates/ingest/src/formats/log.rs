//! Access logs: one request per line, counted per endpoint and status.

use std::borrow::Cow;
use std::sync::Arc;

use chrono::SecondsFormat;
use chrono_tz::Tz;

use super::log_line::{LogParser, Taken, endpoint, looks_like_log};
use super::records::Records;
use crate::columns::{Column, Columns};
use crate::fields::{Cell, misplaced};
use crate::layout::{Line, LineReader, PlainFields, Reading};
use crate::lines::Lines;
use crate::rows::{Requests, Rows, SeriesRows};
use crate::time::When;
use crate::{Found, IngestError, LatencyUnit, LogFormat, Options, Progress, Result};

/// The records of an access log. Blank lines are skipped.
pub(super) struct AccessLog {
    lines: Lines,
    parser: Parser,
    /// The endpoint's place among the text columns.
    endpoint: usize,
    found: Arc<Found>,
    progress: Arc<Progress>,
}

/// Whether a line says that a log was rotated, as newsyslog writes it into the new one.
fn is_turned_over(line: &[u8]) -> bool {
    line.windows(19).any(|part| part == b"logfile turned over")
}

/// How lines are taken apart.
enum Parser {
    /// As the first line will tell.
    Untold { unit: Option<LatencyUnit>, zone: Tz, filling: Vec<String>, progress: Arc<Progress> },
    /// In common or combined log format.
    Combined {
        parser: LogParser,
        /// What a whole number at the end of a line counts; without it, it is no latency.
        unit: Option<LatencyUnit>,
        /// The fields that fill columns, if there are any.
        fields: Option<Box<PlainFields>>,
        progress: Arc<Progress>,
    },
    /// As somebody says.
    Layout(LineReader),
}

impl AccessLog {
    pub(super) fn new(lines: Lines, columns: &Columns, options: &Options, progress: &Arc<Progress>) -> Result<Self> {
        let endpoint = columns.texts().position(|name| name == "endpoint").ok_or_else(|| misplaced("endpoint"))?;
        let fields = columns.filling().iter().map(|filling| filling.field.clone()).collect();
        let parser = Parser::of(options, fields, progress)?;
        Ok(Self { lines, parser, endpoint, found: Arc::clone(&options.found), progress: Arc::clone(progress) })
    }
}

impl Parser {
    /// A parser that also says what these fields say.
    fn of(options: &Options, filling: Vec<String>, progress: &Arc<Progress>) -> Result<Self> {
        let (unit, zone) = (options.latency_unit, options.time_zone);
        Ok(match &options.log_format {
            Some(format) => Parser::Layout(LineReader::new(format.layout(), zone).filling(&filling)?),
            None => Parser::Untold { unit, zone, filling, progress: Arc::clone(progress) },
        })
    }

    /// Finds out what a line is, if nothing said so yet: in common or combined log format, else in one that has a name.
    fn tell(&mut self, line: &[u8]) -> Result<()> {
        let Parser::Untold { unit, zone, filling, progress } = self else { return Ok(()) };
        if is_turned_over(line) {
            return Ok(());
        }
        if looks_like_log(line) {
            let fields = (!filling.is_empty()).then(|| PlainFields::of(filling, *zone).map(Box::new)).transpose()?;
            let (parser, progress) = (LogParser::default(), Arc::clone(progress));
            *self = Parser::Combined { parser, unit: *unit, fields, progress };
        } else if let Some(format) = LogFormat::of_line(line) {
            progress.add_told(format.to_string());
            *self = Parser::Layout(LineReader::new(format.layout(), *zone).filling(filling)?);
        }
        // What is of no known format tells nothing of the lines that follow.
        Ok(())
    }

    fn parse<'a>(&mut self, line: &'a [u8]) -> Result<Reading<'a>> {
        self.tell(line)?;
        let (parser, unit, fields, progress) = match self {
            Parser::Untold { .. } => {
                // Why it is none of the best known, which is no line of a known format at all.
                LogParser::default().parse(line)?;
                return Err(IngestError::bad_line("the line is of no known format"));
            }
            Parser::Layout(reader) => return reader.parse(line),
            Parser::Combined { parser, unit, fields, progress } => (parser, *unit, fields, progress),
        };
        let text = line;
        let line = parser.parse(text)?;
        let seconds = match (line.taken, unit) {
            (None, _) => None,
            (Some(Taken::Seconds(seconds)), unit) => {
                if unit.is_some_and(|unit| unit != LatencyUnit::Seconds) {
                    progress.add_beside_unit();
                }
                Some(seconds)
            }
            (Some(Taken::Whole(number)), Some(unit)) => Some(unit.seconds(number)),
            (Some(Taken::Whole(number)), None) => {
                progress.add_without_unit(number);
                None
            }
        };
        let (when, endpoint, status) = (When::At(line.time), endpoint(line.request), line.status);
        let filling = fields.as_mut().map(|fields| fields.read(text)).unwrap_or_default();
        Ok(Reading::Request(Line { when, endpoint, status, seconds, filling }))
    }

    /// In how many requests fields said something that a person wrote down; counted anew from then on.
    fn said(&mut self) -> Vec<(String, u64)> {
        match self {
            Parser::Layout(reader) => reader.said(),
            Parser::Untold { .. } | Parser::Combined { .. } => Vec::new(),
        }
    }
}

impl Records<SeriesRows<Requests>> for AccessLog {
    fn read_one(&mut self, rows: &mut SeriesRows<Requests>) -> Result<bool> {
        let line = loop {
            if !self.lines.advance()? {
                for (field, rows) in self.parser.said() {
                    self.found.add_given(&field, rows);
                }
                return Ok(false);
            }
            let text = self.lines.line();
            if text.is_empty() {
                continue;
            }
            match self.parser.parse(text) {
                Ok(Reading::Request(line)) => break line,
                Ok(Reading::Directive) => {}
                Ok(Reading::NoRequest(why)) => self.progress.add_no_request(&why),
                // What a rotation leaves behind is no request.
                Err(_) if is_turned_over(text) => self.progress.add_turned_over(),
                Err(error) => return Err(self.lines.refuse(error)),
            }
        };
        rows.begin();
        rows.set_endpoint(self.endpoint, &line.endpoint, true);
        for (field, text) in line.filling.iter().enumerate() {
            rows.fill(field, text.as_deref().unwrap_or_default());
        }
        rows.row.status = line.status;
        rows.row.measured.latency.seconds = line.seconds;
        let added = rows.set_when(line.when).and_then(|()| rows.add(self.lines.number()));
        added.map_err(|e| self.lines.refuse(e))?;
        Ok(true)
    }

    fn text(&self) -> Cow<'_, str> {
        self.lines.text()
    }
}

/// The times of an access log alone.
pub(super) struct TimesOfLog {
    lines: Lines,
    parser: Parser,
}

impl TimesOfLog {
    pub(super) fn new(lines: Lines, options: &Options) -> Result<Self> {
        Ok(Self { lines, parser: Parser::of(options, Vec::new(), &Arc::default())? })
    }
}

impl<R: Rows> Records<R> for TimesOfLog {
    fn read_one(&mut self, rows: &mut R) -> Result<bool> {
        while self.lines.advance()? {
            let line = self.lines.line();
            let read = if line.is_empty() { Ok(Reading::Directive) } else { self.parser.parse(line) };
            let Reading::Request(line) = read.map_err(|e| self.lines.refuse(e))? else { continue };
            let time = match line.when {
                When::At(micros) => chrono::DateTime::from_timestamp_micros(micros)
                    .map_or_else(String::new, |at| at.to_rfc3339_opts(SecondsFormat::Micros, true)),
                When::Repeated(local, ..) => local.to_string(),
            };
            rows.begin();
            rows.set(("time", Column::Time), Cell::Text(Cow::Owned(time)))?;
            rows.add(self.lines.number())?;
            return Ok(true);
        }
        Ok(false)
    }

    fn text(&self) -> Cow<'_, str> {
        self.lines.text()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::io::Write;
    use std::sync::Arc;

    use datafusion::arrow::array::AsArray;
    use datafusion::arrow::datatypes::{Int32Type, Int64Type};

    use crate::lines::MAX_LINE;
    use crate::testing::{REMEDY, events, read_text, refusal, requests, shared, shown};
    use crate::{Format, Progress, read};

    const LINE: &str = "h - - [10/Oct/2000:13:55:36 -0700] \"GET /a?b HTTP/1.0\" 200 2326";

    #[test]
    fn lines_are_counted_per_endpoint_and_status() {
        let text = format!(
            "{LINE} \"-\" \"agent\" 0.5\r\n\r\n{LINE}\n{}",
            LINE.replace("GET /a?b", "-").replace(" 200 ", " 400 ")
        );
        let mut options = requests();
        options.service = Some("web".into());
        assert_eq!(
            shown(&read_text(Format::Log, options, text).unwrap()),
            [
                "time=2000-10-10T20:55:00Z service=web endpoint=/a status=200 requests=2 latency_sum=0.5 \
                 latency={zero: 0, buckets: [{bucket: -33, count: 1}]}",
                "time=2000-10-10T20:55:00Z service=web status=400 requests=1",
            ]
        );
        assert!(read_text(Format::Log, requests(), "").unwrap().is_empty());
    }

    #[test]
    fn a_bad_line_is_refused_with_its_place() {
        assert_eq!(
            refusal(Format::Log, requests(), format!("{LINE}\n{}\n", LINE.replace(" 200 ", " 2xx "))),
            format!("input:2:56: there is \"2xx 2326\"; expected a status from 0 to 999 after the request. {REMEDY}")
        );
        let long = format!("{LINE}\n{}", "a".repeat(MAX_LINE + 1));
        assert_eq!(
            refusal(Format::Log, requests(), long),
            "input:2: the line is longer than 1 MiB. Is this a text file, and of the given --format?"
        );
        assert_eq!(
            refusal(Format::Log, events(), LINE),
            "input: an access log holds no events. Ingest it into the table requests"
        );
    }

    /// Status and number of requests, over all rows.
    fn by_status(path: &std::path::Path, progress: &Arc<Progress>) -> BTreeMap<i32, i64> {
        let mut counts = BTreeMap::new();
        for batch in read([path], None, requests(), Arc::clone(progress)).unwrap() {
            let batch = batch.unwrap();
            let status = batch["status"].as_primitive::<Int32Type>();
            let requests = batch["requests"].as_primitive::<Int64Type>();
            for (status, requests) in status.values().iter().zip(requests.values()) {
                *counts.entry(*status).or_default() += requests;
            }
        }
        counts
    }

    #[test]
    fn the_public_sample_holds_what_its_readme_says() {
        let Some(path) = shared("elastic-apache/apache_logs") else { return };
        let expected =
            BTreeMap::from([(200, 9126), (304, 445), (404, 213), (301, 164), (206, 45), (500, 3), (416, 2), (403, 2)]);
        let progress = Arc::new(Progress::new());
        assert_eq!(by_status(&path, &progress), expected);
        let size = std::fs::metadata(&path).unwrap().len();
        assert_eq!((progress.rows_read(), progress.total_bytes()), (10_000, size));

        // The same, packed in two gzip members.
        let text = std::fs::read(&path).unwrap();
        let mut packed = tempfile::NamedTempFile::new().unwrap();
        let (a, b) = text.split_at(text.len() / 2);
        for part in [a, b] {
            let mut encoder = flate2::write::GzEncoder::new(packed.as_file_mut(), flate2::Compression::fast());
            encoder.write_all(part).unwrap();
            encoder.finish().unwrap();
        }
        let progress = Arc::new(Progress::new());
        assert_eq!(by_status(packed.path(), &progress), expected);
        assert_eq!(progress.bytes_read(), progress.total_bytes());
        assert!(progress.bytes_read() < size / 2);

        // Cut short.
        packed.as_file_mut().set_len(1000).unwrap();
        let error =
            read([packed.path()], Some(Format::Log), requests(), Arc::default()).unwrap().last().unwrap().unwrap_err();
        assert!(error.to_string().contains(": cannot be read: "), "{error}");
    }
}
