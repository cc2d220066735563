//! Tests of what recurs.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod naive;
mod vectors;
