//! Where the indicator of an objective stands: in the SLO, or in an SLI that it names.

use std::sync::Arc;

use crate::fields::Fields;
use crate::metadata::Metadata;
use crate::mistake::Notes;
use crate::object::{ObjectKind, Reference};
use crate::place::Place;
use crate::sli::{self, Sli};

/// An indicator, or the name of one.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    Inline(Arc<Sli>),
    Named { name: String, place: Place },
}

/// `indicator` or `indicatorRef`.
pub(crate) fn source(fields: &Fields<'_>, references: &mut Vec<Reference>, notes: &mut Notes<'_>) -> Option<Source> {
    let (indicator, reference) = (fields.get("indicator"), fields.get("indicatorRef"));
    if let (Some(_), Some(reference)) = (indicator, reference) {
        notes.error(reference.place, "expected 'indicator' or 'indicatorRef', not both");
    }
    if let Some(reference) = reference {
        let name = fields.need_text("indicatorRef", notes)?.to_string();
        references.push(Reference { kind: ObjectKind::Sli, name: name.clone(), place: reference.place });
        return Some(Source::Named { name, place: reference.place });
    }
    let fields = Fields::read(indicator?, "indicator", &["metadata", "spec"], notes)?;
    let vela = match fields.get("metadata") {
        Some(node) => Metadata::read(node, ObjectKind::Sli, notes).and_then(|metadata| metadata.vela(notes)),
        None => None,
    };
    sli::read(fields.need("spec", notes)?, vela, notes).map(|sli| Source::Inline(Arc::new(sli)))
}
