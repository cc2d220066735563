//! A statement together with what its agreement says and how its figures came about: what all presentations share.

use std::borrow::Cow;

use crate::agreement::{Agreement, Covered, Terms};
use crate::credit::{Credit, Evidence, Fate, Judged, JudgedSlice, PartCredit, Workings, figure, parted};
use crate::statement::{IssuedStatement, StatementError};
use crate::words::{Clock, counted, long};

/// All figures of a statement.
pub(crate) struct Figured<'a> {
    statement: &'a IssuedStatement,
    figures: Vec<OneFigure<'a>>,
    decides: usize,
}

/// A figure with what it comes from.
struct OneFigure<'a> {
    metric: usize,
    covered: Covered<'a>,
    evidence: Cow<'a, Evidence>,
    credit: Cow<'a, Credit>,
}

/// One figure, and how it came about.
pub(crate) struct View<'a> {
    pub statement: &'a IssuedStatement,
    /// What was counted for it; all else is the statement's.
    pub evidence: &'a Evidence,
    /// The figure alone: only the statement's own credit knows amounts.
    pub credit: &'a Credit,
    /// As the figure's metric judges the period.
    pub covered: Covered<'a>,
    pub workings: Workings<'a>,
    pub clock: Clock,
}

impl<'a> Figured<'a> {
    /// Of a statement and the [`agreement`](IssuedStatement::agreement) that it carries.
    pub fn of(statement: &'a IssuedStatement, agreement: &'a Agreement) -> Result<Self, StatementError> {
        let covered = statement.covered(agreement)?;
        let mut figures = Vec::new();
        for part in parted(&covered, &statement.evidence)? {
            let credit = match covered.terms.has_parts() {
                false => Cow::Borrowed(&statement.credit),
                true => Cow::Owned(figure(&part.covered, &part.evidence)?.credit),
            };
            figures.push(OneFigure { metric: part.metric, covered: part.covered, evidence: part.evidence, credit });
        }
        let decides = statement.credit.parts.iter().position(|part| part.decides).unwrap_or_default();
        if decides >= figures.len() || covered.terms.has_parts() && figures.len() != statement.credit.parts.len() {
            return Err(StatementError::format("the evidence has other figures than the statement"));
        }
        Ok(Figured { statement, figures, decides })
    }

    /// The figure that decides.
    pub fn deciding(&self) -> Result<View<'_>, StatementError> {
        self.view(self.decides)
    }

    /// All figures, each with what the statement says of it where there are several.
    pub fn all(&self) -> impl Iterator<Item = Result<(View<'_>, Option<&PartCredit>), StatementError>> {
        let parts = &self.statement.credit.parts;
        (0..self.figures.len()).map(|at| Ok((self.view(at)?, parts.get(at))))
    }

    /// Of each metric the figure of the member with the largest credit, the lowest availability.
    pub fn by_metric(&self) -> Result<Vec<(View<'_>, Option<&PartCredit>)>, StatementError> {
        let mut found: Vec<(usize, View<'_>, Option<&PartCredit>)> = Vec::new();
        for (at, one) in self.figures.iter().enumerate() {
            let own = self.statement.credit.parts.get(at);
            let (view, order) = (self.view(at)?, |part: &PartCredit| (part.share.clone(), !part.kept));
            match found.last_mut().filter(|(metric, ..)| *metric == one.metric) {
                None => found.push((one.metric, view, own)),
                Some(last) => {
                    let is_worse = own.zip(last.2).is_some_and(|(own, best)| {
                        order(own) > order(best) || order(own) == order(best) && own.availability < best.availability
                    });
                    if is_worse {
                        *last = (one.metric, view, own);
                    }
                }
            }
        }
        Ok(found.into_iter().map(|(_, view, part)| (view, part)).collect())
    }

    fn view(&self, at: usize) -> Result<View<'_>, StatementError> {
        let OneFigure { covered, evidence, credit, .. } = &self.figures[at];
        let workings = Workings::of(covered, evidence)?;
        let clock = Clock::new(covered.terms.time_zone, covered.period.interval);
        Ok(View { statement: self.statement, evidence, credit, covered: *covered, workings, clock })
    }
}

impl<'a> View<'a> {
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
