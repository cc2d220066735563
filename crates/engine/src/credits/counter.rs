//! Counts rows of `requests` into slices of agreements, day after day, and keeps of a day what decides a credit.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use nines_slo::{Counts, EachBy, Join, Terms};
use nines_timeline::Interval;

use super::business::{KEY, Look};
use super::carried::Carries;
use super::case::{Case, CaseName};
use super::counted::{Counted, add, sort};
use super::period_terms::PeriodTerms;
use crate::evaluate::{BUSINESS, Bound, CAUSE, CUSTOMER, Columns, DAY, ENDPOINT, SERVICE, charged};

/// How many (slot, valid, failed) of a day are held before equal slots are added up.
const UNSORTED: usize = 8192;

/// The columns that are read, but for latencies.
pub(super) const COLUMNS: [&str; 8] =
    ["time", "business", "service", "endpoint", "customer", "status", "cause", "requests"];
/// Those of latencies, where an agreement asks for them.
pub(super) const LATENCIES: [&str; 2] = ["latency", "latency_le"];

/// A figure of a case.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct PartName {
    case: CaseName,
    metric: usize,
    surely: bool,
    member: Arc<str>,
}

/// What a run of days comes to.
pub(super) struct CreditsCounted {
    pub counted: Vec<Counted>,
    /// Which businesses its rows carry, as far as that is asked.
    pub carries: HashSet<Carries>,
    /// Members that no agreement names which joins those that it names, by agreement: their rows count nowhere.
    pub strangers: BTreeSet<(usize, String)>,
    /// What it takes.
    pub memory: MemoryReservation,
}

/// A figure of a case at work.
#[derive(Debug)]
struct PartLane {
    counted: Counted,
    /// All rows, or those of the first member of several of which one decides each slice.
    first: Today,
    others: Vec<Today>,
}

/// What is counted of the day at hand.
#[derive(Debug)]
struct Today {
    /// Whose rows; empty: all.
    member: Arc<str>,
    /// In the order of rows.
    counts: Vec<Counts>,
    /// How many of them are sorted and apart.
    sorted: usize,
}

/// Where rows of a key go.
#[derive(Debug)]
struct CaseRoute {
    /// To which figure of which case.
    lane: usize,
    /// To which of its members.
    member: usize,
    failed: bool,
    /// Else those of its requests that took longer.
    slower_than: Option<Box<Bound>>,
    /// When they count.
    spans: Arc<[Interval]>,
}

/// What is known of a key.
#[derive(Debug)]
struct OfKey {
    routes: Arc<[CaseRoute]>,
    /// Whether its rows may say more of which business they are.
    looks: bool,
}

/// About what a case and a route take besides their names, in bytes.
const LANE: usize = size_of::<PartLane>() + size_of::<Case>() + 256;
const ROUTE: usize = size_of::<CaseRoute>() + size_of::<Interval>() + 64;

