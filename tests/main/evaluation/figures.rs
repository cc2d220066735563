//! Figures from slices: lines, unions, failures, the report. Every timeline is an array of states.

use std::collections::{BTreeMap, BTreeSet};

use super::calendar::{DAY, SECOND, Zone, ceil, gcd};
use super::check::Cell;
use super::define::{Method, Promised, Share, Spec};
use super::naive::{Evaluation, Model, State};

/// States slot by slot.
#[derive(Debug, Clone, PartialEq)]
pub struct Strip {
    pub start: i64,
    pub width: i64,
    pub states: Vec<State>,
}

/// A failure: when, and how long it was measured, without data, and excluded.
#[derive(Debug, Clone, Copy)]
pub struct Failure {
    pub start: i64,
    pub end: i64,
    pub spent: [i64; 3],
}

/// An objective over a range.
#[derive(Debug, Clone)]
pub struct Line {
    pub business: String,
    pub service: String,
    pub objective: String,
    /// Last in force.
    pub spec: Spec,
    pub strip: Strip,
    pub good: i64,
    pub total: i64,
    pub ratio_sum: f64,
    pub ok: i64,
    pub error: i64,
    /// By version, what its slices were.
    pub counted: Vec<Counted>,
    /// Slots that are still ahead, and those whose telemetry was lost.
    pub ahead: BTreeSet<i64>,
    pub lost: BTreeSet<i64>,
    /// How long it was what `noData` says.
    pub assumed: i64,
    pub last_data: Option<i64>,
    pub approximate: bool,
}

/// What the slices of a version were, whose target was in force.
#[derive(Debug, Clone, Default)]
pub struct Counted {
    pub target: i64,
    pub slice: i64,
    pub good: i64,
    pub total: i64,
    pub judged: i64,
    pub error: i64,
    pub ahead: i64,
    pub ratio_sum: f64,
}

/// A line per objective, and per service that it was of.
pub fn lines(evaluation: &Evaluation<'_>, from: i64, to: i64, now: i64) -> Vec<Line> {
    let mut lines = Vec::new();
    for objective in evaluation.names() {
        let mut keyed: BTreeMap<(String, String), Vec<_>> = BTreeMap::new();
        for judged in evaluation.slices(objective, from, to, now) {
            keyed.entry((judged.business.clone(), judged.spec.service.to_string())).or_default().push(judged);
        }
        for ((business, service), versions) in keyed {
            // Slices of all versions are whole ones of the line.
            let origin = versions[0].spec.origin;
            let apart = versions
                .iter()
                .map(|of| of.spec.slice.max(1))
                .chain(versions.iter().map(|of| (of.spec.origin - origin).abs()));
            let width = apart.reduce(gcd).unwrap();
            let start = ceil(from - origin, width) + origin;
            // The last slice that begins in the range may end after it.
            let ends = versions.iter().map(|of| of.spec.ceil(to).min(of.to));
            let end = ends.fold(ceil(to - origin, width) + origin, i64::max);
            let count = ((end - start) / width).max(0) as usize;
            let mut line = Line {
                business,
                service,
                objective: objective.clone(),
                spec: versions.last().unwrap().spec.clone(),
                strip: Strip { start, width, states: vec![State::NoData; count] },
                good: 0,
                total: 0,
                ratio_sum: 0.0,
                ok: 0,
                error: 0,
                counted: Vec::new(),
                ahead: BTreeSet::new(),
                lost: BTreeSet::new(),
                assumed: 0,
                last_data: None,
                approximate: false,
            };
            for version in &versions {
                let mut counted =
                    Counted { target: version.spec.target.0, slice: version.spec.slice, ..Counted::default() };
                for slice in &version.slices {
                    let first = ((slice.start - start) / width) as usize;
                    let slots = (version.spec.slice / width) as usize;
                    line.strip.states[first..first + slots].fill(slice.state);
                    line.ok += i64::from(slice.state == State::Ok);
                    line.error += i64::from(slice.state == State::Error);
                    line.ratio_sum += slice.ratio;
                    line.assumed += if slice.assumed { version.spec.slice } else { 0 };
                    line.last_data = line.last_data.max(slice.last);
                    counted.judged += i64::from(matches!(slice.state, State::Ok | State::Error));
                    counted.error += i64::from(slice.state == State::Error);
                    counted.ahead += i64::from(slice.ahead);
                    counted.ratio_sum += slice.ratio;
                    for (is, set) in [(slice.ahead, &mut line.ahead), (slice.lost, &mut line.lost)] {
                        let slots = (0..version.spec.slice / width).filter(|_| is);
                        set.extend(slots.map(|slot| slice.start + slot * width));
                    }
                    if slice.measured {
                        line.good += slice.good;
                        line.total += slice.total;
                        counted.good += slice.good;
                        counted.total += slice.total;
                        line.approximate |= slice.approximate;
                    }
                }
                line.counted.push(counted);
            }
            lines.push(line);
        }
    }
    lines.sort_by(|a, b| (&a.business, &a.service, &a.objective).cmp(&(&b.business, &b.service, &b.objective)));
    lines
}

