//! Lines and rows that are refused while the rest goes in: each is written out with its place and the reason.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::{ErrorKind, IngestError, Progress, Result};

/// The columns of the file: a line for each that is refused.
const HEADER: &str = "file,line,position,column,reason,text\n";

/// Where refused lines go. Shared by the clones of the options with which inputs are read.
#[derive(Debug)]
pub struct Rejected {
    path: PathBuf,
    /// Of inputs that are read from copies, the names of both.
    copies: Vec<(String, String)>,
    /// Counts them.
    progress: Arc<Progress>,
    out: Mutex<Out>,
}

#[derive(Debug)]
struct Out {
    file: BufWriter<File>,
    rows: u64,
    failed: Option<io::Error>,
}

impl Rejected {
    /// Lines for this file, which appear in it, behind those that are there, when all are known. `progress` counts them as they are found.
    pub fn to(path: &Path, progress: Arc<Progress>) -> Result<Self> {
        let file = tempfile::tempfile().map_err(|error| unwritable(path, error))?;
        let out = Out { file: BufWriter::new(file), rows: 0, failed: None };
        Ok(Self { path: path.to_path_buf(), copies: Vec::new(), progress, out: Mutex::new(out) })
    }

    /// Calls inputs that are read from copies, which come first, as they were given.
    #[must_use]
    pub fn of_copies(self, copies: Vec<(String, String)>) -> Self {
        Rejected { copies, ..self }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether an error is one line's or row's, so that the others can go in.
    pub(crate) fn takes(error: &IngestError) -> bool {
        error.kind() == ErrorKind::BadLine && (error.line_number().is_some() || error.row_number().is_some())
    }

    /// Writes out a refused line with its reason.
    pub(crate) fn add(&self, error: &IngestError, text: &str) {
        let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
        let file = error.file_name().unwrap_or_default();
        let given = self.copies.iter().find(|(copy, _)| copy == file).map_or(file, |(_, given)| given);
        let fields = [
            given.to_string(),
            number(error.line_number().or(error.row_number())),
            number(error.position().map(|position| position as u64).or(error.byte())),
            error.column_name().unwrap_or_default().to_string(),
            error.reason(),
            text.trim_end_matches(['\n', '\r']).to_string(),
        ];
        let mut line = fields.map(|field| quoted(&field)).join(",");
        line.push('\n');
        self.write(&line);
        self.out.lock().unwrap_or_else(PoisonError::into_inner).rows += 1;
        self.progress.add_rejected();
    }

    fn write(&self, text: &str) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        if out.failed.is_none()
            && let Err(error) = out.file.write_all(text.as_bytes())
        {
            out.failed = Some(error);
        }
    }

    /// Begins anew, because the inputs are read again.
    pub fn again(&self) {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let emptied = out.file.flush().and_then(|()| out.file.get_ref().set_len(0)).and_then(|()| out.file.rewind());
        out.rows = 0;
        if let Err(error) = emptied {
            out.failed.get_or_insert(error);
        }
    }

    /// Makes sure that all of it is on disk, before anything is stored; how many lines there are.
    pub fn finish(&self) -> Result<u64> {
        let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
        let written = match out.failed.take() {
            Some(error) => Err(error),
            None => out.appended(&self.path),
        };
        written.map(|()| out.rows).map_err(|error| unwritable(&self.path, error))
    }
}

impl Out {
    /// Adds the lines to a file.
    fn appended(&mut self, path: &Path) -> io::Result<()> {
        if self.rows == 0 {
            return Ok(());
        }
        self.file.flush()?;
        let lines = self.file.get_mut();
        lines.rewind()?;
        let mut file = File::options().create(true).read(true).append(true).open(path)?;
        let is_file = file.metadata()?.is_file();
        match file.metadata()?.len() {
            0 => file.write_all(HEADER.as_bytes())?,
            // Whoever wrote to it did not end the last line.
            _ if is_file && !ends_line(&mut file)? => file.write_all(b"\n")?,
            _ => {}
        }
        io::copy(lines, &mut file)?;
        // A pipe or device keeps nothing.
        if is_file { file.sync_all() } else { Ok(()) }
    }
}

/// Whether the last byte of a file, which has one, ends a line.
fn ends_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

fn unwritable(path: &Path, error: io::Error) -> IngestError {
    IngestError::new(ErrorKind::Io, format!("refused lines cannot be written: {error}"))
        .caused_by(error)
        .in_file(path.display().to_string())
}

/// A field of CSV.
fn quoted(text: &str) -> String {
    match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refused_lines_are_written_with_their_reasons() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.csv");
        let rejected = Rejected::to(&path, Arc::default()).unwrap();
        rejected.add(&IngestError::bad_value("status", "2,x", "a number").in_file("a.log").on_line(3).at(7), "x\n");
        rejected.again();
        rejected
            .add(&IngestError::bad_value("status", "2,x", "a number").in_file("a.log").on_line(3).at(7), "a \"b\"\r\n");
        assert_eq!(rejected.finish().unwrap(), 1);
        assert_eq!(
            std::fs::read_to_string(&path).unwrap(),
            "file,line,position,column,reason,text\n\
             a.log,3,7,status,\"status is \"\"2,x\"\"; expected a number\",\"a \"\"b\"\"\"\n"
        );
        assert_eq!(Rejected::to(&path, Arc::default()).unwrap().finish().unwrap(), 0);
        let more = Rejected::to(&path, Arc::default()).unwrap();
        more.add(&IngestError::bad_value("status", "x", "a number").in_file("a.log").on_line(9), "y");
        more.finish().unwrap();
        let lines = std::fs::read_to_string(&path).unwrap();
        assert!(
            lines.lines().count() == 3
                && lines.ends_with("\na.log,9,,status,\"status is \"\"x\"\"; expected a number\",y\n"),
            "{lines}"
        );
        let nowhere = Rejected::to(&folder.path().join("no/such"), Arc::default()).unwrap();
        nowhere.add(&IngestError::bad_value("status", "x", "a number"), "");
        assert!(nowhere.finish().is_err());
    }
}
