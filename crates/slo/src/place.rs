//! Places in a file.

use saphyr_parser::Marker;

/// Where something stands: line and column from 1, the column in characters.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Place {
    pub line: usize,
    pub column: usize,
}

impl From<Marker> for Place {
    fn from(marker: Marker) -> Self {
        Place { line: marker.line(), column: marker.col() + 1 }
    }
}
