//! The store as its users see it: append, snapshot, query.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod append;
mod concurrent;
mod fixture;
mod plan;
mod refuse;
mod store;
mod time_zone;
