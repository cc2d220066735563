//! Files in pieces: where a file of lines can be cut, what stands before a cut, and reading from one cut to another.
//!
//! A file that grows is read piece by piece. Whoever remembers the *cuts* (bytes and the hash of all bytes before) can
//! tell that a file is one that was read before, whatever its name and whether or not it was packed since, and go
//! on where the last piece ended. Positions count unpacked bytes. Cuts lie where a record ends: after a newline that is not
//! in quotes. The last line, while it has no newline, is being written and belongs to the next piece, unless it is
//! known to be whole: the file is packed, or said to be complete, or the line is a whole JSON object. A Parquet
//! file is one piece.
//!
//! What must hold: a piece gives exactly the bytes that were hashed, or an error at its end, so that the hash that is
//! remembered is that of the rows that are stored. A file is never held in memory, only its first record and its last line.

mod cut;
mod piece;
mod place;
mod tail;
mod tape;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::sync::Arc;

use crate::ends::{Ends, ends_whole};
use crate::hash::CHUNK;
use crate::input::{self, Bytes};
use crate::lines::{MAX_LINE, too_long};
use crate::{ErrorKind, Format, IngestError, Progress, Result};
pub use cut::Cut;
pub use piece::Piece;
use piece::PieceBytes;
use place::Place;
pub use tail::{FileId, Tail};
use tape::Tape;

/// A file of which only the first record was read.
pub struct LogStart {
    place: Place,
    format: Format,
    /// What stands before the first record: the header line of CSV, lines of `#` of a log.
    header: Vec<u8>,
    first_record: Vec<u8>,
    ends: Ends,
    input: BufReader<Bytes>,
    whole: Option<Cut>,
}

impl LogStart {
    /// Opens a file. Its bytes count as read in `progress`.
    pub fn open(path: &Path, format: Format, progress: &Arc<Progress>) -> Result<Self> {
        let name = path.display().to_string();
        let metadata = fs::metadata(path).map_err(|error| IngestError::io(&name, error))?;
        if !metadata.is_file() {
            let problem = "this is read twice to find what is new in it, which it cannot be: it is no file";
            let error = IngestError::new(ErrorKind::Io, problem);
            return Err(error.in_file(name).advice("Put it into a file and name that"));
        }
        if matches!(format, Format::Json | Format::Calendar) {
            let problem =
                "what was added to a document cannot be told from what was there, and its rows carry no count";
            let error = IngestError::new(ErrorKind::Options, problem).in_file(name);
            return Err(error.advice(
                "If it is complete for its slices, say --aggregates. Otherwise write one object per line: jq -c '.[]' FILE",
            ));
        }
        progress.add_total(metadata.len());
        if format == Format::Parquet {
            let place = Place::named(path)?;
            return Self::of_parquet(place, progress).map_err(|error| IngestError::io(&name, error));
        }
        Self::of(Place::named(path)?, format, progress)
    }

    /// The start of a file of text.
    fn of(place: Place, format: Format, progress: &Arc<Progress>) -> Result<Self> {
        let input = place.text(progress)?;
        let mut start = Self {
            place,
            format,
            header: Vec::new(),
            first_record: Vec::new(),
            ends: Ends::of(format),
            input: BufReader::with_capacity(CHUNK, input),
            whole: None,
        };
        if format == Format::Csv {
            start.header = start.record()?;
        }
        start.first_record = start.record()?;
        // Lines of '#' say what the others hold.
        while format == Format::Log && start.first_record.starts_with(b"#") && start.first_record.ends_with(b"\n") {
            let directive = std::mem::take(&mut start.first_record);
            start.header.extend_from_slice(&directive);
            start.first_record = start.record()?;
        }
        Ok(start)
    }

