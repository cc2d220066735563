//! What a leaf is to find out: plain data.

use std::collections::HashMap;
use std::sync::Arc;

use nines_store::TableKind;
use nines_timeline::Interval;

use super::expressions::Counting;
use super::part::{Detail, Split};
use super::subject::Subject;

/// What a pass is to find out.
#[derive(Debug)]
pub(crate) struct Task {
    pub table: TableKind,
    /// The version of the table whose rows are counted; `None` if it has none.
    pub version: Option<u64>,
    /// Those of one table.
    pub subjects: Vec<Arc<Subject>>,
    /// Their numbers in the question.
    pub numbers: Vec<usize>,
    /// What `nines/sql` indicators count.
    pub sql: Counting,
    /// By day since 1970 on whose end its rows were seen: which subject (place in `subjects`), which range, which stretch.
    pub wanted: HashMap<i32, Vec<(usize, usize, Interval)>>,
    pub split: Split,
    pub detail: Detail,
    /// The store's slice width in µs.
    pub slot: i64,
    /// Whether rows of two businesses are an error where the definition names none.
    pub strict: bool,
}
