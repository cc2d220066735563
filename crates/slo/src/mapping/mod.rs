//! Mappings: which metrics become rows of which table, and which labels fill their columns.
//!
//! ```yaml
//! requests:
//!   - counter: http_requests_total{job="shop"}
//!     service: shop
//!     endpoint: {label: handler}
//!     status: {label: code}
//!     labels: [region]
//! events:
//!   - name: order placed
//!     service: shop
//!     bad: orders_total{outcome="failed"}
//!     total: orders_total
//! gauges:
//!   - gauge: probe_success{job="blackbox"}
//!     name: up
//!     service: shop
//! ```
//!
//! A file of that shape is read by [`Mapping::read`], which tells every mistake with its place.

mod column;
mod read;
mod rule;

pub use column::ColumnFrom;
pub use rule::{Counted, Mapping, NewSeries, Rule};