    /// A Parquet file cannot grow: all of it is its first record.
    fn of_parquet(place: Place, progress: &Arc<Progress>) -> io::Result<Self> {
        let mut tape = Tape::new(&[], Ends::of(Format::Parquet));
        tape.feed_all(input::counted(Box::new(File::open(place.path())?), progress))?;
        Ok(Self {
            place,
            format: Format::Parquet,
            header: Vec::new(),
            first_record: tape.here.sha256().to_vec(),
            ends: Ends::of(Format::Parquet),
            input: BufReader::new(Box::new(io::empty())),
            whole: Some(tape.here),
        })
    }

    /// The next record, with blank lines before it; not more of it than a line may be long.
    fn record(&mut self) -> Result<Vec<u8>> {
        let name = self.place.name();
        let mut record = Vec::new();
        loop {
            let from = record.len();
            let mut bounded = self.input.by_ref().take(MAX_LINE as u64 + 1);
            bounded.read_until(b'\n', &mut record).map_err(|error| IngestError::io(&name, error))?;
            if record.len() > MAX_LINE {
                let lines = [&self.header, &record].into_iter().flatten().filter(|&&byte| byte == b'\n').count();
                return Err(too_long("the line").in_file(name).on_line(lines as u64 + 1));
            }
            if from == 0 && self.header.is_empty() {
                self.ends.tell_separator(&record);
            }
            let ended = self.ends.feed(&record[from..]).is_some();
            let blank = record.trim_ascii().is_empty() && self.format != Format::Log;
            if record.len() == from || ended && !blank {
                return Ok(record);
            }
        }
    }

    /// What a file is known by, as long as it grows: its first record, after a header line if there is one; `None` if there
    /// is no complete record. What is complete has no incomplete last line.
    pub fn first_record(&self, complete: bool) -> Option<Vec<u8>> {
        if self.whole.is_some() {
            return Some(self.first_record.clone());
        }
        let record = &self.first_record;
        let blank = record.trim_ascii().is_empty();
        let is_whole =
            record.ends_with(b"\n") || !blank && complete || ends_whole(self.format, self.place.is_finished(), record);
        if !is_whole || blank && self.format != Format::Log {
            return None;
        }
        Some(known_by(self.format, &self.header, record))
    }

    /// Reads the file to its present end in one pass, and remembers these cuts, as far as it reaches. What is complete has
    /// no incomplete last line.
    pub fn measure(self, cuts: &[u64], complete: bool) -> Result<Log> {
        let (place, format, header) = (self.place, self.format, self.header);
        if let Some(whole) = self.whole {
            return Ok(Log { place, format, header, complete: whole, left: 0, cuts: BTreeMap::new() });
        }
        let mut tape = Tape::new(cuts, Ends::of(format));
        tape.ends.tell_separator(&header);
        tape.feed(&header);
        tape.feed(&self.first_record);
        tape.feed_all(self.input).map_err(|error| IngestError::io(&place.name(), error))?;
        if complete || ends_whole(format, place.is_finished(), &tape.tail) {
            tape.complete = tape.here.clone();
        }
        let left = tape.here.bytes - tape.complete.bytes;
        Ok(Log { place, format, header, complete: tape.complete, left, cuts: tape.cuts })
    }
}

/// What a file is known by: the same whether the newline behind its first record is there already or not.
fn known_by(format: Format, header: &[u8], first_record: &[u8]) -> Vec<u8> {
    let known = [header, first_record].concat();
    match format {
        Format::Log => [known.strip_suffix(b"\n").unwrap_or(&known), b"\n"].concat(),
        Format::Csv | Format::JsonLines | Format::Json | Format::Calendar | Format::Parquet => {
            known.trim_ascii_end().to_vec()
        }
    }
}

/// A file as it was when it was measured.
#[derive(Clone)]
pub struct Log {
    place: Place,
    format: Format,
    header: Vec<u8>,
    complete: Cut,
    left: u64,
    cuts: BTreeMap<u64, Cut>,
}

impl Log {
    /// The file.
    pub fn path(&self) -> &Path {
        self.place.path()
    }

    /// Its format.
    pub fn format(&self) -> Format {
        self.format
    }

    /// After its last record.
    pub fn complete(&self) -> &Cut {
        &self.complete
    }

