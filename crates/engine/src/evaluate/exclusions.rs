//! Exclusions and incidents: what is laid over the counts of an objective.

use datafusion::arrow::array::{AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, TimestampMicrosecondType};
use datafusion::common::internal_datafusion_err;
use datafusion::error::Result;
use nines_timeline::Interval;

/// Time that is not counted, and for whom.
#[derive(Debug, Clone)]
pub(crate) struct Exclusion {
    pub id: String,
    pub category: String,
    /// When it was announced, in µs.
    pub announced: Option<i64>,
    pub scope: [String; 3],
    pub interval: Interval,
    pub reason: String,
    /// The id of the record that recurs, where this is one of its occurrences.
    pub of: Option<String>,
}

/// An incident with its phases in µs.
#[derive(Debug, Clone)]
pub(crate) struct Incident {
    pub id: String,
    pub business: String,
    pub service: String,
    pub started: i64,
    pub detected: Option<i64>,
    pub located: Option<i64>,
    pub fixed: Option<i64>,
    pub verified: Option<i64>,
    pub telemetry_lost: bool,
}

impl Exclusion {
    /// Whether it is about an objective: every field that it fills is the objective's own.
    pub fn applies(&self, business: &str, service: &str, customer: Option<&str>) -> bool {
        let [for_business, for_service, for_customer] = &self.scope;
        fits(for_business, business) && fits(for_service, service) && fits(for_customer, customer.unwrap_or(""))
    }
}

impl Incident {
    /// Whether it is about a service: every field that it fills is the service's own.
    pub fn applies(&self, business: &str, service: &str) -> bool {
        fits(&self.business, business) && fits(&self.service, service)
    }

    /// From its start until it was fixed, or `open_until`.
    pub fn interval(&self, open_until: i64) -> Interval {
        Interval::new(self.started, self.fixed.unwrap_or(open_until))
    }
}

fn fits(scope: &str, own: &str) -> bool {
    scope.is_empty() || scope == own
}

/// The incidents that were not withdrawn, by start.
pub(crate) fn incidents(rows: &[RecordBatch]) -> Result<Vec<Incident>> {
    let mut found = Vec::new();
    for batch in rows {
        let text = |name: &str| texts(batch, name);
        let (id, business, service) = (text("id")?, text("business")?, text("service")?);
        let phase = |name: &str| instants(batch, name);
        let (started, detected, located) = (phase("started")?, phase("detected")?, phase("located")?);
        let (fixed, verified) = (phase("fixed")?, phase("verified")?);
        let (lost, withdrawn) = (flags(batch, "telemetry_lost")?, flags(batch, "withdrawn")?);
        for row in 0..batch.num_rows() {
            if let (false, Some(start)) = (withdrawn[row], started[row]) {
                found.push(Incident {
                    id: id.value(row).to_string(),
                    business: business.value(row).to_string(),
                    service: service.value(row).to_string(),
                    started: start,
                    detected: detected[row],
                    located: located[row],
                    fixed: fixed[row],
                    verified: verified[row],
                    telemetry_lost: lost[row],
                });
            }
        }
    }
    found.sort_by(|a, b| (a.started, &a.id).cmp(&(b.started, &b.id)));
    Ok(found)
}

/// A text column of a small table.
pub(crate) fn texts<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a StringViewArray> {
    let column = batch.column_by_name(name).and_then(|column| column.as_string_view_opt());
    column.ok_or_else(|| internal_datafusion_err!("{name} was not read as text"))
}

/// A column of instants in µs.
pub(crate) fn instants(batch: &RecordBatch, name: &str) -> Result<Vec<Option<i64>>> {
    let column = batch.column_by_name(name).ok_or_else(|| internal_datafusion_err!("{name} was not read"))?;
    let instants = cast(column, &nines_store::time_type())?;
    Ok(instants.as_primitive::<TimestampMicrosecondType>().iter().collect())
}

/// A column of flags; NULL is false.
pub(crate) fn flags(batch: &RecordBatch, name: &str) -> Result<Vec<bool>> {
    let column = batch.column_by_name(name).ok_or_else(|| internal_datafusion_err!("{name} was not read"))?;
    let flags = cast(column, &DataType::Boolean)?;
    Ok(flags.as_boolean().iter().map(|flag| flag == Some(true)).collect())
}
