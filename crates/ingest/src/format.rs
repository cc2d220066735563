//! The formats of inputs and how to tell one.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use nines_store::TableKind;
use serde::de::IgnoredAny;

use crate::columns::looks_like_header;
use crate::formats::{delimited, log_line};
use crate::{ErrorKind, IngestError, LogFormat, Result};

/// The format of an input. All but Parquet may be packed by gzip, zstd, xz or bzip2; that is told by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-, tab- or semicolon-separated values with a header line.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// JSON objects one after the other or in arrays, over any number of lines.
    Json,
    /// Events of an iCalendar file (RFC 5545).
    Calendar,
    /// Apache Parquet.
    Parquet,
    /// Access log of Apache or nginx, in combined or common log format.
    Log,
}

const PARQUET_MAGIC: &[u8] = b"PAR1";

impl Format {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: &[Format] =
        &[Format::Csv, Format::JsonLines, Format::Json, Format::Calendar, Format::Parquet, Format::Log];

    /// The name that `--format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
            Format::Json => "json",
            Format::Calendar => "ics",
            Format::Parquet => "parquet",
            Format::Log => "log",
        }
    }

    /// Tells the format by the file's first bytes (unpacked, the more the better), else by its name.
    ///
    /// Content: Parquet's magic, else the first line that is not blank: a JSON object, the beginning of one or of an array, that of a
    /// calendar, a line of an access log, or, unless the name says CSV or JSON, a header that names `time`, `id` or `period` and
    /// another column of a table with that. Names: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.ics`, `.parquet`, `.log`, each also
    /// with `.gz`, `.zst`, `.xz` or `.bz2`.
    pub fn detect(path: &Path, first: &[u8]) -> Result<Format> {
        if first.starts_with(PARQUET_MAGIC) {
            return Ok(Format::Parquet);
        }
        let unknown = |found: &str, advice: &str| {
            let error = IngestError::new(ErrorKind::UnknownFormat, found);
            Err(error.in_file(path.display().to_string()).advice(advice))
        };
        let line = first_line(first);
        if line.is_some_and(is_markup) {
            return unknown(
                "this is HTML or XML, perhaps a page that says why there is no file",
                "Look at it, and fetch the file again. --format log with --select takes any text apart line by line",
            );
        }
        let named = Format::by_name(path);
        match (json(first).or_else(|| line.and_then(by_content)), named) {
            // Of lines that are still being written the first may be cut off.
            (Some(Format::Json), Some(Format::JsonLines)) => Ok(Format::JsonLines),
            // A header is also a line of text.
            (Some(Format::Csv), Some(named)) if named != Format::Log => Ok(named),
            (Some(found), _) => Ok(found),
            (None, Some(named)) => Ok(named),
            (None, None) => {
                let found = match first.is_empty() {
                    true => "the file is empty",
                    false => "the format cannot be told from name or content",
                };
                let which = format!("Say which it is: --format {}; or map its columns with --select", names());
                unknown(found, &which)
            }
        }
    }

    /// The same for rows of this table: JSON whose fields are those of a known log of requests is a log of requests.
    pub fn detect_for(kind: TableKind, path: &Path, first: &[u8]) -> Result<Format> {
        let found = Format::detect(path, first)?;
        let is_log = |line: &[u8]| LogFormat::of_line(line).is_some();
        match found {
            Format::JsonLines if kind == TableKind::Requests && first_line(first).is_some_and(is_log) => {
                Ok(Format::Log)
            }
            found => Ok(found),
        }
    }

    /// The format that a file's name says.
    pub fn by_name(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_str()?.to_ascii_lowercase();
        let packed = [".gz", ".zst", ".xz", ".bz2"].into_iter().find_map(|ending| name.strip_suffix(ending));
        let name = packed.unwrap_or(&name);
        let (_, ending) = name.rsplit_once('.')?;
        let known = Format::ALL.iter().copied().find(|format| format.endings().contains(&ending));
        // Before a number or date that a rotation puts behind it: `access.log.2`, `access.log-20261014`.
        let is_rotated = || {
            name.match_indices(".log").any(|(at, log)| {
                let rest = &name[at + log.len()..];
                rest.starts_with(['.', '-', '_']) && rest[1..].starts_with(|c: char| c.is_ascii_digit())
            })
        };
        known.or_else(|| is_rotated().then_some(Format::Log))
    }

    /// How names of its files end.
    fn endings(self) -> &'static [&'static str] {
        match self {
            Format::Csv => &["csv", "tsv"],
            Format::JsonLines => &["jsonl", "ndjson"],
            Format::Json => &["json"],
            Format::Calendar => &["ics"],
            Format::Parquet => &["parquet"],
            Format::Log => &["log"],
        }
    }
}

