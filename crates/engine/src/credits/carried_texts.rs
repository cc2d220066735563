//! The agreements that statements carry, read once: most statements of an agreement carry the same texts.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use datafusion::common::exec_datafusion_err;
use nines_slo::{Agreement, IssuedStatement, StatementFacts};

use crate::Result;

/// Name, and each version's effective date and hash.
type Texts = (String, Vec<(i64, String)>);

/// Agreements as they were read from statements.
#[derive(Debug, Default)]
pub(super) struct CarriedTexts(HashMap<Texts, Agreement>);

impl CarriedTexts {
    /// What a statement says beside its figures.
    pub fn facts(&mut self, statement: &IssuedStatement) -> Result<StatementFacts> {
        let versions = statement.versions.iter().map(|version| (version.effective_from, version.sha256.clone()));
        let wrong = |error| {
            let IssuedStatement { agreement, customer, service, period, .. } = statement;
            exec_datafusion_err!("the statement of {agreement} for {service}, '{customer}', {period}: {error}")
        };
        let agreement = match self.0.entry((statement.agreement.clone(), versions.collect())) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(new) => new.insert(statement.agreement().map_err(wrong)?),
        };
        Ok(statement.facts(agreement).map_err(wrong)?)
    }
}
