//! Files beside one that is followed, which a rotation made of it.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nines_ingest::{IngestError, Tail};

use crate::Result;

/// Files whose names say that they were rotated away from one that is followed. Of them are read the two newest of which
/// something is stored, and those that are newer than the newest of these.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The file that is followed.
    pub of: PathBuf,
    /// The others, held open, the oldest first.
    pub files: Vec<Tail>,
    /// Whether to wait for one that cannot be read, because it is still being packed.
    pub waits: bool,
    /// What was written after this was rotated away while it was followed, so it is read, too.
    pub since: SystemTime,
}

/// How often files are listed again that are renamed meanwhile.
const TRIES: usize = 10;

/// The files beside this one that were rotated away from it, held open, the oldest first; `None` if they are being renamed. A
/// file that is missed would be taken for one that was there before anything was stored, once newer ones are.
pub(super) fn beside(path: &Path) -> Result<Option<Vec<Tail>>> {
    let names = || names(path).map_err(|error| IngestError::unreadable(path, error));
    for _ in 0..TRIES {
        let mut files = Vec::new();
        for name in names()? {
            match Tail::open(&name).and_then(|file| Ok((file.written()?, file))) {
                Ok(file) => files.push(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(IngestError::unreadable(&name, error).into()),
            }
        }
        let is_same = |(_, file): &(SystemTime, Tail)| {
            fs::metadata(file.path()).is_ok_and(|metadata| (metadata.dev(), metadata.ino()) == file.id())
        };
        if files.iter().all(is_same) && names()?.len() == files.len() {
            return Ok(Some(sorted(path, files)));
        }
    }
    Ok(None)
}

/// The names of the files that were rotated away from this one.
fn names(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        let beside = path.with_file_name(entry?.file_name());
        if is_of(path, &beside) && fs::metadata(&beside).is_ok_and(|metadata| metadata.is_file()) {
            names.push(beside);
        }
    }
    Ok(names)
}

/// The oldest first. Of files that a rotation numbers the greatest number is the oldest; times may be the same.
fn sorted(path: &Path, mut files: Vec<(SystemTime, Tail)>) -> Vec<Tail> {
    let number = |file: &Tail| number(path, file.path());
    if files.iter().all(|(_, file)| number(file).is_some()) {
        files.sort_by_key(|(_, file)| Reverse(number(file)));
    } else {
        files.sort_by(|(a, one), (b, other)| a.cmp(b).then_with(|| one.path().cmp(other.path())));
    }
    files.into_iter().map(|(_, file)| file).collect()
}

/// The number that a rotation put behind a name; dates are none.
fn number(path: &Path, beside: &Path) -> Option<u32> {
    let (name, beside) = (name(path)?, name(beside)?);
    let number = unpacked(&beside).strip_prefix(name.as_str())?.strip_prefix('.')?;
    number.parse().ok().filter(|_| number.len() < 5)
}

fn name(path: &Path) -> Option<String> {
    path.file_name().map(|name| name.to_string_lossy().into_owned())
}

/// A name without the ending of a packed file.
fn unpacked(name: &str) -> &str {
    [".gz", ".zst", ".xz", ".bz2"].into_iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Whether a name is that of a file and what a rotation puts to it: a number, a date, a time or `old`, behind it or before its
/// ending, and perhaps the ending of a packed file.
pub(super) fn is_of(path: &Path, beside: &Path) -> bool {
    let (Some(name), Some(beside)) = (name(path), name(beside)) else { return false };
    let beside = unpacked(&beside);
    let put = |part: &str| {
        part.strip_prefix(['.', '-', '_']).is_some_and(|put| {
            put == "old"
                || put.starts_with(|c: char| c.is_ascii_digit())
                    && put.chars().all(|c| c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ':' | 'T' | 'Z' | '+'))
        })
    };
    if beside.strip_prefix(name.as_str()).is_some_and(put) {
        return true;
    }
    let Some((stem, ending)) = name.rsplit_once('.') else { return false };
    let within = beside.strip_prefix(stem).and_then(|rest| rest.strip_suffix(ending)?.strip_suffix('.'));
    !stem.is_empty() && within.is_some_and(put)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_numbered_goes_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let names = |files: &[&str]| {
            for file in files {
                fs::write(folder.path().join(file), "").unwrap();
            }
            let found = beside(&path).unwrap().unwrap();
            found.iter().map(|file| name(file.path()).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(names(&["a.log", "a.log.10.gz", "a.log.1", "a.log.2"]), ["a.log.10.gz", "a.log.2", "a.log.1"]);
        let all = names(&["a.log-20261129"]);
        assert_eq!(all.len(), 4, "{all:?}");
    }

    #[test]
    fn names_of_rotated_files() {
        let is = |beside: &str| is_of(Path::new("logs/access.log"), Path::new(beside));
        for rotated in [
            "access.log.1",
            "access.log.2.gz",
            "access.log-20261129",
            "access.log-20261129-1764374400.zst",
            "access.log.2026-11-29T10:00:00Z",
            "access.log.old",
            "access-2026-11-29.log",
            "access.1.log.xz",
        ] {
            assert!(is(rotated), "{rotated}");
        }
        for other in [
            "access.log",
            "access.log.gz",
            "access.log.bak",
            "access.log.1.tmp",
            "access.log.error",
            "access.error.log",
            "access2.log",
            "other.log.1",
            "access.log.",
        ] {
            assert!(!is(other), "{other}");
        }
        assert!(is_of(Path::new("messages"), Path::new("messages.0")));
        assert!(!is_of(Path::new(".log"), Path::new("a.1.log")));
    }
}
