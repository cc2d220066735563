//! Definitions end to end: files in, mistakes or objectives out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod agreements;
mod credit_forms;
mod credits;
mod hostile;
mod naive;
mod naive_agreements;
mod naive_credits;
mod naive_forms;
mod naive_minutes;
mod naive_parts;
mod openslo;
mod over_end;
mod properties;
mod published;
mod reading;
mod refusals;
mod refused_agreements;
mod speed;
mod statement_pages;
mod statements;
mod unmeasured;
mod versions;
