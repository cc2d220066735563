//! Days whose raw rows may be gone: what was evaluated before they went stands for them, as it was.
//!
//! A sealed day is kept under a name of the texts that define the objective, which stays the same whatever version of nines
//! reads it. An objective that was not evaluated for a sealed day has no data there; that is said.

use std::collections::HashMap;
use std::sync::Arc;

use chrono::NaiveDate;
use datafusion::common::exec_err;
use datafusion::error::Result;
use nines_store::TableKind;
use nines_timeline::{Interval, Run, State};

use super::DAY;
use super::evaluator::Evaluator;
use super::first_data::{depends_on_facts, indicate, sealed_first};
use super::inputs::raw;
use super::keep::{self, Fact, NewDay};
use super::known::SEALED;
use super::part::{Detail, Part};
use super::pieces::{Piece, Pieces};
use super::prepare::{Prepared, Question};
use super::run::Running;
use super::select::Selection;
use crate::EngineError;
use crate::words::counted;

/// Days that are evaluated at once.
const DAYS: i32 = 31;

impl Evaluator<'_> {
    /// Says that nothing is known of what is left of sealed days, so that it is not worked out from rows that are not all there.
    pub(super) fn stand_in(
        &self,
        asked: &Question,
        pieces: &[Pieces],
        done: &mut [Vec<bool>],
        prepared: &mut Prepared,
    ) -> Result<()> {
        let (mut unknown, mut cut) = (0, 0);
        for (number, of) in pieces.iter().enumerate() {
            let subject = Arc::clone(&prepared.subjects[number]);
            let inputs = self.inputs(subject.table)?;
            if inputs.sealed.is_none() {
                continue;
            }
            for (piece, done) in of.iter().zip(&mut done[number]).filter(|(piece, _)| inputs.is_sealed(piece.day)) {
                if *done {
                    cut += usize::from(!piece.whole);
                    continue;
                }
                (*done, unknown) = (true, unknown + 1);
                if asked.detail != Detail::Slices {
                    prepared.kept.push(no_data(number, &piece));
                }
            }
        }
        let Some(store) = self.store.as_ref() else { return Ok(()) };
        if unknown > 0 {
            let what = match asked.detail {
                Detail::Slices => "their slices are not listed",
                Detail::None | Detail::Culprits | Detail::Events { .. } => "there is no data for them here",
            };
            store.notice(format!(
                "{}, the raw rows may be gone, and what is asked for was not kept: {what}",
                counted(unknown, "day of an objective is sealed", "days of objectives are sealed")
            ));
        }
        let in_error = |part: &&Part| part.runs.iter().any(|run| run.state == State::Error);
        // Of other kept days with errors nothing is taken: these are counted.
        let unblamed = match asked.detail {
            Detail::Culprits => prepared.kept.iter().filter(in_error).count(),
            Detail::None | Detail::Slices | Detail::Events { .. } => 0,
        };
        if unblamed > 0 {
            store.notice(format!(
                "of {} with slices in error it is not kept which endpoints and causes lost them: they are left out",
                counted(unblamed, "sealed day of an objective", "sealed days of objectives")
            ));
        }
        if cut > 0 {
            store.notice(
                "of parts of sealed UTC days the slices are known, and not how many events there were: good, total and \
                 assumed_seconds leave them out, objectives that are judged by events have no figure, and where data go \
                 on behind the part, last_data is its end"
                    .to_string(),
            );
        }
        Ok(())
    }

    /// Evaluates days of a raw table, and keeps them for good with all that later days need to know of them.
    ///
    /// `until` is the first day that is not sealed.
    pub async fn seal(&self, kind: TableKind, from: i32, until: i32) -> crate::Result<()> {
        let Some(store) = &self.store else { return Ok(()) };
        let (inputs, task) = (Arc::clone(self.inputs(kind)?), self.session.task_ctx());
        let asked = |from: i32, until: i32| Question {
            ranges: vec![Interval::new(i64::from(from) * DAY, i64::from(until) * DAY)],
            detail: Detail::None,
            selection: Selection::default(),
            composites: false,
            fresh: false,
            bare: false,
        };
        // First data and limits of months, of whatever is defined.
        let (mut known, mut new, mut indicated) = (self.known(None).await?, Vec::new(), HashMap::new());
        for objective in &self.definitions.objectives {
            for version in objective.versions.iter().filter(|version| depends_on_facts(&version.spec)) {
                if raw(version.spec.indicator.table())? == kind {
                    indicate(std::slice::from_ref(version), &mut indicated);
                }
            }
        }
        let found = self.facts(&indicated, &mut known, &mut new).await?;
        // Something is kept even if nothing is known, so that what is lost is told from what never was.
        let mut facts = vec![Fact {
            fact: SEALED,
            subject: kind.name().to_string(),
            period: String::new(),
            key: 0,
            value: Some(i64::from(until)),
            text: String::new(),
        }];
        for (hash, found) in &found {
            let said = indicated.get(hash).into_iter().flat_map(|indicated| &indicated.said);
            facts.extend(said.filter_map(|said| sealed_first(said, found)));
        }
        let all = asked(from, inputs.watermark.div_euclid(DAY) as i32 + 1);
        let subjects = self.subjects_with_limits(&all, &mut known, &mut new).await?;
        if kind == TableKind::Requests {
            facts.extend(self.sealed_limits(&inputs, &subjects, all.ranges[0], &known));
        }
        keep::put(store, &task, &[], &facts).await?;

        let mut day = from;
        while day < until {
            let next = (day + DAYS).min(until);
            let mut prepared = self.prepare(&asked(day, next)).await?;
            prepared.leaves.retain(|leaf| leaf.task.table == kind);
            let mut running = Running::start(&prepared.leaves, &task)?;
            let mut parts = running.all().await?;
            parts.append(&mut prepared.kept);
            let of_table = parts.iter().filter(|part| prepared.subjects[part.subject].table == kind);
            let days = of_table.map(|part| {
                let subject = prepared.subjects[part.subject].as_ref();
                let day = part.interval.start.saturating_sub(subject.shift()).div_euclid(DAY) as i32;
                NewDay { subject, day, key: keep::key(subject, &inputs, day), part, sealed: true }
            });
            let days: Vec<NewDay<'_>> = days.collect();
            keep::put(store, &task, &days, &[]).await?;
            day = next;
        }
        store.table(TableKind::SloDays).hold(kind, until).await?;
        Ok(())
    }

    /// Refuses derived tables in which sealed days, or what they depend on, are no longer.
    pub async fn sealed_are_there(&self) -> Result<()> {
        if self.has_sealed() {
            self.check_held().await?;
            self.known(None).await?;
        }
        Ok(())
    }

    /// Refuses an `slo_days` that is not the one in which days were sealed, or an older copy of it: what it lacks would be taken for
    /// days without data.
    pub async fn check_held(&self) -> Result<()> {
        let kept = self.snapshot(TableKind::SloDays).await?;
        for inputs in &self.inputs {
            let Some(sealed) = inputs.sealed.filter(|sealed| sealed.held) else { continue };
            let held = kept.as_ref().and_then(|kept| kept.holds_sealed(inputs.kind));
            if held.is_none_or(|held| held < sealed.until) {
                let until = NaiveDate::from_epoch_days(sealed.until).unwrap_or_default();
                let state = match held.and_then(NaiveDate::from_epoch_days) {
                    Some(held) => format!("holds them only before {held}: it is an older copy"),
                    None if kept.is_some() => "does not hold them: it is not the table that did".to_string(),
                    None => "is not there".to_string(),
                };
                return exec_err!(
                    "days of {} before {until} are sealed in slo_days, and slo_days {state}. Put it back from a backup",
                    inputs.kind.name()
                );
            }
        }
        Ok(())
    }

    /// For how many days a day of a raw table looks back to those before it, and the first day of which the rows must stay because
    /// limits of months to come follow from them.
    pub fn looks_back(&self, kind: TableKind) -> Result<(i32, Option<i32>), EngineError> {
        let inputs = self.inputs(kind)?;
        let (mut back, mut needed) = (0, None);
        for version in self.definitions.objectives.iter().flat_map(|objective| &objective.versions) {
            let spec = &version.spec;
            if raw(spec.indicator.table())? != kind {
                continue;
            }
            if let nines_slo::Indicator::Gauge { hold: Some(hold), .. } = &spec.indicator {
                back = back.max(((hold.0 + DAY - 1) / DAY) as i32);
            }
            if spec.indicator.baseline().is_some() && inputs.watermark != i64::MIN {
                let month = nines_slo::Month::of(inputs.watermark - 1, spec.time_zone);
                let start = month.and_then(|month| month.interval(spec.time_zone)).map(|month| month.start);
                let day = start.map(|start| start.div_euclid(DAY) as i32);
                needed = needed.into_iter().chain(day).min();
            }
        }
        Ok((back, needed))
    }
}

/// A piece of which nothing is known.
fn no_data(subject: usize, piece: &Piece) -> Part {
    let Interval { start, end, .. } = piece.interval;
    Part {
        subject,
        range: piece.range,
        interval: piece.interval,
        runs: [Run { start, end, state: State::NoData }].into(),
        good: 0,
        total: 0,
        ratio_sum: 0.0,
        ratios: 0,
        assumed: 0,
        last_data: None,
        between: None,
        uncounted: false,
        details: None,
    }
}
