//! The columns that an input may have for a table: the table's own, and what stands for several of them in raw
//! rows: `latency_seconds` of requests, `ok` of events and `value` of gauges.

use datafusion::arrow::datatypes::DataType;
use nines_store::TableKind;

use crate::{ErrorKind, Fills, FromField, IngestError, Result};

/// Most text columns that a table has.
pub(crate) const TEXTS: usize = 6;

/// What an input column means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Time,
    /// A text column of the key, by its place among the table's text columns.
    Text(usize),
    Status,
    /// A count, by its place among the table's counts: `requests`, `good` and `total`, or `samples`.
    Count(usize),
    LatencySum,
    Latency,
    LatencyLe,
    /// The latency of this row's requests: it goes into `latency` and `latency_sum`.
    LatencySeconds,
    /// A measured number, by its place among the table's: `sum`, `min`, `max` and `last`.
    Number(usize),
    /// One sample: it goes into `samples` and every number.
    Value,
    /// Whether one event went well: it goes into `good`, and `total` is 1.
    Ok,
    /// All labels of a row, as JSON.
    Labels,
    /// A field that fills columns or labels, by its place among those.
    Filling(usize),
    /// A column of a record, by its place in the table.
    Field(usize, FieldType),
}

/// What a field fills.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    /// A text column, by its place among the table's text columns.
    Text(usize),
    /// A label, by its place among those that fields fill.
    Label(usize),
}

impl Column {
    /// Whether rows that have it are aggregates, not single requests, events or samples.
    pub(crate) fn is_count(self) -> bool {
        matches!(self, Column::Count(_) | Column::Number(_))
    }
}

/// What a column of a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FieldType {
    Text,
    Instant,
    Flag,
    Money,
}

impl FieldType {
    fn of(data_type: &DataType) -> Option<Self> {
        match data_type {
            DataType::Utf8View => Some(FieldType::Text),
            DataType::Timestamp(..) => Some(FieldType::Instant),
            DataType::Boolean => Some(FieldType::Flag),
            DataType::Decimal128(..) => Some(FieldType::Money),
            _ => None,
        }
    }
}

/// How a gauge's row says what was measured.
pub(crate) const ONE_OR_THE_OTHER: &str = "one or the other: value, a sample, fills samples, sum, min, max and last";

/// How a row of events says how many there were.
pub(crate) const OK_OR_COUNTS: &str = "one or the other: ok, true or false of one event, fills good and total";