impl Line {
    fn slo(&self) -> Option<f64> {
        let judged = self.ok + self.error;
        match self.spec.method {
            Method::Timeslices => ratio(self.ok, judged),
            Method::RatioTimeslices => (judged > 0).then(|| self.ratio_sum / judged as f64),
            Method::Occurrences => ratio(self.good, self.total),
        }
    }

    /// (what was bad, what may be, in ten thousandths, of how many slices or events).
    fn budget(&self, ahead: bool) -> Budget {
        let mut budget = Budget::default();
        for of in &self.counted {
            let slices = of.judged + if ahead { of.ahead } else { 0 };
            let (spent, count) = match self.spec.method {
                Method::Timeslices => (of.error as f64, slices),
                Method::RatioTimeslices => (of.judged as f64 - of.ratio_sum, slices),
                Method::Occurrences => ((of.total - of.good) as f64, of.total),
            };
            budget.spent += spent;
            budget.allowed += (10_000 - of.target) * count;
            budget.count += count;
        }
        budget
    }
}

#[derive(Debug, Clone, Copy, Default)]
struct Budget {
    spent: f64,
    allowed: i64,
    count: i64,
}

impl Budget {
    fn burned(self) -> Option<f64> {
        (self.allowed > 0).then(|| self.spent * 10_000.0 / self.allowed as f64)
    }

    fn met(self) -> Option<bool> {
        // Sums of ratios are not exact here.
        (self.count > 0).then_some(self.spent * 10_000.0 <= self.allowed as f64 + 1e-6)
    }

    fn target(self) -> Option<f64> {
        (self.count > 0).then(|| 1.0 - self.allowed as f64 / (self.count * 10_000) as f64)
    }
}

fn ratio(part: i64, all: i64) -> Option<f64> {
    (all > 0).then(|| part as f64 / all as f64)
}

impl Strip {
    fn end(&self) -> i64 {
        self.start + self.width * self.states.len() as i64
    }

    fn at(&self, time: i64) -> State {
        match time >= self.start && time < self.end() {
            true => self.states[((time - self.start) / self.width) as usize],
            false => State::NoData,
        }
    }

    fn time_in(&self, state: State) -> i64 {
        self.width * self.states.iter().filter(|of| **of == state).count() as i64
    }

    pub fn availability(&self) -> Option<f64> {
        let (ok, error) = (self.time_in(State::Ok), self.time_in(State::Error));
        ratio(ok, ok + error)
    }

    /// From the first error slice to the end of the last before an ok one, with how much of it was measured (then it was in
    /// error), without data, and excluded.
    pub fn failures(&self) -> Vec<Failure> {
        let mut failures: Vec<Failure> = Vec::new();
        let mut recovered = true;
        for (at, state) in self.states.iter().enumerate() {
            let start = self.start + self.width * at as i64;
            match state {
                State::Error if recovered => {
                    failures.push(Failure { start, end: start + self.width, spent: [0; 3] });
                    recovered = false;
                }
                State::Error => failures.last_mut().unwrap().end = start + self.width,
                State::Ok => recovered = true,
                State::NoData | State::Excluded => {}
            }
        }
        for failure in &mut failures {
            let mut at = failure.start;
            while at < failure.end {
                match self.at(at) {
                    State::Ok | State::Error => failure.spent[0] += self.width,
                    State::NoData => failure.spent[1] += self.width,
                    State::Excluded => failure.spent[2] += self.width,
                }
                at += self.width;
            }
        }
        failures
    }

    fn mttr(&self) -> Option<f64> {
        let failures = self.failures();
        ratio(failures.iter().map(|failure| failure.spent[0]).sum(), failures.len() as i64 * SECOND)
    }

