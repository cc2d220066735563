//! What an objective spends of its budget slice by slice, as burn-rate alerts look at it.

use std::collections::HashMap;

use nines_slo::Budgeting;
use nines_timeline::{ALLOWANCE, Burning, RATIO, Run, Share, Spell, State, ratio};

use super::line::Line;
use super::part::Part;
use super::prepare::Prepared;

/// Where nothing is measured.
const NOTHING: Spell = Spell { slices: 0, spent: 0, allowed: 0, events: 0 };

/// The slices of a line up to the last that is over or measured, by the objective's own method and with the targets in force.
/// `parts` are its range's.
///
/// Where versions of several widths meet, the common width is that of the line's timeline, and each slice counts in the last of
/// these that it covers: not before it has ended.
pub(crate) fn burning(line: &Line, prepared: &Prepared, parts: &HashMap<usize, Vec<&Part>>) -> Burning {
    let (start, width) = (line.timeline.start(), line.timeline.slice());
    let mut spells = Spells { found: Vec::new(), at: start, width };
    let mut widest = width;
    let mut known_until = start;
    for number in &line.versions {
        let subject = &prepared.subjects[*number];
        let slice = subject.spec.slice;
        widest = widest.max(slice);
        for part in parts.get(number).into_iter().flatten() {
            spells.skip_to(part.interval.start);
            let mut at = part.interval.start;
            for run in segments(part) {
                let first = ((at - part.interval.start) / slice) as usize;
                let slices = (run.duration() / slice) as usize;
                match part.events().get(first..first + slices) {
                    Some(events) => events.iter().for_each(|events| {
                        spells.push(
                            slice / width,
                            of_slice(line.spec.budgeting, subject.spec.target, run.state, *events),
                        );
                    }),
                    None => {
                        let one = of_slice(Budgeting::Timeslices, subject.spec.target, run.state, [0, 0]);
                        spells.push(slice / width, Spell { slices: slices as i64, ..one });
                    }
                }
                at = run.end;
                if matches!(run.state, State::Ok | State::Error) {
                    known_until = known_until.max(run.end);
                }
            }
        }
        // Later versions decide later slices; what is over at the watermark is known, if only to hold nothing.
        known_until = known_until.max(subject.not_over_from().unwrap_or(start).min(subject.in_force.end));
    }
    spells.skip_to(line.timeline.end());
    spells.cut(known_until.min(line.timeline.end()));
    Burning { start, slice: width, least: widest / width, spells: spells.found }
}

/// What one slice spends.
fn of_slice(method: Budgeting, target: Share, state: State, [good, total]: [i64; 2]) -> Spell {
    let is_measured = matches!(state, State::Ok | State::Error);
    if !is_measured {
        return Spell { slices: 1, ..NOTHING };
    }
    let whole = if state == State::Error { ALLOWANCE } else { 0 };
    let (spent, allowed) = match method {
        Budgeting::Timeslices => (whole, target.allowance()),
        // Rounded up, so that a factor that is just reached is reached.
        Budgeting::RatioTimeslices if total > 0 => {
            let unit = RATIO / ALLOWANCE;
            ((RATIO - ratio(good, total) + unit - 1) / unit, target.allowance())
        }
        Budgeting::RatioTimeslices => (whole, target.allowance()),
        Budgeting::Occurrences => (i128::from(total - good) * ALLOWANCE, target.allowance() * i128::from(total)),
    };
    Spell { slices: 1, spent, allowed, events: total }
}

/// All of a part as runs, the ok ones between included.
fn segments(part: &Part) -> Vec<Run> {
    let (mut all, mut at) = (Vec::with_capacity(part.runs.len() * 2 + 1), part.interval.start);
    for run in &part.runs {
        if at < run.start {
            all.push(Run { start: at, end: run.start, state: State::Ok });
        }
        all.push(*run);
        at = run.end;
    }
    if at < part.interval.end {
        all.push(Run { start: at, end: part.interval.end, state: State::Ok });
    }
    all
}

/// Spells from left to right, equal neighbours joined.
struct Spells {
    found: Vec<Spell>,
    at: i64,
    width: i64,
}

impl Spells {
    /// Adds slices that are so many of the common width each.
    fn push(&mut self, wide: i64, spell: Spell) {
        match wide {
            1 => self.add(spell),
            _ => (0..spell.slices).for_each(|_| {
                self.add(Spell { slices: wide - 1, ..NOTHING });
                self.add(Spell { slices: 1, ..spell });
            }),
        }
    }

    fn add(&mut self, spell: Spell) {
        self.at += spell.slices * self.width;
        match self.found.last_mut() {
            Some(last) if Spell { slices: spell.slices, ..*last } == spell => last.slices += spell.slices,
            _ if spell.slices > 0 => self.found.push(spell),
            _ => {}
        }
    }

    fn skip_to(&mut self, at: i64) {
        self.add(Spell { slices: (at - self.at).max(0) / self.width, ..NOTHING });
    }

    /// Drops what begins at an instant or later.
    fn cut(&mut self, end: i64) {
        let mut beyond = (self.at - end).max(0) / self.width;
        while let Some(last) = self.found.last_mut().filter(|_| beyond > 0) {
            let dropped = last.slices.min(beyond);
            last.slices -= dropped;
            beyond -= dropped;
            if last.slices == 0 {
                self.found.pop();
            }
        }
    }
}
