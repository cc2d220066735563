//! One pass over the rows of one table, whatever the number of objectives.
//!
//! Rows come day by day. Neighbours of one key are a run; a run is routed once to the lanes of the subjects that count it, and its
//! rows are added there. A key that no subject counts costs one look-up. When a day is over, each lane's counts are judged
//! slice by slice ([`part`]) and forgotten: memory is a day of lanes. Where slices begin on one day and end on the next, it is
//! two: rows up to the first slice of a day still belong to the day before, which is judged when they were seen.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::common::exec_err;
use datafusion::error::Result;
use datafusion::execution::memory_pool::MemoryReservation;
use nines_slo::{Charge, Indicator, Op, Party, Statistic};

use super::DAY;
use super::columns::{BUSINESS, CAUSE, CUSTOMER, Columns, ENDPOINT, LABELS, NAME, SERVICE, SOURCE, TEXTS};
use super::expressions::Counted;
use super::judge::{Day, part};
use super::lane::{Apart, Lane};
use super::part::{Part, Split};
use super::row_slots::RowSlots;
use super::samples::HeldSamples;
use super::subject::Subject;
use super::task::Task;

/// About what an entry of a map takes besides what it holds.
const ENTRY: usize = 96;

/// How a row of a route becomes counts.
#[derive(Debug, Clone, Copy)]
enum How {
    Good,
    Bad,
    Latency,
    Events,
    Gauge(Statistic, Op, f64),
    HeldSamples(Statistic, Op, f64, usize),
    Sql,
}

#[derive(Debug, Clone, Copy)]
struct Route {
    subject: usize,
    lane: usize,
    how: How,
}

/// Subject, endpoint and cause of a lane; `None` where they are not kept apart.
type LaneName = (usize, Option<Arc<str>>, Option<Arc<str>>);

/// Where the counts of a subject go; several for one subject where something is kept apart.
struct LanePlace {
    endpoint: Option<Arc<str>>,
    cause: Option<Arc<str>>,
    /// How many slots after midnight its days begin; 0: those days are the UTC days.
    shift: usize,
    /// What is judged when this UTC day is over.
    lane: Option<Lane>,
    /// What is judged when the next one is.
    later: Option<Lane>,
}

/// Where rows of a day go: into the lane judged today or into the next, and what their slots since midnight are moved by.
#[derive(Debug, Clone, Copy)]
struct Target {
    place: usize,
    later: bool,
    moved: usize,
}

impl Target {
    fn slot(self, since_midnight: usize) -> usize {
        since_midnight.wrapping_add(self.moved)
    }
}

/// A pass at work.
pub(crate) struct DayCounter {
    task: Arc<Task>,
    by_service: HashMap<Arc<str>, Vec<usize>>,
    routes: HashMap<Box<[u8]>, Arc<[Route]>>,
    places: Vec<LanePlace>,
    place_of: HashMap<LaneName, usize>,
    lanes_of: Vec<Vec<usize>>,
    held: HeldSamples,
    /// The one business that rows of each undeclared subject carry.
    carried: Vec<Option<Arc<str>>>,
    day: Option<i32>,
    /// The first day whose parts are wanted from this pass; before it rows are only what came before.
    own: Range<i32>,
    key: Vec<u8>,
    /// The slots of a run of rows that do not follow each other.
    slots: Vec<u32>,
    spare: Vec<Lane>,
    /// What the lanes take.
    memory: MemoryReservation,
}

impl DayCounter {
    /// A pass over the days `own`, perhaps led in by earlier ones.
    pub fn new(task: Arc<Task>, own: Range<i32>, memory: MemoryReservation) -> Self {
        let mut by_service: HashMap<Arc<str>, Vec<usize>> = HashMap::new();
        for (at, subject) in task.subjects.iter().enumerate() {
            by_service.entry(Arc::clone(&subject.service)).or_default().push(at);
        }
        DayCounter {
            by_service,
            routes: HashMap::new(),
            places: Vec::new(),
            place_of: HashMap::new(),
            lanes_of: vec![Vec::new(); task.subjects.len()],
            held: HeldSamples::new(task.slot),
            carried: vec![None; task.subjects.len()],
            day: None,
            own,
            key: Vec::new(),
            slots: Vec::new(),
            spare: Vec::new(),
            memory,
            task,
        }
    }

    fn slots_of_day(&self) -> usize {
        (DAY / self.task.slot) as usize
    }

    /// Judges the earliest day before `day` that is not judged yet; `None` when all are.
    pub fn judge_before(&mut self, day: i32) -> Result<Option<Vec<Part>>> {
        let at = self.day.unwrap_or(self.own.start.min(day));
        if at >= day {
            self.day = Some(at);
            return Ok(None);
        }
        let mut parts = Vec::new();
        self.judge(at, &mut parts)?;
        self.day = Some(at + 1);
        Ok(Some(parts))
    }

