//! Objects as they stand in files: read, checked and cut out, each with its own text.

use chrono_tz::Tz;

use crate::excerpt::excerpt;
use crate::fields::{self, Fields};
use crate::metadata::Metadata;
use crate::mistake::{Mistake, Notes};
use crate::object::{ObjectKind, Reference, Stored};
use crate::place::Place;
use crate::service::Service;
use crate::sli::{self, Sli};
use crate::slo::{self, Slo};
use crate::yaml::{self, Node, Value};
use crate::{agreement, alerts, nearest};

/// An object of a file, without mistakes in itself.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Document {
    /// What it is.
    pub kind: ObjectKind,
    /// Its name.
    pub name: String,
    /// Annotation `nines/effective-from`, in µs.
    pub effective_from: Option<i64>,
    /// The object's own YAML: reads as this object alone.
    pub text: String,
    /// The file.
    pub path: String,
    /// The line it begins in, from 1.
    pub line: usize,
    /// The column it begins in, from 1, in characters.
    pub column: usize,
    /// What is worth knowing about it.
    pub warnings: Vec<Mistake>,
    pub(crate) body: Body,
    pub(crate) references: Vec<Reference>,
}

impl Document {
    pub(crate) fn place(&self) -> Place {
        Place { line: self.line, column: self.column }
    }
}

/// What an object says.
#[derive(Debug, Clone)]
pub(crate) enum Body {
    Slo(Slo),
    Sli(Sli),
    Service(Service),
    Agreement(agreement::Draft),
    /// Recorded only.
    Other,
}

/// What a file came to.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Reading {
    /// The objects that are right, as far as they can be judged without others.
    pub documents: Vec<Document>,
    /// What is wrong, by line.
    pub mistakes: Vec<Mistake>,
    /// Objects with mistakes, as far as they could be told: nobody needs to hear that they are missing, too.
    pub(crate) refused: Vec<(ObjectKind, String)>,
}

/// Reads a file of definitions: YAML or JSON, of one or more documents, each an object or a list of objects.
pub fn read(path: &str, text: &str) -> Reading {
    parse(path, text, true)
}

/// Reads objects that are recorded already, each with its effective date; mistakes name them instead of a file.
///
/// Every query begins with this, and reading thousands takes most of the time that a small one may take; so the cores
/// share it.
pub(crate) fn reread<'s>(stored: impl Iterator<Item = &'s Stored>) -> (Vec<(i64, Document)>, Vec<Unread<'s>>) {
    let stored: Vec<&Stored> = stored.collect();
    let threads = std::thread::available_parallelism().map_or(1, usize::from).min(stored.len() / WORTH_A_THREAD);
    let readings: Vec<Reading> = if threads < 2 {
        stored.iter().map(|stored| reread_one(stored)).collect()
    } else {
        std::thread::scope(|scope| {
            let parts = stored.chunks(stored.len().div_ceil(threads));
            let workers: Vec<_> =
                parts.map(|part| scope.spawn(|| part.iter().map(|s| reread_one(s)).collect::<Vec<_>>())).collect();
            let joined = workers.into_iter().map(|worker| worker.join());
            joined.flat_map(|part| part.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        })
    };
    let (mut documents, mut unread) = (Vec::with_capacity(readings.len()), Vec::new());
    for (stored, reading) in stored.into_iter().zip(readings) {
        documents.extend(reading.documents.into_iter().map(|document| (stored.effective_from, document)));
        if !reading.mistakes.is_empty() {
            unread.push(Unread { stored, mistakes: reading.mistakes });
        }
    }
    (documents, unread)
}

/// What is recorded and cannot be read.
pub(crate) struct Unread<'s> {
    pub stored: &'s Stored,
    /// Not empty.
    pub mistakes: Vec<Mistake>,
}

/// How many objects take longer to read than a thread to start.
const WORTH_A_THREAD: usize = 50;

fn reread_one(stored: &Stored) -> Reading {
    let mut reading = parse(&format!("{} {}", stored.kind, stored.name), &stored.text, false);
    for document in &mut reading.documents {
        if let Body::Agreement(draft) = &mut document.body {
            draft.as_meant_by(stored.rules);
        }
    }
    reading
}

fn parse(path: &str, text: &str, cut: bool) -> Reading {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    // One kind of line break, so that lines count alike everywhere.
    let unix = text.contains('\r').then(|| text.replace("\r\n", "\n").replace('\r', "\n"));
    let text = unix.as_deref().unwrap_or(text);
    let mut notes = Notes::new(path);
    let mut reading = Reading::default();
    let (nodes, complaints) = yaml::parse(text);
    let sound = complaints.is_empty();
    for complaint in complaints {
        notes.complain(complaint);
    }
    let lines: Vec<&str> = if cut { text.split('\n').collect() } else { Vec::new() };
    let nodes = nodes.iter().flat_map(|node| match &node.value {
        Value::List(items) => items.as_slice(),
        _ => std::slice::from_ref(node),
    });
    for node in nodes.filter(|node| !node.is_null()) {
        let before = notes.errors.len();
        let (identity, document) = object(node, &mut notes);
        let text = if cut { excerpt(&lines, node) } else { Some(text.to_string()) };
        // A key that stands twice is told already.
        if text.is_none() && sound && notes.errors.len() == before {
            let hint = "write out what it borrows from the rest of the file, such as aliases";
            notes.error_hint(node.place, "the object cannot be recorded by itself", hint);
        }
        let warnings = std::mem::take(&mut notes.warnings);
        match (document, text) {
            (Some(document), Some(text)) if notes.errors.len() == before => {
                reading.documents.push(Document { text, warnings, ..document });
            }
            _ => reading.refused.extend(identity),
        }
    }
    reading.mistakes = notes.errors;
    reading.mistakes.sort();
    reading
}

