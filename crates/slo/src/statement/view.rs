//! A statement together with what its agreement says and how its figures came about: what all presentations share.

use crate::agreement::{Agreement, Covered, Terms};
use crate::credit::{Counts, Workings};
use crate::statement::judged::{Fate, Judged};
use crate::statement::words::Clock;
use crate::statement::{IssuedStatement, StatementError};

pub(crate) struct View<'a> {
    pub statement: &'a IssuedStatement,
    pub covered: Covered<'a>,
    pub workings: Workings<'a>,
    pub clock: Clock,
    pub judged: Judged,
}

impl<'a> View<'a> {
    /// Of a statement and the [`agreement`](IssuedStatement::agreement) that it carries.
    pub fn new(statement: &'a IssuedStatement, agreement: &'a Agreement) -> Result<Self, StatementError> {
        let covered = statement.covered(agreement)?;
        let workings = Workings::of(&covered, &statement.evidence)?;
        let judged = Judged::of(&covered, &statement.evidence, &workings.special);
        let clock = Clock::new(covered.terms.time_zone, covered.period.interval);
        Ok(View { statement, covered, workings, clock, judged })
    }

    pub fn terms(&self) -> &'a Terms {
        self.covered.terms
    }

    /// The slices that cost most, the worst first.
    pub fn worst(&self, most: usize) -> Vec<Counts> {
        let mut counted: Vec<Counts> = self.judged.with_fate(Fate::Counted).collect();
        counted.sort_by(|a, b| {
            let product = |one: &Counts, other: &Counts| i128::from(one.failed) * i128::from(other.valid);
            let by_rate = product(b, a).cmp(&product(a, b));
            let by_failed = b.failed.cmp(&a.failed);
            let first = if self.terms().measure == crate::Measure::Occurrences { by_failed } else { by_rate };
            first.then(by_failed).then(a.start.cmp(&b.start))
        });
        counted.truncate(most);
        counted
    }
}
