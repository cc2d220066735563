//! The files that are named to be ingested: files, folders and patterns.

use std::path::{Path, PathBuf};

use super::named;
use crate::Result;

/// Files to read, and what was found beside them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InputFiles {
    /// Those to read, in the order in which they were named; those of a folder or pattern by name.
    pub files: Vec<PathBuf>,
    /// Those of folders whose names say no format, and that are not read.
    pub left_out: Vec<PathBuf>,
}

/// The files that names mean: a file, those of a folder whose names say their format (also rotated logs, such as
/// `access.log.2.gz`), or those that fit a pattern such as `logs/*.gz`.
pub fn input_files(names: &[PathBuf]) -> Result<InputFiles> {
    found_files(names, named::of_pattern)
}

/// The same where patterns may fit no file yet.
pub(crate) fn present_files(names: &[PathBuf]) -> Result<InputFiles> {
    found_files(names, named::matching)
}

fn found_files(
    names: &[PathBuf],
    of_pattern: fn(&str, &Path) -> datafusion::error::Result<named::Named>,
) -> Result<InputFiles> {
    let mut found = InputFiles::default();
    for name in names {
        if name.is_dir() {
            let mut files = Vec::new();
            named::list(name, &mut files, &named::is_partition)?;
            files.sort_unstable();
            let (known, unknown): (Vec<PathBuf>, Vec<PathBuf>) =
                files.into_iter().partition(|file| nines_ingest::Format::by_name(file).is_some());
            found.files.extend(known);
            found.left_out.extend(unknown);
        } else if name.exists() || !named::is_pattern(&name.to_string_lossy()) {
            // What is not there is told by whoever opens it.
            found.files.push(name.clone());
        } else {
            found.files.extend(of_pattern(&name.to_string_lossy(), name)?.files);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_and_patterns_mean_files() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        let all = ["a.log", "a.log.1", "a.log-20261014.xz", "a.log.tmp", "b.csv.gz", "README", ".hidden.csv"];
        for file in all {
            std::fs::write(folder.join(file), "").unwrap();
        }
        let short = |files: &[PathBuf]| -> Vec<String> {
            files.iter().map(|file| file.strip_prefix(folder).unwrap().display().to_string()).collect()
        };
        let found = input_files(&[folder.to_path_buf()]).unwrap();
        assert_eq!(short(&found.files), ["a.log", "a.log-20261014.xz", "a.log.1", "b.csv.gz"]);
        assert_eq!(short(&found.left_out), ["README", "a.log.tmp"]);
        let found = input_files(&[folder.join("b*"), folder.join("a.log*"), folder.join("none.log")]).unwrap();
        assert_eq!(short(&found.files), ["b.csv.gz", "a.log", "a.log-20261014.xz", "a.log.1", "a.log.tmp", "none.log"]);
        assert!(found.left_out.is_empty());
        let said = input_files(&[folder.join("c*")]).unwrap_err().to_string();
        assert!(said.contains("c*: there is no such file"), "{said}");
    }
}