    /// Bytes of its last line, if that has no newline yet.
    pub fn left(&self) -> u64 {
        self.left
    }

    /// The cut after so many bytes; `None` if it has fewer in complete records. Reads the file again if it was not measured
    /// there.
    pub fn cut(&mut self, bytes: u64, progress: &Arc<Progress>) -> Result<Option<Cut>> {
        if bytes > self.complete.bytes {
            return Ok(None);
        }
        if bytes == self.complete.bytes {
            return Ok(Some(self.complete.clone()));
        }
        if !self.cuts.contains_key(&bytes) && self.format != Format::Parquet {
            let name = self.place.name();
            let size = self.place.size().map_err(|error| IngestError::io(&name, error))?;
            progress.add_total(if self.place.is_packed() { size } else { self.complete.bytes });
            let mut tape = Tape::new(&[bytes], Ends::of(Format::Log));
            let input = PieceBytes::open(&self.place, &Cut::start(), &self.complete, progress);
            input.and_then(|input| tape.feed_all(input)).map_err(|error| IngestError::io(&name, error))?;
            self.cuts.append(&mut tape.cuts);
        }
        Ok(self.cuts.get(&bytes).cloned())
    }

    /// From a cut of this file to its last record, under this name.
    pub fn piece(&self, start: Option<Cut>, name: String) -> Piece {
        let start = start.unwrap_or_else(Cut::start);
        Piece {
            place: self.place.clone(),
            format: self.format,
            header: self.header.clone(),
            start,
            end: self.complete.clone(),
            name,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{requests, shown};
    use crate::{Input, read_inputs};
    use std::io::Write;

    const HOST: &str = "h - - [01/Jan/1970:00:0";

    fn line(minute: usize) -> String {
        format!("{HOST}{minute}:00 +0000] \"GET /x HTTP/1.1\" 200 1\n")
    }

    fn file(text: impl AsRef<[u8]>) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_ref()).unwrap();
        file
    }

    fn packed(text: &str) -> tempfile::NamedTempFile {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        file(encoder.finish().unwrap())
    }

    fn measured(path: &Path, cuts: &[u64]) -> Log {
        LogStart::open(path, Format::Log, &Arc::default()).unwrap().measure(cuts, false).unwrap()
    }

    fn rows(piece: Piece) -> Result<Vec<String>> {
        let batches =
            read_inputs([Input::Piece(Box::new(piece))], requests(), Arc::default())?.collect::<Result<Vec<_>>>()?;
        Ok(shown(&batches))
    }

    #[test]
    fn a_log_ends_with_its_last_newline() {
        let text = line(1) + &line(2);
        let whole = measured(file(&text).path(), &[]);
        let begun = file(text.clone() + "1.2.3");
        let start = LogStart::open(begun.path(), Format::Log, &Arc::default()).unwrap();
        assert_eq!(start.first_record(false), Some(line(1).into_bytes()));
        let begun = start.measure(&[], false).unwrap();
        assert_eq!((begun.complete().bytes(), begun.left()), (text.len() as u64, 5));
        assert_eq!((begun.complete().hash(), whole.left()), (whole.complete().hash(), 0));
        for none in ["", "1.2.3"] {
            let file = file(none);
            let start = LogStart::open(file.path(), Format::Log, &Arc::default()).unwrap();
            assert_eq!(start.first_record(false), None);
            let log = start.measure(&[], false).unwrap();
            assert_eq!((log.complete().bytes(), log.left()), (0, none.len() as u64));
        }
    }

    #[test]
    fn a_cut_is_the_same_in_the_log_before_it_grew_and_packed() {
        let (old, new) = (line(1), line(1) + &line(2));
        let at = old.len() as u64;
        let expected = measured(file(&old).path(), &[]).complete().hash();
        for (name, now) in [("plain", file(&new)), ("packed", packed(&new))] {
            for wanted in [&[][..], &[at, 1_000_000]] {
                let mut log = measured(now.path(), wanted);
                assert_eq!(log.cut(at, &Arc::default()).unwrap().unwrap().hash(), expected, "{name}");
                assert!(log.cut(1_000_000, &Arc::default()).unwrap().is_none());
                assert_ne!(log.complete().hash(), expected);
            }
        }
    }

