//! What was counted of a case, run of days after run of days.
//!
//! A day that is over is compacted to what decides. A slice that lies in two days is compacted with the second; where that is
//! counted by another partition, both halves wait here until the partitions are joined.

use std::sync::Arc;

use datafusion::common::exec_datafusion_err;
use datafusion::error::Result;
use nines_slo::{Counts, Evidence, Measured};

use super::case::Case;

/// What was counted of a case.
#[derive(Debug)]
pub(super) struct Counted {
    pub case: Arc<Case>,
    /// The end of a slice that begins before all of it, its counts.
    pub head: Vec<Counts>,
    /// Slices that decide, by start.
    pub slices: Vec<Counts>,
    /// Valid requests of the judged slices that are not listed.
    pub other_valid: i64,
    /// What bounds need of the others.
    pub measured: Measured,
    /// The beginning of a slice that goes on after all of it, its counts.
    pub tail: Vec<Counts>,
}

impl Counted {
    /// A case of which nothing was counted.
    pub fn nothing(case: Arc<Case>) -> Self {
        let measured = Measured::default();
        Counted { case, head: Vec::new(), slices: Vec::new(), other_valid: 0, measured, tail: Vec::new() }
    }

    /// Takes slices that are counted whole, by start, after all that was taken before.
    pub fn take(&mut self, slices: Vec<Counts>) -> Result<()> {
        let case = Arc::clone(&self.case);
        let whole = Evidence { slices, ..case.bare.clone() };
        let (kept, measured) = whole.compacted(&case.covered()).map_err(|error| wrong(&case, &error))?;
        self.append(kept.slices, kept.other_valid, measured)
    }

    /// Takes what the next partition counted, of later days.
    pub fn join(&mut self, new: Counted) -> Result<()> {
        let mut between: Vec<Counts> = std::mem::take(&mut self.tail).into_iter().chain(new.head).collect();
        sort(&mut between)?;
        if !between.is_empty() {
            self.take(between)?;
        }
        self.append(new.slices, new.other_valid, new.measured)?;
        self.tail = new.tail;
        Ok(())
    }

    /// Nothing comes after what was taken.
    pub fn finish(&mut self) -> Result<()> {
        match std::mem::take(&mut self.tail) {
            tail if tail.is_empty() => Ok(()),
            tail => self.take(tail),
        }
    }

    fn append(&mut self, slices: Vec<Counts>, other_valid: i64, measured: Measured) -> Result<()> {
        let case = Arc::clone(&self.case);
        self.slices.extend(slices);
        let sum = self.other_valid.checked_add(other_valid);
        self.other_valid =
            sum.ok_or_else(|| exec_datafusion_err!("{}: more requests than can be counted", case.service))?;
        self.measured.then(measured, &case.covered(), &case.bare).map_err(|error| wrong(&case, &error))
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
    let mut apart: Vec<Counts> = Vec::with_capacity(counts.len());
    for &new in counts.iter() {
        add(&mut apart, new)?;
    }
    *counts = apart;
    Ok(())
}
