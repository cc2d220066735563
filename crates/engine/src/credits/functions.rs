//! The table functions about agreements.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;

use super::{statement_table, table};
use crate::answers::Signature;
use crate::deferred::DeferredExec;
use crate::evaluate::{Read, View};
use crate::location::StoreLocation;
use crate::table_call::TableCall;

/// What the table functions take.
pub(crate) const SIGNATURES: [Signature; 2] = [table::SIGNATURE, statement_table::SIGNATURE];

/// What the functions are, for the table `functions`.
pub(crate) fn documentation(name: &str) -> Option<Documentation> {
    table::documentation(name).or_else(|| statement_table::documentation(name))
}

/// Makes the functions known to a session.
pub(crate) fn register_all(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    table::register(context, place, read);
    statement_table::register(context, place, read);
}

/// The operators of a call that another process has planned; `None` if no function here is called so.
pub(crate) fn planned(call: TableCall, view: View) -> Result<Option<DeferredExec>> {
    match call.name.as_str() {
        table::NAME => table::planned(call, view).map(Some),
        statement_table::NAME => statement_table::planned(call, view).map(Some),
        _ => Ok(None),
    }
}
