//! Fields of the input that fill columns of another name, and labels.

use std::collections::BTreeMap;

use nines_store::TableKind;

use crate::{ErrorKind, IngestError, Result};

/// A field of the input, and what it fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FromField {
    /// What is filled.
    pub fills: Fills,
    /// The field, by the name that the input has for it.
    pub field: String,
}

/// What a field fills.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fills {
    /// A text column.
    Column(String),
    /// The label of this name.
    Label(String),
}

impl FromField {
    /// As the options of the command line say it.
    pub fn option(&self) -> String {
        match &self.fills {
            Fills::Column(column) => format!("--{column}-from {}", self.field),
            Fills::Label(label) => format!("--label {label}={}", self.field),
        }
    }
}

/// Refuses what a table cannot take.
pub(crate) fn check(fields: &[FromField], kind: TableKind) -> Result<()> {
    let refused = |from: &FromField, why: String| {
        let error = IngestError::new(ErrorKind::Options, format!("{}: {why}", from.option()));
        Err(error.advice("Leave it out"))
    };
    let mut before: BTreeMap<&str, &FromField> = BTreeMap::new();
    for from in fields {
        if let Fills::Label(name) = &from.fills
            && name.trim().is_empty()
        {
            return refused(from, "the label has no name".to_string());
        }
        let filled = match &from.fills {
            Fills::Column(name) if kind.schema(1).field_with_name(name).is_err() => {
                return refused(from, format!("the table {} has no column {name:?} to fill", kind.name()));
            }
            Fills::Label(_) if !kind.is_series() => {
                return refused(from, format!("the rows of {} have no labels", kind.name()));
            }
            Fills::Column(name) | Fills::Label(name) => name.as_str(),
        };
        if let Some(other) = before.insert(filled, from).filter(|other| other.fills == from.fills) {
            return refused(from, format!("{filled} is filled by {} already", other.option()));
        }
    }
    Ok(())
}

/// Whether a name that a person gives means a field as a log's format calls it: `$http_x_tenant`, `%{X-Tenant}i`,
/// `%RESPONSE_FLAGS%`, with or without what is not the name.
pub(crate) fn is_meant(given: &str, field: &str) -> bool {
    given == field || bare(given) == bare(field)
}

/// The name alone, in small letters, with `_` for `-`.
pub(crate) fn bare(name: &str) -> String {
    let name = name.strip_prefix('$').unwrap_or(name).trim_matches('%');
    let within = |open: char, close: char| match (name.find(open), name.rfind(close)) {
        (Some(start), Some(end)) if start < end => Some(&name[start + 1..end]),
        _ => None,
    };
    let name = within('{', '}').or_else(|| within('(', ')')).unwrap_or(name);
    name.to_ascii_lowercase().replace('-', "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_is_meant_with_or_without_its_signs() {
        for (given, field) in [
            ("http_x_tenant", "$http_x_tenant"),
            ("X-Tenant", "%{X-Tenant}i"),
            ("response_flags", "%RESPONSE_FLAGS%"),
            ("host", "cs(Host)"),
            (":authority", "%REQ(:AUTHORITY)%"),
            ("user.tenant", "user.tenant"),
        ] {
            assert!(is_meant(given, field), "{given} {field}");
        }
        assert!(!is_meant("tenant", "$http_x_tenant"));
    }

    #[test]
    fn a_table_takes_what_it_has() {
        let from = |fills| [FromField { fills, field: "x".into() }];
        let customer = from(Fills::Column("customer".into()));
        assert!(check(&customer, TableKind::Requests).is_ok());
        assert_eq!(
            check(&customer, TableKind::Gauges).unwrap_err().to_string(),
            "--customer-from x: the table gauges has no column \"customer\" to fill. Leave it out"
        );
        let label = from(Fills::Label("region".into()));
        assert!(check(&label, TableKind::Gauges).is_ok() && check(&label, TableKind::Incidents).is_err());
        assert_eq!(
            check(&[label.clone(), label].concat(), TableKind::Events).unwrap_err().to_string(),
            "--label region=x: region is filled by --label region=x already. Leave it out"
        );
    }
}