/// A column's name and meaning.
pub(crate) type Named = (&'static str, Column);

/// The columns of one table: first those of its schema, in order, then what else an input may have.
#[derive(Debug, Clone)]
pub(crate) struct Columns {
    kind: TableKind,
    named: Vec<Named>,
    /// How many of them are the table's own.
    stored: usize,
    /// Fields of the input that fill columns and labels.
    filling: Vec<Filling>,
}

/// A field of the input, and all that it fills.
#[derive(Debug, Clone)]
pub(crate) struct Filling {
    pub field: String,
    /// The column that it fills first, as errors call it.
    name: &'static str,
    pub targets: Vec<Target>,
    /// The column of the field's own name, which it goes on filling.
    pub own: Option<Named>,
}

impl Columns {
    /// The columns of this table.
    pub(crate) fn of(kind: TableKind) -> Result<Self> {
        let (mut texts, mut counts, mut numbers) = (0.., 0.., 0..);
        let mut named = Vec::new();
        for (at, field) in kind.schema(1).fields().iter().enumerate() {
            let column = match (field.name().as_str(), field.data_type()) {
                (_, data_type) if !kind.is_series() => FieldType::of(data_type).map(|of| Column::Field(at, of)),
                ("time", _) => Some(Column::Time),
                ("status", _) => Some(Column::Status),
                ("latency_sum", _) => Some(Column::LatencySum),
                ("latency", _) => Some(Column::Latency),
                ("latency_le", _) => Some(Column::LatencyLe),
                ("labels", _) => Some(Column::Labels),
                (_, DataType::Utf8View) => texts.next().map(Column::Text),
                (_, DataType::Int64) => counts.next().map(Column::Count),
                (_, DataType::Float64) => numbers.next().map(Column::Number),
                _ => None,
            };
            named.push(static_name(kind, field.name()).zip(column).ok_or_else(|| {
                IngestError::new(ErrorKind::Options, format!("the table {} cannot be filled from files", kind.name()))
            })?);
        }
        let stored = named.len();
        for (several, name, one) in [
            (Column::Latency, "latency_seconds", Column::LatencySeconds),
            (Column::Number(0), "value", Column::Value),
            // Only events have two counts.
            (Column::Count(1), "ok", Column::Ok),
        ] {
            if named.iter().any(|&(_, column)| column == several) {
                named.push((name, one));
            }
        }
        Ok(Self { kind, named, stored, filling: Vec::new() })
    }

    /// The same, some of which are filled by fields of other names.
    pub(crate) fn with(kind: TableKind, from: &[FromField]) -> Result<Self> {
        let mut columns = Self::of(kind)?;
        let mut labels = 0..;
        for from in from {
            let (name, target) = match &from.fills {
                Fills::Column(name) => {
                    let at = columns.texts().position(|text| text == name).map(Target::Text);
                    static_name(kind, name).zip(at)
                }
                Fills::Label(_) => Some("labels").zip(labels.next().map(Target::Label)),
            }
            .ok_or_else(|| {
                IngestError::new(ErrorKind::Options, format!("{} fills no column of text", from.option()))
            })?;
            match columns.filling.iter_mut().find(|known| known.field == from.field) {
                Some(known) => known.targets.push(target),
                None => {
                    let own = columns.named.iter().copied().find(|(known, _)| *known == from.field);
                    columns.filling.push(Filling { field: from.field.clone(), name, targets: vec![target], own });
                }
            }
        }
        Ok(columns)
    }

    /// The fields that fill columns and labels, each once.
    pub(crate) fn filling(&self) -> &[Filling] {
        &self.filling
    }

    /// The columns of the table's schema, in its order.
    pub(crate) fn stored(&self) -> impl Iterator<Item = Named> {
        self.named.iter().take(self.stored).copied()
    }

    /// The table's text columns, in order.
    pub(crate) fn texts(&self) -> impl Iterator<Item = &'static str> {
        self.named.iter().filter(|(_, column)| matches!(column, Column::Text(_))).map(|&(name, _)| name)
    }

    /// The column of this name.
    pub(crate) fn find(&self, name: &str) -> Result<Named> {
        if let Some(at) = self.filling.iter().position(|filling| filling.field == name) {
            return Ok((self.filling[at].name, Column::Filling(at)));
        }
        self.named.iter().copied().find(|(known, _)| *known == name).ok_or_else(|| {
            let advice = match name {
                "resourceMetrics" => "These are metrics of OpenTelemetry: nines ingest otlp FILE --mapping MAPPING",
                _ => "Rename it, or choose and compute the columns with --select",
            };
            IngestError::new(ErrorKind::Columns, format!("unknown column {name:?}"))
                .column(name)
                .expected(self.list())
                .advice(advice)
        })
    }

    /// The column's name and meaning, for every name of an input; refuses unknown, missing and repeated ones.
    pub(crate) fn find_all<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Named>> {
        let found = self.find_each(names)?;
        for (at, filling) in self.filling.iter().enumerate() {
            if !found.contains(&(filling.name, Column::Filling(at))) {
                let fills = format!("from which {} is to be filled", filling.name);
                return Err(IngestError::new(
                    ErrorKind::Columns,
                    format!("there is no column {:?}, {fills}", filling.field),
                )
                .advice("Name one that is there"));
            }
            let filled = |target: &Target| match target {
                Target::Text(text) => self.named.iter().find(|(_, column)| *column == Column::Text(*text)),
                Target::Label(_) => None,
            };
            if let Some((name, _)) = filling.targets.iter().filter_map(filled).find(|named| found.contains(named)) {
                let both = format!("{name} is a column, and is to be filled from {:?}", filling.field);
                return Err(IngestError::new(ErrorKind::Columns, both).advice("Leave one out"));
            }
        }
        Ok(found)
    }

    /// The same of an input in which fields that fill columns may be missing, as they may in an object of JSON.
    pub(crate) fn find_each<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Result<Vec<Named>> {
        let mut all: Vec<Named> = Vec::new();
        for name in names {
            let column = self.find(name)?;
            if all.contains(&column) {
                return Err(twice(name));
            }
            all.push(column);
        }
        // A field that fills others and has a column of its own name is both.
        let own = |&(_, column): &Named| match column {
            Column::Filling(at) => self.filling[at].own,
            _ => None,
        };
        let found: Vec<Named> = all.iter().copied().chain(all.iter().filter_map(own)).collect();
        let single = self.single();
        let counts = found.iter().find(|&&(_, column)| column.is_count()).filter(|_| single.is_some());
        let is_single = single.is_some_and(|(single, _)| found.contains(&single));
        if let (Some((name, _)), Some(((single, _), choice)), true) = (counts, single, is_single) {
            return Err(IngestError::new(ErrorKind::Columns, format!("there are columns {single:?} and {name:?}"))
                .column(name)
                .expected(choice)
                .advice("Leave one out, or choose and compute the columns with --select"));
        }
        let counted = if self.kind == TableKind::Events { !is_single } else { counts.is_some() };
        for &(name, column) in self.named.iter().filter(|&&named| self.is_required(named, counted)) {
            if !found.contains(&(name, column)) {
                return Err(IngestError::new(ErrorKind::Columns, format!("there is no column {name:?}"))
                    .column(name)
                    .expected(self.list())
                    .advice("Name it, or choose and compute the columns with --select"));
            }
        }
        Ok(all)
    }

    /// Whether a row is nothing without this column. Requests without a count are one request each; samples and events
    /// come one by one or as aggregates.
    fn is_required(&self, (name, column): Named, counted: bool) -> bool {
        match column {
            Column::Time => true,
            Column::Value => !counted,
            Column::Count(_) | Column::Number(_) => counted && self.single().is_some(),
            Column::Field(..) => self.kind.default_of(name).is_none(),
            Column::Text(_)
            | Column::Status
            | Column::LatencySum
            | Column::Latency
            | Column::LatencyLe
            | Column::LatencySeconds
            | Column::Labels
            | Column::Filling(_)
            | Column::Ok => false,
        }
    }

    /// The column without which a single event or sample is nothing, and what to say where it stands beside counts.
    fn single(&self) -> Option<(Named, &'static str)> {
        let of = |wanted| self.named.iter().copied().find(|&(_, column)| column == wanted);
        of(Column::Value).map(|named| (named, ONE_OR_THE_OTHER)).or(of(Column::Ok).map(|named| (named, OK_OR_COUNTS)))
    }

    fn list(&self) -> String {
        let names: Vec<_> = self.named.iter().map(|&(name, _)| name).collect();
        format!("columns of {}: {}", self.kind.name(), names.join(", "))
    }
}

