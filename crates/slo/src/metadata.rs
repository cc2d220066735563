//! `metadata`: the name of an object, its labels and its annotations.

use chrono_tz::Tz;
use nines_timeline::Share;

use crate::fields::{self, Fields};
use crate::instant;
use crate::mistake::Notes;
use crate::object::ObjectKind;
use crate::objective::Vela;
use crate::place::Place;
use crate::yaml::{Node, Value};

/// Annotations that Nines reads, and on which kinds.
const ANNOTATIONS: &[(&str, &[ObjectKind])] = &[
    (EFFECTIVE_FROM, ObjectKind::ALL),
    (EFFECTIVE_UNTIL, &[ObjectKind::Slo, ObjectKind::Agreement]),
    (OWNER, &[ObjectKind::Service, ObjectKind::Slo, ObjectKind::Agreement]),
    (TARGET, &[ObjectKind::Service, ObjectKind::Slo]),
];
const EFFECTIVE_FROM: &str = "nines/effective-from";
const EFFECTIVE_UNTIL: &str = "nines/effective-until";
const OWNER: &str = "nines/owner";
const TARGET: &str = "nines/target";

/// The metadata of an object.
#[derive(Default)]
pub(crate) struct Metadata<'n> {
    pub name: Option<&'n str>,
    pub display_name: Option<&'n str>,
    labels: Option<Fields<'n>>,
    annotations: Option<Fields<'n>>,
}

impl<'n> Metadata<'n> {
    /// Reads the metadata of an object of this kind.
    pub fn read(node: &'n Node, kind: ObjectKind, notes: &mut Notes<'_>) -> Option<Self> {
        let fields = Fields::read(node, "metadata", &["name", "displayName", "labels", "annotations"], notes)?;
        let labels = fields.get("labels").and_then(|node| labels(node, notes));
        let annotations = fields.get("annotations").and_then(|node| annotations(node, kind, notes));
        let display_name = fields.text("displayName", notes);
        Some(Metadata { name: fields.need_text("name", notes), display_name, labels, annotations })
    }

    /// A label of one text, or of a list of one.
    fn label(&self, name: &str, notes: &mut Notes<'_>) -> Option<&'n Node> {
        let node = self.labels.as_ref()?.get(name)?;
        match &node.value {
            Value::List(items) => match items.as_slice() {
                [one] => Some(one),
                _ => {
                    notes.error(node.place, format!("expected one value for label '{name}', got {}", items.len()));
                    None
                }
            },
            _ => Some(node),
        }
    }

    /// Label `business`.
    pub fn business(&self, notes: &mut Notes<'_>) -> Option<String> {
        let node = self.label("business", notes)?;
        fields::text(node, "business", notes).map(str::to_string)
    }

    /// Label `vela`.
    pub fn vela(&self, notes: &mut Notes<'_>) -> Option<Vela> {
        let words = [
            ("volume", Vela::Volume),
            ("errors", Vela::Errors),
            ("latency", Vela::Latency),
            ("availability", Vela::Availability),
        ];
        let node = self.label("vela", notes)?;
        fields::word(node, "vela", &words, notes)
    }

    fn annotation(&self, name: &str) -> Option<&'n Node> {
        self.annotations.as_ref()?.get(name)
    }

    /// Annotation `nines/owner`.
    pub fn owner(&self, notes: &mut Notes<'_>) -> Option<String> {
        fields::text(self.annotation(OWNER)?, OWNER, notes).map(str::to_string)
    }

    /// Annotation `nines/target`, and where it stands.
    pub fn target(&self, notes: &mut Notes<'_>) -> Option<(Share, Place)> {
        let node = self.annotation(TARGET)?;
        Some((fields::share(node, TARGET, notes)?, node.place))
    }

    /// Annotations `nines/effective-from` and `nines/effective-until`.
    pub fn effective(&self, zone: Tz, notes: &mut Notes<'_>) -> (Option<i64>, Option<i64>) {
        let annotations = self.annotations.as_ref();
        let mut read = |name| annotations?.parse(name, notes, |text| instant::read(text, zone));
        let (from, until) = (read(EFFECTIVE_FROM), read(EFFECTIVE_UNTIL));
        if let (Some(first), Some(end), Some(node)) = (from, until, self.annotation(EFFECTIVE_UNTIL))
            && end <= first
        {
            notes.error(node.place, format!("'{EFFECTIVE_UNTIL}' is not after '{EFFECTIVE_FROM}'"));
        }
        (from, until)
    }
}

/// Labels: text, or lists of text.
fn labels<'n>(node: &'n Node, notes: &mut Notes<'_>) -> Option<Fields<'n>> {
    let fields = Fields::open(node, "labels", notes)?;
    for (name, value) in fields.entries() {
        match &value.value {
            Value::Scalar { .. } => {}
            Value::List(items) => {
                for item in items {
                    fields::text(item, name, notes);
                }
            }
            Value::Map(_) => {
                let reason = format!("expected text or a list of text for label '{name}', got {}", value.what());
                notes.error(value.place, reason);
            }
        }
    }
    Some(fields)
}

/// Annotations: text. Those whose name begins with `nines/` must be ours.
fn annotations<'n>(node: &'n Node, kind: ObjectKind, notes: &mut Notes<'_>) -> Option<Fields<'n>> {
    let fields = Fields::open(node, "annotations", notes)?;
    let Value::Map(entries) = &node.value else { return None };
    for (key, value) in entries {
        if matches!(value.value, Value::List(_) | Value::Map(_)) {
            notes.error(value.place, format!("expected text for annotation {}, got {}", key.what(), value.what()));
        }
        let Some(name) = key.text().filter(|name| name.starts_with("nines/")) else { continue };
        match ANNOTATIONS.iter().find(|(known, _)| *known == name) {
            Some((_, kinds)) if kinds.contains(&kind) => {}
            Some((_, kinds)) => {
                let kinds: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
                notes.error(key.place, format!("'{name}' belongs on {}, not on {kind}", kinds.join(" or ")));
            }
            None => {
                let known: Vec<&str> = ANNOTATIONS.iter().map(|(known, _)| *known).collect();
                notes.unknown(key.place, format!("unknown annotation '{name}'"), name, &known);
            }
        }
    }
    Some(fields)
}
