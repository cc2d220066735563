//! What was counted of a case, run of days after run of days.
//!
//! A day that is over is compacted to what decides. A slice that lies in two days is compacted with the second; where that is
//! counted by another partition, both halves wait here until the partitions are joined.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use nines_slo::{Compacted, Counts, Join};

use super::case::Case;

/// What was counted of a member, by its name.
pub(super) type OfMember = (Arc<str>, Vec<Counts>);

/// What was counted for a figure of a case.
#[derive(Debug)]
pub(super) struct Counted {
    pub case: Arc<Case>,
    /// Which metric.
    pub metric: usize,
    /// Whether only that counts as slower than a limit which is so for sure.
    pub surely: bool,
    /// Whose figure it is; empty where members count together.
    pub member: Arc<str>,
    /// Requests of which it was asked whether they took too long, and that carry no latency.
    pub without_latency: i64,
    /// The end of a slice that begins before all of it, its counts.
    pub head: Vec<OfMember>,
    /// What is kept of slices that were counted whole.
    pub kept: Compacted,
    /// The beginning of a slice that goes on after all of it, its counts.
    pub tail: Vec<OfMember>,
}

impl Counted {
    /// A figure for which nothing was counted.
    pub fn nothing(case: Arc<Case>, (metric, surely): (usize, bool), member: Arc<str>) -> Self {
        Counted {
            case,
            metric,
            surely,
            member,
            without_latency: 0,
            head: Vec::new(),
            kept: Compacted::default(),
            tail: Vec::new(),
        }
    }

    /// Takes slices that are counted whole, of each member by start, after all that was taken before.
    pub fn take(&mut self, members: &[(&str, &[Counts])]) -> Result<()> {
        let (covered, compactor) = self.case.metric(self.metric);
        let joins = covered.terms.each.as_ref().is_some_and(|each| each.join != Join::Worst);
        let taken = match (joins, members) {
            (false, [(_, counts)]) => compactor.take(&covered, counts, &mut self.kept),
            _ => {
                compactor.joined(&covered, members).and_then(|counts| compactor.take(&covered, &counts, &mut self.kept))
            }
        };
        taken.map_err(|error| wrong(&self.case, &error))
    }

    /// Takes what the next partition counted, of later days.
    pub fn join(&mut self, new: Counted) -> Result<()> {
        let halves = std::mem::take(&mut self.tail).into_iter().chain(new.head);
        self.take_halves(halves)?;
        let (covered, compactor) = self.case.metric(self.metric);
        let joined = compactor.join(&covered, &mut self.kept, new.kept);
        joined.map_err(|error| wrong(&self.case, &error))?;
        self.tail = new.tail;
        self.without_latency = self.without_latency.saturating_add(new.without_latency);
        Ok(())
    }

    /// Nothing comes after what was taken.
    pub fn finish(&mut self) -> Result<()> {
        let tail = std::mem::take(&mut self.tail);
        self.take_halves(tail.into_iter())
    }

    fn take_halves(&mut self, halves: impl Iterator<Item = OfMember>) -> Result<()> {
        let mut by_member: BTreeMap<Arc<str>, Vec<Counts>> = BTreeMap::new();
        halves.for_each(|(member, counts)| by_member.entry(member).or_default().extend(counts));
        by_member.values_mut().try_for_each(sort)?;
        match by_member.is_empty() {
            true => Ok(()),
            false => {
                self.take(&by_member.iter().map(|(name, counts)| (&**name, counts.as_slice())).collect::<Vec<_>>())
            }
        }
    }
}

fn wrong(case: &Case, error: &nines_slo::CreditError) -> datafusion::error::DataFusionError {
    exec_datafusion_err!("{} of '{}': {error}", case.service, case.customer)
}

/// Adds counts to the last ones of the same slice, else beside them.
pub(super) fn add(counts: &mut Vec<Counts>, new: Counts) -> Result<()> {
    match counts.last_mut() {
        Some(last) if last.start == new.start => merge(last, new),
        _ => {
            // A list for each case is held at once: each grows by an eighth, not to twice its length.
            if counts.len() == counts.capacity() {
                counts.reserve_exact((counts.len() / 8).max(16));
            }
            counts.push(new);
            Ok(())
        }
    }
}

fn merge(into: &mut Counts, new: Counts) -> Result<()> {
    let sum = |a: i64, b: i64| {
        a.checked_add(b).ok_or_else(|| exec_datafusion_err!("the requests of a slice add up to more than 64 bits hold"))
    };
    (into.valid, into.failed) = (sum(into.valid, new.valid)?, sum(into.failed, new.failed)?);
    Ok(())
}

/// By start, each slice once.
pub(super) fn sort(counts: &mut Vec<Counts>) -> Result<()> {
    counts.sort_by_key(|counts| counts.start);
    // Where the next one that is apart goes.
    let mut apart = 0;
    for at in 1..counts.len() {
        let new = counts[at];
        if counts[apart].start == new.start {
            merge(&mut counts[apart], new)?;
        } else {
            apart += 1;
            counts[apart] = new;
        }
    }
    counts.truncate(apart + 1);
    Ok(())
}
