//! The columns by which rows are told apart.

use crate::evaluate::{BUSINESS, CAUSE, CUSTOMER, Columns, ENDPOINT, SERVICE};

/// What decides where a row goes.
pub(super) fn key_of(columns: &Columns<'_>, row: usize, key: &mut Vec<u8>) {
    key.clear();
    for column in [BUSINESS, SERVICE, ENDPOINT, CUSTOMER, CAUSE] {
        key.extend_from_slice(columns.text(column, row).as_bytes());
        key.push(0xff);
    }
    let status = columns.status.map_or(0, |status| status.value(row));
    key.extend_from_slice(&status.to_le_bytes());
}
