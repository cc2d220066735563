//! What is found out about an indicator from all rows there are: its first slice with data, and the business that its rows
//! carry. Both are kept in `slo_facts`, named by the files they depend on.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use datafusion::error::Result;
use nines_slo::{NoData, Spec, Version};
use nines_store::TableKind;
use nines_timeline::{Grid, Interval, State};

use super::evaluator::Evaluator;
use super::inputs::{Inputs, raw};
use super::keep::Fact;
use super::known::Known;
use super::name::hash_of;
use super::part::{Detail, Part, Split};
use super::run::Running;
use super::scan::Wanted;
use super::subject::{Subject, definition_hash};
use super::{DAY, EVALUATOR};

const FIRST_DATA: &str = "first data";
/// The same of an indicator that had data when days were sealed.
const SEALED_FIRST: &str = "sealed first data";
/// Most days looked at in one go.
const MOST_DAYS: usize = 64;

/// What rows say of an indicator.
#[derive(Debug, Clone, Default)]
pub(crate) struct SaidByRows {
    /// Start of the first stored slice with data.
    pub first: Option<i64>,
    /// The business that its rows carry; empty if none.
    pub business: Arc<str>,
}

impl Evaluator<'_> {
    /// Facts of these indicators, by [`definition_hash`]. Days are read from the first on, until all are found.
    pub async fn facts(
        &self,
        indicated: &HashMap<u64, Indicated>,
        known: &mut Known,
        new: &mut Vec<Fact>,
    ) -> Result<HashMap<u64, SaidByRows>> {
        let mut found = HashMap::new();
        let mut by_table: BTreeMap<TableKind, Vec<(u64, &Indicated)>> = BTreeMap::new();
        for (&hash, indicated) in indicated {
            by_table.entry(raw(indicated.spec.indicator.table())?).or_default().push((hash, indicated));
        }
        for (kind, specs) in by_table {
            let inputs = Arc::clone(self.inputs(kind)?);
            let mut sought = Vec::new();
            // Of what has no data yet, it is kept up to which day that is known.
            let mut from = i32::MAX;
            for (hash, indicated) in specs {
                let spec = Arc::clone(&indicated.spec);
                // What was known when days were sealed stays, and nothing is looked for in them any more.
                let earliest = inputs.sealed.map_or(i32::MIN, |sealed| sealed.until);
                let sealed =
                    inputs.sealed.and_then(|_| indicated.said.iter().find_map(|said| recall_sealed(known, said)));
                if let Some(first) = sealed {
                    found.insert(hash, first);
                    continue;
                }
                match recall(known, hash, &inputs) {
                    Some((Some(first), business)) => {
                        found.insert(hash, SaidByRows { first: Some(first), business });
                    }
                    Some((None, until)) => {
                        let after = until.parse::<i32>().map_or(i32::MIN, |day| day.saturating_add(1));
                        from = from.min(after.max(earliest));
                        sought.push((hash, spec));
                    }
                    None => {
                        from = from.min(earliest);
                        sought.push((hash, spec));
                    }
                }
            }
            if sought.iter().any(|(_, spec)| spec.indicator.baseline().is_some()) {
                // Days of any month may have to be judged.
                for (place, fact) in self.known(None).await?.0 {
                    known.0.entry(place).or_insert(fact);
                }
            }
            self.seek(&inputs, from, sought, &mut found, known, new).await?;
        }
        Ok(found)
    }

    async fn seek(
        &self,
        inputs: &Inputs,
        from: i32,
        mut sought: Vec<(u64, Arc<Spec>)>,
        found: &mut HashMap<u64, SaidByRows>,
        known: &mut Known,
        new: &mut Vec<Fact>,
    ) -> Result<()> {
        let days: Vec<i32> = inputs.days_in(from..=i32::MAX).collect();
        let (mut at, mut step) = (0, 1);
        while at < days.len() && !sought.is_empty() {
            let chunk = &days[at..days.len().min(at + step)];
            (at, step) = (at + chunk.len(), (step * 2).min(MOST_DAYS));
            let (parts, _) = self.measured(inputs, chunk, &sought, false, known, new).await?;
            let mut first: HashMap<usize, i64> = HashMap::new();
            for part in &parts {
                if let Some(time) = first_measured(part) {
                    let first = first.entry(part.subject).or_insert(time);
                    *first = (*first).min(time);
                }
            }
            let (mut rest, mut of_day) = (Vec::new(), BTreeMap::<i32, Vec<(u64, Arc<Spec>, i64)>>::new());
            for (place, (hash, spec)) in sought.into_iter().enumerate() {
                match first.get(&place) {
                    Some(&time) => of_day.entry(time.div_euclid(DAY) as i32).or_default().push((hash, spec, time)),
                    None => rest.push((hash, spec)),
                }
            }
            for (day, specs) in of_day {
                // The business is that of the rows of the first day with data, whatever was read along with it.
                let undeclared: Vec<(u64, Arc<Spec>)> = specs
                    .iter()
                    .filter(|(_, spec, _)| spec.declared_business().is_none())
                    .map(|(hash, spec, _)| (*hash, Arc::clone(spec)))
                    .collect();
                let carried = match undeclared.is_empty() {
                    true => Vec::new(),
                    false => self.measured(inputs, &[day], &undeclared, true, known, new).await?.1,
                };
                let mut businesses = HashMap::new();
                for ((hash, _), carried) in undeclared.iter().zip(carried) {
                    businesses.insert(*hash, carried.unwrap_or_default());
                }
                for (hash, _, time) in specs {
                    let business: Arc<str> = businesses.get(&hash).cloned().unwrap_or_default();
                    new.push(fact(hash, inputs.hash_until(day), Some(time), format!("{day} {business}")));
                    found.insert(hash, SaidByRows { first: Some(time), business });
                }
            }
            sought = rest;
        }
        // The newest day still changes; what is known of the days before it does not.
        let closed = days.len().checked_sub(2).and_then(|at| days.get(at)).copied();
        for (hash, _) in sought {
            if let Some(day) = closed {
                new.push(fact(hash, inputs.hash_until(day), None, day.to_string()));
            }
            found.insert(hash, SaidByRows::default());
        }
        Ok(())
    }

    /// Judges these days by counts alone.
    async fn measured(
        &self,
        inputs: &Inputs,
        days: &[i32],
        sought: &[(u64, Arc<Spec>)],
        strict: bool,
        known: &mut Known,
        new: &mut Vec<Fact>,
    ) -> Result<(Vec<Part>, Vec<Option<Arc<str>>>)> {
        let ever = Interval::new(i64::MIN, i64::MAX);
        let mut subjects = Vec::new();
        for (_, spec) in sought {
            // A sample speaks for its own slice first, so nothing has to be held. Wider slices follow from the stored ones.
            let stored = Grid::new(0, inputs.slot);
            let spec = spec.as_ref().clone();
            let spec = Arc::new(Spec { no_data: NoData::Ignore, slice: inputs.slot, slices: stored, ..spec });
            subjects.push(Subject {
                objective: 0,
                name: spec.service.as_str().into(),
                business: "".into(),
                service: spec.service.as_str().into(),
                table: inputs.kind,
                in_force: ever,
                first: None,
                watermark: i64::MAX,
                now: i64::MIN,
                assumed_until: i64::MIN,
                removed: Vec::new(),
                excluded: Vec::new(),
                lost: Vec::new(),
                limits: Subject::constant_limits(&spec),
                definition: definition_hash(&spec),
                said: "".into(),
                spec,
            });
        }
        let covered = match (days.first(), days.last()) {
            (Some(&first), Some(&last)) => Interval::new(i64::from(first) * DAY, i64::from(last + 1) * DAY),
            _ => return Ok((Vec::new(), Vec::new())),
        };
        self.limits(inputs, &mut subjects, covered, known, new).await?;
        let mut by_day: HashMap<i32, Vec<(usize, usize, Interval)>> = HashMap::new();
        for &day in days {
            let day_of = Interval::new(i64::from(day) * DAY, i64::from(day + 1) * DAY);
            by_day.insert(day, (0..subjects.len()).map(|place| (place, 0, day_of)).collect());
        }
        let numbers = (0..subjects.len()).collect();
        let subjects = subjects.into_iter().map(Arc::new).collect();
        let wanted = Wanted { subjects, numbers, by_day, split: Split::Needed, detail: Detail::None, strict };
        let Some(leaf) = self.leaf(inputs, wanted)? else { return Ok((Vec::new(), Vec::new())) };
        let mut running = Running::start(&[Arc::new(leaf)], &self.session.task_ctx())?;
        let parts = running.all().await?;
        Ok((parts, running.carried.into_iter().next().unwrap_or_default()))
    }
}