    /// As [`DayCounter::judge_before`], when no more rows come.
    pub fn judge_rest(&mut self) -> Result<Option<Vec<Part>>> {
        self.judge_before(self.own.end)
    }

    /// Counts rows of one day. Days ascend, and those before must have been judged.
    pub fn count(&mut self, batch: &RecordBatch, day: i32) -> Result<()> {
        let columns = Columns::of(batch)?;
        let task = Arc::clone(&self.task);
        let sql = task.sql.evaluate(batch, &columns)?;
        self.count_day(&columns, &sql, batch.num_rows(), day)?;
        self.memory.try_grow(self.held.grown())
    }

    fn judge(&mut self, number: i32, done: &mut Vec<Part>) -> Result<()> {
        let day = Day { start: i64::from(number) * DAY, slot: self.task.slot };
        for (place, slot, ok) in self.held.close(day, &self.task.subjects) {
            let target = self.target(place, slot);
            self.lane(target)?.add(target.slot(slot), i64::from(ok), 1);
        }
        for lane in self.places.iter_mut().filter_map(|place| place.lane.as_mut()) {
            lane.finish();
        }
        if self.own.contains(&number) {
            for &(subject, range, interval) in self.task.wanted.get(&number).into_iter().flatten() {
                let lanes: Vec<Apart> = self.lanes_of[subject]
                    .iter()
                    .map(|&place| &self.places[place])
                    .filter_map(|place| {
                        let lane = place.lane.as_ref()?;
                        Some(Apart { lane, endpoint: place.endpoint.as_ref(), cause: place.cause.as_ref() })
                    })
                    .collect();
                let asked = (self.task.numbers[subject], range, interval);
                let subject = &self.task.subjects[subject];
                let day = Day { start: subject.day(subject.begun_on(number)).start, slot: self.task.slot };
                done.push(part(subject, asked, day, &lanes, self.task.detail)?);
            }
        }
        for place in &mut self.places {
            if let Some(mut lane) = std::mem::replace(&mut place.lane, place.later.take()) {
                lane.clear();
                self.spare.push(lane);
            }
        }
        Ok(())
    }

    /// Where a row of a place goes whose slice is so many slots after midnight.
    fn target(&self, place: usize, slot: usize) -> Target {
        let shift = self.places[place].shift;
        match (shift, slot < shift) {
            (0, _) => Target { place, later: false, moved: 0 },
            (_, true) => Target { place, later: false, moved: self.slots_of_day() - shift },
            (_, false) => Target { place, later: true, moved: 0usize.wrapping_sub(shift) },
        }
    }

    fn lane(&mut self, target: Target) -> Result<&mut Lane> {
        let slots = self.slots_of_day();
        let place = &mut self.places[target.place];
        let lane = if target.later { &mut place.later } else { &mut place.lane };
        if lane.is_none() && self.spare.is_empty() {
            self.memory.try_grow(slots * size_of::<[i64; 2]>())?;
        }
        let spare = &mut self.spare;
        Ok(lane.get_or_insert_with(|| spare.pop().unwrap_or_else(|| Lane::new(slots))))
    }

    fn count_day(&mut self, columns: &Columns<'_>, sql: &Counted<'_>, end: usize, day: i32) -> Result<()> {
        let (midnight, width) = (i64::from(day) * DAY, self.task.slot);
        for run in columns.runs(end) {
            let (at, next) = (run.start, run.end);
            let routes = self.routes_of(columns, at)?;
            if !routes.is_empty() {
                // Divided once for all who count these rows.
                let mut room = std::mem::take(&mut self.slots);
                let slots = RowSlots::of(&columns.time[at..next], midnight, width, &mut room);
                for route in routes.iter() {
                    // Rows of a run may lie on both sides of the first slice of the day.
                    let mut from = at;
                    while from < next {
                        let target = self.target(route.lane, slots.slot(from - at));
                        let shift = self.places[route.lane].shift;
                        let until = match shift {
                            0 => next,
                            _ => at + slots.side(from - at..next - at, shift),
                        };
                        let run = KeyRun { rows: from..until, first: at, slots };
                        self.count_run(*route, target, columns, sql, run)?;
                        from = until;
                    }
                }
                self.slots = room;
            }
        }
        Ok(())
    }

