//! Lines that are literal text and fields between it.

use super::field::{Field, Role, checked, refused};
use super::no_request::Messages;
use crate::Result;

/// Literal text and fields, in the order of the line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TextLayout {
    pub pieces: Vec<Piece>,
    /// Which lines of the log are none of these.
    pub messages: Messages,
}

/// A part of a line.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Piece {
    Literal(Vec<u8>),
    Field(Field),
}

impl TextLayout {
    /// Checks that lines of it can be taken apart, and that they say when what happened.
    pub fn of(pieces: Vec<Piece>) -> Result<TextLayout> {
        let fields = || pieces.iter().filter_map(Piece::field);
        for pair in pieces.windows(2) {
            if let [Piece::Field(one), Piece::Field(next)] = pair
                && !one.ends_itself()
            {
                return Err(refused(format!("nothing stands between {} and {}", one.name, next.name))
                    .expected("text between two fields that tells where the first ends"));
            }
        }
        checked(fields())?;
        Ok(TextLayout { pieces, messages: Messages::default() })
    }
}

impl Piece {
    pub fn field(&self) -> Option<&Field> {
        match self {
            Piece::Field(field) => Some(field),
            Piece::Literal(_) => None,
        }
    }

    pub fn literal(&self) -> Option<&[u8]> {
        match self {
            Piece::Literal(text) => Some(text),
            Piece::Field(_) => None,
        }
    }
}

/// Adds a field; host, path and query without text between them are one.
pub(super) fn push_field(pieces: &mut Vec<Piece>, field: Field) {
    match (pieces.last_mut(), &field.role) {
        (Some(Piece::Field(Field { role: Role::Target | Role::Query, .. })), Role::Query) => {}
        (Some(Piece::Field(before)), Role::Target) if before.role == Role::Host => *before = field,
        _ => pieces.push(Piece::Field(field)),
    }
}

/// Adds literal text, to what is literal before.
pub(super) fn push_literal(pieces: &mut Vec<Piece>, text: &[u8]) {
    match pieces.last_mut() {
        _ if text.is_empty() => {}
        Some(Piece::Literal(before)) => before.extend_from_slice(text),
        _ => pieces.push(Piece::Literal(text.to_vec())),
    }
}
