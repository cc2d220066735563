//! The HTTP API of Prometheus, as far as raw samples are asked for. VictoriaMetrics, Mimir, Thanos and Cortex speak it as well.
//!
//! A question is an instant query for a range of a selector, `x{…}[3600000ms]` at a time: its answer has every sample with its own
//! timestamp, where `query_range` would have made up values on a grid of steps. Answers are handed on as they came.

mod access;
mod client;
mod error;

pub use access::{Access, Credentials};
pub use client::Client;
pub use error::{Error, Result};
