//! Who answers for which services.

use std::collections::{BTreeMap, BTreeSet};

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use nines_engine::Session;

use crate::error::Result;

/// Services and their owners; one without an owner is its own.
pub(super) const SQL: &str = "SELECT DISTINCT coalesce(nullif(owner, ''), service) AS owner, service FROM slos WHERE \
                              service <> '' AND (effective_until IS NULL OR effective_until > now())";

/// Somebody who answers for services.
pub(super) struct Owner {
    pub name: String,
    pub services: Vec<String>,
}

pub(super) async fn owners(session: &Session) -> Result<Vec<Owner>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for batch in session.sql(SQL).await? {
        let owners = cast(batch.column(0), &DataType::Utf8)?;
        let services = cast(batch.column(1), &DataType::Utf8)?;
        for (owner, service) in owners.as_string::<i32>().iter().zip(services.as_string::<i32>()) {
            if let (Some(owner), Some(service)) = (owner, service) {
                found.entry(owner.to_string()).or_default().insert(service.to_string());
            }
        }
    }
    let owner = |(name, services): (String, BTreeSet<String>)| Owner { name, services: services.into_iter().collect() };
    Ok(found.into_iter().map(owner).collect())
}

/// A name as that of a file, none of them twice, letters of all scripts kept.
pub(super) fn file_name(name: &str, taken: &mut BTreeSet<String>) -> String {
    let letter = |c: char| if c.is_alphanumeric() || c == '_' { c } else { '-' };
    let plain: String = name.chars().map(letter).take(80).collect();
    let plain = match plain.trim_matches('-') {
        "" => "owner".to_string(),
        plain => plain.to_string(),
    };
    let mut unique = plain.clone();
    // A file system may not tell A from a.
    for number in 2.. {
        if taken.insert(unique.to_lowercase()) {
            break;
        }
        unique = format!("{plain}-{number}");
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_names_of_files() {
        let mut taken = BTreeSet::from(["index".to_string()]);
        let names = ["video team", "交易组", "../etc", "a/b", "A b", "index", "…"];
        let files = names.map(|name| file_name(name, &mut taken));
        assert_eq!(files, ["video-team", "交易组", "etc", "a-b", "A-b-2", "index-2", "owner"]);
    }
}
