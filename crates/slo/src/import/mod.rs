//! Definitions of other programs become definitions of Nines and a [mapping](crate::mapping), as far as what they ask for is a count.
//!
//! A ratio of counters, in whatever PromQL or query of Datadog it is written, is good or bad events among all: counted once, exactly,
//! slice by slice. What is no count (averages, values of other metrics, plugins) is left out, with its place and the reason. Nothing is
//! guessed.
//!
//! One format per file: a function from a document to objectives.

mod datadog;
mod datadog_query;
mod document;
mod format;
mod imported;
mod nobl9;
mod openslo;
mod percent;
mod pyrra;
mod ratio;
mod slo_generator;
mod sloth;
#[cfg(test)]
mod tests;
mod window;
mod written;

pub use format::{ImportFormat, import};
pub use imported::Imported;
