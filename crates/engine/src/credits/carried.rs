//! Which businesses rows carry of services that nobody assigns to one.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, OnceLock};

use nines_slo::Terms;
use nines_timeline::Interval;

/// What the rows of services carry that nobody assigns to a business, by agreement and version.
#[derive(Debug, Default)]
pub(super) struct Carried {
    pub known: OnceLock<HashMap<(usize, usize), Businesses>>,
    /// Who asks what the rows carry while they are counted, because nothing depends on it before.
    pub asking: Option<Arc<[Asking]>>,
}

/// By service.
pub(super) type Businesses = HashMap<Arc<str>, BTreeSet<Arc<str>>>;

/// A version of an agreement that asks rows for their business.
#[derive(Debug, Clone)]
pub(super) struct Asking {
    pub agreement: usize,
    pub version: usize,
    pub terms: Arc<Terms>,
    /// The slices that it judges if nobody came or went.
    pub judged: Interval,
}

/// Who asks, a service, and a business that a row of it carries.
pub(super) type Carries = (usize, Arc<str>, Arc<str>);

impl Carried {
    /// Takes what was seen for those who ask.
    pub fn take(&self, asking: &[Asking], found: impl IntoIterator<Item = Carries>) {
        let mut known: HashMap<(usize, usize), Businesses> = HashMap::new();
        for (at, service, business) in found {
            let Asking { agreement, version, .. } = asking[at];
            known.entry((agreement, version)).or_default().entry(service).or_default().insert(business);
        }
        // A plan that runs again sees the same.
        let _ = self.known.set(known);
    }
}