    /// The states of measured slices.
    fn measured(&self) -> impl DoubleEndedIterator<Item = State> + '_ {
        self.states.iter().copied().filter(|state| matches!(state, State::Ok | State::Error))
    }

    fn mtbf(&self) -> Option<f64> {
        ratio(self.time_in(State::Ok), self.failures().len() as i64 * SECOND)
    }

    /// Runs of a state as a list of (started, ended).
    pub fn runs(&self, state: State) -> Cell {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for (at, _) in self.states.iter().enumerate().filter(|(_, of)| **of == state) {
            let start = self.start + self.width * at as i64;
            match runs.last_mut() {
                Some(last) if last.1 == start => last.1 += self.width,
                _ => runs.push((start, start + self.width)),
            }
        }
        Cell::List(runs.into_iter().map(|(start, end)| Cell::List(vec![Cell::Int(start), Cell::Int(end)])).collect())
    }

    /// As SQL tells a timeline.
    pub fn cell(&self) -> Cell {
        let runs = [State::Error, State::NoData, State::Excluded].map(|state| self.runs(state));
        let own = [Cell::Int(self.start), Cell::Int(self.end()), Cell::Int(self.width / SECOND)];
        Cell::List(own.into_iter().chain(runs).collect())
    }
}

/// Slot by slot at the finest width: error if any is, else ok if any is, else no data if any is, else excluded.
pub fn union(strips: &[&Strip]) -> Strip {
    if let [one] = strips {
        return (*one).clone();
    }
    let there: Vec<&&Strip> = strips.iter().filter(|strip| !strip.states.is_empty()).collect();
    let apart = there.iter().map(|strip| (strip.start - there[0].start).abs());
    let width = strips.iter().map(|strip| strip.width).chain(apart).reduce(gcd).unwrap();
    let start = there.iter().map(|strip| strip.start).min().unwrap_or(0);
    let end = there.iter().map(|strip| strip.end()).max().unwrap_or(0);
    let mut states = Vec::new();
    let mut at = start;
    while at < end {
        let mut any = [false; 4];
        for strip in strips {
            any[strip.at(at) as usize] = true;
        }
        let by_rank = [State::Error, State::Ok, State::NoData, State::Excluded];
        states.push(by_rank.into_iter().find(|state| any[*state as usize]).unwrap());
        at += width;
    }
    Strip { start, width, states }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum By {
    Objective,
    Service,
    Business,
    Company,
}

impl By {
    pub const ALL: [By; 4] = [By::Objective, By::Service, By::Business, By::Company];

    pub fn name(self) -> &'static str {
        match self {
            By::Objective => "objective",
            By::Service => "service",
            By::Business => "business",
            By::Company => "company",
        }
    }
}

/// Lines that are answered for together.
pub struct Group<'l> {
    pub key: [Option<String>; 3],
    pub lines: Vec<&'l Line>,
    pub strip: Strip,
    pub promised: Vec<Promised>,
    /// Whether it is one objective, not a union.
    single: bool,
}

pub fn groups<'l>(model: &Model, lines: &'l [Line], by: By) -> Vec<Group<'l>> {
    let mut keyed: BTreeMap<[Option<String>; 3], Vec<&Line>> = BTreeMap::new();
    for line in lines {
        let key = match by {
            By::Objective => [Some(&line.business), Some(&line.service), Some(&line.objective)],
            By::Service => [Some(&line.business), Some(&line.service), None],
            By::Business => [Some(&line.business), None, None],
            By::Company => [None, None, None],
        };
        keyed.entry(key.map(|text| text.cloned())).or_default().push(line);
    }
    let mut groups = Vec::new();
    for (key, lines) in keyed {
        let promised = match by {
            By::Service => model.definitions.service_targets(&lines[0].service),
            By::Objective | By::Business | By::Company => Vec::new(),
        };
        let strip = union(&lines.iter().map(|line| &line.strip).collect::<Vec<_>>());
        groups.push(Group { key, lines, strip, promised, single: by == By::Objective });
    }
    if by == By::Objective {
        for (name, promised, objectives) in model.definitions.composites() {
            let own: Vec<&Line> = lines.iter().filter(|line| objectives.contains(&line.objective)).collect();
            let Some(first) = own.first() else { continue };
            let business = own.iter().all(|line| line.business == first.business).then(|| first.business.clone());
            let service = own.iter().all(|line| line.service == first.service).then(|| first.service.clone());
            let strip = union(&own.iter().map(|line| &line.strip).collect::<Vec<_>>());
            groups.push(Group { key: [business, service, Some(name)], lines: own, strip, promised, single: false });
        }
    }
    groups
}

