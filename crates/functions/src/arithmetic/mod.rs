//! `+`, `-`, `*` and unary minus on integers, and `+`, `-`, `*`, `/` on decimals, where a result that does not fit is an error.
//!
//! DataFusion wraps integers, while it runs as well as while it folds constants, and lets decimals have more digits than their
//! type, of which the last are not shown. [`CheckedArithmetic`] puts functions in
//! the place of the operators once their types are known, before anything is folded. They show as the operators do, so
//! that columns keep their names. `/` of integers, `%`, `abs` and the arithmetic of times and durations is checked in
//! DataFusion itself.

mod binary;
mod negate;
mod rule;

use std::sync::Arc;

use datafusion::logical_expr::ScalarUDF;

pub use rule::{CheckedArithmetic, checked};

/// The functions, so that a plan that holds them can be read on another machine.
pub(crate) fn functions() -> Vec<Arc<ScalarUDF>> {
    let binary = binary::Operation::ALL.map(|operation| ScalarUDF::new_from_impl(binary::Binary::new(operation)));
    binary.into_iter().chain([ScalarUDF::new_from_impl(negate::Negate::new())]).map(Arc::new).collect()
}
