//! The store as its users see it: append, snapshot, query.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod append;
mod beside;
mod by_day;
mod chain;
mod compact;
mod concurrent;
mod damage;
mod delivered;
mod draw;
mod faults;
mod fixture;
mod foreign;
mod formats;
mod grown;
mod history;
mod kept;
mod model;
mod naive;
mod plan;
mod refuse;
mod seed;
mod store;
mod time_zone;
mod upkeep;
