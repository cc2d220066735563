//! From a question to leaves: which objectives, which days of theirs are kept already, what has to be counted.

use std::collections::{BTreeMap, HashMap};
use std::ops::RangeInclusive;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::common::exec_err;
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use nines_slo::{Definitions, Month, NoData, Objective, Version};
use nines_store::TableKind;
use nines_timeline::{Grid, Interval};

use super::DAY;
use super::count::CountExec;
use super::evaluator::Evaluator;
use super::exclusions::Incident;
use super::first_data::{depends_on_facts, indicate};
use super::inputs::{RAW, raw};
use super::keep::{self, Fact};
use super::known::{Known, SEALED};
use super::part::{Detail, Part, Split};
use super::pieces::{Piece, Pieces, pieces};
use super::recall::Recall;
use super::scan::Wanted;
use super::select::{Candidate, Selection};
use super::subject::{Subject, definition_hash, excluded_slices, lost_slices, removed_slices};

/// Days of objectives whose slices are listed at most: a thousand objectives over ten years.
const MOST_DAYS_OF_SLICES: i64 = 4_000_000;

/// About how many bytes a stretch of a day takes that is wanted, with the key under which it is kept.
const PIECE: usize = 128;

/// What a question asks.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    /// Over which ranges; each is answered by itself.
    pub ranges: Vec<Interval>,
    pub detail: Detail,
    pub selection: Selection,
    /// Whether unions of an SLO's objectives are answered for, so that all of them must be there.
    pub composites: bool,
    /// Whether nothing that was kept before is used, but what is sealed.
    pub fresh: bool,
    /// Whether what was counted is wanted as it was counted: as if nothing were excluded and no telemetry lost.
    pub bare: bool,
}

/// What answers a question once its leaves have run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub ranges: Vec<Interval>,
    /// By objective name and time.
    pub subjects: Vec<Arc<Subject>>,
    /// Parts that were kept.
    pub kept: Vec<Part>,
    /// What counts the other ones.
    pub leaves: Vec<Arc<CountExec>>,
    /// Keys of the days that are worth keeping, by subject and day.
    pub expected: HashMap<(usize, i32), i64>,
    pub facts: Vec<Fact>,
    /// How many parts the answer has.
    pub parts: usize,
    /// How many threads may work on it.
    pub threads: usize,
    /// How many of them another call, or an earlier cell, had counted.
    pub shared: usize,
    /// Which of the parts are of days that whoever counted them may not keep: places in `kept`.
    pub unkept: Vec<usize>,
    /// The versions of tables of which they are.
    pub versions: BTreeMap<TableKind, Option<u64>>,
    /// What kept parts and the list of what is wanted take.
    memory: MemoryReservation,
    /// What else answers speak of.
    pub incidents: Vec<Incident>,
    pub definitions: Arc<Definitions>,
}

