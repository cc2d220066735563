//! Window functions.

mod increase;

use std::sync::Arc;

use datafusion::logical_expr::WindowUDF;

/// All window functions.
pub fn functions() -> Vec<Arc<WindowUDF>> {
    vec![Arc::new(WindowUDF::from(increase::Increase::default()))]
}