/// Reads one object: its kind and name, and itself if it is whole.
fn object(node: &Node, notes: &mut Notes<'_>) -> (Option<(ObjectKind, String)>, Option<Document>) {
    let Value::Map(_) = &node.value else {
        notes.error(node.place, format!("expected an object with apiVersion and kind, got {}", node.what()));
        return (None, None);
    };
    let Some(kind) = kind(node, notes) else { return (None, None) };
    let Some(fields) = Fields::read(node, "the object", &["apiVersion", "kind", "metadata", "spec"], notes) else {
        return (None, None);
    };
    let metadata = fields.need("metadata", notes).and_then(|node| Metadata::read(node, kind, notes));
    let name = metadata.as_ref().and_then(|metadata| metadata.name);
    let identity = name.map(|name| (kind, name.to_string()));
    // What it says is read even where it has no name, to tell all that is wrong.
    let nameless = Metadata::default();
    let mut references = Vec::new();
    let body = body(kind, metadata.as_ref().unwrap_or(&nameless), &fields, &mut references, notes);
    let (Some(name), Some((body, effective_from))) = (name, body) else { return (identity, None) };
    let document = Document {
        kind,
        name: name.to_string(),
        effective_from,
        text: String::new(),
        path: notes.path().to_string(),
        line: node.place.line,
        column: node.place.column,
        warnings: Vec::new(),
        body,
        references,
    };
    (identity, Some(document))
}

/// The kind of an object that can be read at all.
fn kind(node: &Node, notes: &mut Notes<'_>) -> Option<ObjectKind> {
    let fields = Fields::open(node, "the object", notes)?;
    let (version, kind) = (fields.need("apiVersion", notes), fields.need("kind", notes));
    let version = match version {
        Some(node) => Some((node.place, fields::text(node, "apiVersion", notes)?)),
        None => None,
    };
    if let Some((place, other)) = version.filter(|(_, version)| !matches!(*version, OPENSLO | NINES)) {
        let reason = format!("apiVersion '{other}' is not read");
        notes.error_hint(place, reason, "Nines reads openslo/v1, and nines/v1 for kind Agreement");
        return None;
    }
    let name = fields::text(kind?, "kind", notes)?;
    let known = name.parse();
    if known.is_err() {
        let names: Vec<&str> = ObjectKind::ALL.iter().map(|kind| kind.name()).collect();
        notes.error_hint(kind?.place, format!("unknown kind '{name}'"), &nearest::hint(name, &names));
    }
    let known = known.ok()?;
    let own = if known == ObjectKind::Agreement { NINES } else { OPENSLO };
    if let Some((place, version)) = version.filter(|(_, version)| *version != own) {
        notes.error(place, format!("kind {known} belongs to apiVersion {own}, not to {version}"));
        return None;
    }
    Some(known)
}

/// The `apiVersion` of all kinds but one.
const OPENSLO: &str = "openslo/v1";
/// The `apiVersion` of agreements.
const NINES: &str = "nines/v1";

/// What an object says, and from when.
fn body(
    kind: ObjectKind,
    metadata: &Metadata<'_>,
    fields: &Fields<'_>,
    references: &mut Vec<Reference>,
    notes: &mut Notes<'_>,
) -> Option<(Body, Option<i64>)> {
    if kind == ObjectKind::Slo {
        let (slo, from) = slo::read(metadata, fields.need("spec", notes)?, references, notes)?;
        slo.check(notes);
        return Some((Body::Slo(slo), from));
    }
    if kind == ObjectKind::Agreement {
        let (draft, from) = agreement::read(metadata, fields.need("spec", notes)?, notes)?;
        return Some((Body::Agreement(draft), from));
    }
    let (from, _) = metadata.effective(Tz::UTC, notes);
    let body = match kind {
        ObjectKind::Sli => {
            let vela = metadata.vela(notes);
            Body::Sli(sli::read(fields.need("spec", notes)?, vela, notes)?)
        }
        ObjectKind::Service => {
            if let Some(spec) = fields.get("spec").and_then(|spec| Fields::read(spec, "spec", &["description"], notes))
            {
                spec.text("description", notes);
            }
            Body::Service(Service {
                name: metadata.name?.to_string(),
                business: metadata.business(notes).filter(|business| !business.is_empty()),
                owner: metadata.owner(notes),
                target: metadata.target(notes).map(|(target, _)| target),
            })
        }
        _ => {
            let spec = fields.need("spec", notes)?;
            Fields::open(spec, "spec", notes)?;
            if kind == ObjectKind::AlertPolicy {
                alerts::policy(spec, references, notes);
            }
            notes.warn(fields.place, format!("recorded, but Nines has no use for objects of kind {kind}"), None);
            Body::Other
        }
    };
    Some((body, from))
}