/// The error for a column that an input has twice.
pub(crate) fn twice(name: &str) -> IngestError {
    IngestError::new(ErrorKind::Columns, format!("column {name:?} is there twice")).column(name)
}

/// The name with the lifetime that the table's description gives it.
fn static_name(kind: TableKind, name: &str) -> Option<&'static str> {
    let measures = kind.measures().iter().map(|&(name, _)| name);
    kind.key().iter().copied().chain(measures).find(|&known| known == name)
}

/// Whether a header names a column that makes a row of some table (`time`, `id`, `period`) and another of that table.
pub(crate) fn looks_like_header<'a>(names: impl Iterator<Item = &'a str> + Clone) -> bool {
    TableKind::INGESTED.iter().filter_map(|&kind| Columns::of(kind).ok()).any(|columns| {
        let first = if columns.kind.is_series() { "time" } else { columns.kind.key()[0] };
        names.clone().any(|name| name == first) && names.clone().any(|name| name != first && columns.find(name).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_places_for_its_columns() {
        for &kind in TableKind::INGESTED {
            let columns = Columns::of(kind).unwrap();
            let stored: Vec<_> = columns.stored().map(|(name, _)| name.to_string()).collect();
            let schema: Vec<_> = kind.schema(60).fields().iter().map(|field| field.name().clone()).collect();
            assert_eq!(stored, schema);
            assert!(columns.texts().count() <= TEXTS, "{kind:?}");
        }
    }
}
