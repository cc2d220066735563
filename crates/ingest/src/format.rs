//! The formats of inputs and how to tell one.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use crate::columns::looks_like_header;
use crate::formats::{csv, log_line};
use crate::{ErrorKind, IngestError, Result};

/// The format of an input. All but Parquet may be gzipped; that is told by content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Comma-, tab- or semicolon-separated values with a header line.
    Csv,
    /// One JSON object per line.
    JsonLines,
    /// Apache Parquet.
    Parquet,
    /// Access log of Apache or nginx, in combined or common log format.
    Log,
}

const PARQUET_MAGIC: &[u8] = b"PAR1";

impl Format {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: &[Format] = &[Format::Csv, Format::JsonLines, Format::Parquet, Format::Log];

    /// The name that `--format` takes.
    pub fn name(self) -> &'static str {
        match self {
            Format::Csv => "csv",
            Format::JsonLines => "jsonl",
            Format::Parquet => "parquet",
            Format::Log => "log",
        }
    }

    /// Tells the format by the file's name, else by its first bytes (unpacked, the more the better).
    ///
    /// Names: `.csv`, `.tsv`, `.jsonl`, `.ndjson`, `.json`, `.parquet`, `.log`, each also with `.gz`.
    /// Content: Parquet's magic, else the first line that is not blank: a JSON object, a line of an
    /// access log, or a header that names `time`, `id` or `period` and another column of a table with that.
    pub fn detect(path: &Path, first: &[u8]) -> Result<Format> {
        if first.starts_with(PARQUET_MAGIC) {
            return Ok(Format::Parquet);
        }
        by_name(path).or_else(|| by_content(first)).ok_or_else(|| {
            let found =
                if first.is_empty() { "the file is empty" } else { "the format cannot be told from name or content" };
            IngestError::new(ErrorKind::UnknownFormat, found)
                .in_file(path.display().to_string())
                .advice("Say which it is: --format csv, jsonl, parquet or log; or map its columns with --select")
        })
    }
}

fn by_name(path: &Path) -> Option<Format> {
    let name = path.file_name()?.to_str()?.to_ascii_lowercase();
    let (_, extension) = name.strip_suffix(".gz").unwrap_or(&name).rsplit_once('.')?;
    match extension {
        "csv" | "tsv" => Some(Format::Csv),
        "jsonl" | "ndjson" | "json" => Some(Format::JsonLines),
        "parquet" => Some(Format::Parquet),
        "log" => Some(Format::Log),
        _ => None,
    }
}

fn by_content(first: &[u8]) -> Option<Format> {
    let first = first.strip_prefix(b"\xef\xbb\xbf").unwrap_or(first);
    let line = first.split(|&b| b == b'\n').map(<[u8]>::trim_ascii).find(|line| !line.is_empty())?;
    if line.starts_with(b"{") {
        return Some(Format::JsonLines);
    }
    if log_line::looks_like_log(line) {
        return Some(Format::Log);
    }
    let line = std::str::from_utf8(line).ok()?;
    let separator = csv::separator(line.as_bytes()) as char;
    looks_like_header(line.split(separator).map(|name| name.trim_matches('"'))).then_some(Format::Csv)
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = IngestError;

    fn from_str(name: &str) -> Result<Self> {
        Self::ALL.iter().copied().find(|format| format.name() == name).ok_or_else(|| {
            IngestError::new(ErrorKind::Options, format!("unknown format {name:?}"))
                .expected("csv, jsonl, parquet or log")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_tells_the_format() {
        for (name, format) in [
            ("a.csv", Format::Csv),
            ("a.tsv.gz", Format::Csv),
            ("dir.log/a.JSONL", Format::JsonLines),
            ("a.ndjson.gz", Format::JsonLines),
            ("a.json", Format::JsonLines),
            ("a.parquet", Format::Parquet),
            ("access.log.gz", Format::Log),
        ] {
            assert_eq!(Format::detect(Path::new(name), b"").unwrap(), format, "{name}");
        }
    }

    #[test]
    fn else_the_content_does() {
        let log = br#"1.2.3.4 - - [10/Oct/2000:13:55:36 -0700] "GET / HTTP/1.0" 200 2326"#;
        for (first, format) in [
            (&b"PAR1\x15"[..], Format::Parquet),
            (b"\n {\"time\": 1}\n", Format::JsonLines),
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
    fn else_it_must_be_given() {
        assert_eq!(
            Format::detect(Path::new("x/notes.txt"), b"time,weather\n").unwrap_err().to_string(),
            "x/notes.txt: the format cannot be told from name or content. Say which it is: --format csv, jsonl, parquet \
             or log; or map its columns with --select"
        );
        for first in [&b"id,weather\n"[..], b"id\n", b"period,good\n", b"started,ended\n"] {
            assert!(Format::detect(Path::new("x"), first).is_err(), "{first:?}");
        }
        assert!(Format::detect(Path::new("x"), b"").unwrap_err().to_string().starts_with("x: the file is empty. "));
        assert_eq!("jsonl".parse::<Format>().unwrap(), Format::JsonLines);
        assert_eq!(
            "xml".parse::<Format>().unwrap_err().to_string(),
            "unknown format \"xml\"; expected csv, jsonl, parquet or log"
        );
    }
}
