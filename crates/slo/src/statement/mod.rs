//! Statements: what was issued for a period, with all that it was computed from.
//!
//! A [`IssuedStatement`] is about one agreement, customer, service and period. It carries the agreement's text, the evidence
//! and the figures, so that years later, without any table, [`IssuedStatement::verify`] can tell whether it still says what
//! was issued and whether the figures follow from the evidence. Later data lead to a revision that says what changed
//! ([`IssuedStatement::revised`]); [`differences`] compares, [`steps`] shows the arithmetic, [`markdown`] and [`html`] are
//! for the customer.
//!
//! ```text
//! Basis ──draw_up──▶ IssuedStatement ──to_json──▶ stored ──from_json──▶ IssuedStatement ──verify──▶ Verdict
//!                        └─revised─▶ the next revision, if anything that matters changed
//! ```

mod deciding;
mod difference;
mod differences;
mod drawing;
mod error;
mod facts;
mod hash;
mod html;
mod issued;
mod json;
mod keys;
mod markdown;
mod measured;
mod months;
mod outages;
mod page;
mod paid_json;
mod signature;
mod slice_changes;
mod steps;
mod strip;
mod terms;
#[cfg(test)]
mod testing;
mod verify;
mod view;
mod wire;

pub use crate::words::days_of;
pub use difference::{Difference, Subject};
pub(crate) use differences::clause_changes;
pub use differences::differences;
pub use error::StatementError;
pub use facts::StatementFacts;
pub use html::html;
pub use issued::{AgreementText, Basis, IssuedStatement};
pub use keys::{KeyError, PublicKey, SigningKey};
pub use markdown::markdown;
pub use page::Standing;
pub use signature::Signed;
pub use steps::{Step, steps};
pub use verify::Verdict;
