//! Services: of which business they are, who answers for them.

use nines_timeline::Share;

/// A `Service` object at its last version.
#[derive(Debug, Clone)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// Label `business`.
    pub business: Option<String>,
    /// Annotation `nines/owner`.
    pub owner: Option<String>,
    /// What its objectives promise together (annotation `nines/target`).
    pub target: Option<Share>,
}
