//! The notebooks that come with Nines.

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
