//! Which of the files that were rotated away from one that is followed are read.

use std::fs;
use std::path::PathBuf;
use std::time::SystemTime;

use nines_ingest::{Format, LogStart, Progress};

use super::follow::Rotated;
use super::marks::{Marks, id};
use super::what::{FileState, Load};
use crate::Result;

/// A file that is read: its start, what it is known by, and up to where it was read under that.
pub(super) type Begun = (LogStart, String, Vec<u64>);

/// The files that are read, and of the others those of which something is to be said: the two newest of which something is
/// stored are read, what is newer than the newest of them, and what was written since the file is followed.
pub(super) fn of<F: Fn(&str) -> Result<Option<i64>>>(
    load: &Load,
    rotated: &Rotated,
    marks: &Marks<F>,
) -> Result<Vec<(PathBuf, Result<Begun, FileState>)>> {
    let mut begun = Vec::new();
    for path in &rotated.files {
        // What is being packed cannot be read yet, and what is no log is none of ours.
        let Some((format, start)) = opened(load, path) else {
            begun.push((path.clone(), Err(FileState::NotYet)));
            continue;
        };
        let Some(record) = start.first_record(false) else { continue };
        let id = id(load, format, &record);
        let ends = marks.ends(&id)?;
        begun.push((path.clone(), Ok((start, id, ends))));
    }
    let known = |read: &(PathBuf, Result<Begun, FileState>)| matches!(&read.1, Ok((.., ends)) if !ends.is_empty());
    let newest: Vec<usize> = (0..begun.len()).rev().filter(|&at| known(&begun[at])).take(2).collect();
    let is_read = |at: usize, read: &(PathBuf, Result<Begun, FileState>)| {
        let is_since = || written(&read.0).zip(rotated.since).is_some_and(|(written, since)| written > since);
        newest.contains(&at) || newest.first().is_some_and(|&newest| at > newest) || is_since()
    };
    let chosen = begun.into_iter().enumerate().map(|(at, read)| {
        let is_read = read.1.is_err() || is_read(at, &read);
        if is_read { read } else { (read.0, Err(FileState::LeftOut)) }
    });
    // What is older than what is stored was left out before.
    Ok(chosen.filter(|(_, read)| newest.is_empty() || !matches!(read, Err(FileState::LeftOut))).collect())
}

fn opened(load: &Load, path: &PathBuf) -> Option<(Format, LogStart)> {
    let format = load.given_format().map_or_else(|| nines_ingest::detect_for(load.table, path), Ok).ok()?;
    if format == Format::Parquet {
        return None;
    }
    // Its name may be another file's before it is read.
    let start = LogStart::held(path, format, &Progress::new().into()).ok()?;
    Some((format, start))
}

fn written(path: &PathBuf) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}