    fn count_run(
        &mut self,
        route: Route,
        target: Target,
        columns: &Columns<'_>,
        sql: &Counted<'_>,
        run: KeyRun<'_>,
    ) -> Result<()> {
        let rows = run.rows.clone();
        let slot = |row: usize| target.slot(run.slots.slot(row - run.first));
        match route.how {
            How::Good | How::Bad => {
                let Some(requests) = columns.requests else { return Ok(()) };
                let good = i64::from(matches!(route.how, How::Good));
                let counts = requests.values()[rows].iter().map(|&count| (good * count, count));
                run.add(self.lane(target)?, target, counts);
            }
            How::Events => {
                let (Some(good), Some(total)) = (columns.good, columns.total) else { return Ok(()) };
                let counts = good.values()[rows.clone()].iter().copied().zip(total.values()[rows].iter().copied());
                run.add(self.lane(target)?, target, counts);
            }
            How::Latency => {
                let Some(latency) = &columns.latency else { return Ok(()) };
                let subject = Arc::clone(&self.task.subjects[route.subject]);
                let lane = self.lane(target)?;
                let mut limits = subject.limits.iter();
                let mut limit = limits.next();
                for row in rows {
                    let time = columns.time[row];
                    if limit.is_none_or(|l| time < l.interval.start || time >= l.interval.end) {
                        limit = subject.limits.iter().find(|l| l.interval.start <= time && time < l.interval.end);
                    }
                    let Some(bound) = limit.and_then(|l| l.limit.as_ref()) else { continue };
                    let requests = columns.requests.map_or(0, |requests| requests.value(row));
                    let Some(within) = latency.count(row, requests, bound) else { continue };
                    lane.add(slot(row), within.good, within.total);
                    if let Some(between) = within.between {
                        lane.round(slot(row), between);
                    }
                }
            }
            How::Gauge(statistic, op, level) => {
                let lane = self.lane(target)?;
                for row in rows {
                    let Some(value) = value(columns, statistic, row) else { continue };
                    lane.add(slot(row), i64::from(op.holds(value, level)), 1);
                }
            }
            How::HeldSamples(statistic, op, level, series) => {
                for row in rows {
                    let Some(value) = value(columns, statistic, row) else { continue };
                    self.held.sample(series, columns.time[row], op.holds(value, level));
                }
            }
            How::Sql => {
                let sql = sql.of(route.subject);
                let counted = rows.clone().map(|row| sql.row(row));
                if let Some([good, total]) = counted.clone().find(|[good, total]| *good < 0 || good > total) {
                    let name = &self.task.subjects[route.subject].name;
                    return exec_err!(
                        "{name} counts {good} good of {total} events in a row; expected 0 ≤ good ≤ total"
                    );
                }
                let lane = self.lane(target)?;
                for (row, [good, total]) in rows.zip(counted) {
                    lane.add(slot(row), good, total);
                }
            }
        }
        Ok(())
    }

    /// Where the rows of a key are counted.
    fn routes_of(&mut self, columns: &Columns<'_>, row: usize) -> Result<Arc<[Route]>> {
        columns.key(0..TEXTS.len(), row, &mut self.key);
        if let Some(routes) = self.routes.get(self.key.as_slice()) {
            return Ok(Arc::clone(routes));
        }
        let candidates = self.by_service.get(columns.text(SERVICE, row)).cloned().unwrap_or_default();
        let mut routes = Vec::new();
        for subject in candidates {
            routes.extend(self.route(subject, columns, row)?);
        }
        let routes: Arc<[Route]> = routes.into();
        self.memory.try_grow(self.key.len() + size_of_val(routes.as_ref()) + ENTRY)?;
        self.routes.insert(self.key.as_slice().into(), Arc::clone(&routes));
        Ok(routes)
    }

    fn route(&mut self, at: usize, columns: &Columns<'_>, row: usize) -> Result<Option<Route>> {
        let subject = Arc::clone(&self.task.subjects[at]);
        let spec = &subject.spec;
        let text = |column| columns.text(column, row);
        if !spec.counts_business(text(BUSINESS)) || !spec.rows.matches(text(ENDPOINT), text(CUSTOMER), text(LABELS)) {
            return Ok(None);
        }
        let status = columns.status.map_or(0, |status| status.value(row));
        let how = match &spec.indicator {
            Indicator::Availability { party, causes } => {
                match charged(*party, causes.charge(text(CAUSE), status), status) {
                    Some(true) => How::Good,
                    Some(false) => How::Bad,
                    None => return Ok(None),
                }
            }
            Indicator::Latency { .. } if (100..400).contains(&status) => How::Latency,
            Indicator::Latency { .. } => return Ok(None),
            Indicator::Events { name } if name == text(NAME) => How::Events,
            Indicator::Gauge { name, statistic, op, level, hold } if name == text(NAME) => match hold {
                Some(_) => How::HeldSamples(*statistic, *op, level.0, usize::MAX),
                None => How::Gauge(*statistic, *op, level.0),
            },
            Indicator::Events { .. } | Indicator::Gauge { .. } => return Ok(None),
            Indicator::Sql(_) => How::Sql,
        };
        self.carry(at, text(BUSINESS))?;
        let by_endpoint = subject.each_endpoint() || self.task.split == Split::Culprits;
        let endpoint: Option<Arc<str>> = by_endpoint.then(|| text(ENDPOINT).into());
        let cause: Option<Arc<str>> = (self.task.split == Split::Culprits).then(|| match how {
            How::Good => "".into(),
            How::Latency => "slow".into(),
            How::Bad if text(CAUSE).is_empty() => format!("HTTP {status}").into(),
            _ => text(CAUSE).into(),
        });
        let lane = self.place(at, endpoint, cause);
        let how = match how {
            How::HeldSamples(statistic, op, level, _) => {
                let series = self.held.series(at, lane, [text(BUSINESS), text(ENDPOINT), text(SOURCE), text(LABELS)]);
                How::HeldSamples(statistic, op, level, series)
            }
            how => how,
        };
        Ok(Some(Route { subject: at, lane, how }))
    }

