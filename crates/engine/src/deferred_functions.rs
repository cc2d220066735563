//! The table functions whose operators are planned when they run: a line each.

use std::sync::Arc;

use datafusion::error::Result;
use datafusion::logical_expr::Documentation;
use datafusion::prelude::SessionContext;

use crate::answers::Signature;
use crate::credits::{CreditsOf, StatementsOf};
use crate::deferred::DeferredExec;
use crate::deferred_function::{self, DeferredFunction};
use crate::evaluate::{Read, View};
use crate::excluded::ExcludedIn;
use crate::location::StoreLocation;
use crate::table_call::TableCall;

const ALL: [Entry; 3] = [Entry::of::<CreditsOf>(), Entry::of::<StatementsOf>(), Entry::of::<ExcludedIn>()];

/// What is asked of a function by its name.
struct Entry {
    signature: Signature,
    documentation: fn() -> Documentation,
    register: fn(&SessionContext, &Arc<StoreLocation>, &Arc<Read>),
    planned: fn(TableCall, View) -> Result<DeferredExec>,
}

impl Entry {
    const fn of<F: DeferredFunction>() -> Entry {
        Entry {
            signature: F::SIGNATURE,
            documentation: deferred_function::documentation::<F>,
            register: deferred_function::register::<F>,
            planned: deferred_function::planned::<F>,
        }
    }
}

fn entry(name: &str) -> Option<Entry> {
    ALL.into_iter().find(|entry| entry.signature.function == name)
}

/// What they take.
pub(crate) fn signatures() -> impl Iterator<Item = Signature> {
    ALL.into_iter().map(|entry| entry.signature)
}

/// What one is, for the table `functions`; `None` if none is called so.
pub(crate) fn documentation(name: &str) -> Option<Documentation> {
    entry(name).map(|entry| (entry.documentation)())
}

/// Makes them known to a session.
pub(crate) fn register_all(context: &SessionContext, place: &Arc<StoreLocation>, read: &Arc<Read>) {
    ALL.iter().for_each(|entry| (entry.register)(context, place, read));
}

/// The operators of a call that another process has planned; `None` if none is called so.
pub(crate) fn planned(call: &TableCall, view: impl Fn() -> Result<View>) -> Result<Option<DeferredExec>> {
    entry(&call.name).map(|entry| (entry.planned)(call.clone(), view()?)).transpose()
}