impl Group<'_> {
    fn slo(&self) -> Option<f64> {
        if self.single { self.lines[0].slo() } else { self.strip.availability() }
    }

    /// By the method of a single objective, of a union slot by slot; `None` if nothing was promised.
    fn budget(&self, ahead: bool) -> Option<Budget> {
        if self.single {
            return Some(self.lines[0].budget(ahead));
        }
        let mut budget = None;
        let (from, to) = (self.strip.start, self.strip.end());
        let later = self.promised.iter().skip(1).map(|promise| promise.from).chain([i64::MAX]);
        for (promise, next) in self.promised.iter().zip(later) {
            let Some(target) = promise.target else { continue };
            let budget: &mut Budget = budget.get_or_insert_default();
            let in_force = promise.from.max(from)..promise.to.min(next).min(to);
            let mut at = from;
            while at < to {
                let state = self.strip.at(at);
                let measured = matches!(state, State::Ok | State::Error);
                let is_ahead = ahead
                    && !measured
                    && self.lines.iter().any(|line| {
                        line.ahead.contains(&at) || {
                            // Slots of a line may be wider than those of the union.
                            let own = at - (at - line.strip.start).rem_euclid(line.strip.width);
                            line.ahead.contains(&own)
                        }
                    });
                if in_force.contains(&at) && (measured || is_ahead) {
                    budget.count += 1;
                    budget.allowed += 10_000 - target.0;
                    budget.spent += f64::from(u8::from(state == State::Error));
                }
                at += self.strip.width;
            }
        }
        budget
    }

    /// Seconds, or events.
    fn allowed(&self) -> Option<f64> {
        let seconds = |slices: f64, width: i64| slices * width as f64 / SECOND as f64;
        if !self.single {
            return Some(seconds(self.budget(true)?.allowed as f64 / 1e4, self.strip.width));
        }
        let line = self.lines[0];
        let all = line.counted.iter().map(|of| match line.spec.method {
            Method::Occurrences => (10_000 - of.target) as f64 * of.total as f64 / 1e4,
            _ => seconds((10_000 - of.target) as f64 * (of.judged + of.ahead) as f64 / 1e4, of.slice),
        });
        Some(all.sum())
    }

    fn target(&self) -> Option<f64> {
        let begun = self.promised.iter().filter(|promise| promise.from < self.strip.end());
        let last = || match self.single {
            true => Some(self.lines[0].spec.target),
            false => begun.filter_map(|promise| promise.target).next_back(),
        };
        self.budget(false)?.target().or_else(|| last().map(Share::float))
    }

    fn measured(strip: &Strip) -> i64 {
        strip.time_in(State::Ok) + strip.time_in(State::Error)
    }

    fn assumed(&self) -> i64 {
        match self.lines.as_slice() {
            [one] => one.assumed,
            lines if lines.iter().all(|line| line.assumed == 0) => 0,
            lines => {
                let known = lines.iter().map(|line| Group::measured(&line.strip) - line.assumed).max().unwrap();
                (Group::measured(&self.strip) - known).max(0)
            }
        }
    }

    fn lost(&self) -> i64 {
        let mut lost = BTreeSet::new();
        for line in &self.lines {
            for at in &line.lost {
                lost.extend((0..line.strip.width / self.strip.width).map(|slot| at + slot * self.strip.width));
            }
        }
        lost.len() as i64 * self.strip.width
    }

    fn error_time(&self) -> Cell {
        Cell::Float(self.strip.time_in(State::Error) as f64 / SECOND as f64)
    }

    /// Who was in error when.
    fn sources(&self) -> Cell {
        let mut found: Vec<(i64, i64, BTreeSet<&str>)> = Vec::new();
        let mut at = self.strip.start;
        while at < self.strip.end() {
            let in_error = self.lines.iter().filter(|line| line.strip.at(at) == State::Error);
            let names: BTreeSet<&str> = in_error.map(|line| line.objective.as_str()).collect();
            let end = at + self.strip.width;
            match found.last_mut() {
                _ if names.is_empty() => {}
                Some(last) if last.1 == at && last.2 == names => last.1 = end,
                _ => found.push((at, end, names)),
            }
            at = end;
        }
        let texts = |names: BTreeSet<&str>| Cell::List(names.into_iter().map(Cell::text).collect());
        let list = found
            .into_iter()
            .map(|(start, end, names)| Cell::List(vec![Cell::Int(start), Cell::Int(end), texts(names)]));
        Cell::List(list.collect())
    }

    fn concerns(&self, business: &str, service: &str) -> bool {
        self.lines.iter().any(|line| {
            (business.is_empty() || line.business == business) && (service.is_empty() || line.service == service)
        })
    }

    fn keys(&self) -> Vec<Cell> {
        self.key.iter().map(|text| text.as_deref().map_or(Cell::Null, Cell::text)).collect()
    }
}