/// What was known of an indicator when days were sealed, if it had data then.
fn recall_sealed(known: &Known, said: &str) -> Option<SaidByRows> {
    let place = (SEALED_FIRST.to_string(), said.to_string(), String::new());
    let (_, first, business) = known.0.get(&place)?;
    Some(SaidByRows { first: Some((*first)?), business: business.as_str().into() })
}

/// What is known of an indicator, to stay when days are sealed.
pub(super) fn sealed_first(said: &str, found: &SaidByRows) -> Option<Fact> {
    let first = found.first?;
    Some(Fact {
        fact: SEALED_FIRST,
        subject: said.to_string(),
        period: String::new(),
        key: 0,
        value: Some(first),
        text: found.business.to_string(),
    })
}

/// A fact that still holds: the first slice and the business, or up to which day there was nothing.
fn recall(known: &Known, hash: u64, inputs: &Inputs) -> Option<(Option<i64>, Arc<str>)> {
    let place = (FIRST_DATA.to_string(), format!("{hash:016x}"), String::new());
    let (key, value, text) = known.0.get(&place)?;
    let (day, business) = text.split_once(' ').unwrap_or((text, ""));
    let holds = *key == key_of(inputs.hash_until(day.parse().ok()?));
    match value {
        _ if !holds => None,
        Some(first) => Some((Some(*first), business.into())),
        None => Some((None, day.into())),
    }
}