/// A pass over a run of days.
pub(super) struct CreditCounter {
    judging: Arc<PeriodTerms>,
    lanes: Vec<PartLane>,
    lane_of: HashMap<PartName, usize>,
    keys: HashMap<Box<[u8]>, OfKey>,
    strangers: BTreeSet<(usize, String)>,
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
            keys: HashMap::new(),
            strangers: BTreeSet::new(),
            key: Vec::new(),
            day: None,
            first: None,
            memory,
            held: 0,
            fixed: 0,
        }
    }

    /// Counts rows of a UTC day. Days ascend.
    pub fn count(&mut self, columns: &Columns<'_>, rows: usize, day: i32) -> Result<()> {
        if self.day != Some(day) {
            self.close()?;
            self.day = Some(day);
            self.first = self.first.or(Some(day));
        }
        let Some(requests) = columns.requests else { return exec_err!("requests were not read") };
        let requests = requests.values();
        for run in columns.runs(rows) {
            let (at, next) = (run.start, run.end);
            columns.key(KEY, at, &mut self.key);
            if !self.keys.contains_key(self.key.as_slice()) {
                let own = self.of_key(columns, at)?;
                self.keys.insert(self.key.as_slice().into(), own);
            }
            let Some(OfKey { routes, looks }) = self.keys.get_mut(self.key.as_slice()) else { continue };
            if let Some(look) = self.look.as_mut().filter(|_| *looks) {
                let (grown, more) = look.see(&self.key, columns, at..next, requests);
                (self.fixed, *looks) = (self.fixed + grown, more);
            }
            for route in routes.iter() {
                let lane = &mut self.lanes[route.lane];
                let (_, compactor) = lane.counted.case.metric(lane.counted.metric);
                let today = match route.member {
                    0 => &mut lane.first,
                    member => &mut lane.others[member - 1],
                };
                let before = today.counts.len();
                let counts = |time: i64| route.spans.iter().any(|span| span.start <= time && time < span.end);
                for row in at..next {
                    let (time, valid) = (columns.time[row], requests[row]);
                    if valid > 0 && counts(time) {
                        let start = compactor.pieces.start_of(time);
                        let (surely, without) = (lane.counted.surely, &mut lane.counted.without_latency);
                        let failed = route.failing(columns, row, valid, surely, without);
                        add(&mut today.counts, Counts { start, valid, failed })?;
                    }
                }
                if today.counts.len() - today.sorted > UNSORTED {
                    sort(&mut today.counts)?;
                    today.sorted = today.counts.len();
                }
                self.held = (self.held + today.counts.len()).saturating_sub(before);
            }
        }
        self.memory.try_resize(self.fixed + self.held * size_of::<Counts>())
    }

    /// What all of it comes to.
    pub fn folded(mut self) -> Result<CreditsCounted> {
        self.close()?;
        for PartLane { counted, first, others } in &mut self.lanes {
            for today in std::iter::once(first).chain(others).filter(|today| !today.counts.is_empty()) {
                counted.tail.push((Arc::clone(&today.member), std::mem::take(&mut today.counts)));
            }
        }
        self.memory.try_resize(self.lanes.len() * LANE + self.held * size_of::<Counts>())?;
        Ok(CreditsCounted {
            counted: self.lanes.into_iter().map(|lane| lane.counted).collect(),
            strangers: self.strangers,
            carries: self.look.map(|look| look.found).unwrap_or_default(),
            memory: self.memory,
        })
    }

    /// Keeps of the day what decides; a slice that goes on in the next day stays.
    fn close(&mut self) -> Result<()> {
        let (Some(day), Some(first)) = (self.day, self.first) else { return Ok(()) };
        let (begun, over) = (i64::from(first) * DAY, (i64::from(day) + 1) * DAY);
        self.held = 0;
        for lane in &mut self.lanes {
            let PartLane { counted, first, others } = lane;
            let case = Arc::clone(&counted.case);
            let (covered, compactor) = case.metric(counted.metric);
            let (slice, pieces) = (covered.terms.slice, &compactor.pieces);
            let begins = |counts: &Counts| pieces.slice_of(counts.start);
            // Of a member the counts of slices that are over, without the end of one whose beginning another partition may count.
            let mut over_today = |today: &mut Today| -> Result<Range<usize>> {
                sort(&mut today.counts)?;
                let until = today.counts.partition_point(|counts| begins(counts) + slice <= over);
                let halved = today.counts[..until].partition_point(|counts| begins(counts) < begun);
                if halved > 0 {
                    counted.head.push((Arc::clone(&today.member), today.counts[..halved].to_vec()));
                }
                Ok(halved..until)
            };
            if others.is_empty() {
                let whole = over_today(first)?;
                counted.take(&[(&first.member, &first.counts[whole.clone()])])?;
                first.leave(whole.end);
            } else {
                let ranges = std::iter::once(&mut *first)
                    .chain(&mut *others)
                    .map(&mut over_today)
                    .collect::<Result<Vec<_>>>()?;
                let all = || std::iter::once(&*first).chain(&*others).zip(&ranges);
                let of_members = all().map(|(today, whole)| (&*today.member, &today.counts[whole.clone()]));
                counted.take(&of_members.collect::<Vec<_>>())?;
                std::iter::once(&mut *first)
                    .chain(&mut *others)
                    .zip(&ranges)
                    .for_each(|(today, own)| today.leave(own.end));
            }
            let left = std::iter::once(&*first).chain(&*others).map(|today| today.counts.len());
            self.held += counted.kept.slices.len() + left.sum::<usize>();
        }
        Ok(())
    }

    fn of_key(&mut self, columns: &Columns<'_>, row: usize) -> Result<OfKey> {
        let status = columns.status.map_or(0, |status| status.value(row));
        let text = |column| columns.text(column, row);
        let judging = Arc::clone(&self.judging);
        let mut routes = Vec::new();
        for (number, _) in judging.agreements() {
            let Some(case) = judging.case(number, text(CUSTOMER), text(SERVICE))? else { continue };
            for (metric, terms) in case.terms.metrics().enumerate() {
                if terms.objective.is_some() {
                    continue;
                }
                if !terms.rows.matches(text(ENDPOINT), text(CUSTOMER), "") || !terms.is_valid(status, text(CAUSE)) {
                    continue;
                }
                let spans = judging.counting(terms, text(SERVICE), text(BUSINESS), case.reads);
                if spans.is_empty() {
                    continue;
                }
                let spans: Arc<[Interval]> = spans.into();
                let failed = match &terms.failed {
                    Some(failed) => failed.hold(status, text(CAUSE)),
                    None => charged(terms.party, terms.causes.charge(text(CAUSE), status), status) == Some(false),
                };
                let member = terms.each.as_ref().map_or("", |each| match each.by {
                    EachBy::Endpoint => text(ENDPOINT),
                    EachBy::Business => text(BUSINESS),
                });
                if let Some(Join::All { of, .. }) = terms.each.as_ref().map(|each| &each.join)
                    && !of.iter().any(|own| own == member)
                {
                    self.strangers.insert((number, member.to_string()));
                    continue;
                }
                let limit = terms.failed.as_ref().and_then(|failed| failed.slower_than);
                let slower_than = limit.filter(|_| !failed).map(|limit| Box::new(Bound::of_micros(limit)));
                // Where a latency lies in one bucket with the limit, it is counted as slower, and beside that as not.
                for surely in [false, true].into_iter().take(1 + usize::from(limit.is_some())) {
                    let (lane, member) = self.lane(&case, (metric, surely), terms, member);
                    routes.push(CaseRoute {
                        lane,
                        member,
                        failed,
                        slower_than: slower_than.clone(),
                        spans: Arc::clone(&spans),
                    });
                }
            }
        }
        self.fixed += self.key.len() + ROUTE * (1 + routes.len());
        Ok(OfKey { routes: routes.into(), looks: self.look.is_some() })
    }

    /// The lane of a metric's figure, and the member's place in it.
    fn lane(
        &mut self,
        case: &Arc<Case>,
        (metric, surely): (usize, bool),
        terms: &Terms,
        member: &str,
    ) -> (usize, usize) {
        let alone = if terms.judges_each() { member } else { "" };
        let name = PartName { case: case.name(), metric, surely, member: alone.into() };
        let alone = &name.member;
        let today = |member: &str| {
            let member = if **alone == *member { Arc::clone(alone) } else { member.into() };
            Today { member, counts: Vec::new(), sorted: 0 }
        };
        let lane = match self.lane_of.get(&name) {
            Some(lane) => *lane,
            None => {
                let counted = Counted::nothing(Arc::clone(case), (metric, surely), Arc::clone(&name.member));
                let first = today(member);
                self.lanes.push(PartLane { counted, first, others: Vec::new() });
                self.fixed += LANE;
                self.lane_of.insert(name, self.lanes.len() - 1);
                return (self.lanes.len() - 1, 0);
            }
        };
        let PartLane { first, others, .. } = &mut self.lanes[lane];
        if *first.member == *member {
            return (lane, 0);
        }
        if let Some(at) = others.iter().position(|other| *other.member == *member) {
            return (lane, at + 1);
        }
        others.push(today(member));
        self.fixed += size_of::<Today>() + member.len();
        (lane, others.len())
    }
}

impl CaseRoute {
    /// How many of a row's requests fail. Those that carry no latency are not slower, and are counted for who wants to know.
    #[inline]
    fn failing(&self, columns: &Columns<'_>, row: usize, requests: i64, surely: bool, without: &mut i64) -> i64 {
        let Some(limit) = &self.slower_than else { return if self.failed { requests } else { 0 } };
        let latency = columns.latency.as_ref();
        let Some(within) = latency.and_then(|latency| latency.count(row, requests, limit)) else {
            *without = without.saturating_add(requests);
            return 0;
        };
        let slower = within.total - if surely { within.most } else { within.good };
        slower.clamp(0, requests)
    }
}

impl Today {
    /// Leaves what begins a slice that goes on in the next day. No room is left for that day: of many cases each has its busiest day at
    /// another time.
    fn leave(&mut self, until: usize) {
        self.counts = self.counts.split_off(until);
        self.sorted = self.counts.len();
    }
}