/// The period before: of whole calendar months (UTC) as many months, else as much time.
pub fn preceding(from: i64, to: i64) -> (i64, i64) {
    let months = Zone::Utc.months();
    let place = |at: i64| months.iter().position(|month| *month == at);
    match (place(from), place(to)) {
        (Some(first), Some(last)) if first >= last - first => (months[first - (last - first)], from),
        _ => (from - (to - from), from),
    }
}

/// The rows of `report(from, to, by)`.
pub fn report(model: &Model, evaluation: &Evaluation<'_>, (from, to): (i64, i64), by: By, now: i64) -> Vec<Vec<Cell>> {
    let own = lines(evaluation, from, to, now);
    let earlier = preceding(from, to);
    let before = lines(evaluation, earlier.0, earlier.1, now);
    let before = groups(model, &before, by);
    let float = |value: Option<f64>| value.map_or(Cell::Null, Cell::Float);
    let mut rows = Vec::new();
    for group in groups(model, &own, by) {
        let slo = group.slo();
        let seconds = |micros: i64| Cell::Float(micros as f64 / SECOND as f64);
        let earlier = before.iter().find(|before| before.key == group.key);
        let slo_before = earlier.and_then(|before| before.slo());
        let mut row = group.keys();
        row.extend([
            float(slo),
            group.error_time(),
            group.sources(),
            float(group.strip.mtbf()),
            float(group.strip.mttr()),
            float(group.strip.availability()),
            float(group.target()),
            group.budget(false).and_then(Budget::met).map_or(Cell::Null, Cell::Flag),
            float(group.allowed()),
            float(group.budget(true).and_then(Budget::burned).map(|burned| 1.0 - burned)),
            float(group.budget(false).and_then(Budget::burned)),
            Cell::Int(group.strip.failures().len() as i64),
            float(slo_before),
            float(slo.zip(slo_before).map(|(slo, before)| slo - before)),
            earlier.map_or(Cell::Null, |before| before.error_time()),
        ]);
        let incidents: Vec<_> = model
            .incidents
            .values()
            .filter(|i| !i.withdrawn && (from..to).contains(&i.started) && group.concerns(i.business, i.service))
            .collect();
        let known = |phases: Vec<Option<i64>>| phases.into_iter().flatten().collect::<Vec<i64>>();
        let between = |start: Option<i64>, end: Option<i64>| Some(end? - start?);
        let phases = [
            known(incidents.iter().map(|i| between(Some(i.started), i.detected)).collect()),
            known(incidents.iter().map(|i| between(i.detected, i.located)).collect()),
            known(incidents.iter().map(|i| between(i.located, i.fixed)).collect()),
            known(incidents.iter().map(|i| between(i.fixed, i.verified)).collect()),
            known(incidents.iter().map(|i| between(Some(i.started), i.verified.or(i.fixed))).collect()),
        ];
        row.push(Cell::Int(incidents.len() as i64));
        row.extend(phases.iter().map(|of| float(ratio(of.iter().sum(), of.len() as i64 * SECOND))));
        row.extend(phases.iter().map(|of| Cell::Int(of.len() as i64)));
        row.push(Cell::Flag(group.lines.iter().any(|line| line.approximate)));
        row.extend([seconds(Group::measured(&group.strip)), seconds(group.assumed()), seconds(group.lost())]);
        row.push(group.lines.iter().filter_map(|line| line.last_data).max().map_or(Cell::Null, Cell::Int));
        rows.push(row);
    }
    rows
}

