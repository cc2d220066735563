//! Which of the files that were rotated away from one that is followed are read.

use std::path::PathBuf;
use std::time::Duration;

use nines_ingest::{Format, LogStart, Tail};

use super::follow::Rotated;
use super::marks::{Marks, id};
use super::what::{FileState, Load};
use crate::{EngineError, Result};

/// A file that nobody has written to for so long is not being packed.
const RECENT: Duration = Duration::from_secs(3600);

/// A file that is read: its start, what it is known by, and up to where it was read under that.
pub(super) type Begun = (LogStart, String, Vec<u64>);

/// The files that are read, and of the others those of which something is to be said: the two newest of which something is
/// stored are read, what is newer than the newest of them, and what was written since it is followed.
pub(super) fn of<F: Fn(&str) -> Result<Option<i64>>>(
    load: &Load,
    rotated: &Rotated,
    marks: &Marks<F>,
) -> Result<Vec<(PathBuf, Result<Begun, FileState>)>> {
    let mut begun = Vec::new();
    for file in &rotated.files {
        let path = file.path().to_path_buf();
        // What is being packed cannot be read yet, and what is no log is none of ours.
        let Some((format, start)) = opened(load, file) else {
            if is_recent(file) {
                begun.push((path, Err(FileState::NotYet)));
            }
            continue;
        };
        let Some(record) = start.first_record(false) else { continue };
        let id = id(load, format, &record);
        let ends = marks.ends(&id)?;
        begun.push((path, Ok((start, id, ends))));
    }
    let known = |read: &(PathBuf, Result<Begun, FileState>)| matches!(&read.1, Ok((.., ends)) if !ends.is_empty());
    let newest: Vec<usize> = (0..begun.len()).rev().filter(|&at| known(&begun[at])).take(2).collect();
    // Once newer files are stored this one would be taken for one that is not to be read.
    if let Some((path, _)) = begun.iter().skip(newest.first().map_or(0, |at| at + 1)).find(|(_, read)| read.is_err())
        && rotated.waits
    {
        return Err(EngineError::Changed(format!("{}: it was rotated and cannot be read yet", path.display())));
    }
    let is_since = |path: &PathBuf| {
        let file = rotated.files.iter().find(|file| file.path() == path);
        file.is_some_and(|file| file.written().is_ok_and(|written| written > rotated.since))
    };
    let is_read = |at: usize, read: &(PathBuf, Result<Begun, FileState>)| {
        newest.contains(&at) || newest.first().is_some_and(|&newest| at > newest) || is_since(&read.0)
    };
    let chosen = begun.into_iter().enumerate().map(|(at, read)| {
        let is_read = read.1.is_err() || is_read(at, &read);
        if is_read { read } else { (read.0, Err(FileState::LeftOut)) }
    });
    // What is older than what is stored was left out before.
    Ok(chosen.filter(|(_, read)| newest.is_empty() || !matches!(read, Err(FileState::LeftOut))).collect())
}

fn opened(load: &Load, file: &Tail) -> Option<(Format, LogStart)> {
    file.start(load.table, load.given_format()).ok().filter(|(format, _)| *format != Format::Parquet)
}

/// Whether a file was written so lately that somebody may still be packing it.
fn is_recent(file: &Tail) -> bool {
    file.written().is_ok_and(|written| written.elapsed().is_ok_and(|since| since < RECENT))
}