/// The names of all formats: `csv, jsonl, parquet or log`.
fn names() -> String {
    let names: Vec<&str> = Format::ALL.iter().map(|format| format.name()).collect();
    names.split_last().map_or(String::new(), |(last, others)| format!("{} or {last}", others.join(", ")))
}

/// The first line that is not blank.
fn first_line(first: &[u8]) -> Option<&[u8]> {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    first.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())
}

fn is_markup(line: &[u8]) -> bool {
    let begins = |with: &[u8]| line.get(..with.len()).is_some_and(|start| start.eq_ignore_ascii_case(with));
    [&b"<!doctype"[..], b"<html", b"<?xml", b"<head", b"<body"].into_iter().any(begins)
}

/// Bytes of a text that begins with a line of this length without an end: no line of a log is as long.
const LONG: usize = 32 << 10;

/// Whether a text that begins so is JSON, and which: lines if the first line is a whole object.
fn json(first: &[u8]) -> Option<Format> {
    let text = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first).trim_ascii_start();
    let within = text.get(1..)?.trim_ascii_start();
    match text.first()? {
        b'[' => matches!(within.first(), None | Some(b'{' | b'[' | b']')).then_some(Format::Json),
        b'{' if matches!(within.first(), Some(b'"' | b'}')) => {
            let (line, is_whole) = match text.iter().position(|&byte| byte == b'\n') {
                Some(end) => (&text[..end], true),
                None => (text, text.len() >= LONG),
            };
            let is_object = serde_json::from_slice::<IgnoredAny>(line).is_ok();
            Some(if is_whole && !is_object { Format::Json } else { Format::JsonLines })
        }
        _ => None,
    }
}

