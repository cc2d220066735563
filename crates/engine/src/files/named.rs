//! The files that a name means: a file, the files of a folder, or those that fit a pattern.

use std::path::{Path, PathBuf};

use datafusion::common::plan_err;
use datafusion::error::{DataFusionError, Result};
use globset::GlobBuilder;
use nines_ingest::Format;
use url::Url;

/// What a name means.
#[derive(Debug)]
pub(super) struct Named {
    /// In the order of their names.
    pub files: Vec<PathBuf>,
    /// Whether they were found in a folder or by a pattern.
    pub is_several: bool,
    /// The folder below which they lie.
    pub base: PathBuf,
}

/// The files of a name; `None` if it is no name of a file.
pub(super) fn named(name: &str) -> Result<Option<Named>> {
    let path = match Url::parse(name) {
        Ok(url) if url.scheme() == "file" => match url.to_file_path() {
            Ok(path) => path,
            Err(()) => return plan_err!("{name} is no place of a file"),
        },
        Ok(_) if name.contains("://") => return Ok(None),
        _ => PathBuf::from(name),
    };
    let of = |files: Vec<PathBuf>, base: PathBuf| Ok(Some(Named { files, is_several: true, base }));
    match std::fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => {
            let mut files = Vec::new();
            list(&path, &mut files, &|folder| is_partition(folder))?;
            files.retain(|file| by_name(file).is_some());
            of(sorted(files), path)
        }
        Ok(metadata) if !metadata.is_file() => plan_err!("{name}: it can be read only once; write it to a file first"),
        Ok(_) => Ok(Some(Named { files: vec![path.clone()], is_several: false, base: path })),
        Err(_) if is_pattern(name) => of_pattern(name, &path).map(Some),
        Err(_) if name.contains('/') || by_name(&path).is_some() => missing(name),
        Err(_) => Ok(None),
    }
}

/// Whether a name may be a pattern.
pub(super) fn is_pattern(name: &str) -> bool {
    name.contains(['*', '?', '[', '{'])
}

/// The files that fit a pattern, which a path is.
pub(super) fn of_pattern(name: &str, path: &Path) -> Result<Named> {
    let found = matching(name, path)?;
    if found.files.is_empty() { missing(name) } else { Ok(found) }
}

/// The same, which may be none.
pub(super) fn matching(name: &str, path: &Path) -> Result<Named> {
    let base = path.ancestors().find(|folder| !is_pattern(&folder.to_string_lossy()));
    let base = base.unwrap_or(Path::new("")).to_path_buf();
    let start = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
    let pattern = GlobBuilder::new(&path.to_string_lossy()).literal_separator(true).build();
    let pattern = pattern.map_err(|error| DataFusionError::Plan(format!("{name}: {error}")))?.compile_matcher();
    let mut files = Vec::new();
    if start.is_dir() {
        list(start, &mut files, &|_| true)?;
    }
    files.retain(|file| pattern.is_match(file.strip_prefix("./").unwrap_or(file)));
    Ok(Named { files: sorted(files), is_several: true, base })
}

/// The text columns that the names of folders between base and file give, as `date=2026-10-01`.
pub(super) fn constants(base: &Path, file: &Path) -> Vec<(String, String)> {
    let below = file.strip_prefix(base).ok().and_then(Path::parent);
    let folders = below.into_iter().flat_map(Path::components);
    let pairs = folders.filter_map(|folder| {
        let (name, value) = folder.as_os_str().to_str()?.split_once('=')?;
        Some((name.to_string(), value.to_string()))
    });
    pairs.collect()
}

fn missing<T>(name: &str) -> Result<T> {
    plan_err!("{name}: there is no such file")
}

pub(super) fn is_partition(folder: &Path) -> bool {
    folder.file_name().is_some_and(|name| name.to_string_lossy().contains('='))
}

/// The format that a name says.
fn by_name(path: &Path) -> Option<Format> {
    Format::by_name(path)
}

fn sorted(mut files: Vec<PathBuf>) -> Vec<PathBuf> {
    files.sort_unstable();
    files
}

/// The files in a folder and in those below it that are wanted, hidden ones aside.
pub(super) fn list(folder: &Path, files: &mut Vec<PathBuf>, is_wanted: &impl Fn(&Path) -> bool) -> Result<()> {
    let failed = |error: std::io::Error| DataFusionError::Plan(format!("{}: {error}", folder.display()));
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.')) {
            continue;
        }
        match path.is_dir() {
            true if is_wanted(&path) => list(&path, files, is_wanted)?,
            true => {}
            false => files.push(path),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(folder: &Path, name: &str) -> Vec<String> {
        let named = named(&format!("{}/{name}", folder.display())).unwrap().unwrap();
        let shown = |file: &PathBuf| file.strip_prefix(folder).unwrap().display().to_string();
        named.files.iter().map(shown).collect()
    }

    #[test]
    fn a_file_a_folder_and_a_pattern() {
        let scratch = tempfile::tempdir().unwrap();
        let folder = scratch.path();
        for file in ["a.csv", "b[1].csv", "b1.csv", "_d.csv", "note.txt", ".c.csv", "day=1/x.csv", "more/y.csv"] {
            let path = folder.join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, "").unwrap();
        }
        assert_eq!(found(folder, "b[1].csv"), ["b[1].csv"], "a file of this name comes before the pattern");
        assert_eq!(found(folder, ""), ["_d.csv", "a.csv", "b1.csv", "b[1].csv", "day=1/x.csv"]);
        assert_eq!(found(folder, "b*.csv"), ["b1.csv", "b[1].csv"]);
        assert_eq!(found(folder, "*/*.csv"), ["day=1/x.csv", "more/y.csv"]);
        assert_eq!(constants(folder, &folder.join("day=1/x.csv")), [("day".to_string(), "1".to_string())]);
        let said = |name: &str| named(&format!("{}/{name}", folder.display())).unwrap_err().strip_backtrace();
        for name in ["c.csv", "c*.csv", "none/*.csv"] {
            assert!(said(name).ends_with(&format!("{name}: there is no such file")), "{}", said(name));
        }
        assert!(named("/dev/null").unwrap_err().to_string().contains("it can be read only once"));
        assert!(named("no_such_table").unwrap().is_none());
        assert!(named("s3://bucket/a.csv").unwrap().is_none());
    }
}
