//! A statement together with what its agreement says and how its figures came about: what all presentations share.

use crate::agreement::{Agreement, Covered, Terms};
use crate::credit::{Fate, Judged, JudgedSlice, Workings};
use crate::statement::{IssuedStatement, StatementError};
use crate::words::{Clock, counted, long};

pub(crate) struct View<'a> {
    pub statement: &'a IssuedStatement,
    pub covered: Covered<'a>,
    pub workings: Workings<'a>,
    pub clock: Clock,
}

impl<'a> View<'a> {
    /// Of a statement and the [`agreement`](IssuedStatement::agreement) that it carries.
    pub fn new(statement: &'a IssuedStatement, agreement: &'a Agreement) -> Result<Self, StatementError> {
        let covered = statement.covered(agreement)?;
        let workings = Workings::of(&covered, &statement.evidence)?;
        let clock = Clock::new(covered.terms.time_zone, covered.period.interval);
        Ok(View { statement, covered, workings, clock })
    }

    pub fn terms(&self) -> &'a Terms {
        self.covered.terms
    }

    /// Excluded time: in slices, where it is whole ones.
    pub fn excluded(&self, micros: i64) -> String {
        match micros % self.terms().slice {
            0 => counted(micros / self.terms().slice, "slice"),
            _ => long(micros),
        }
    }

    /// What became of slices.
    pub fn judged(&self) -> &Judged {
        &self.workings.judged
    }

    /// The slices that cost most, the worst first.
    pub fn worst(&self, most: usize) -> Vec<&JudgedSlice> {
        let mut counted: Vec<&JudgedSlice> = self.judged().with_fate(Fate::Counted).collect();
        let by_rate = self.terms().measure != crate::Measure::Occurrences;
        counted.sort_by(|a, b| {
            let rates = if by_rate { b.compared(a) } else { std::cmp::Ordering::Equal };
            rates.then(b.failed.cmp(&a.failed)).then(a.start.cmp(&b.start))
        });
        counted.truncate(most);
        counted
    }
}
