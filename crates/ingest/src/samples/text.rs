//! Samples line by line: the text exposition format, OpenMetrics, and what `promtool tsdb dump` prints.
//!
//! `name{label="value"} 17 1760443200000`, or `{__name__="name", label="value"} 17 1760443200000`. The time is in seconds if it has
//! a decimal point or is below 10^11, else in milliseconds. Comments are skipped, and so are exemplars.

use std::sync::Arc;

use nines_slo::quoted;

use super::numbers::number;
use super::text_histogram;
use super::{Labels, Reader, Sample, Sink, Temporality, Value};
use crate::lines::Lines;
use crate::{IngestError, Result};

/// From here on a time is in milliseconds.
const MILLISECONDS: f64 = 1e11;

/// A file of such lines.
pub(super) struct Text {
    lines: Lines,
    /// The series of the line before, and how it is written: lines of a dump mostly repeat it.
    last: Option<(String, Arc<Labels>)>,
}

impl Text {
    pub(super) fn new(lines: Lines) -> Self {
        Text { lines, last: None }
    }

    fn sample(&mut self) -> Result<Option<Sample>> {
        let line = std::str::from_utf8(self.lines.line())
            .map_err(|error| IngestError::bad_line("the line is no UTF-8").at(error.valid_up_to() + 1))?;
        let text = line.trim_start();
        if text.is_empty() || text.starts_with('#') {
            return Ok(None);
        }
        let start = line.len() - text.len();
        let at = |error: IngestError, rest: &str| error.at(start + text.len() - rest.len() + 1);
        let (labels, rest) = match self.last.as_ref().filter(|(written, _)| is_series(text, written)) {
            Some((written, labels)) => (Arc::clone(labels), &text[written.len()..]),
            None => {
                let (labels, rest) = series(text).map_err(|(problem, rest)| {
                    at(IngestError::bad_line(problem).expected("a series, as http_requests_total{code=\"200\"}"), rest)
                })?;
                let (written, labels) = (text[..text.len() - rest.len()].to_string(), Arc::new(labels));
                self.last = Some((written, Arc::clone(&labels)));
                (labels, rest)
            }
        };
        let rest = rest.trim_start();
        let (value, after) = if rest.starts_with('{') {
            let (histogram, after) = text_histogram::read(rest).map_err(|problem| {
                at(IngestError::bad_line(problem).expected("a histogram as promtool prints it"), rest)
            })?;
            (Value::Histogram(Arc::new(histogram)), after)
        } else {
            let (word, after) = rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len()));
            let Some(number) = number(word) else {
                return Err(at(IngestError::bad_value("the value", word, "a number, NaN, +Inf or -Inf"), rest));
            };
            (Value::Number(number), after)
        };
        let after = after.trim_start();
        let (word, left) = after.split_at(after.find(char::is_whitespace).unwrap_or(after.len()));
        if word.is_empty() || word.starts_with('#') {
            return Err(at(IngestError::bad_line("the sample has no time"), after).expected(
                "a time behind the value. Samples of no time are those of a scrape: read them from where they are kept, with \
                 promtool tsdb dump or --url",
            ));
        }
        let Some(time) = time(word) else {
            return Err(at(IngestError::bad_value("the time", word, "seconds or milliseconds since 1970"), after));
        };
        let left = left.trim_start();
        if !left.is_empty() && !left.starts_with('#') {
            return Err(
                at(IngestError::bad_line("there is more behind the time"), left).expected("the end of the line")
            );
        }
        Ok(Some(Sample { labels, time, value, temporality: Temporality::Cumulative(None) }))
    }
}

impl Reader for Text {
    fn read(&mut self, sink: &mut Sink<'_>) -> Result<()> {
        loop {
            let taken = match self.lines.advance() {
                Ok(false) => return Ok(()),
                Ok(true) => match self.sample() {
                    Ok(Some(sample)) => sink.take(sample),
                    Ok(None) => Ok(()),
                    Err(error) => Err(error),
                },
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                sink.refuse(self.lines.refuse(error), &self.lines.text())?;
            }
        }
    }

    fn format(&self) -> String {
        "the text format".to_string()
    }
}

/// Whether a line begins with this series, and not with one whose name is longer.
fn is_series(line: &str, written: &str) -> bool {
    line.strip_prefix(written).is_some_and(|rest| rest.starts_with(char::is_whitespace))
}

/// A time in µs.
fn time(text: &str) -> Option<i64> {
    let number = number(text).filter(|number| number.is_finite())?;
    let seconds = text.contains(['.', 'e', 'E']) || number.abs() < MILLISECONDS;
    let micros = number * if seconds { 1e6 } else { 1e3 };
    (micros.abs() < 9e18).then(|| micros.round() as i64)
}

/// A problem, and the text from where it lies on.
type Problem<'t> = (String, &'t str);