impl Evaluator<'_> {
    /// Finds out all but the counts.
    pub async fn prepare(&self, asked: &Question) -> Result<Prepared> {
        let mut facts = Vec::new();
        let subjects = self.subjects(asked, &mut facts).await?;
        let mut prepared = Prepared {
            ranges: asked.ranges.clone(),
            kept: Vec::new(),
            leaves: Vec::new(),
            expected: HashMap::new(),
            facts,
            parts: 0,
            threads: self.session.config().target_partitions(),
            shared: 0,
            unkept: Vec::new(),
            versions: self.versions(),
            memory: MemoryConsumer::new("ResolveExec").register(&self.session.runtime_env().memory_pool),
            incidents: Vec::new(),
            definitions: Arc::clone(&self.definitions),
            subjects,
        };
        let days = asked.ranges.iter().map(|range| range.duration() / DAY).sum::<i64>();
        if asked.detail == Detail::Slices && days.saturating_mul(prepared.subjects.len() as i64) > MOST_DAYS_OF_SLICES {
            return exec_err!(
                "slices of {} objectives over {days} days are too many to be listed; ask for a shorter range, or for fewer \
                 objectives with WHERE",
                prepared.subjects.len()
            );
        }
        let spoken = |subject: &Subject| match asked.detail {
            Detail::Slices => Interval::new(i64::MIN, i64::MAX),
            _ => self.spoken_of(subject),
        };
        let pieces: Arc<[Pieces]> =
            prepared.subjects.iter().map(|subject| pieces(subject, &asked.ranges, spoken(subject))).collect();
        prepared.parts = pieces.iter().map(|of| of.count).sum();
        prepared.memory.try_grow(prepared.parts * PIECE)?;
        let mut done: Vec<Vec<bool>> = pieces.iter().map(|of| vec![false; of.count]).collect();
        if !asked.fresh {
            self.recall(asked, &pieces, &mut done, &mut prepared).await?;
        }
        self.stand_in(asked, &pieces, &mut done, &mut prepared)?;
        self.take_shared(asked, &pieces, &mut done, &mut prepared)?;

        for kind in RAW {
            let inputs = self.inputs(kind)?;
            let mut wanted = Wanted {
                subjects: Vec::new(),
                numbers: Vec::new(),
                by_day: HashMap::new(),
                split: if asked.detail == Detail::Culprits { Split::Culprits } else { Split::Needed },
                detail: asked.detail,
                strict: true,
            };
            let is_open = |number: usize| done[number].contains(&false);
            let open = |(number, subject): &(usize, &Arc<Subject>)| subject.table == kind && is_open(*number);
            for (number, subject) in prepared.subjects.iter().enumerate().filter(open) {
                let place = wanted.subjects.len();
                let left = pieces[number].iter().zip(&done[number]).filter(|(_, done)| !**done);
                for (piece, _) in left {
                    let seen = wanted.by_day.entry(subject.counted_on(piece.day)).or_default();
                    seen.push((place, piece.range, piece.interval));
                    if asked.detail.is_kept() && self.is_worth_keeping(subject, &piece) {
                        prepared.expected.insert((number, piece.day), keep::key(subject, inputs, piece.day));
                    }
                }
                wanted.subjects.push(Arc::clone(subject));
                wanted.numbers.push(number);
            }
            prepared.leaves.extend(self.leaf(inputs, wanted)?.map(Arc::new));
        }
        Ok(prepared)
    }

    /// The time outside of which nothing is known of a subject.
    fn spoken_of(&self, subject: &Subject) -> Interval {
        let inputs = self.inputs(subject.table).ok();
        let rows = inputs.and_then(|inputs| inputs.days().next()).map(|day| {
            let held = subject.watermark.saturating_add(subject.hold()).min(subject.now);
            Interval::new(i64::from(day) * DAY, subject.watermark.max(held))
        });
        let sealed = inputs.and_then(|inputs| inputs.sealed);
        let sealed = sealed.map(|sealed| Interval::new(i64::from(sealed.from) * DAY, i64::from(sealed.until) * DAY));
        let assumed = subject.assumed().map(|(_, span)| span);
        let laid_over = subject.excluded.iter().chain(&subject.lost).copied();
        let all = rows.into_iter().chain(sealed).chain(assumed).chain(laid_over);
        let hull = all.reduce(|a, b| Interval::new(a.start.min(b.start), a.end.max(b.end)));
        // Whole days, so that a day is kept or not whoever asks for more around it.
        hull.map_or(Interval::new(0, 0), |hull| Grid::new(subject.shift(), DAY).touched(hull))
    }

    /// Whether a day is over and took more than a look at its bounds.
    fn is_worth_keeping(&self, subject: &Subject, piece: &Piece) -> bool {
        let end = subject.day(piece.day).end;
        let over = end <= subject.watermark && (subject.spec.no_data != NoData::Error || end <= subject.assumed_until);
        let last = subject.counted_on(piece.day);
        let counted = self.inputs(subject.table).is_ok_and(|inputs| (piece.day..=last).any(|d| inputs.hash_of(d) != 0));
        piece.whole && over && (counted || subject.hold() > 0)
    }

    /// Takes the days that are kept.
    async fn recall(
        &self,
        asked: &Question,
        pieces: &Arc<[Pieces]>,
        done: &mut [Vec<bool>],
        prepared: &mut Prepared,
    ) -> Result<()> {
        if asked.detail == Detail::Slices {
            return Ok(());
        }
        let spans = || pieces.iter().flat_map(|of| of.spans.iter().map(|(_, span, _)| of.days(*span)));
        let (Some(first), Some(end)) = (spans().map(|days| days.start).min(), spans().map(|days| days.end).max())
        else {
            return Ok(());
        };
        let is_needed = |(subject, of): (&Arc<Subject>, &Pieces)| {
            let inputs = self.inputs(subject.table)?;
            Ok::<_, DataFusionError>(of.iter().any(|piece| inputs.is_sealed(piece.day)))
        };
        let mut needed = false;
        for of in prepared.subjects.iter().zip(pieces.iter()) {
            needed = needed || (self.has_sealed() && is_needed(of)?);
        }
        if needed {
            self.check_held().await?;
        }
        let mut names: Vec<&str> = prepared.subjects.iter().map(|subject| subject.name.as_ref()).collect();
        names.dedup();
        let plan = match self.days(first, end - 1, &names).await {
            Ok(Some(plan)) => plan,
            Ok(None) if needed => {
                return exec_err!("slo_days is not there, and sealed days are in it. Put it back from a backup");
            }
            Ok(None) => return Ok(()),
            // Of sealed days there is nothing else.
            Err(error) if needed => return Err(error),
            Err(error) => {
                keep::said(self.store.as_ref(), &error);
                return Ok(());
            }
        };
        let inputs = prepared.subjects.iter().map(|subject| self.inputs(subject.table).cloned());
        let recall = Recall::new(asked.detail, &prepared.subjects, pieces, inputs.collect::<Result<_>>()?);
        let mut recalling = recall.start(&plan, &self.session.task_ctx())?;
        // As many as may come, so that they are not moved again and again.
        let mut found = Vec::with_capacity(prepared.parts);
        // What cannot be read is computed.
        loop {
            let recalled = match recalling.next().await {
                Ok(Some(recalled)) => recalled,
                Ok(None) => break,
                Err(error) if needed => return Err(error),
                Err(error) => {
                    keep::said(self.store.as_ref(), &error);
                    break;
                }
            };
            let mut size = 0;
            for (number, place, part) in recalled {
                if !std::mem::replace(&mut done[number][place], true) {
                    size += part.size();
                    found.push(part);
                }
            }
            prepared.memory.try_grow(size)?;
        }
        // Few are kept where a store is new.
        if found.len() < prepared.parts / 2 {
            found.shrink_to_fit();
        }
        prepared.kept = found;
        Ok(())
    }

    /// Takes what the statement, or the notebook that it is of, has counted already.
    fn take_shared(
        &self,
        asked: &Question,
        pieces: &[Pieces],
        done: &mut [Vec<bool>],
        prepared: &mut Prepared,
    ) -> Result<()> {
        let Some(evaluated) = self.evaluated().filter(|_| !asked.fresh && asked.detail != Detail::Slices) else {
            return Ok(());
        };
        let known = evaluated.known(&prepared.versions);
        let open = pieces.iter().zip(done).enumerate().filter(|(_, (_, done))| done.contains(&false));
        for (number, (of, done)) in open {
            let name = prepared.subjects[number].evaluated_name();
            for (piece, done) in of.iter().zip(done).filter(|(_, done)| !**done) {
                let Some((part, kept)) = known.part(&(name, piece.interval), asked.detail) else { continue };
                prepared.memory.try_grow(part.size())?;
                let subject = &prepared.subjects[number];
                if !kept && asked.detail.is_kept() && self.is_worth_keeping(subject, &piece) {
                    let key = keep::key(subject, self.inputs(subject.table)?, piece.day);
                    prepared.expected.insert((number, piece.day), key);
                    prepared.unkept.push(prepared.kept.len());
                }
                prepared.kept.push(Part { subject: number, range: piece.range, ..part });
                prepared.shared += 1;
                *done = true;
            }
        }
        Ok(())
    }

    /// The versions of the objectives that are asked for, with all that decides their slices.
    async fn subjects(&self, asked: &Question, facts: &mut Vec<Fact>) -> Result<Vec<Arc<Subject>>> {
        let mut known = self.known(months_around(&asked.ranges)).await?;
        if asked.fresh {
            known.0.retain(|(fact, ..), _| fact.starts_with(SEALED));
        }
        Ok(self.subjects_with_limits(asked, &mut known, facts).await?.into_iter().map(Arc::new).collect())
    }

    /// The same, with what is known and what is found out.
    pub async fn subjects_with_limits(
        &self,
        asked: &Question,
        known: &mut Known,
        facts: &mut Vec<Fact>,
    ) -> Result<Vec<Subject>> {
        let all = &self.definitions.objectives;
        let mut chosen: Vec<(usize, &Objective, &Version, Interval)> = Vec::new();
        for (number, objective) in all.iter().enumerate() {
            for (version, in_force) in objective.versions.iter().zip(aligned(&objective.versions)) {
                let touches = asked.ranges.iter().any(|range| range.start < in_force.end && range.end > in_force.start);
                if touches && !in_force.is_empty() {
                    chosen.push((number, objective, version, in_force));
                }
            }
        }
        let candidates: Vec<Candidate> = chosen
            .iter()
            .map(|(_, objective, version, _)| Candidate {
                business: version.spec.declared_business(),
                service: &version.spec.service,
                objective: &objective.name,
            })
            .collect();
        let mut meant = self.meant(asked, &candidates)?.into_iter();
        chosen.retain(|_| meant.next() == Some(true));
        // The first data of an objective is that of any of its versions.
        let mut specs = HashMap::new();
        for (_, objective, version, _) in &chosen {
            if depends_on_facts(&version.spec) {
                indicate(&objective.versions, &mut specs);
            }
        }
        let found = self.facts(&specs, known, facts).await?;

        let exclusions = match asked.bare {
            true => Vec::new(),
            false => self.excluded(asked.ranges.iter().map(|range| range.end).max().unwrap_or_default())?,
        };
        let mut subjects = Vec::new();
        for (number, objective, version, in_force) in chosen {
            let spec = &version.spec;
            // A version of which there are no rows yet is of the business that the others are of.
            let own = std::iter::once(version).chain(&objective.versions).filter(|v| v.spec.service == spec.service);
            let mut carried = own.filter_map(|v| Some(Arc::clone(&found.get(&definition_hash(&v.spec))?.business)));
            let carried = carried.find(|business| !business.is_empty()).unwrap_or_default();
            let first = match spec.no_data {
                NoData::Ignore => None,
                _ => {
                    let of =
                        |v: &Version| found.get(&definition_hash(&v.spec))?.first.map(|at| v.spec.slices.start_of(at));
                    objective.versions.iter().filter_map(of).min()
                }
            };
            let business: Arc<str> = spec.declared_business().map_or(carried, Into::into);
            let kind = raw(spec.indicator.table())?;
            let watermark = self.inputs(kind)?.watermark;
            let customer = spec.rows.customer();
            let excluded = exclusions.iter().filter(|e| e.applies(&business, &spec.service, customer));
            let stored = Grid::new(0, self.slot);
            let removed = removed_slices(excluded.map(|exclusion| exclusion.interval), stored);
            let incidents = self.incidents.iter().filter(|_| !asked.bare);
            let lost = incidents.filter(|i| i.telemetry_lost && i.applies(&business, &spec.service));
            let lost = lost.map(|incident| incident.interval(self.now));
            subjects.push(Subject {
                objective: number,
                name: objective.name.as_str().into(),
                service: spec.service.as_str().into(),
                definition: definition_hash(spec),
                said: Arc::clone(&version.said),
                table: kind,
                in_force,
                first,
                watermark,
                now: self.now,
                assumed_until: if spec.no_data == NoData::Error { self.now } else { watermark },
                excluded: excluded_slices(&removed, spec.slices),
                lost: lost_slices(lost, &removed, stored, spec.slices),
                removed,
                limits: Subject::constant_limits(spec),
                spec: Arc::clone(spec),
                business,
            });
        }
        let candidates: Vec<Candidate> = subjects
            .iter()
            .map(|s| Candidate { business: Some(&s.business), service: &s.service, objective: &s.name })
            .collect();
        let mut meant = self.meant(asked, &candidates)?.into_iter();
        subjects.retain(|_| meant.next() == Some(true));

        let from = asked.ranges.iter().map(|range| range.start).min().unwrap_or_default();
        let to = asked.ranges.iter().map(|range| range.end).max().unwrap_or_default();
        if subjects.iter().any(|subject| subject.spec.indicator.baseline().is_some()) {
            let inputs = Arc::clone(self.inputs(TableKind::Requests)?);
            // Slices of the range may end after it, and keys are of whole days.
            let around = Interval::new(from.saturating_sub(DAY), to.saturating_add(DAY));
            self.limits(&inputs, &mut subjects, around, known, facts).await?;
        }
        Ok(subjects)
    }

    /// Which candidates are asked for, or needed for a union that is.
    fn meant(&self, asked: &Question, candidates: &[Candidate<'_>]) -> Result<Vec<bool>> {
        let mut meant = asked.selection.meant(self.session, candidates)?;
        for composite in self.definitions.composites.iter().filter(|_| asked.composites) {
            let of = |candidate: &Candidate<'_>| composite.objectives.iter().any(|name| name == candidate.objective);
            let own: Vec<usize> = (0..candidates.len()).filter(|&at| of(&candidates[at])).collect();
            let union: Vec<Candidate<'_>> =
                own.iter().map(|&at| Candidate { objective: &composite.name, ..candidates[at] }).collect();
            let is_meant = own.iter().any(|&at| meant[at])
                || asked.selection.meant(self.session, &union)?.into_iter().any(|meant| meant);
            if is_meant {
                own.into_iter().for_each(|at| meant[at] = true);
            }
        }
        Ok(meant)
    }
}

