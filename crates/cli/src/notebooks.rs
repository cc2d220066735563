//! Notebooks by name: files, and those that come with Nines.

use std::path::Path;

use nines_notebook::{Notebook, Page};

use crate::error::{CliError, Result, doing};

/// Name and text of each, dashboards first.
pub(crate) const ALL: &[(&str, &str)] = &[
    ("company", include_str!("../../../queries/company.md")),
    ("business", include_str!("../../../queries/business.md")),
    ("feature", include_str!("../../../queries/feature.md")),
    ("weekly", include_str!("../../../queries/weekly.md")),
    ("review", include_str!("../../../queries/review.md")),
    ("incident", include_str!("../../../queries/incident.md")),
];

/// The text of the one of this name.
pub(crate) fn text(name: &str) -> Option<&'static str> {
    ALL.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}

/// A notebook and what it is called.
pub(crate) struct Named {
    pub name: String,
    pub notebook: Notebook,
}

/// The notebook in a file, else the one of this name that comes with Nines; with `safe` no file is read.
pub(crate) fn find(name: &str, file: &Path, safe: bool) -> Result<Named> {
    if text(name).is_some() && (safe || !file.is_file()) {
        return shipped(name);
    }
    if !file.exists() && file.extension().is_none() && file.components().count() == 1 {
        let names: Vec<&str> = ALL.iter().map(|(name, _)| *name).collect();
        let problem = format!("there is neither a file nor a notebook {name}; there are {}", names.join(", "));
        return Err(CliError::Usage(problem));
    }
    let called = file.display().to_string();
    read(&called, &doing(&called, std::fs::read_to_string(file))?)
}

/// The notebook of this name that comes with Nines, whatever files there are.
pub(crate) fn shipped(name: &str) -> Result<Named> {
    let text = text(name).ok_or_else(|| CliError::Usage(format!("no notebook {name} comes with Nines")))?;
    read(&format!("{name}.md"), text)
}

fn read(file: &str, text: &str) -> Result<Named> {
    let notebook = Notebook::parse(file, text)
        .map_err(|mistakes| CliError::Usage(mistakes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")))?;
    let name = Path::new(file).file_stem().map_or(file.to_string(), |stem| stem.to_string_lossy().into_owned());
    Ok(Named { name, notebook })
}

/// An error if a cell failed; the page shows which.
pub(crate) fn check(page: &Page, name: &str) -> Result<()> {
    match page.failures() {
        0 => Ok(()),
        1 => Err(CliError::Failed(format!("{name}: a cell failed; the page shows which, and why"))),
        n => Err(CliError::Failed(format!("{name}: {n} cells failed; the page shows which, and why"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn none_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../queries");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut files: Vec<_> = files.filter(|path| path.extension().is_some_and(|ending| ending == "md")).collect();
        // A transcript of commands for a shell has no cells.
        files.retain(|path| std::fs::read_to_string(path).unwrap().contains("\n```sql"));
        let mut names: Vec<_> = files.iter().map(|path| path.file_stem().unwrap().to_str().unwrap()).collect();
        let mut known: Vec<_> = ALL.iter().map(|(name, _)| *name).collect();
        names.sort_unstable();
        known.sort_unstable();
        assert_eq!(known, names);
    }
}
