//! From a question to jobs: which objectives, which days of theirs are kept already, what has to be counted.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::common::{exec_err, plan_err};
use datafusion::error::Result;
use nines_slo::{Definitions, NoData, Objective, Version};
use nines_timeline::{Interval, MICROS, gcd};

use super::DAY;
use super::evaluator::{Evaluator, Known, RAW};
use super::facts::{by_hash, declared_business, depends_on_facts};
use super::keep::{self, Fact};
use super::overlay::Incident;
use super::part::{Detail, Part};
use super::pass::Split;
use super::run::Job;
use super::scan::Wanted;
use super::select::{Candidate, Selection};
use super::subject::{Subject, definition_hash, excluded_slices, lost_slices};

/// Days of objectives whose slices are listed at most: a thousand objectives over ten years.
const MOST_DAYS_OF_SLICES: i64 = 4_000_000;

/// What a question asks.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Over which ranges; each is answered by itself.
    pub ranges: Vec<Interval>,
    pub detail: Detail,
    pub selection: Selection,
    /// Whether unions of an SLO's objectives are answered for, so that all of them must be there.
    pub composites: bool,
}

/// What answers a question once its jobs have run.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub ranges: Vec<Interval>,
    /// By objective name and time.
    pub subjects: Vec<Arc<Subject>>,
    /// Parts that were kept.
    pub kept: Vec<Part>,
    pub jobs: Vec<Job>,
    /// Keys of the days that are worth keeping, by subject and day.
    pub expected: HashMap<(usize, i32), i64>,
    pub facts: Vec<Fact>,
    /// How many parts the answer has.
    pub parts: usize,
    /// What else answers speak of.
    pub incidents: Vec<Incident>,
    pub definitions: Arc<Definitions>,
}

/// The stretches of days that a subject has in the ranges.
struct Pieces {
    list: Vec<Piece>,
    /// Of each range: where its pieces begin, their first day, and how many there are. They have a day each.
    ranges: Vec<(usize, i32, usize)>,
}

impl Pieces {
    /// The place of the piece that is all of a day.
    fn whole(&self, day: i32) -> Option<usize> {
        self.ranges.iter().find_map(|&(offset, first, count)| {
            let at = usize::try_from(day - first).ok().filter(|at| *at < count)?;
            self.list[offset + at].whole.then_some(offset + at)
        })
    }
}

/// A stretch of a day of a subject, before it is known.
struct Piece {
    range: usize,
    day: i32,
    interval: Interval,
    /// Whether it is all that the subject has of that day.
    whole: bool,
}

