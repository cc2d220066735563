//! Counts rows of `requests` into slices of agreements, day after day, and keeps of a day what decides a credit.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use nines_slo::Counts;
use nines_timeline::Interval;

use super::business::{KEY, Look};
use super::carried::Carries;
use super::case::Case;
use super::counted::{Counted, add, sort};
use super::period_terms::PeriodTerms;
use crate::evaluate::{BUSINESS, CAUSE, CUSTOMER, Columns, DAY, ENDPOINT, Fold, SERVICE, charged};

/// How many (slot, valid, failed) of a day are held before equal slots are added up.
const UNSORTED: usize = 8192;

/// The columns that are read.
pub(super) const COLUMNS: [&str; 8] =
    ["time", "business", "service", "endpoint", "customer", "status", "cause", "requests"];

/// Agreement, customer and service.
pub(super) type CaseName = (usize, Arc<str>, Arc<str>);

/// What a run of days comes to.
pub(super) struct CreditsCounted {
    pub counted: Vec<Counted>,
    /// Which businesses its rows carry, as far as that is asked.
    pub carries: HashSet<Carries>,
    /// What it takes.
    pub memory: MemoryReservation,
}

/// A case at work.
#[derive(Debug)]
struct CaseLane {
    counted: Counted,
    /// Of the day at hand, in the order of rows.
    today: Vec<Counts>,
    /// How many of them are sorted and apart.
    sorted: usize,
}

/// Where rows of a key go.
#[derive(Debug)]
struct CaseRoute {
    /// To which case.
    lane: usize,
    failed: bool,
    /// When they count.
    spans: Vec<Interval>,
}

type Routes = Arc<[CaseRoute]>;

/// About what a case and a route take besides their names, in bytes.
const LANE: usize = size_of::<CaseLane>() + size_of::<Case>() + 256;
const ROUTE: usize = size_of::<CaseRoute>() + size_of::<Interval>() + 64;

/// A pass over a run of days.
pub(super) struct CreditCounter {
    judging: Arc<PeriodTerms>,
    lanes: Vec<CaseLane>,
    lane_of: HashMap<CaseName, Option<usize>>,
    routes: HashMap<Box<[u8]>, Routes>,
    key: Vec<u8>,
    /// If rows are asked of which business they are.
    look: Option<Look>,
    day: Option<i32>,
    /// The first of them.
    first: Option<i32>,
    memory: MemoryReservation,
    /// Counts that are held.
    held: usize,
    /// Bytes of lanes and routes.
    fixed: usize,
}

impl CreditCounter {
    pub fn new(judging: Arc<PeriodTerms>, memory: MemoryReservation) -> Self {
        let asking = judging.carried.asking.clone();
        CreditCounter {
            look: asking.map(|asking| Look::new(asking, Arc::clone(&judging.definitions))),
            judging,
            lanes: Vec::new(),
            lane_of: HashMap::new(),
            routes: HashMap::new(),
            key: Vec::new(),
            day: None,
            first: None,
            memory,
            held: 0,
            fixed: 0,
        }
    }
}

impl Fold for CreditCounter {
    type Folded = CreditsCounted;

    fn rows(&mut self, batch: &RecordBatch, day: i32) -> Result<()> {
        if self.day != Some(day) {
            self.close()?;
            self.day = Some(day);
            self.first = self.first.or(Some(day));
        }
        let columns = Columns::of(batch)?;
        let Some(requests) = columns.requests else { return exec_err!("requests were not read") };
        let requests = requests.values();
        for run in columns.runs(batch.num_rows()) {
            let (at, next) = (run.start, run.end);
            let routes = self.routes_of(&columns, at)?;
            if let Some(look) = &mut self.look {
                self.fixed += look.see(&self.key, &columns, at..next, requests);
            }
            for route in routes.iter() {
                let lane = &mut self.lanes[route.lane];
                let case = Arc::clone(&lane.counted.case);
                let before = lane.today.len();
                let counts = |time: i64| route.spans.iter().any(|span| span.start <= time && time < span.end);
                for (time, &valid) in columns.time[at..next].iter().zip(&requests[at..next]) {
                    if valid > 0 && counts(*time) {
                        let start = case.pieces.start_of(*time);
                        add(&mut lane.today, Counts { start, valid, failed: if route.failed { valid } else { 0 } })?;
                    }
                }
                if lane.today.len() - lane.sorted > UNSORTED {
                    sort(&mut lane.today)?;
                    lane.sorted = lane.today.len();
                }
                self.held = (self.held + lane.today.len()).saturating_sub(before);
            }
        }
        self.memory.try_resize(self.fixed + self.held * size_of::<Counts>())
    }

