//! The formats that are imported.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::imported::{Found, Imported, Objective};
use super::{datadog, nobl9, openslo, pyrra, slo_generator, sloth, written};
use crate::mistake::{Complaint, Notes};
use crate::place::Place;
use crate::yaml::{self, Node, Value};

/// A format of definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ImportFormat {
    /// Sloth's, as files or Kubernetes objects.
    Sloth,
    /// Pyrra's.
    Pyrra,
    /// OpenSLO with queries of Prometheus.
    OpenSlo,
    /// That of Google's slo-generator, with Prometheus as its backend.
    SloGenerator,
    /// Nobl9's, with Prometheus as its source.
    Nobl9,
    /// What Datadog's SLO API answers, with sums of counts.
    Datadog,
}

impl ImportFormat {
    /// Every format, in the order in which they are listed to people.
    pub const ALL: [ImportFormat; 6] = [
        ImportFormat::Sloth,
        ImportFormat::Pyrra,
        ImportFormat::OpenSlo,
        ImportFormat::SloGenerator,
        ImportFormat::Nobl9,
        ImportFormat::Datadog,
    ];

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            ImportFormat::Sloth => "sloth",
            ImportFormat::Pyrra => "pyrra",
            ImportFormat::OpenSlo => "openslo",
            ImportFormat::SloGenerator => "slo-generator",
            ImportFormat::Nobl9 => "nobl9",
            ImportFormat::Datadog => "datadog",
        }
    }
}

/// What files in a format, each by its path and text, come to. An objective whose name was there before is left out.
pub fn import(format: ImportFormat, files: &[(String, String)]) -> Imported {
    let files: Vec<File<'_>> = files.iter().map(|(path, text)| File::read(format, path, text)).collect();
    let all: Vec<&Node> = files.iter().flat_map(File::objects).collect();
    let mut imported = Imported::default();
    let mut objectives: Vec<Objective> = Vec::new();
    // Where each name is first.
    let mut named: HashMap<String, String> = HashMap::new();
    // Files that may stand beside others, for what they define is referred to.
    let mut aside = Vec::new();
    for file in &files {
        let mut found = Found { objectives: Vec::new(), notes: Notes::new(file.path) };
        file.complaints.iter().for_each(|complaint| found.notes.complain(complaint.clone()));
        let documents = file.objects();
        match format {
            ImportFormat::Sloth => documents.iter().for_each(|document| sloth::read(document, &mut found)),
            ImportFormat::Pyrra => documents.iter().for_each(|document| pyrra::read(document, &mut found)),
            ImportFormat::OpenSlo => openslo::read(&documents, &all, &mut found),
            ImportFormat::SloGenerator => {
                documents.iter().for_each(|document| slo_generator::read(document, &mut found))
            }
            ImportFormat::Nobl9 => documents.iter().for_each(|document| nobl9::read(document, &mut found)),
            ImportFormat::Datadog => documents.iter().for_each(|document| datadog::read(document, &mut found)),
        }
        if found.objectives.is_empty() && found.notes.errors.is_empty() {
            match documents.first() {
                None => found.notes.error(Place { line: 1, column: 1 }, "the file is empty: it defines no SLO"),
                Some(first) => found.notes.error(first.place, "the file defines no SLO"),
            }
            if format == ImportFormat::OpenSlo && !documents.is_empty() {
                aside.append(&mut found.notes.errors);
            }
        }
        for objective in std::mem::take(&mut found.objectives) {
            let place = objective.place;
            match named.entry(objective.name.clone()) {
                Entry::Occupied(before) => {
                    let reason =
                        format!("an objective of this name is in {}; names tell objectives apart", before.get());
                    found.leave_out(place, &objective.name, reason);
                }
                Entry::Vacant(name) => {
                    name.insert(format!("{}:{}:{}", file.path, place.line, place.column));
                    imported.objectives.push(objective.name.clone());
                    objectives.push(objective);
                }
            }
        }
        found.notes.errors.sort();
        imported.left_out.append(&mut found.notes.errors);
        imported.notes.append(&mut found.notes.warnings);
    }
    if objectives.is_empty() {
        imported.left_out.append(&mut aside);
    }
    imported.definitions = written::definitions(&objectives);
    imported.mapping = written::mapping(&objectives);
    imported
}

/// A file of definitions.
struct File<'f> {
    path: &'f str,
    documents: Vec<Node>,
    complaints: Vec<Complaint>,
}

impl<'f> File<'f> {
    fn read(format: ImportFormat, path: &'f str, text: &str) -> Self {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let text = if format == ImportFormat::Datadog { datadog::unescaped(text) } else { Cow::Borrowed(text) };
        let (documents, complaints) = yaml::parse(&text);
        File { path, documents, complaints }
    }

    /// The objects that its documents hold.
    fn objects(&self) -> Vec<&Node> {
        self.documents.iter().flat_map(objects).filter(|node| !node.is_null()).collect()
    }
}

/// The items of a list or of a Kubernetes list, or the document itself.
fn objects(document: &Node) -> Vec<&Node> {
    match &document.value {
        Value::List(items) => items.iter().flat_map(objects).collect(),
        Value::Map(entries) => match entries.iter().find(|(key, _)| key.text() == Some("items")) {
            Some((_, Node { value: Value::List(items), .. })) => items.iter().collect(),
            _ => vec![document],
        },
        Value::Scalar { .. } => vec![document],
    }
}