/// The rows of `failures(from, to, by)`.
pub fn failures(
    model: &Model,
    evaluation: &Evaluation<'_>,
    (from, to): (i64, i64),
    by: By,
    now: i64,
) -> Vec<Vec<Cell>> {
    let own = lines(evaluation, from, to, now);
    let (before, after) = (lines(evaluation, from - DAY, from, now), lines(evaluation, to, to + DAY, now));
    let (before, after) = (groups(model, &before, by), groups(model, &after, by));
    let mut rows = Vec::new();
    for group in groups(model, &own, by) {
        let same = |other: &&Group<'_>| other.key == group.key;
        let begun = before.iter().find(same).and_then(|other| other.strip.measured().next_back());
        let goes_on = after.iter().find(same).and_then(|other| other.strip.measured().next());
        let (first, last) = (group.strip.measured().next(), group.strip.measured().next_back());
        let failures = group.strip.failures();
        for (at, Failure { start, end, spent }) in failures.iter().copied().enumerate() {
            let is_first = at == 0 && first == Some(State::Error);
            let is_last = at + 1 == failures.len() && last == Some(State::Error);
            let in_error = group.lines.iter().filter(|line| {
                let mut at = start;
                while at < end && line.strip.at(at) != State::Error {
                    at += group.strip.width;
                }
                at < end
            });
            // By name; one that was of two services is named once.
            let names: BTreeSet<&str> = in_error.map(|line| line.objective.as_str()).collect();
            let objectives = names.into_iter().map(Cell::text).collect();
            // The longest overlap, of several the earliest.
            let mut incidents: Vec<(i64, i64, &String)> = model
                .incidents
                .iter()
                .filter(|(_, i)| !i.withdrawn && group.concerns(i.business, i.service))
                .map(|(id, i)| (i.fixed.unwrap_or(i64::MAX).min(end) - i.started.max(start), i.started, id))
                .filter(|(overlap, ..)| *overlap > 0)
                .collect();
            incidents.sort_by_key(|(_, started, id)| (*started, *id));
            let all: Vec<Cell> = incidents.iter().map(|(.., id)| Cell::text(id)).collect();
            incidents.sort_by_key(|(overlap, started, id)| (-overlap, *started, *id));
            let longest = incidents.first().map_or(Cell::Null, |(.., id)| Cell::text(id));
            let keys = group.keys();
            let scope = match by {
                By::Objective => keys[2].clone(),
                By::Service => keys[1].clone(),
                By::Business => keys[0].clone(),
                By::Company => Cell::text("company"),
            };
            let mut row = vec![scope];
            row.extend(keys);
            row.extend([
                Cell::Int(start),
                Cell::Int(end),
                Cell::Float(spent[0] as f64 / SECOND as f64),
                Cell::Float(spent[1] as f64 / SECOND as f64),
                Cell::Float(spent[2] as f64 / SECOND as f64),
                Cell::Flag(is_first && begun == Some(State::Error)),
                Cell::Flag(is_last && goes_on == Some(State::Error)),
                Cell::List(objectives),
                longest,
                Cell::List(all),
            ]);
            rows.push(row);
        }
    }
    rows
}

/// The rows of `timelines(from, to)`.
pub fn timelines(evaluation: &Evaluation<'_>, (from, to): (i64, i64), now: i64) -> Vec<Vec<Cell>> {
    let row = |line: Line| {
        vec![
            Cell::text(&line.business),
            Cell::text(&line.service),
            Cell::text(&line.objective),
            Cell::Float(line.spec.target.float()),
            line.strip.cell(),
            Cell::Int(line.good),
            Cell::Int(line.total),
            Cell::Flag(line.approximate),
        ]
    };
    lines(evaluation, from, to, now).into_iter().map(row).collect()
}

/// The rows of `slices(from, to)`.
pub fn slices(evaluation: &Evaluation<'_>, (from, to): (i64, i64), now: i64) -> Vec<Vec<Cell>> {
    let mut rows = Vec::new();
    for objective in evaluation.names() {
        for judged in evaluation.slices(objective, from, to, now) {
            for slice in &judged.slices {
                let state = match slice.state {
                    State::Ok => "ok",
                    State::Error => "error",
                    State::NoData => "no data",
                    State::Excluded => "excluded",
                };
                rows.push(vec![
                    Cell::Int(slice.start),
                    Cell::text(&judged.business),
                    Cell::text(judged.spec.service),
                    Cell::text(objective),
                    judged.spec.vela.map_or(Cell::Null, Cell::text),
                    Cell::Int(slice.good),
                    Cell::Int(slice.total),
                    ratio(slice.good, slice.total).map_or(Cell::Null, Cell::Float),
                    Cell::Float(judged.spec.slice_target.float()),
                    Cell::text(state),
                    Cell::Flag(slice.approximate),
                ]);
            }
        }
    }
    rows
}

/// The days that a range touches.
pub fn days(from: i64, to: i64) -> impl Iterator<Item = (i64, i64)> {
    (from.div_euclid(DAY)..=(to - 1).div_euclid(DAY)).map(|day| (day * DAY, (day + 1) * DAY))
}