    #[test]
    fn cuts_are_found_across_chunks() {
        let text = (0..200_000).map(|i| format!("{i}\n")).collect::<String>() + "rest";
        assert!(text.len() > 4 * CHUNK);
        let file = file(&text);
        let ends: Vec<u64> = text.match_indices('\n').map(|(at, _)| at as u64 + 1).step_by(10_007).collect();
        let mut log = measured(file.path(), &ends);
        for end in ends {
            let cut = log.cuts.get(&end).unwrap();
            let before = &text.as_bytes()[..end as usize];
            let naive = ring::digest::digest(&ring::digest::SHA256, before);
            assert_eq!(cut.sha256(), naive.as_ref());
            assert_eq!(cut.lines, before.iter().filter(|&&byte| byte == b'\n').count() as u64);
        }
        assert_eq!((log.complete.lines, log.left()), (200_000, 4));
        assert_eq!(log.cut(2, &Arc::default()).unwrap().unwrap().lines, 1);
    }

    #[test]
    fn a_piece_is_what_stands_between_its_cuts() {
        let text = line(1) + &line(2) + &line(3);
        let at = line(1).len() as u64;
        for file in [file(text.clone() + HOST), packed(&text)] {
            let progress = Arc::default();
            let mut log = measured(file.path(), &[at]);
            let piece = log.piece(log.clone().cut(at, &progress).unwrap(), "x.0@1".into());
            assert_eq!(piece.bytes(), (at, text.len() as u64));
            let row =
                |minute| format!("time=1970-01-01T00:0{minute}:00Z endpoint=/x status=200 source=log/x.0@1 requests=1");
            assert_eq!(rows(piece).unwrap(), [row(2), row(3)]);
            assert_eq!(rows(log.piece(None, "x.0@1".into())).unwrap(), [row(1), row(2), row(3)]);
            let nothing = log.cut(text.len() as u64, &progress).unwrap();
            assert!(rows(log.piece(nothing, String::new())).unwrap().is_empty());
        }
    }

    #[test]
    fn lines_are_numbered_from_the_start_of_the_file() {
        let file = file(line(1) + &line(2) + &line(3).replace(" 200 ", " 2xx "));
        let mut log = measured(file.path(), &[]);
        let start = log.cut(line(1).len() as u64, &Arc::default()).unwrap();
        let error = rows(log.piece(start, String::new())).unwrap_err();
        assert_eq!((error.line_number(), error.kind()), (Some(3), ErrorKind::BadLine));
    }

    #[test]
    fn a_log_may_grow_while_it_is_read_but_not_change() {
        let mut growing = file(line(1));
        let log = measured(growing.path(), &[]);
        growing.write_all(line(2).as_bytes()).unwrap();
        assert_eq!(rows(log.piece(None, String::new())).unwrap().len(), 1);
        let said = "while it was read it changed otherwise than by growing; nothing is stored, ingest it again";
        for now in [line(3), String::new()] {
            fs::write(growing.path(), now).unwrap();
            let error = rows(log.piece(None, String::new())).unwrap_err();
            assert_eq!(error.to_string(), format!("{}: cannot be read: {said}", growing.path().display()));
            let again = log.clone().cut(3, &Arc::default()).err().unwrap();
            assert!(again.to_string().ends_with(said));
        }
    }

    #[test]
    fn what_cannot_be_a_log_is_refused() {
        let endless = file("a".repeat(MAX_LINE + 1));
        let error = LogStart::open(endless.path(), Format::Log, &Arc::default()).err().unwrap();
        assert_eq!((error.kind(), error.line_number()), (ErrorKind::BadLine, Some(1)));
        let error = LogStart::open(Path::new("/dev/null"), Format::Log, &Arc::default()).err().unwrap();
        assert!(error.to_string().starts_with("/dev/null: this is read twice"), "{error}");
    }
}
