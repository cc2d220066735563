//! A file that is looked at again and again while it grows: what was read of it is not read again.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use nines_store::TableKind;

use super::place::Place;
use super::tape::Tape;
use super::{Log, LogStart};
use crate::ends::{Ends, ends_whole};
use crate::error::Changed;
use crate::{ErrorKind, Format, FromField, IngestError, Result, raw};

/// What a file is known by as long as it exists, whatever its name: device and inode.
pub type FileId = (u64, u64);

/// A text file that grows. It is held open, so that it is read to its end also when another file has its name. Clones are the
/// same tail.
#[derive(Clone)]
pub struct Tail {
    path: PathBuf,
    file: Arc<File>,
    id: FileId,
    read: Arc<Mutex<Option<Read>>>,
}

/// What was read of it.
struct Read {
    place: Place,
    format: Format,
    header: Vec<u8>,
    first_record: Vec<u8>,
    tape: Tape,
}

impl Read {
    /// Whether the file still begins as it did.
    fn begins(&self) -> io::Result<bool> {
        begins(&self.place, &self.header, &self.first_record)
    }
}

fn begins(place: &Place, header: &[u8], first_record: &[u8]) -> io::Result<bool> {
    place.holds(0, &[header, first_record.trim_ascii_end()].concat())
}

impl fmt::Debug for Tail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tail({} {:?})", self.path.display(), self.id)
    }
}

