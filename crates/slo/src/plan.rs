//! What applying files would record, without recording it.
//!
//! All or nothing: one mistake anywhere, and nothing is planned.

use std::collections::{HashMap, HashSet};

use crate::definitions::Definitions;
use crate::document::{Body, Document, read, reread};
use crate::instant::SINCE_EVER;
use crate::mistake::{Complaint, Mistake, Severity, mistake};
use crate::object::ObjectKind;
use crate::object::Stored;
use crate::resolve;
use crate::rules::Rules;

/// What would be recorded.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// One per object, in the order of the files.
    pub changes: Vec<Change>,
    /// What is worth knowing.
    pub warnings: Vec<Mistake>,
    /// All that is defined once the changes are recorded.
    pub definitions: Definitions,
}

/// What becomes of an object.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Change {
    /// The version; what is recorded already if it is unchanged.
    pub stored: Stored,
    /// How it relates to what is recorded.
    pub what: What,
    /// The file it stands in.
    pub path: String,
    /// The line it begins in.
    pub line: usize,
}

/// How an object relates to what is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// There was none of this kind and name.
    New,
    /// Another version of what is recorded.
    Changed,
    /// Another text for a version with the same effective date: the past is rewritten.
    Corrected,
    /// Recorded already.
    Unchanged,
}

/// Plans to apply files (path, text) at the instant `now` (µs) to what is recorded.
///
/// An object is effective from its annotation on; without one a first version is since ever, a later one from `now`
/// on, unless what is in force says the same. Of several texts for one version the last one counts. All mistakes of all
/// files come together, by path and line.
pub fn plan(existing: &[Stored], files: &[(String, String)], now: i64) -> Result<Plan, Vec<Mistake>> {
    let mut recorded: HashMap<(ObjectKind, &str), Vec<&Stored>> = HashMap::new();
    for stored in existing {
        recorded.entry((stored.kind, stored.name.as_str())).or_default().push(stored);
    }
    recorded.values_mut().for_each(|versions| versions.sort_by_key(|stored| stored.effective_from));

    let mut mistakes = Vec::new();
    let mut documents: Vec<Document> = Vec::new();
    let mut refused = HashSet::new();
    for (path, text) in files {
        let reading = read(path, text);
        mistakes.extend(reading.mistakes);
        documents.extend(reading.documents);
        refused.extend(reading.refused);
    }
    let (documents, superseded) = last_of_each(documents);
    let mut in_run: HashMap<(ObjectKind, &str), usize> = HashMap::new();
    for document in &documents {
        *in_run.entry((document.kind, document.name.as_str())).or_default() += 1;
    }

    let mut changes: Vec<Change> = Vec::new();
    let mut places: HashMap<(ObjectKind, &str, i64), &Document> = HashMap::new();
    for document in &documents {
        let key = (document.kind, document.name.as_str());
        let known = recorded.get(&key).map_or([].as_slice(), |versions| versions);
        let change = change(document, known, in_run.get(&key) > Some(&1), now);
        if let Some(first) = places.insert((key.0, key.1, change.stored.effective_from), document) {
            mistakes.push(stands_again(document, first, VERSIONS_DIFFER, Severity::Error));
        }
        if let (Body::Slo(slo), true) = (&document.body, change.what != What::Unchanged) {
            // What is recorded loads as it did.
            let misfits = slo.misfits(change.stored.effective_from);
            mistakes.extend(misfits.into_iter().map(|complaint| told(document, complaint, Severity::Error)));
        }
        if let (Body::Agreement(draft), true) = (&document.body, change.what != What::Unchanged) {
            // What is recorded is judged as it was; nothing new is laid across midnights.
            let misfit = draft.misfit(change.stored.effective_from);
            mistakes.extend(misfit.map(|complaint| told(document, complaint, Severity::Error)));
        }
        changes.push(change);
    }

    let untouched = existing.iter().filter(|s| !places.contains_key(&(s.kind, s.name.as_str(), s.effective_from)));
    let (untouched, unread) = reread(untouched);
    let dated = changes.iter().map(|change| change.stored.effective_from).zip(&documents);
    let everything = untouched.iter().map(|(from, document)| (*from, document)).chain(dated);
    let (definitions, told) = resolve::all(everything, &refused, &unread);
    // What was wrong before is no reason to refuse what is right; it is listed as not measured.
    let before = wrong_before(existing);
    let (errors, warnings): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| told.severity == Severity::Error);
    mistakes.extend(errors.into_iter().filter(|told| !before.contains(told)));
    if !mistakes.is_empty() {
        mistakes.sort();
        mistakes.dedup();
        return Err(mistakes);
    }
    // What is recorded already was warned of when it was.
    let applied: HashSet<&str> = files.iter().map(|(path, _)| path.as_str()).collect();
    let mut warnings: Vec<Mistake> = warnings.into_iter().filter(|told| applied.contains(told.path.as_str())).collect();
    warnings.extend(documents.iter().flat_map(|document| document.warnings.clone()));
    warnings.extend(unresolved_alerts(&documents, &recorded, &in_run));
    warnings.extend(superseded);
    warnings.sort();
    warnings.dedup();
    Ok(Plan { changes, warnings, definitions })
}

