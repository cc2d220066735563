//! Which columns of a table identify a row, and how the others combine.

use super::{Measure, TableKind};

impl TableKind {
    /// The columns that identify a row, in sort order: `time` last, so that a series is one run of rows.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            TableKind::Requests => {
                &["business", "service", "endpoint", "customer", "labels", "status", "cause", "source", "time"]
            }
            TableKind::Events => &["business", "service", "endpoint", "customer", "labels", "name", "source", "time"],
            TableKind::Gauges => &["business", "service", "endpoint", "labels", "name", "source", "time"],
            TableKind::Incidents | TableKind::Exclusions => &["id"],
            TableKind::Fees => &["period", "customer", "service", "span"],
            TableKind::Annotations => &["time", "service", "kind", "text"],
            TableKind::Definitions => &["kind", "name", "effective_from"],
            TableKind::SloDays => &["objective", "definition", "date"],
            TableKind::SloFacts => &["fact", "subject", "period"],
            TableKind::Statements => &["agreement", "customer", "service", "period", "revision"],
        }
    }

    /// The columns that identify a *unit*: what a batch says of a unit replaces all that was said of it before. It
    /// is the key without what a correction may relabel.
    pub fn unit(self) -> impl Iterator<Item = &'static str> {
        self.key().iter().copied().filter(|name| !matches!(*name, "status" | "cause"))
    }

    /// How many of the first columns of the key are the same in all rows of a unit, so that rows sorted by key have
    /// their units side by side as far as these columns go.
    pub(crate) fn group(self) -> usize {
        match self {
            TableKind::Requests | TableKind::Events => 5,
            TableKind::Gauges | TableKind::Fees | TableKind::Annotations => 4,
            TableKind::Incidents | TableKind::Exclusions => 1,
            TableKind::Definitions | TableKind::SloDays | TableKind::SloFacts => 3,
            TableKind::Statements => 5,
        }
    }

    /// The measured columns and how each combines.
    pub fn measures(self) -> &'static [(&'static str, Measure)] {
        match self {
            TableKind::Requests => &[
                ("requests", Measure::Sum),
                ("latency_sum", Measure::Sum),
                ("latency", Measure::Histogram),
                ("latency_le", Measure::CountsLe),
            ],
            TableKind::Events => &[("good", Measure::Sum), ("total", Measure::Sum)],
            TableKind::Gauges => &[
                ("samples", Measure::Sum),
                ("sum", Measure::Total),
                ("min", Measure::Min),
                ("max", Measure::Max),
                ("last", Measure::Last),
            ],
            TableKind::Incidents => &[
                ("business", Measure::Same),
                ("service", Measure::Same),
                ("title", Measure::Same),
                ("severity", Measure::Same),
                ("started", Measure::Same),
                ("detected", Measure::Same),
                ("located", Measure::Same),
                ("fixed", Measure::Same),
                ("verified", Measure::Same),
                ("telemetry_lost", Measure::Same),
                ("link", Measure::Same),
                ("withdrawn", Measure::Same),
                ("services", Measure::Same),
            ],
            TableKind::Exclusions => &[
                ("business", Measure::Same),
                ("service", Measure::Same),
                ("customer", Measure::Same),
                ("category", Measure::Same),
                ("started", Measure::Same),
                ("ended", Measure::Same),
                ("reason", Measure::Same),
                ("announced", Measure::Same),
                ("withdrawn", Measure::Same),
            ],
            TableKind::Fees => &[
                ("currency", Measure::Same),
                ("amount", Measure::Same),
                ("voucher_amount", Measure::Same),
                ("active_from", Measure::Same),
                ("active_until", Measure::Same),
                ("plan", Measure::Same),
                ("withdrawn", Measure::Same),
            ],
            TableKind::Annotations => &[("link", Measure::Same)],
            TableKind::Definitions => {
                &[("text", Measure::Same), ("sha256", Measure::Same), ("applied_at", Measure::Same)]
            }
            TableKind::SloDays => &[
                ("key", Measure::Same),
                ("timeline", Measure::Same),
                ("good", Measure::Same),
                ("total", Measure::Same),
                ("ratio_sum", Measure::Same),
                ("approximate", Measure::Same),
                ("ratios", Measure::Same),
                ("assumed", Measure::Same),
                ("bound_below", Measure::Same),
                ("bound_above", Measure::Same),
                ("last_data", Measure::Same),
                ("sealed", Measure::Same),
            ],
            TableKind::SloFacts => &[("key", Measure::Same), ("value", Measure::Same), ("text", Measure::Same)],
            TableKind::Statements => &[
                ("issued_at", Measure::Same),
                ("complete", Measure::Same),
                ("availability_exact", Measure::Same),
                ("amount", Measure::Same),
                ("currency", Measure::Same),
                ("text", Measure::Same),
                ("sha256", Measure::Same),
                ("rules", Measure::Same),
                ("status", Measure::Same),
                ("number", Measure::Same),
                ("side", Measure::Same),
                ("signature", Measure::Same),
            ],
        }
    }

    /// The columns that came in later, all nullable, in the order of [`stored_schema`](Self::stored_schema). A stored table has
    /// those that one of its writes needed, a file those in which one of its rows has a value.
    pub fn later(self) -> &'static [&'static str] {
        match self {
            TableKind::Requests | TableKind::Events | TableKind::Gauges => &["labels"],
            TableKind::Incidents => &["services"],
            TableKind::Fees => &["span", "plan", "withdrawn"],
            TableKind::SloDays => &["ratios", "assumed", "bound_below", "bound_above", "last_data", "sealed"],
            TableKind::Statements => &["rules", "status", "number", "side", "signature"],
            TableKind::Exclusions | TableKind::Annotations | TableKind::Definitions | TableKind::SloFacts => &[],
        }
    }

    /// Those of them that the store holds, sorts and replaces, while nothing fills or shows them yet.
    pub fn reserved(self) -> &'static [&'static str] {
        match self {
            TableKind::Requests | TableKind::Events | TableKind::Gauges => &["labels"],
            TableKind::Incidents => &["services"],
            TableKind::Fees => &["span", "plan", "withdrawn"],
            TableKind::Statements => &["status", "number", "side", "signature"],
            TableKind::Exclusions
            | TableKind::Annotations
            | TableKind::Definitions
            | TableKind::SloDays
            | TableKind::SloFacts => &[],
        }
    }
}
