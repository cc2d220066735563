//! Files beside one that is followed, which a rotation made of it.

use std::cmp::Reverse;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// Files whose names say that they were rotated away from one that is followed. Of them are read the two newest of which
/// something is stored, and those that are newer than the newest of these.
#[derive(Debug, Clone)]
pub struct Rotated {
    /// The file that is followed.
    pub of: PathBuf,
    /// The others, the oldest first.
    pub files: Vec<PathBuf>,
    /// What was written after this was rotated away while it was followed, so it is read, too.
    pub since: Option<SystemTime>,
}

/// The files beside this one that were rotated away from it, the oldest first.
pub(super) fn beside(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let beside = path.with_file_name(entry.file_name());
        if is_of(path, &beside)
            && let Ok(metadata) = fs::metadata(&beside)
            && metadata.is_file()
        {
            files.push((metadata.modified()?, beside));
        }
    }
    // Of files that a rotation numbers the greatest number is the oldest; times may be the same.
    let numbers: Option<Vec<u32>> = files.iter().map(|(_, file)| number(path, file)).collect();
    match numbers {
        Some(_) => files.sort_by_key(|(_, file)| Reverse(number(path, file))),
        None => files.sort(),
    }
    Ok(files.into_iter().map(|(_, file)| file).collect())
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
            let found = beside(&path).unwrap();
            found.iter().map(|file| name(file).unwrap()).collect::<Vec<_>>()
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