/// The labels of the series that a line begins with, and what follows it.
fn series(text: &str) -> Result<(Labels, &str), Problem<'_>> {
    let mut labels = Vec::new();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | ':');
    let (name, mut rest) = text.split_at(text.find(|c| !is_name(c)).unwrap_or(text.len()));
    if !name.is_empty() {
        labels.push(("__name__".to_string(), name.to_string()));
    }
    let before = rest;
    let Some(within) = rest.trim_start().strip_prefix('{').filter(|_| name.is_empty() || rest.starts_with('{')) else {
        return if name.is_empty() {
            Err(("the line begins with no series".to_string(), rest))
        } else {
            Ok((Labels::new(labels), rest))
        };
    };
    rest = within.trim_start();
    while !rest.starts_with('}') {
        if rest.is_empty() {
            return Err(("the brace is not closed".to_string(), before));
        }
        let from = rest;
        let label = if rest.starts_with('"') {
            let (label, bytes) = quoted(rest).map_err(|problem| (problem.to_string(), from))?;
            rest = &rest[bytes..];
            label
        } else {
            // Names with dots are written so by some.
            let (label, after) = rest.split_at(rest.find(|c| !is_name(c) && c != '.').unwrap_or(rest.len()));
            rest = after;
            label.to_string()
        };
        rest = rest.trim_start();
        if from.starts_with('"') && rest.starts_with([',', '}']) {
            labels.push(("__name__".to_string(), label));
        } else {
            let Some(value) = rest.strip_prefix('=').filter(|_| !label.is_empty()).map(str::trim_start) else {
                return Err(("expected a label, as code=\"200\"".to_string(), from));
            };
            let (text, bytes) = quoted(value).map_err(|problem| (format!("label {label}: {problem}"), value))?;
            rest = &value[bytes..];
            labels.push((label, text));
        }
        rest = rest.trim_start();
        match rest.strip_prefix(',') {
            Some(after) => rest = after.trim_start(),
            // Told above.
            None if rest.is_empty() || rest.starts_with('}') => {}
            None => return Err(("expected a comma or a brace behind a label".to_string(), rest)),
        }
    }
    Ok((Labels::new(labels), &rest[1..]))
}

#[cfg(test)]
mod tests {
    use super::super::read_bytes;
    use super::*;

    fn read(text: &str) -> Result<Vec<String>> {
        let mut samples = Vec::new();
        read_bytes("m.txt", text.as_bytes().to_vec(), &mut |sample| {
            samples.push(format!("{} {:?} {}", sample.labels, sample.value, sample.time));
            Ok(())
        })?;
        Ok(samples)
    }

    #[test]
    fn the_formats_of_lines_are_one() {
        let text = "# HELP http_requests_total Requests.\n# TYPE http_requests_total counter\n\
                    http_requests_total{code=\"200\",path=\"/a\\\"b\",} 1027 1395066363000\n\
                    http_requests_total {code=\"400\"} 3 1395066363000\n\
                    \tup 1 1395066363\n\
                    {__name__=\"http_requests_total\", code=\"200\"} NaN -1000\n\
                    foo_total{a=\"b\"} 17.0 1520879607.789 # {trace_id=\"x\"} 0.67 1520879607.1\n\
                    {\"my.metric\",\"a.b\"=\"c\"} +Inf 1520879607789\n# EOF\n";
        let refused = read(text).unwrap_err().to_string();
        assert!(refused.starts_with("m.txt:4:21: expected a colon behind code="), "{refused}");
        assert_eq!(
            read(&text.replace("total {", "total{")).unwrap(),
            [
                "http_requests_total{code=\"200\", path=\"/a\\\"b\"} Number(1027.0) 1395066363000000",
                "http_requests_total{code=\"400\"} Number(3.0) 1395066363000000",
                "up Number(1.0) 1395066363000000",
                "http_requests_total{code=\"200\"} Number(NaN) -1000000000",
                "foo_total{a=\"b\"} Number(17.0) 1520879607789000",
                "my.metric{a.b=\"c\"} Number(inf) 1520879607789000",
            ]
        );
    }

    #[test]
    fn bad_lines_say_where_and_why() {
        for (line, said) in [
            ("up 1", "m.txt:1:5: the sample has no time; expected a time behind the value"),
            ("up one 1395066363000", "m.txt:1:4: the value is \"one\"; expected a number, NaN, +Inf or -Inf"),
            ("up 1 soon", "m.txt:1:6: the time is \"soon\"; expected seconds or milliseconds since 1970"),
            ("up 1 NaN", "m.txt:1:6: the time is \"NaN\""),
            ("up 1 1395066363000 7", "m.txt:1:20: there is more behind the time"),
            ("up{a=\"b 1 2", "m.txt:1:6: label a: the text is not closed"),
            ("up{a=\"b\"", "m.txt:1:3: the brace is not closed"),
            ("up{a=\"b\" c=\"d\"} 1 2", "m.txt:1:10: expected a comma or a brace behind a label"),
            ("up{=\"b\"} 1 2", "m.txt:1:4: expected a label"),
            ("%%% 1 2", "m.txt:1:1: the line begins with no series"),
        ] {
            let refused = read(line).unwrap_err().to_string();
            assert!(refused.starts_with(said), "{refused}");
        }
        assert!(read("").unwrap_err().to_string().starts_with("m.txt: the file is empty; expected the text format"));
        assert!(read("[1]").unwrap_err().to_string().starts_with("m.txt: this is none of the formats of samples"));
    }
}