fn fact(hash: u64, inputs: u64, value: Option<i64>, text: String) -> Fact {
    Fact { fact: FIRST_DATA, subject: format!("{hash:016x}"), period: String::new(), key: key_of(inputs), value, text }
}

fn key_of(inputs: u64) -> i64 {
    hash_of(&(EVALUATOR, inputs)) as i64
}

/// The start of the first slice in which anything was counted.
fn first_measured(part: &Part) -> Option<i64> {
    match part.runs.first() {
        Some(run) if run.state == State::NoData && run.start == part.interval.start => {
            (run.end < part.interval.end).then_some(run.end)
        }
        _ => Some(part.interval.start),
    }
}

/// Whether it must be known when an indicator had its first data, or of which business its rows are.
pub(crate) fn depends_on_facts(spec: &Spec) -> bool {
    spec.no_data != NoData::Ignore || spec.declared_business().is_none()
}

/// An indicator of which facts are wanted, and the names of the texts that say it.
#[derive(Debug, Clone)]
pub(crate) struct Indicated {
    spec: Arc<Spec>,
    pub said: Vec<Arc<str>>,
}

/// Adds the indicators of versions, by [`definition_hash`].
pub(crate) fn indicate(versions: &[Version], all: &mut HashMap<u64, Indicated>) {
    for Version { spec, said, .. } in versions {
        let indicated = all.entry(definition_hash(spec));
        let indicated = indicated.or_insert_with(|| Indicated { spec: Arc::clone(spec), said: Vec::new() });
        indicated.said.push(Arc::clone(said));
    }
}
