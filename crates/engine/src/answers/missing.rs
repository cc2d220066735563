//! Objectives that are defined and not measured, as a report tells of them: in the row that they would be part of, else in one of
//! their own, without figures.

use std::collections::BTreeMap;

use datafusion::arrow::array::{ArrayRef, RecordBatch, new_null_array};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::error::Result;
use nines_slo::Unmeasured;
use nines_timeline::{Interval, Share};

use super::arguments::By;
use super::columns::{float_of, floats, texts};
use super::groups::Group;

/// What is not measured in a range, by the service and objective of its row.
pub(super) struct Missing<'a> {
    by: By,
    left: BTreeMap<[Option<&'a str>; 2], Vec<&'a Unmeasured>>,
}

impl<'a> Missing<'a> {
    pub fn new(all: &'a [Unmeasured], range: Interval, by: By) -> Self {
        let mut left: BTreeMap<_, Vec<&Unmeasured>> = BTreeMap::new();
        for own in all.iter().filter(|own| own.in_force.start < range.end && range.start < own.in_force.end) {
            let service = own.service.as_deref();
            let key = match by {
                By::Objective => [service, Some(own.objective.as_str())],
                By::Service => [service, None],
                By::Business | By::Company => [None, None],
            };
            left.entry(key).or_default().push(own);
        }
        Missing { by, left }
    }

    /// What is missing in a row of figures. Whose business it would be nobody knows.
    pub fn take(&mut self, group: &Group<'_>) -> Option<String> {
        let own = |key: &[Option<&str>; 2]| match self.by {
            By::Objective | By::Service => *key == [group.service, group.objective],
            By::Business | By::Company => true,
        };
        let key = self.left.keys().copied().find(|key| own(key))?;
        let found = self.left.get(&key).map(|own| told(own));
        if matches!(self.by, By::Objective | By::Service) {
            self.left.remove(&key);
        }
        found
    }

    /// A row for each that no row of figures tells of.
    pub fn rows(self, schema: SchemaRef) -> Result<RecordBatch> {
        let rows: Vec<_> = match self.by {
            By::Objective | By::Service => self.left.into_iter().collect(),
            By::Business | By::Company => Vec::new(),
        };
        let promised = |own: &[&Unmeasured]| -> Option<Share> {
            own.last().and_then(|own| own.target).filter(|_| self.by == By::Objective)
        };
        let column = |name: &str| -> Option<ArrayRef> {
            Some(match name {
                "service" => texts(rows.iter().map(|([service, _], _)| *service)),
                "objective" => texts(rows.iter().map(|([_, objective], _)| *objective)),
                "target" => floats(rows.iter().map(|(_, own)| promised(own).map(float_of))),
                "not_measured" => {
                    let why: Vec<String> = rows.iter().map(|(_, own)| told(own)).collect();
                    texts(why.iter().map(|why| Some(why.as_str())))
                }
                _ => return None,
            })
        };
        let columns = schema
            .fields()
            .iter()
            .map(|field| column(field.name()).unwrap_or_else(|| new_null_array(field.data_type(), rows.len())));
        let columns = columns.collect();
        Ok(RecordBatch::try_new(schema, columns)?)
    }
}

/// `checkout: Nines does not measure …`, one after the other.
fn told(own: &[&Unmeasured]) -> String {
    let mut told: Vec<String> = own.iter().map(|own| format!("{}: {}", own.objective, own.why)).collect();
    told.dedup();
    told.join("; ")
}