impl Tail {
    /// Opens a file.
    pub fn open(path: &Path) -> io::Result<Tail> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        let id = (metadata.dev(), metadata.ino());
        Ok(Tail { path: path.to_path_buf(), file: Arc::new(file), id, read: Arc::default() })
    }

    /// The same file, as if nothing had been read of it.
    #[must_use]
    pub fn again(&self) -> Tail {
        Tail { read: Arc::default(), ..self.clone() }
    }

    /// The name by which it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What it is known by.
    pub fn id(&self) -> FileId {
        self.id
    }

    /// When it was written last.
    pub fn written(&self) -> io::Result<SystemTime> {
        self.file.metadata()?.modified()
    }

    /// Its start, for one who reads it once and whole; it may be packed. In the format that is given, or as it tells itself.
    pub fn start(&self, kind: TableKind, given: Option<Format>) -> Result<(Format, LogStart)> {
        let place = self.place()?;
        let format = match given {
            Some(format) => format,
            None => Format::detect_for(kind, &self.path, &place.unpacked_head()?)?,
        };
        Ok((format, LogStart::of(place, format, &Arc::default())?))
    }

    /// Whether no name is left of it.
    pub fn is_deleted(&self) -> bool {
        self.file.metadata().is_ok_and(|metadata| metadata.nlink() == 0)
    }

    /// Whether it is no text that grows: it is packed, in another encoding than UTF-8, or Parquet.
    pub fn is_whole(&self) -> Result<bool> {
        let place = self.place()?;
        Ok(place.is_packed() || place.is_parquet().map_err(|error| self.failed(error))?)
    }

    /// Whether it has bytes that were not read.
    pub fn has_grown(&self) -> io::Result<bool> {
        let size = self.file.metadata()?.len();
        Ok(self.locked().as_ref().map_or(size > 0, |read| size > read.place.on_disk(read.tape.here.bytes)))
    }

    /// Whether it still holds what was read of it, as its size, its first record and the last bytes that were read tell.
    pub fn is_continued(&self) -> io::Result<bool> {
        let read = self.locked();
        let Some(read) = read.as_ref() else { return Ok(true) };
        let last = read.tape.last();
        Ok(read.begins()? && read.place.holds(read.tape.here.bytes - last.len() as u64, last)?)
    }

    /// Its format, as it is given or else tells itself; `None` as long as it has no complete record.
    pub fn format(&self, kind: TableKind, given: Option<Format>) -> Result<Option<Format>> {
        let mut read = self.locked();
        if read.is_none() {
            *read = self.begin(kind, given)?;
        }
        Ok(read.as_ref().map(|read| read.format))
    }

    fn begin(&self, kind: TableKind, given: Option<Format>) -> Result<Option<Read>> {
        let place = self.place()?;
        let head = place.head().map_err(|error| self.failed(error))?;
        if !head.contains(&b'\n') {
            return Ok(None);
        }
        let format = given.map_or_else(|| Format::detect_for(kind, &self.path, &head), Ok)?;
        let start = LogStart::of(place.clone(), format, &Arc::default())?;
        if start.first_record(false).is_none() {
            return Ok(None);
        }
        let mut tape = Tape::new(&[], Ends::of(format));
        tape.ends.tell_separator(&start.header);
        let LogStart { header, first_record, .. } = start;
        Ok(Some(Read { place, format, header, first_record, tape }))
    }

    /// Whether its rows are single requests, events or samples, once it has a format.
    pub fn is_raw(&self, kind: TableKind, from: &[FromField]) -> Result<bool> {
        let read = self.locked();
        let Some(read) = read.as_ref() else { return Ok(false) };
        let line = if read.format == Format::Csv { &read.header } else { &read.first_record };
        raw::is_raw_line(line, read.format, kind, from)
    }

    /// What it is known by, once it has a format.
    pub fn first_record(&self) -> Option<Vec<u8>> {
        self.locked().as_ref().map(|read| super::known_by(read.format, &read.header, &read.first_record))
    }

    /// Reads on to its present end, and remembers these cuts.
    pub fn measure(&self, cuts: &[u64]) -> Result<Log> {
        let mut read = self.locked();
        let Some(Read { place, format, header, first_record, tape }) = read.as_mut() else {
            return Err(IngestError::new(ErrorKind::Internal, "a file is measured before it has a record"));
        };
        tape.want(cuts);
        let mut feed = || {
            let rest = place.text_after(tape.here.bytes, &Arc::default())?;
            rest.map_or(Ok(()), |rest| tape.feed_all(rest))
        };
        feed().map_err(|error| self.failed(error))?;
        // What was read may be another text, longer than the one before, that somebody wrote in its place just now.
        if !begins(place, header, first_record).map_err(|error| self.failed(error))? {
            return Err(self.failed(io::Error::other(Changed)));
        }
        if ends_whole(*format, false, &tape.tail) {
            tape.complete = tape.here.clone();
        }
        let (complete, cuts) = (tape.complete.clone(), tape.cuts.clone());
        let left = tape.here.bytes - complete.bytes;
        Ok(Log { place: place.clone(), format: *format, header: header.clone(), complete, left, cuts })
    }

    fn place(&self) -> Result<Place> {
        Place::held(&self.path, Arc::clone(&self.file))
    }

    fn failed(&self, error: io::Error) -> IngestError {
        IngestError::io(&self.path.display().to_string(), error)
    }

    fn locked(&self) -> MutexGuard<'_, Option<Read>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;
    use std::fs;
    use std::io::Write;

    fn line(n: u64) -> String {
        format!("h - - [01/Jan/1970:00:00:{:02} +0000] \"GET /{n} HTTP/1.1\" 200 1\n", n % 60)
    }

    fn append(path: &Path, text: &str) {
        fs::OpenOptions::new().append(true).create(true).open(path).unwrap().write_all(text.as_bytes()).unwrap();
    }

    fn looked(tail: &Tail, cuts: &[u64]) -> Option<Log> {
        tail.format(TableKind::Requests, None).unwrap().map(|_| tail.measure(cuts).unwrap())
    }

    /// What the file gives when it is measured at once.
    fn at_once(path: &Path) -> Log {
        LogStart::open(path, Format::Log, &Arc::default()).unwrap().measure(&[], false).unwrap()
    }

    #[test]
    fn what_was_read_is_not_read_again_and_the_cuts_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        append(&path, "");
        let tail = Tail::open(&path).unwrap();
        assert!(looked(&tail, &[]).is_none() && !tail.has_grown().unwrap());
        append(&path, "h - -");
        assert!(looked(&tail, &[]).is_none() && tail.has_grown().unwrap());
        fs::write(&path, "").unwrap();
        let mut ends = Vec::new();
        for n in 0..50 {
            append(&path, &(line(n) + "begun"));
            let mut log = looked(&tail, &ends).unwrap();
            let naive = at_once(&path);
            assert_eq!((log.complete().hash(), log.left()), (naive.complete().hash(), 5));
            for &end in &ends {
                let cut = log.cut(end, &Arc::default()).unwrap().unwrap();
                let read = fs::read(&path).unwrap();
                let digest = ring::digest::digest(&ring::digest::SHA256, &read[..end as usize]);
                assert_eq!(cut.sha256(), digest.as_ref());
            }
            ends.push(log.complete().bytes());
            assert!(!tail.has_grown().unwrap() && tail.is_continued().unwrap());
            assert_eq!(
                tail.first_record(),
                LogStart::open(&path, Format::Log, &Arc::default()).unwrap().first_record(false)
            );
            append(&path, "\n");
        }
    }

    #[test]
    fn a_file_is_read_under_another_name_and_without_one() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("a.log"), folder.path().join("a.log.1"));
        append(&path, &line(1));
        let tail = Tail::open(&path).unwrap();
        looked(&tail, &[]).unwrap();
        fs::rename(&path, &moved).unwrap();
        append(&moved, &line(2));
        assert!(!tail.is_deleted());
        fs::remove_file(&moved).unwrap();
        assert!(tail.is_deleted() && tail.has_grown().unwrap() && tail.is_continued().unwrap());
        let log = looked(&tail, &[]).unwrap();
        assert_eq!(log.complete().bytes(), (line(1) + &line(2)).len() as u64);
    }

    #[test]
    fn a_truncation_is_noticed_with_a_hole_and_without() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let old = (1..100).map(line).collect::<String>();
        for (now, is_continued) in [
            (String::new(), false),
            (line(7), false),
            // Longer than what was read, but another text.
            ((200..400).map(line).collect(), false),
            ("\0".repeat(old.len()) + &line(7), false),
            (old.clone() + &line(7), true),
        ] {
            fs::write(&path, &old).unwrap();
            let tail = Tail::open(&path).unwrap();
            looked(&tail, &[]).unwrap();
            fs::write(&path, &now).unwrap();
            assert_eq!(tail.is_continued().unwrap(), is_continued, "{}", now.len());
            if let Some(log) = looked(&tail.again(), &[]) {
                let text = now.trim_start_matches('\0');
                assert_eq!(log.complete().bytes(), text.len() as u64, "a hole counts nowhere");
                fs::write(&path, text).unwrap();
                assert_eq!(log.complete().hash(), at_once(&path).complete().hash());
            }
        }
    }
}
