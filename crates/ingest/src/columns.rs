//! The columns that an input may have for a table: the table's own and `latency_seconds`.

use datafusion::arrow::datatypes::DataType;
use nines_store::TableKind;

use crate::{ErrorKind, IngestError, Result};

/// Most text columns that a table has.
pub(crate) const TEXTS: usize = 6;

/// What an input column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Time,
    /// A text column of the key, by its place among the table's text columns.
    Text(usize),
    Status,
    /// A count, by its place among the table's counts: `requests`, or `good` and `total`.
    Count(usize),
    LatencySum,
    Latency,
    LatencyLe,
    /// The latency of this row's requests: it goes into `latency` and `latency_sum`.
    LatencySeconds,
}

/// A column's name and meaning.
pub(crate) type Named = (&'static str, Column);

/// The columns of one table: first those of its schema, in order, then what else an input may have.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    kind: TableKind,
    named: Vec<Named>,
}

impl Columns {
    /// The columns of this table.
    pub(crate) fn of(kind: TableKind) -> Result<Self> {
        let (mut texts, mut counts) = (0.., 0..);
        let mut named = Vec::new();
        for field in kind.schema(1).fields() {
            let known = match (field.name().as_str(), field.data_type()) {
                ("time", _) => Some(("time", Column::Time)),
                ("status", _) => Some(("status", Column::Status)),
                ("latency_sum", _) => Some(("latency_sum", Column::LatencySum)),
                ("latency", _) => Some(("latency", Column::Latency)),
                ("latency_le", _) => Some(("latency_le", Column::LatencyLe)),
                (name, DataType::Utf8View) => static_name(kind, name).zip(texts.next().map(Column::Text)),
                (name, DataType::Int64) => static_name(kind, name).zip(counts.next().map(Column::Count)),
                _ => None,
            };
            named.push(known.ok_or_else(|| {
                IngestError::new(ErrorKind::Options, format!("the table {} cannot be filled from files", kind.name()))
            })?);
        }
        if named.iter().any(|&(_, column)| column == Column::Latency) {
            named.push(("latency_seconds", Column::LatencySeconds));
        }
        Ok(Self { kind, named })
    }

    /// The columns of the table's schema, in its order.
    pub(crate) fn stored(&self) -> impl Iterator<Item = Named> {
        self.named.iter().copied().filter(|&(_, column)| column != Column::LatencySeconds)
    }

    /// The table's text columns, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.named.iter().filter(|(_, column)| matches!(column, Column::Text(_))).map(|&(name, _)| name)
    }

    /// The column of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Named> {
        self.named.iter().copied().find(|(known, _)| *known == name).ok_or_else(|| {
            IngestError::new(ErrorKind::Columns, format!("unknown column {name:?}"))
                .column(name)
                .expected(self.list())
                .advice("Rename it, or choose and compute the columns with --select")
        })
    }

    /// The column's name and meaning, for every name of an input; refuses unknown, missing and repeated ones.
    pub(crate) fn find_all<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Named>> {
        let mut found: Vec<Named> = Vec::new();
        for name in names {
            let column = self.find(name)?;
            if found.contains(&column) {
                return Err(
                    IngestError::new(ErrorKind::Columns, format!("column {name:?} is there twice")).column(name)
                );
            }
            found.push(column);
        }
        for &(name, column) in self.named.iter().filter(|(_, column)| self.is_required(*column)) {
            if !found.contains(&(name, column)) {
                return Err(IngestError::new(ErrorKind::Columns, format!("there is no column {name:?}"))
                    .column(name)
                    .expected(self.list())
                    .advice("Name it, or choose and compute the columns with --select"));
            }
        }
        Ok(found)
    }

    /// Whether a row is nothing without this column. Requests without a count are one request each.
    pub(crate) fn is_required(&self, column: Column) -> bool {
        match column {
            Column::Time => true,
            Column::Count(_) => self.kind != TableKind::Requests,
            _ => false,
        }
    }

    /// The name of a count of this table.
    pub(crate) fn count_name(&self, count: usize) -> &'static str {
        self.named.iter().find(|(_, column)| *column == Column::Count(count)).map_or("count", |&(name, _)| name)
    }

    /// Whether the table counts two things per row, the first a part of the second.
    pub(crate) fn has_second_count(&self) -> bool {
        self.named.iter().any(|(_, column)| *column == Column::Count(1))
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.named.iter().map(|&(name, _)| name).collect();
        format!("columns of {}: {}", self.kind.name(), names.join(", "))
    }
}

/// The name with the lifetime that the table's description gives it.
fn static_name(kind: TableKind, name: &str) -> Option<&'static str> {
    let measures = kind.measures().iter().map(|&(name, _)| name);
    kind.key().iter().copied().chain(measures).find(|&known| known == name)
}

/// Whether a header names `time` and something else that some table has.
pub(crate) fn looks_like_header<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    let known = |name: &str| {
        TableKind::ALL.iter().filter_map(|&kind| Columns::of(kind).ok()).any(|columns| columns.find(name).is_ok())
    };
    names.clone().any(|name| name == "time") && names.filter(|name| *name != "time").any(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_places_for_its_columns() {
        for &kind in TableKind::ALL {
            let columns = Columns::of(kind).unwrap();
            let stored: Vec<_> = columns.stored().map(|(name, _)| name.to_string()).collect();
            let schema: Vec<_> = kind.schema(60).fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(stored, schema);
            assert!(columns.texts().count() <= TEXTS, "{kind:?}");
        }
    }
}
