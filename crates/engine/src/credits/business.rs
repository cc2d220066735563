//! Of which business a service is under an agreement, and which rows are meant by that.
//!
//! It is the one that the agreement narrows to; else the one that the `Service` in force at the first judged instant names; else
//! the one that the rows carry which count in the period, whoever's they are. So it never depends on whose credits are asked
//! for. Where an exclusion or an incident is about one business, or one customer is asked for, rows are looked at before they are
//! counted; else the pass that counts notices it on the way.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::TaskContext;
use datafusion::execution::memory_pool::MemoryReservation;
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::{Covered, Definitions, Terms};
use nines_timeline::{Interval, normalize};

use super::carried::{Asking, Carried, Carries};
use super::period_terms::PeriodTerms;
use crate::evaluate::{BUSINESS, CAUSE, CUSTOMER, Columns, ENDPOINT, Fold, SERVICE, fold};

/// What rows of a key can say, and when.
type CarriesRoute = (Carries, Vec<Interval>);

impl PeriodTerms {
    /// Of which business a service is under a version of an agreement that judges it from this instant on.
    pub fn business(&self, agreement: usize, version: usize, service: &str, from: i64) -> Result<Arc<str>> {
        let of = &self.definitions.agreements[agreement];
        match of.versions[version].terms.rows.businesses.as_slice() {
            [] => {}
            [one] => return Ok(one.exact().unwrap_or_default().into()),
            // Narrowed to several, it is of none.
            _ => return Ok("".into()),
        }
        if let Some(declared) = self.definitions.declared_business(service, from) {
            return Ok(declared.into());
        }
        let known = self.carried.known.get().and_then(|known| known.get(&(agreement, version)));
        let carried = known.and_then(|services| services.get(service));
        let mut carried = carried.into_iter().flatten();
        match (carried.next(), carried.next()) {
            (None, _) => Ok("".into()),
            (Some(one), None) => Ok(Arc::clone(one)),
            (Some(one), Some(other)) => exec_err!(
                "agreement {} counts rows of service {service} in two businesses, '{one}' and '{other}'; say which: `business: \
                 {other}` in its spec, or the label `business` of the Service",
                of.name
            ),
        }
    }

    /// When rows of a business count: those that the agreement narrows to, else those of the service's declared business
    /// while it is declared, else all. Rows that name none are of whichever is declared.
    pub fn counting(&self, terms: &Terms, service: &str, business: &str, within: Interval) -> Vec<Interval> {
        match terms.rows.businesses.as_slice() {
            [] => {}
            [one] if one.exact().is_some() && business.is_empty() => return vec![within],
            several if several.iter().any(|pattern| pattern.matches(business)) => return vec![within],
            _ => return Vec::new(),
        }
        match self.definitions.belongings(service) {
            [] => vec![within],
            known => {
                let own = known
                    .iter()
                    .filter(|known| business.is_empty() || known.business.as_deref().is_none_or(|own| own == business));
                normalize(own.map(|known| known.in_force.overlap(within)).collect())
            }
        }
    }

    /// The versions of agreements whose rows say of which business they are.
    pub fn asking(&self) -> Vec<Asking> {
        let mut found = Vec::new();
        for (number, agreement) in self.agreements() {
            for (version, covered) in self.judges(agreement) {
                let terms = &agreement.versions[version].terms;
                if terms.rows.businesses.is_empty() {
                    let (terms, judged) = (Arc::clone(terms), Covered::slices(&covered));
                    found.push(Asking { agreement: number, version, terms, judged });
                }
            }
        }
        found.retain(|asking| !asking.judged.is_empty());
        found
    }
}

/// When nobody says of which business a service is.
fn undeclared(definitions: &Definitions, service: &str, within: Interval) -> Vec<Interval> {
    match definitions.belongings(service) {
        [] => vec![within],
        known => {
            let silent = known.iter().filter(|known| known.business.is_none());
            normalize(silent.map(|known| known.in_force.overlap(within)).collect())
        }
    }
}

