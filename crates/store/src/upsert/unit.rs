//! Units: what is replaced as a whole, and the pieces among them.

use datafusion::common::ScalarValue;

use crate::log::{NewFile, hull};
use crate::pieces::{last_piece_up_to, piece_of};
use crate::schema::TableKind;

/// Whether all rows of a batch's files are of one piece, which shares a unit with nothing but itself.
pub(super) fn one_piece(kind: TableKind, new: &[NewFile]) -> bool {
    let Some(source) = kind.key().iter().position(|key| *key == "source") else { return false };
    let bounds = hull(new.iter().map(|file| file.bounds.of(source).cloned()));
    bounds.is_some_and(|(min, max)| is_one_piece(&min, &max))
}

pub(super) fn is_one_piece(min: &ScalarValue, max: &ScalarValue) -> bool {
    min == max && text(min).is_some_and(|source| piece_of(source).is_some())
}

/// The greatest source that a piece of a source up to this one may have.
pub(super) fn last_piece(max: &ScalarValue) -> ScalarValue {
    match text(max) {
        Some(max) => ScalarValue::Utf8View(Some(last_piece_up_to(max))),
        None => max.clone(),
    }
}

fn text(value: &ScalarValue) -> Option<&str> {
    value.try_as_str().flatten()
}

/// The places of the unit's columns in the key.
pub(super) fn unit_columns(kind: TableKind) -> impl Iterator<Item = usize> {
    kind.unit().filter_map(move |name| kind.key().iter().position(|key| *key == name))
}