    fn folded(mut self) -> Result<CreditsCounted> {
        self.close()?;
        for CaseLane { counted, today, .. } in &mut self.lanes {
            counted.tail = std::mem::take(today);
        }
        self.memory.try_resize(self.lanes.len() * LANE + self.held * size_of::<Counts>())?;
        Ok(CreditsCounted {
            counted: self.lanes.into_iter().map(|lane| lane.counted).collect(),
            carries: self.look.map(|look| look.found).unwrap_or_default(),
            memory: self.memory,
        })
    }
}

impl CreditCounter {
    /// Keeps of the day what decides; a slice that goes on in the next day stays.
    fn close(&mut self) -> Result<()> {
        let (Some(day), Some(first)) = (self.day, self.first) else { return Ok(()) };
        let (begun, over) = (i64::from(first) * DAY, (i64::from(day) + 1) * DAY);
        self.held = 0;
        for lane in &mut self.lanes {
            let CaseLane { counted, today, sorted } = lane;
            if !today.is_empty() {
                sort(today)?;
                let (slice, slices) = (counted.case.terms.slice, counted.case.pieces.slices());
                let begins = |counts: &Counts| slices.start_of(counts.start);
                let rest = today.split_off(today.partition_point(|counts| begins(counts) + slice <= over));
                let mut whole = std::mem::replace(today, rest);
                // Another partition may count the first half of it.
                let halved = whole.partition_point(|counts| begins(counts) < begun);
                counted.head.extend(whole.drain(..halved));
                if !whole.is_empty() {
                    counted.take(whole)?;
                }
                *sorted = today.len();
            }
            self.held += counted.slices.len() + today.len();
        }
        Ok(())
    }

    fn routes_of(&mut self, columns: &Columns<'_>, row: usize) -> Result<Routes> {
        columns.key(KEY, row, &mut self.key);
        if let Some(routes) = self.routes.get(self.key.as_slice()) {
            return Ok(Arc::clone(routes));
        }
        let status = columns.status.map_or(0, |status| status.value(row));
        let text = |column| columns.text(column, row);
        let judging = Arc::clone(&self.judging);
        let mut routes = Vec::new();
        for (number, _) in judging.agreements() {
            let Some(lane) = self.lane(number, text(CUSTOMER), text(SERVICE))? else { continue };
            let case = &self.lanes[lane].counted.case;
            let terms = &case.terms;
            if !terms.rows.matches(text(ENDPOINT), text(CUSTOMER)) || !terms.is_valid(status, text(CAUSE)) {
                continue;
            }
            let spans = judging.counting(terms, text(SERVICE), text(BUSINESS), case.reads);
            if !spans.is_empty() {
                let failed = match &terms.failed {
                    Some(failed) => failed.hold(status, text(CAUSE)),
                    None => charged(terms.party, terms.causes.charge(text(CAUSE), status), status) == Some(false),
                };
                routes.push(CaseRoute { lane, failed, spans });
            }
        }
        self.fixed += self.key.len() + ROUTE * (1 + routes.len());
        let routes: Routes = routes.into();
        self.routes.insert(self.key.as_slice().into(), Arc::clone(&routes));
        Ok(routes)
    }

    fn lane(&mut self, agreement: usize, customer: &str, service: &str) -> Result<Option<usize>> {
        let name: CaseName = (agreement, customer.into(), service.into());
        if let Some(lane) = self.lane_of.get(&name) {
            return Ok(*lane);
        }
        let case = self.judging.case(agreement, customer, service)?;
        let lane = case.map(|case| {
            self.fixed += LANE;
            self.lanes.push(CaseLane { counted: Counted::nothing(Arc::new(case)), today: Vec::new(), sorted: 0 });
            self.lanes.len() - 1
        });
        self.fixed += customer.len() + service.len() + ROUTE;
        self.lane_of.insert(name, lane);
        Ok(lane)
    }
}