    fn place(&mut self, subject: usize, endpoint: Option<Arc<str>>, cause: Option<Arc<str>>) -> usize {
        let next = self.places.len();
        let place = *self.place_of.entry((subject, endpoint.clone(), cause.clone())).or_insert(next);
        if place == next {
            let shift = (self.task.subjects[subject].shift() / self.task.slot) as usize;
            self.places.push(LanePlace { endpoint, cause, shift, lane: None, later: None });
            self.lanes_of[subject].push(place);
        }
        place
    }

    /// Notes the business of a row of an objective whose definition names none.
    fn carry(&mut self, at: usize, business: &str) -> Result<()> {
        match business.is_empty() || self.task.subjects[at].spec.declared_business().is_some() {
            true => Ok(()),
            false => carry(&self.task.subjects[at], &mut self.carried[at], business, self.task.strict),
        }
    }

    /// The business that rows of each subject carried.
    pub fn into_carried(self) -> Vec<Option<Arc<str>>> {
        self.carried
    }
}

/// Rows of one key, which go to the same lane.
struct KeyRun<'a> {
    rows: Range<usize>,
    /// The row of which `slots` tells first.
    first: usize,
    slots: RowSlots<'a>,
}

impl KeyRun<'_> {
    /// Adds what its rows count.
    fn add(&self, lane: &mut Lane, target: Target, counts: impl ExactSizeIterator<Item = (i64, i64)>) {
        match self.slots {
            RowSlots::Following(first) => {
                lane.add_following(target.slot(first + self.rows.start - self.first), counts);
            }
            RowSlots::Each(_) => {
                for (row, (good, total)) in self.rows.clone().zip(counts) {
                    lane.add(target.slot(self.slots.slot(row - self.first)), good, total);
                }
            }
        }
    }
}

/// An objective whose definition names no business has that of its rows. They must be of one, where it is `strict`, unless the
/// objective narrows to several: then it is of none.
pub(super) fn carry(subject: &Subject, known: &mut Option<Arc<str>>, business: &str, strict: bool) -> Result<()> {
    match known {
        None => *known = Some(business.into()),
        Some(known) if known.as_ref() == business => {}
        Some(known) if !subject.spec.rows.businesses.is_empty() => *known = "".into(),
        Some(known) if strict => {
            return exec_err!(
                "{} counts rows of service {} in two businesses, {known} and {business}; say which: `business: {known}` in \
                 the indicator's spec, or the label `business` of the Service",
                subject.name,
                subject.service
            );
        }
        Some(_) => {}
    }
    Ok(())
}

/// Whether a request is good (`Some(true)`), charged to the party (`Some(false)`), or counts nowhere. Cause is read before
/// status; a cause that nobody knows says nothing.
pub(crate) fn charged(party: Party, charge: Option<Charge>, status: i32) -> Option<bool> {
    let charge = match (charge, status) {
        (Some(charge), _) => charge,
        (None, 200..300) => return Some(true),
        (None, 500..600) => Charge::Service,
        (None, _) => return None,
    };
    let ours = match party {
        Party::Service => Charge::Service,
        Party::Gateway => Charge::Gateway,
    };
    (charge == ours).then_some(false)
}

fn value(columns: &Columns<'_>, statistic: Statistic, row: usize) -> Option<f64> {
    match statistic {
        Statistic::Last => Some(columns.last?.value(row)),
        Statistic::Min => Some(columns.min?.value(row)),
        Statistic::Max => Some(columns.max?.value(row)),
        Statistic::Mean => Some(columns.sum?.value(row) / columns.samples?.value(row) as f64),
    }
}
