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

/// So many of the newest files of which something is stored are read on.
const READ_AGAIN: usize = 2;

/// A file that is read: its start, what it is known by, and up to where it was read under that.
pub(super) type Begun = (LogStart, String, Vec<u64>);

/// The files that are read, and of the others those of which something is to be said: the two newest of which something is
/// stored are read, what is newer than the newest of them, and what was written since it is followed.
pub(super) fn of<F: Fn(&str) -> Result<Option<i64>>>(
    load: &Load,
    rotated: &Rotated,
    marks: &Marks<F>,
) -> Result<Vec<(PathBuf, Result<Begun, FileState>)>> {
    let is_since = |file: &Tail| file.written().is_ok_and(|written| written > rotated.since);
    // The newest first: each that is looked at costs looks through the table's log, and there may be many.
    let (mut begun, mut newest) = (Vec::new(), 0);
    for file in rotated.files.iter().rev() {
        if newest == READ_AGAIN && !is_since(file) {
            continue;
        }
        let path = file.path().to_path_buf();
        // What is being packed cannot be read yet, and what is no log is none of ours.
        let Some((format, start)) = opened(load, file) else {
            // Once newer files are stored this one would be taken for one that is not to be read.
            if is_recent(file) && newest == 0 && rotated.waits {
                return Err(EngineError::Changed(format!("{}: it was rotated and cannot be read yet", path.display())));
            }
            if is_recent(file) {
                begun.push((path, Err(FileState::NotYet), true));
            }
            continue;
        };
        let Some(record) = start.first_record(false) else { continue };
        let id = id(load, format, &record);
        let ends = marks.ends(&id)?;
        let is_known = !ends.is_empty();
        // What is newer than the newest that is known is read as well, once there is one.
        let is_read = is_known && newest < READ_AGAIN || is_since(file);
        if is_known && newest == 0 {
            begun.iter_mut().for_each(|(.., is_read)| *is_read = true);
        }
        newest += usize::from(is_known && newest < READ_AGAIN);
        begun.push((path, Ok((start, id, ends)), is_read));
    }
    let chosen = begun.into_iter().rev().map(|(path, read, is_read)| match is_read {
        true => (path, read),
        false => (path, Err(FileState::LeftOut)),
    });
    // What is older than what is stored was left out before.
    Ok(chosen.filter(|(_, read)| newest == 0 || !matches!(read, Err(FileState::LeftOut))).collect())
}

fn opened(load: &Load, file: &Tail) -> Option<(Format, LogStart)> {
    file.start(load.table, load.given_format()).ok().filter(|(format, _)| *format != Format::Parquet)
}

/// Whether a file was written so lately that somebody may still be packing it.
fn is_recent(file: &Tail) -> bool {
    file.written().is_ok_and(|written| written.elapsed().is_ok_and(|since| since < RECENT))
}