/// What is wrong with what is recorded, by itself.
fn wrong_before(existing: &[Stored]) -> Vec<Mistake> {
    let (documents, unread) = reread(existing.iter());
    let documents = documents.iter().map(|(from, document)| (*from, document));
    let told = resolve::all(documents, &HashSet::new(), &unread).1;
    told.into_iter().filter(|told| told.severity == Severity::Error).collect()
}

/// What tells versions apart.
const VERSIONS_DIFFER: &str = "versions of one object differ in their annotation nines/effective-from";

/// Of several documents that are the same version of an object the last one, in its place, and a warning for each two:
/// published files repeat objects, and whoever reads them one after the other ends with the last one, too.
fn last_of_each(documents: Vec<Document>) -> (Vec<Document>, Vec<Mistake>) {
    type Version<'d> = (ObjectKind, &'d str, Option<i64>);
    let mut last: HashMap<Version<'_>, usize> = HashMap::new();
    let mut passed = HashSet::new();
    let mut warnings = Vec::new();
    for (at, document) in documents.iter().enumerate() {
        let version = (document.kind, document.name.as_str(), document.effective_from);
        if let Some(earlier) = last.insert(version, at) {
            let hint = format!("the last one counts; {VERSIONS_DIFFER}");
            warnings.push(stands_again(document, &documents[earlier], &hint, Severity::Warning));
            passed.insert(earlier);
        }
    }
    let counts = documents.into_iter().enumerate().filter(|(at, _)| !passed.contains(at));
    (counts.map(|(_, document)| document).collect(), warnings)
}

fn stands_again(document: &Document, earlier: &Document, hint: &str, severity: Severity) -> Mistake {
    let Document { kind, name, .. } = document;
    let reason = format!("{kind} '{name}' stands here again, before in {}:{}", earlier.path, earlier.line);
    told(document, Complaint::new(document.place(), reason, Some(hint)), severity)
}

/// Which version a document is, beside those recorded (ascending).
fn change(document: &Document, known: &[&Stored], one_of_several: bool, now: i64) -> Change {
    let says_this = |stored: &&Stored| stored.text.trim_end() == document.text.trim_end();
    let effective_from = match (document.effective_from, known) {
        (Some(from), _) => from,
        (None, []) => SINCE_EVER,
        (None, _) => now,
    };
    let in_force = known.iter().rev().find(|stored| stored.effective_from <= effective_from);
    // A file that holds the whole history of an object, its first version undated, may be applied again.
    let undated = document.effective_from.is_none() && one_of_several;
    let same = in_force.filter(|stored| says_this(stored)).or(known.iter().find(|s| undated && says_this(s)));
    let what = match (same, in_force) {
        (Some(_), _) => What::Unchanged,
        (None, Some(stored)) if stored.effective_from == effective_from => What::Corrected,
        (None, _) if known.is_empty() => What::New,
        (None, _) => What::Changed,
    };
    let stored = match same {
        Some(stored) => (*stored).clone(),
        None => {
            let (kind, name, text) = (document.kind, document.name.clone(), document.text.clone());
            Stored { kind, name, effective_from, text, rules: Rules::CURRENT }
        }
    };
    Change { stored, what, path: document.path.clone(), line: document.line }
}

/// Nines does not alert, so it only warns of alerts that refer to nothing.
fn unresolved_alerts(
    documents: &[Document],
    recorded: &HashMap<(ObjectKind, &str), Vec<&Stored>>,
    in_run: &HashMap<(ObjectKind, &str), usize>,
) -> Vec<Mistake> {
    let references = documents.iter().flat_map(|document| document.references.iter().map(move |r| (document, r)));
    let missing = references.filter(|(_, reference)| {
        let key = (reference.kind, reference.name.as_str());
        !recorded.contains_key(&key) && !in_run.contains_key(&key)
    });
    let complaints = missing.map(|(document, reference)| {
        let reason = format!("there is no {} '{}'", reference.kind, reference.name);
        told(document, Complaint::new(reference.place, reason, Some("Nines does not alert")), Severity::Warning)
    });
    complaints.collect()
}

fn told(document: &Document, complaint: Complaint, severity: Severity) -> Mistake {
    mistake(&document.path, complaint, severity)
}
