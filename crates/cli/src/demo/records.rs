//! What people wrote down: the demo's incidents, and the time that is not counted.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BooleanArray, RecordBatch, StringViewArray, TimestampMicrosecondArray, new_null_array,
};
use nines_store::{TableKind, UTC};

use super::incident::{Incident, Kind};
use super::rhythm::weekday;
use super::{DAY, HOUR, Spec, batch, incidents};

/// The rows of `incidents`: one per incident and service, because a row speaks of one service or of all.
pub fn incident_records(spec: &Spec) -> RecordBatch {
    let incidents = incidents(spec);
    let rows: Vec<(&Incident, &str)> = incidents
        .iter()
        .flat_map(|incident| incident.services.iter().map(move |service| (incident, *service)))
        .collect();
    let text = |of: &dyn Fn(&Incident, &str) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|(incident, service)| Some(of(incident, service))).collect::<StringViewArray>())
    };
    // People write down seconds.
    let second = |at: i64| at - at.rem_euclid(nines_timeline::MICROS);
    let instant = |of: fn(&Incident) -> i64| instants(rows.iter().map(|(incident, _)| second(of(incident))));
    let none: ArrayRef = text(&|_, _| String::new());
    let no: ArrayRef = Arc::new(BooleanArray::from(vec![false; rows.len()]));
    let columns = vec![
        text(&|incident, service| match incident.services.len() {
            1 => incident.id.clone(),
            _ => format!("{}/{service}", incident.id),
        }),
        text(&|incident, _| incident.business.to_string()),
        text(&|_, service| service.to_string()),
        text(&|incident, _| incident.title()),
        text(&|incident, _| incident.severity.to_string()),
        instant(|incident| incident.started),
        instant(|incident| incident.detected),
        instant(|incident| incident.located),
        instant(|incident| incident.ended),
        instant(|incident| incident.verified),
        Arc::clone(&no),
        none,
        no,
    ];
    batch(&TableKind::Incidents.schema(spec.slice_seconds), columns)
}

/// The rows of `exclusions`: a maintenance of the video farm on a Sunday morning every four weeks, announced a week
/// before, and the storms that a customer of the gateway made itself.
pub fn exclusion_records(spec: &Spec) -> RecordBatch {
    let mut rows: Vec<Exclusion> = Vec::new();
    // The last Sunday that is at least a week past, 02:00 to 04:00 in Shanghai.
    let week = spec.end - 7 * DAY;
    let mut started = week - weekday(week) * DAY - DAY - 6 * HOUR;
    while started >= spec.start() {
        rows.push(Exclusion {
            name: "MNT",
            scope: ["media", "transcode", ""],
            category: "Scheduled Maintenance",
            started,
            ended: started + 2 * HOUR,
            reason: "new disks in the video farm",
            announced: Some(started - 7 * DAY),
        });
        started -= 28 * DAY;
    }
    for storm in incidents(spec).iter().filter(|incident| incident.kind == Kind::RateLimitStorm) {
        rows.push(Exclusion {
            name: "CUS",
            scope: [storm.business, "gateway", storm.customer],
            category: "Customer",
            started: storm.started,
            ended: storm.ended,
            reason: "the customer's program retried without pause",
            announced: None,
        });
    }
    rows.sort_by_key(|row| (row.started, row.name));
    let text = |of: &dyn Fn(&Exclusion) -> String| -> ArrayRef {
        Arc::new(rows.iter().map(|row| Some(of(row))).collect::<StringViewArray>())
    };
    let columns = vec![
        text(&Exclusion::id),
        text(&|row| row.scope[0].to_string()),
        text(&|row| row.scope[1].to_string()),
        text(&|row| row.scope[2].to_string()),
        text(&|row| row.category.to_string()),
        instants(rows.iter().map(|row| row.started)),
        instants(rows.iter().map(|row| row.ended)),
        text(&|row| row.reason.to_string()),
        instants(rows.iter().map(|row| row.announced)),
        Arc::new(BooleanArray::from(vec![false; rows.len()])),
    ];
    // None of them recurs.
    let schema = TableKind::Exclusions.schema(spec.slice_seconds);
    let more = schema.fields().iter().skip(columns.len()).map(|field| new_null_array(field.data_type(), rows.len()));
    batch(&schema, columns.into_iter().chain(more).collect())
}

struct Exclusion {
    name: &'static str,
    /// Business, service, customer.
    scope: [&'static str; 3],
    category: &'static str,
    started: i64,
    ended: i64,
    reason: &'static str,
    announced: Option<i64>,
}

impl Exclusion {
    /// The same in any history that holds it.
    fn id(&self) -> String {
        let day = chrono::DateTime::from_timestamp_micros(self.started).unwrap_or_default().format("%Y-%m-%d");
        format!("{}-{day}", self.name)
    }
}

fn instants(values: impl Iterator<Item = impl Into<Option<i64>>>) -> ArrayRef {
    Arc::new(values.map(Into::into).collect::<TimestampMicrosecondArray>().with_timezone(UTC))
}