/// Asks the rows of a scan.
pub(super) async fn carried(
    asking: Vec<Asking>,
    definitions: &Arc<Definitions>,
    scan: &Arc<dyn ExecutionPlan>,
    context: &Arc<TaskContext>,
) -> Result<Carried> {
    let asking: Arc<[Asking]> = asking.into();
    let begin =
        |memory| Looking { look: Look::new(Arc::clone(&asking), Arc::clone(definitions)), key: Vec::new(), memory };
    let all: HashSet<Carries> = fold(scan, context, "businesses", begin).await?.into_iter().flatten().collect();
    let carried = Carried::default();
    carried.take(&asking, all);
    Ok(carried)
}

/// A look that is all that is done with the rows.
struct Looking {
    look: Look,
    key: Vec<u8>,
    memory: MemoryReservation,
}

impl Fold for Looking {
    type Folded = HashSet<Carries>;

    fn rows(&mut self, batch: &RecordBatch, _: i32) -> Result<()> {
        let columns = Columns::of(batch)?;
        let Some(requests) = columns.requests else { return exec_err!("requests were not read") };
        for run in columns.runs(batch.num_rows()) {
            columns.key(KEY, run.start, &mut self.key);
            let (grown, _) = self.look.see(&self.key, &columns, run, requests.values());
            self.memory.try_grow(grown)?;
        }
        Ok(())
    }

    fn folded(self) -> Result<HashSet<Carries>> {
        Ok(self.look.found)
    }
}

/// The texts that decide where a row goes.
pub(super) const KEY: [usize; 5] = [BUSINESS, SERVICE, ENDPOINT, CUSTOMER, CAUSE];

/// A look at rows of a run of days.
pub(super) struct Look {
    asking: Arc<[Asking]>,
    definitions: Arc<Definitions>,
    /// By key, what its rows can say that was not said yet.
    routes: HashMap<Box<[u8]>, Vec<CarriesRoute>>,
    pub found: HashSet<Carries>,
}

/// About what a route takes, in bytes.
const ROUTE: usize = 160;

impl Look {
    pub fn new(asking: Arc<[Asking]>, definitions: Arc<Definitions>) -> Self {
        Look { asking, definitions, routes: HashMap::new(), found: HashSet::new() }
    }

    /// Looks at rows of one key: the bytes that it holds more, and whether other rows of the key may say more.
    pub fn see(&mut self, key: &[u8], columns: &Columns<'_>, rows: Range<usize>, requests: &[i64]) -> (usize, bool) {
        let mut grown = 0;
        if !self.routes.contains_key(key) {
            let routes = self.routes_of(columns, rows.start);
            grown = key.len() + ROUTE * (1 + routes.len());
            self.routes.insert(key.into(), routes);
        }
        let Look { routes, found, .. } = self;
        let Some(routes) = routes.get_mut(key) else { return (grown, false) };
        routes.retain(|(carries, spans)| {
            let counts = |time: i64| spans.iter().any(|span| span.start <= time && time < span.end);
            let mut rows = columns.time[rows.clone()].iter().zip(&requests[rows.clone()]);
            let is_new = !found.contains(carries);
            if is_new && rows.any(|(time, valid)| *valid > 0 && counts(*time)) {
                found.insert(carries.clone());
                return false;
            }
            is_new
        });
        (grown, !routes.is_empty())
    }

    fn routes_of(&self, columns: &Columns<'_>, row: usize) -> Vec<CarriesRoute> {
        let text = |column| columns.text(column, row);
        let status = columns.status.map_or(0, |status| status.value(row));
        let (service, business): (Arc<str>, Arc<str>) = (text(SERVICE).into(), text(BUSINESS).into());
        let asking = self.asking.iter().enumerate().filter(|(_, asking)| {
            let terms = &asking.terms;
            let counts = |metric: &Terms| {
                metric.rows.matches(text(ENDPOINT), text(CUSTOMER), "") && metric.is_valid(status, text(CAUSE))
            };
            terms.matches_service(&service) && terms.metrics().any(counts)
        });
        let routes = asking.map(|(at, asking)| {
            let spans = undeclared(&self.definitions, &service, asking.judged);
            ((at, Arc::clone(&service), Arc::clone(&business)), spans)
        });
        routes.filter(|(_, spans)| !spans.is_empty()).collect()
    }
}