impl Evaluator<'_> {
    /// Finds out all but the counts.
    pub async fn prepare(&self, asked: &Asked) -> Result<Prepared> {
        let mut facts = Vec::new();
        let subjects = self.subjects(asked, &mut facts).await?;
        let mut prepared = Prepared {
            ranges: asked.ranges.clone(),
            kept: Vec::new(),
            jobs: Vec::new(),
            expected: HashMap::new(),
            facts,
            parts: 0,
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
        let pieces: Vec<Pieces> =
            prepared.subjects.iter().map(|subject| pieces(subject, &asked.ranges, spoken(subject))).collect();
        prepared.parts = pieces.iter().map(|of| of.list.len()).sum();
        let mut done: Vec<Vec<bool>> = pieces.iter().map(|of| vec![false; of.list.len()]).collect();
        self.recall(asked, &pieces, &mut done, &mut prepared).await?;

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
            for (number, subject) in prepared.subjects.iter().enumerate().filter(|(_, s)| s.table == kind) {
                let place = wanted.subjects.len();
                let left = pieces[number].list.iter().zip(&done[number]).filter(|(_, done)| !**done);
                let mut any = false;
                for (piece, _) in left {
                    wanted.by_day.entry(piece.day).or_default().push((place, piece.range, piece.interval));
                    any = true;
                    if asked.detail == Detail::None && self.is_worth_keeping(subject, piece) {
                        prepared.expected.insert((number, piece.day), keep::key(subject, inputs, piece.day));
                    }
                }
                if any {
                    wanted.subjects.push(Arc::clone(subject));
                    wanted.numbers.push(number);
                }
            }
            prepared.jobs.extend(self.job(inputs, wanted)?);
        }
        Ok(prepared)
    }

    /// The time outside of which nothing is known of a subject.
    fn spoken_of(&self, subject: &Subject) -> Interval {
        let inputs = self.inputs(subject.table).ok();
        let rows = inputs.and_then(|inputs| inputs.days().next()).map(|day| {
            // A sample that is held reaches to the watermark and no further.
            Interval::new(i64::from(day) * DAY, subject.watermark)
        });
        let assumed = subject.assumed().map(|(_, span)| span);
        let laid_over = subject.excluded.iter().chain(&subject.lost).copied();
        let all = rows.into_iter().chain(assumed).chain(laid_over);
        let hull = all.reduce(|a, b| Interval::new(a.start.min(b.start), a.end.max(b.end)));
        let down = |t: i64| t.div_euclid(DAY) * DAY;
        // Whole days, so that a day is kept or not whoever asks for more around it.
        hull.map_or(Interval::new(0, 0), |hull| Interval::new(down(hull.start), down(hull.end.saturating_add(DAY - 1))))
    }

    /// Whether a day is over and took more than a look at its bounds.
    fn is_worth_keeping(&self, subject: &Subject, piece: &Piece) -> bool {
        let end = i64::from(piece.day + 1) * DAY;
        let over = end <= subject.watermark && (subject.spec.no_data != NoData::Error || end <= subject.assumed_until);
        let counted = self.inputs(subject.table).is_ok_and(|inputs| inputs.hash_of(piece.day) != 0);
        piece.whole && over && (counted || subject.hold() > 0)
    }

    /// Takes the days that are kept.
    async fn recall(
        &self,
        asked: &Asked,
        pieces: &[Pieces],
        done: &mut [Vec<bool>],
        prepared: &mut Prepared,
    ) -> Result<()> {
        let days = || pieces.iter().flat_map(|of| &of.list).filter(|piece| piece.whole).map(|piece| piece.day);
        let (Some(first), Some(last)) = (days().min(), days().max()) else { return Ok(()) };
        if asked.detail == Detail::Slices {
            return Ok(());
        }
        let mut names: Vec<&str> = prepared.subjects.iter().map(|subject| subject.name.as_ref()).collect();
        names.dedup();
        let kept = self.days(first, last, &names).await;
        let mut by_name: HashMap<(&str, String), Vec<usize>> = HashMap::new();
        for (number, subject) in prepared.subjects.iter().enumerate() {
            by_name.entry((subject.name.as_ref(), subject.definition_name())).or_default().push(number);
        }
        let mut found = Vec::with_capacity(days().count());
        let mut last_seen: Option<((String, String), Vec<usize>)> = None;
        kept.each(|objective, definition, day, key, read| {
            // Rows of an objective lie side by side.
            if last_seen.as_ref().is_none_or(|((name, of), _)| name != objective || of != definition) {
                let named = (objective, keep::definition_of(definition).to_string());
                let numbers = by_name.get(&named).cloned().unwrap_or_default();
                last_seen = Some(((objective.to_string(), definition.to_string()), numbers));
            }
            let Some((_, numbers)) = &last_seen else { return };
            for &number in numbers {
                let subject = &prepared.subjects[number];
                let Some(place) = pieces[number].whole(day) else { continue };
                let piece = &pieces[number].list[place];
                let Ok(inputs) = self.inputs(subject.table) else { continue };
                if done[number][place] || keep::key(subject, inputs, day) != key {
                    continue;
                }
                let Some(read) = read() else { continue };
                let same = read.timeline.span() == piece.interval && read.timeline.slice() == subject.spec.slice;
                let errors = || read.timeline.intervals(nines_timeline::State::Error).next().is_some();
                // Who was to blame is not kept.
                if !same || (asked.detail == Detail::Culprits && errors()) {
                    continue;
                }
                done[number][place] = true;
                found.push(Part {
                    subject: number,
                    range: piece.range,
                    interval: piece.interval,
                    runs: read.timeline.runs().to_vec(),
                    good: read.good,
                    total: read.total,
                    ratio_sum: read.ratio_sum,
                    approximate: read.approximate,
                    slices: Vec::new(),
                    culprits: Vec::new(),
                });
            }
        });
        prepared.kept = found;
        Ok(())
    }

    /// The versions of the objectives that are asked for, with all that decides their slices.
    async fn subjects(&self, asked: &Asked, facts: &mut Vec<Fact>) -> Result<Vec<Arc<Subject>>> {
        let mut known = self.known().await;
        Ok(self.subjects_with_limits(asked, &mut known, facts).await?.into_iter().map(Arc::new).collect())
    }

    /// The same, with what is known and what is found out.
    pub async fn subjects_with_limits(
        &self,
        asked: &Asked,
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
                business: declared_business(&version.spec),
                service: &version.spec.service,
                objective: &objective.name,
            })
            .collect();
        let mut meant = self.meant(asked, &candidates)?.into_iter();
        chosen.retain(|_| meant.next() == Some(true));
        for (_, objective, version, _) in &chosen {
            self.check_slice(objective, version)?;
        }

        // The first data of an objective is that of any of its versions.
        let mut specs = HashMap::new();
        for (_, objective, version, _) in &chosen {
            if depends_on_facts(&version.spec) {
                specs.extend(by_hash(objective.versions.iter().map(|version| &version.spec)));
            }
        }
        let found = self.facts(&specs, known, facts).await?;

        let mut subjects = Vec::new();
        for (number, objective, version, in_force) in chosen {
            let spec = &version.spec;
            // A version of which there are no rows yet is of the business that the others are of.
            let own = std::iter::once(version).chain(&objective.versions).filter(|v| v.spec.service == spec.service);
            let mut carried = own.filter_map(|v| Some(Arc::clone(&found.get(&definition_hash(&v.spec))?.business)));
            let carried = carried.find(|business| !business.is_empty()).unwrap_or_default();
            let first = match spec.no_data {
                NoData::Ignore => None,
                _ => objective.versions.iter().filter_map(|v| found.get(&definition_hash(&v.spec))?.first).min(),
            };
            let business: Arc<str> = declared_business(spec).map_or(carried, Into::into);
            let kind = Self::raw(spec.indicator.table())?;
            let watermark = self.inputs(kind)?.watermark;
            let customer = spec.rows.customer();
            let excluded = self.exclusions.iter().filter(|e| e.applies(&business, &spec.service, customer));
            let lost = self.incidents.iter().filter(|i| i.telemetry_lost && i.applies(&business, &spec.service));
            subjects.push(Subject {
                objective: number,
                name: objective.name.as_str().into(),
                service: spec.service.as_str().into(),
                definition: definition_hash(spec),
                table: kind,
                in_force,
                first,
                watermark,
                assumed_until: if spec.no_data == NoData::Error { self.now } else { watermark },
                excluded: excluded_slices(excluded.map(|exclusion| exclusion.interval), spec.slice),
                lost: lost_slices(lost.map(|incident| incident.interval(watermark)), spec.slice),
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
            let inputs = Arc::clone(self.inputs(nines_store::TableKind::Requests)?);
            self.limits(&inputs, &mut subjects, Interval::new(from, to), known, facts).await?;
        }
        Ok(subjects)
    }

    /// Which candidates are asked for, or needed for a union that is.
    fn meant(&self, asked: &Asked, candidates: &[Candidate<'_>]) -> Result<Vec<bool>> {
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

    fn check_slice(&self, objective: &Objective, version: &Version) -> Result<()> {
        let (slice, slot) = (version.spec.slice, self.slot);
        if slice % slot != 0 {
            return plan_err!(
                "{} judges slices of {} s, which the store's slices of {} s do not make up",
                objective.name,
                slice / MICROS,
                slot / MICROS
            );
        }
        Ok(())
    }
}

/// The slices that each version decides: those that start while it is in force. Where two versions of different widths meet,
/// the later one begins with the first slice that begins in both grids, and never before the one that it follows.
pub(crate) fn aligned(versions: &[Version]) -> Vec<Interval> {
    let up = |t: i64, grid: i64| match t {
        i64::MIN | i64::MAX => t,
        _ => (t.div_euclid(grid) + i64::from(t.rem_euclid(grid) != 0)) * grid,
    };
    let mut starts: Vec<i64> = Vec::with_capacity(versions.len());
    for (at, version) in versions.iter().enumerate() {
        let (natural, slice) = (version.in_force.start, version.spec.slice);
        let before = at.checked_sub(1).filter(|before| versions[*before].in_force.end == natural);
        starts.push(match before {
            Some(before) => up(natural.max(starts[before]), lcm(versions[before].spec.slice, slice)),
            None => up(natural, slice),
        });
    }
    let end = |at: usize| match versions.get(at + 1) {
        Some(next) if next.in_force.start == versions[at].in_force.end => starts[at + 1],
        _ => up(versions[at].in_force.end, versions[at].spec.slice),
    };
    (0..versions.len()).map(|at| Interval::new(starts[at], end(at))).collect()
}

fn lcm(a: i64, b: i64) -> i64 {
    a / gcd(a.unsigned_abs().into(), b.unsigned_abs().into()) as i64 * b
}

/// The stretches of days that a subject has in the ranges, by range and day.
fn pieces(subject: &Subject, ranges: &[Interval], spoken: Interval) -> Pieces {
    let mut pieces = Pieces { list: Vec::new(), ranges: Vec::new() };
    for (range, asked) in ranges.iter().enumerate() {
        let asked = asked.whole_slices(subject.spec.slice);
        let span = Interval::new(asked.start.max(subject.in_force.start), asked.end.min(subject.in_force.end));
        let span = Interval::new(span.start.max(spoken.start), span.end.min(spoken.end));
        if span.is_empty() {
            continue;
        }
        let (first, last) = (span.start.div_euclid(DAY), (span.end - 1).div_euclid(DAY));
        pieces.ranges.push((pieces.list.len(), first as i32, (last - first + 1) as usize));
        for day in first..=last {
            let of_day = Interval::new(day * DAY, (day + 1) * DAY);
            let clip = |of: Interval| Interval::new(of.start.max(of_day.start), of.end.min(of_day.end));
            let interval = clip(span);
            let whole = interval == clip(subject.in_force);
            pieces.list.push(Piece { range, day: day as i32, interval, whole });
        }
    }
    pieces
}
