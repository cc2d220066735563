//! What was found out before: the table `slo_facts`.

use std::collections::HashMap;
use std::ops::RangeInclusive;

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::exec_err;
use datafusion::error::Result;
use nines_slo::Month;
use nines_store::TableKind;

use super::evaluator::Evaluator;
use super::exclusions;
use super::keep::said;

/// How the names of facts begin that stay.
pub(super) const SEALED: &str = "sealed";

/// A fact's key in the table `slo_facts`.
type FactKey = (String, String, String);

/// What was found out before, and what of the input it depends on.
#[derive(Debug, Default)]
pub(crate) struct Known(pub HashMap<FactKey, (i64, Option<i64>, String)>);

impl Evaluator<'_> {
    /// Whether days of a raw table are sealed: what is kept of them is all there is.
    pub fn has_sealed(&self) -> bool {
        self.inputs.iter().any(|inputs| inputs.sealed.is_some())
    }

    /// The facts that are kept: of no period, and of these months, or of all. A table that cannot be read keeps none, unless there are
    /// sealed days.
    pub async fn known(&self, months: Option<RangeInclusive<Month>>) -> Result<Known> {
        let names = months.map(|months| (months.start().to_string(), months.end().to_string()));
        let is_asked = |period: &str| match &names {
            Some((first, last)) => period.is_empty() || (first.as_str()..=last.as_str()).contains(&period),
            None => true,
        };
        let rows = match self.rows(TableKind::SloFacts, None, &[]).await {
            Ok(rows) => rows,
            Err(error) if self.has_sealed() => return Err(error),
            Err(error) => {
                said(self.store.as_ref(), &error);
                return Ok(Known::default());
            }
        };
        let mut known = HashMap::new();
        for batch in &rows {
            let text = |name: &str| exclusions::texts(batch, name);
            let (Ok(fact), Ok(subject), Ok(period), Ok(note)) =
                (text("fact"), text("subject"), text("period"), text("text"))
            else {
                continue;
            };
            let numbers = |name: &str| batch.column_by_name(name).and_then(|c| c.as_primitive_opt::<Int64Type>());
            let (Some(keys), Some(values)) = (numbers("key"), numbers("value")) else { continue };
            for row in (0..batch.num_rows()).filter(|&row| is_asked(period.value(row))) {
                let place = [fact, subject, period].map(|column| column.value(row).to_string());
                let value = values.is_valid(row).then(|| values.value(row));
                known.insert(place.into(), (keys.value(row), value, note.value(row).to_string()));
            }
        }
        for inputs in &self.inputs {
            let Some(sealed) = inputs.sealed else { continue };
            let place = (SEALED.to_string(), inputs.kind.name().to_string(), String::new());
            let held = known.get(&place).and_then(|(_, until, _)| *until);
            if held.is_none_or(|held| held < i64::from(sealed.until)) {
                let state = if rows.is_empty() { "is not there" } else { "is an older copy, or another table" };
                return exec_err!(
                    "what sealed days of {} depend on is in slo_facts, and slo_facts {state}. Put it back from a backup",
                    inputs.kind.name()
                );
            }
        }
        Ok(Known(known))
    }
}