fn by_content(line: &[u8]) -> Option<Format> {
    if line.eq_ignore_ascii_case(b"BEGIN:VCALENDAR") {
        return Some(Format::Calendar);
    }
    if log_line::looks_like_log(line) || LogFormat::of_line(line).is_some() {
        return Some(Format::Log);
    }
    let text = std::str::from_utf8(line).ok()?;
    let separator = delimited::separator(line) as char;
    looks_like_header(text.split(separator).map(|name| name.trim().trim_matches('"'))).then_some(Format::Csv)
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = IngestError;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|format| format.name() == name)
            .ok_or_else(|| IngestError::new(ErrorKind::Options, format!("unknown format {name:?}")).expected(names()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn else_the_name_does() {
        for (name, format) in [
            ("a.csv", Format::Csv),
            ("a.tsv.gz", Format::Csv),
            ("dir.log/a.JSONL", Format::JsonLines),
            ("a.ndjson.gz", Format::JsonLines),
            ("a.json", Format::Json),
            ("a.ics", Format::Calendar),
            ("a.csv.zst", Format::Csv),
            ("a.csv.xz", Format::Csv),
            ("a.log.bz2", Format::Log),
            ("a.parquet", Format::Parquet),
            ("access.log.gz", Format::Log),
        ] {
            assert_eq!(Format::detect(Path::new(name), b"").unwrap(), format, "{name}");
        }
    }

    #[test]
    fn the_content_tells_the_format() {
        let log = br#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326"#;
        for (first, format) in [
            (&b"PAR1\x15"[..], Format::Parquet),
            (b"\n {\"time\": 1}\n", Format::JsonLines),
            (b"{\"time\": 1}", Format::JsonLines),
            (b"{\"time\": 1", Format::JsonLines),
            (b"{\"time\": 1,\n \"good\": 1}", Format::Json),
            (b"{\n \"good\": 1}", Format::Json),
            (b"\xef\xbb\xbf[{\"time\": 1}, {", Format::Json),
            (b"[\n]", Format::Json),
            (b"begin:vcalendar\r\nVERSION:2.0\r\n", Format::Calendar),
            (log, Format::Log),
            (b"time,endpoint,status\n", Format::Csv),
            (b"\xef\xbb\xbf\"time\"\tgood\ttotal\r\n", Format::Csv),
            (b"good;total;time\n", Format::Csv),
            (b"time,value,name\n", Format::Csv),
            (b"id;started;title\n", Format::Csv),
            (b"category,id\n", Format::Csv),
            (b"period\tcurrency\tamount\n", Format::Csv),
        ] {
            assert_eq!(Format::detect(Path::new("access_log"), first).unwrap(), format);
        }
    }

    #[test]
    fn a_name_that_says_otherwise_is_not_believed() {
        let line = br#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326"#;
        let detected = |name: &str, first: &[u8]| Format::detect(Path::new(name), first).unwrap();
        assert_eq!(detected("a.log", b"{\"time\": 1}\n"), Format::JsonLines);
        assert_eq!(detected("a.csv", b"{ \"time\": 1}\n"), Format::JsonLines);
        assert_eq!(detected("a.csv", line), Format::Log);
        assert_eq!(detected("a.json", line), Format::Log);
        assert_eq!(detected("a.log", b"time,status\n"), Format::Csv);
        assert_eq!(detected("a.csv", b"PAR1"), Format::Parquet);
        // Lines of text are a log if the name says so, whatever they look like.
        assert_eq!(detected("a.log", b"{braces} in a text\n"), Format::Log);
        assert_eq!(detected("a.json", b"[\n"), Format::Json);
        assert_eq!(detected("a.json", b"{\"time\": 1}\n{"), Format::JsonLines);
        assert_eq!(detected("a.jsonl", b"{\"time\": 1,\n"), Format::JsonLines);
        assert_eq!(detected("a.log", b"[10/Oct/2000:13:55:36] GET /\n"), Format::Log);
        for page in [&b"<!DOCTYPE html>\n"[..], b"\n<HTML><body>", b"<?xml version='1.0'?>"] {
            let said = Format::detect(Path::new("a.csv"), page).unwrap_err().to_string();
            assert!(said.starts_with("a.csv: this is HTML or XML, perhaps a page that says why"), "{said}");
        }
    }

    #[test]
    fn else_it_must_be_given() {
        assert_eq!(
            Format::detect(Path::new("x/notes.txt"), b"time,weather\n").unwrap_err().to_string(),
            "x/notes.txt: the format cannot be told from name or content. Say which it is: --format csv, jsonl, json, \
             ics, parquet or log; or map its columns with --select"
        );
        for first in [&b"id,weather\n"[..], b"id\n", b"period,good\n", b"started,ended\n"] {
            assert!(Format::detect(Path::new("x"), first).is_err(), "{first:?}");
        }
        assert!(Format::detect(Path::new("x"), b"").unwrap_err().to_string().starts_with("x: the file is empty. "));
        assert_eq!("jsonl".parse::<Format>().unwrap(), Format::JsonLines);
        assert_eq!(
            "xml".parse::<Format>().unwrap_err().to_string(),
            "unknown format \"xml\"; expected csv, jsonl, json, ics, parquet or log"
        );
    }
}
