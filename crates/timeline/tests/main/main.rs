//! The algebra against slice-by-slice computation: the shared vectors, and properties of random timelines.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod naive;
mod properties;
mod vectors;
