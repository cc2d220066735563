//! A mapping as it was read: plain data.

use super::column::ColumnFrom;
use crate::promql::Selector;

/// Counted metrics become.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Mapping {
    /// Its rules, in the order of the file, requests first. A series may meet several.
    pub rules: Vec<Rule>,
}

/// Series that become rows of one table.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// The line it begins in, from 1.
    pub line: usize,
    /// The columns `business`, `service` and `endpoint`.
    pub business: ColumnFrom,
    /// Likewise.
    pub service: ColumnFrom,
    /// Likewise.
    pub endpoint: ColumnFrom,
    /// The column `customer`, which gauges do not have.
    pub customer: ColumnFrom,
    /// The labels of the rows, by name.
    pub labels: Vec<(String, ColumnFrom)>,
    /// Counted is counted.
    pub what: Counted,
    /// Counted the first sample of a series says that was not there before.
    pub new_series: NewSeries,
}

/// Counted series count.
#[derive(Debug, Clone, PartialEq)]
pub enum Counted {
    /// Counters of requests.
    Counter {
        /// Which.
        series: Vec<Selector>,
        /// The column `status`.
        status: ColumnFrom,
        /// The column `cause`.
        cause: ColumnFrom,
    },
    /// Histograms of latencies, which count requests: classic ones, by `…_bucket` and `…_sum`, and native ones.
    Histogram {
        /// Which, by the name without `_bucket`.
        series: Vec<Selector>,
        /// The column `status`.
        status: ColumnFrom,
        /// The column `cause`.
        cause: ColumnFrom,
        /// Units of the bounds in a second: 1 or 1,000, 1,000,000 and so on; `None`: as the series say themselves, else 1.
        in_a_second: Option<u64>,
    },
    /// Counters of events: two of the three.
    Events {
        /// The column `name`.
        name: ColumnFrom,
        /// Events that went well.
        good: Vec<Selector>,
        /// Events that did not.
        bad: Vec<Selector>,
        /// All events.
        total: Vec<Selector>,
    },
    /// Values that are not counted up.
    Gauge {
        /// The column `name`.
        name: ColumnFrom,
        /// Which.
        series: Vec<Selector>,
    },
}

/// Counted the first sample of a series says if nothing is known of the time before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum NewSeries {
    /// ColumnFrom where it is counted; the sample itself counts nothing.
    #[default]
    Unknown,
    /// All that was counted since the last sample of the rule's other series, as if the series had been there with 0.
    Zero,
}

impl Counted {
    /// The selectors as they were written, in order.
    pub fn selectors(&self) -> impl Iterator<Item = &Selector> {
        let (first, second, third): (&[Selector], &[Selector], &[Selector]) = match self {
            Counted::Counter { series, .. } | Counted::Histogram { series, .. } | Counted::Gauge { series, .. } => {
                (series, &[], &[])
            }
            Counted::Events { good, bad, total, .. } => (good, bad, total),
        };
        first.iter().chain(second).chain(third)
    }
}

impl Rule {
    /// The columns and labels of its rows that labels of series fill, each with the name of that label.
    pub fn filled(&self) -> impl Iterator<Item = (String, &str)> {
        let columns = [
            ("business", &self.business),
            ("service", &self.service),
            ("endpoint", &self.endpoint),
            ("customer", &self.customer),
        ];
        let counted = match &self.what {
            Counted::Counter { status, cause, .. } | Counted::Histogram { status, cause, .. } => {
                vec![("status", status), ("cause", cause)]
            }
            Counted::Events { name, .. } | Counted::Gauge { name, .. } => vec![("name", name)],
        };
        let columns = columns.into_iter().chain(counted).map(|(name, from)| (name.to_string(), from));
        let labels = self.labels.iter().map(|(name, from)| (format!("the label {name}"), from));
        columns.chain(labels).filter_map(|(column, from)| match from {
            ColumnFrom::Label { label, .. } => Some((column, label.as_str())),
            ColumnFrom::Constant(_) => None,
        })
    }
}

impl Mapping {
    /// The selectors of all rules, each with the line of its rule.
    pub fn selectors(&self) -> impl Iterator<Item = (usize, &Selector)> {
        self.rules.iter().flat_map(|rule| rule.what.selectors().map(|selector| (rule.line, selector)))
    }
}