/// The slices that each version decides: those that start while it is in force. Where two versions with different slices meet,
/// the later one begins with the first slice that begins in both; if no two ever begin at once, because the zone is another,
/// after the last slice of the earlier one. A version that is over before it begins decides nothing.
pub(crate) fn aligned(versions: &[Version]) -> Vec<Interval> {
    let slices = |at: usize| versions[at].spec.slices;
    let mut decided = vec![Interval::new(0, 0); versions.len()];
    // Those that decide something so far, each with the time for which it, or those after it that decide nothing, speak.
    let mut speaking: Vec<(usize, Interval)> = Vec::new();
    for (at, version) in versions.iter().enumerate() {
        let said = version.in_force;
        let mut from = slices(at).first_from(said.start);
        let mut since = said.start;
        while let Some((last, spoken)) = speaking.last_mut() {
            let follows = spoken.end == since;
            let mut until = decided[*last].end;
            if follows {
                let common = slices(*last).meets(slices(at), said.start);
                until = common.unwrap_or_else(|| slices(*last).first_from(said.start));
            }
            from = match follows {
                true => slices(at).first_from(until),
                false => from.max(slices(at).first_from(until)),
            };
            if from > decided[*last].start {
                decided[*last].end = until.max(decided[*last].start);
                spoken.end = if follows { said.end } else { spoken.end };
                break;
            }
            since = spoken.start;
            decided[*last] = Interval::new(0, 0);
            speaking.pop();
        }
        let own = Interval::new(from, slices(at).first_from(said.end));
        if !own.is_empty() {
            decided[at] = own;
            speaking.push((at, said));
        }
    }
    decided
}

/// The months of which limits may be asked for these ranges, whatever the time zone; `None`: any.
fn months_around(ranges: &[Interval]) -> Option<RangeInclusive<Month>> {
    // A day for the zone, and one for slices that reach over the ends.
    let from = ranges.iter().map(|range| range.start).min()?.checked_sub(2 * DAY)?;
    let to = ranges.iter().map(|range| range.end).max()?.checked_add(2 * DAY)?;
    Some(Month::of(from, Tz::UTC)?..=Month::of(to, Tz::UTC)?)
}
