//! Whom and what a statement is about.

use nines_slo::IssuedStatement;

/// Agreement, customer and service.
pub(super) type Name = [String; 3];

/// Whom and what a statement is about.
pub(super) fn name(statement: &IssuedStatement) -> Name {
    [statement.agreement.clone(), statement.customer.clone(), statement.service.clone()]
}
