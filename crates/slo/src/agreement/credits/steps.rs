//! A share for each so much downtime: `{per: 30m, of: downtime, after: 1h, round: up, percent: 5, atMost: 1 per day}`.

use nines_timeline::Share;

use crate::agreement::credits::downtime::Downtime;
use crate::agreement::credits::form::{Around, Figures, Form};
use crate::agreement::credits::value::CreditValue;
use crate::duration;
use crate::fields::Fields;
use crate::fraction::Fraction;
use crate::mistake::Notes;
use crate::words::{counted, length, long, percent_of};
use crate::yaml::Node;

/// So much for each step of downtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Steps {
    /// Length of a step in µs.
    pub per: i64,
    /// Of what.
    pub of: StepOf,
    /// µs for which nothing is credited; 0 without.
    pub after: i64,
    /// What becomes of a step that is not whole.
    pub round: WholeSteps,
    /// What a step is worth.
    pub value: CreditValue,
    /// How many steps count of those that fall on a local day: the day on which a step is completed, or begun where
    /// begun ones count.
    pub at_most_per_day: Option<u32>,
}

/// Of what steps are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StepOf {
    /// All downtime of the period.
    Downtime,
    /// Each outage by itself.
    Outage,
}

/// Which steps count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WholeSteps {
    /// Those that are completed.
    Completed,
    /// Those that are begun.
    Begun,
}

impl Steps {
    /// How many steps so many µs of downtime come to.
    pub(super) fn reached(&self, time: i64) -> i64 {
        let beyond = (time - self.after).max(0);
        match self.round {
            WholeSteps::Completed => beyond / self.per,
            WholeSteps::Begun => beyond / self.per + i64::from(beyond % self.per != 0),
        }
    }

    /// The steps of a period, before and after what counts of a day at most.
    fn counted(&self, figures: Figures<'_>) -> (i64, i64) {
        let by_day: Vec<i64> = match self.of {
            StepOf::Outage => figures.downtime.steps_by_day().map(|(_, steps)| steps).collect(),
            StepOf::Downtime => {
                let mut time = 0;
                let days = figures.downtime.time_by_day().map(|(_, micros)| {
                    let before = self.reached(time);
                    time += micros;
                    self.reached(time) - before
                });
                days.collect()
            }
        };
        let most = self.at_most_per_day.map_or(i64::MAX, i64::from);
        (by_day.iter().sum(), by_day.iter().map(|steps| most.min(*steps)).sum())
    }
}

impl Form for Steps {
    fn share(&self, figures: Figures<'_>) -> Fraction {
        let (_, steps) = self.counted(figures);
        self.value.share(figures.days).times(steps.unsigned_abs(), 1)
    }

    fn bounds(&self) -> Vec<(Share, bool)> {
        Vec::new()
    }

    fn clause(&self) -> String {
        let (each, of) = match (self.round, self.of) {
            (WholeSteps::Completed, StepOf::Downtime) => ("each whole", "downtime"),
            (WholeSteps::Begun, StepOf::Downtime) => ("each begun", "downtime"),
            (WholeSteps::Completed, StepOf::Outage) => ("each whole", "an outage"),
            (WholeSteps::Begun, StepOf::Outage) => ("each begun", "an outage"),
        };
        let after = match self.after {
            0 => String::new(),
            after => format!(" beyond {}", length(after)),
        };
        let most = self.at_most_per_day.map_or_else(String::new, |most| {
            let falls = if self.round == WholeSteps::Completed { "completed" } else { "begun" };
            format!("; at most {} of those {falls} on a local day", counted(most.into(), "step"))
        });
        format!("{} of the fee base for {each} {} of {of}{after}{most}", self.value.words(), length(self.per))
    }

    fn workings(&self, figures: Figures<'_>) -> Vec<String> {
        let Downtime { time, outages, .. } = figures.downtime;
        let (all, steps) = self.counted(figures);
        let kind = if self.round == WholeSteps::Completed { "whole" } else { "begun" };
        let each = if self.of == StepOf::Outage { ", each outage by itself" } else { "" };
        let after = if self.after == 0 { String::new() } else { format!(" beyond {}", length(self.after)) };
        let mut lines = vec![format!(
            "{} of downtime in {}: {} of {}{after} that {} {kind}{each}.",
            long(*time),
            counted(*outages, "outage"),
            counted(all, "step"),
            length(self.per),
            if all == 1 { "is" } else { "are" },
        )];
        if let Some(most) = self.at_most_per_day.filter(|_| all != steps) {
            lines.push(format!("At most {} of a local day: {}.", counted(most.into(), "step"), counted(steps, "step")));
        }
        let share = self.share(figures);
        let value = self.value.share(figures.days);
        lines.push(format!("{} × {} = {} of the fee base.", steps, percent_of(&value), percent_of(&share)));
        lines
    }
}

/// Reads the mapping.
pub(super) fn read(node: &Node, around: Around, notes: &mut Notes<'_>) -> Option<Steps> {
    let keys = ["per", "of", "after", "round", "percent", "days", "atMost"];
    let fields = Fields::read(node, "the steps of credits", &keys, notes)?;
    let per = fields.parse("per", notes, |text| duration::micros(text, duration::SPAN));
    let words = [("downtime", StepOf::Downtime), ("outage", StepOf::Outage)];
    let of = fields.need("of", notes).and_then(|_| fields.word("of", &words, notes));
    let after = match fields.get("after") {
        None => Some(0),
        Some(_) => fields.parse("after", notes, |text| duration::micros(text, duration::SPAN)),
    };
    let words = [("down", WholeSteps::Completed), ("up", WholeSteps::Begun)];
    let round = fields.need("round", notes).and_then(|_| fields.word("round", &words, notes));
    let value = CreditValue::read(&fields, notes);
    let at_most_per_day = match fields.get("atMost") {
        None => None,
        Some(_) => Some(fields.parse("atMost", notes, per_day)?),
    };
    if let Some(measure) = around.without_outages {
        let hint = "with measure: Downtime";
        let reason = format!("steps are of downtime, which {measure} does not measure");
        notes.error_hint(node.place, reason, hint);
        return None;
    }
    Some(Steps { per: per?, of: of?, after: after?, round: round?, value: value?, at_most_per_day })
}

/// `1 per day`.
fn per_day(text: &str) -> Result<u32, String> {
    let number = text.strip_suffix("per day").map(str::trim).and_then(|number| number.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("expected a number of steps such as 1 per day, got '{text}'"))
}
