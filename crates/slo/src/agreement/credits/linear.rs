//! In proportion to what was not available: `{times: 1, of: unavailability}`.

use nines_timeline::Share;

use crate::agreement::credits::form::{Figures, Form};
use crate::fields::Fields;
use crate::fraction::Fraction;
use crate::mistake::Notes;
use crate::words::{fraction, percent, percent_of, places};
use crate::yaml::Node;

/// A multiple of what was not available.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Linear {
    /// How many times.
    pub times: Fraction,
    /// Of what.
    pub of: Shortfall,
}

/// What was not available.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Shortfall {
    /// 1 − availability, where the commitment was missed.
    Unavailability,
    /// Commitment − availability.
    BelowCommitment,
}

impl Linear {
    fn missing(&self, figures: Figures<'_>) -> Fraction {
        if !figures.availability.is_below(figures.commitment) {
            return Fraction::zero();
        }
        match self.of {
            Shortfall::Unavailability => Fraction::one().less(figures.availability),
            Shortfall::BelowCommitment => Fraction::from(figures.commitment).less(figures.availability),
        }
    }
}

impl Form for Linear {
    fn share(&self, figures: Figures<'_>) -> Fraction {
        self.missing(figures).product(&self.times)
    }

    fn bounds(&self) -> Vec<(Share, bool)> {
        Vec::new()
    }

    fn clause(&self) -> String {
        let of = match self.of {
            Shortfall::Unavailability => "1 − availability",
            Shortfall::BelowCommitment => "commitment − availability",
        };
        format!("{} × ({of}) of the fee base, if the commitment is missed", places(&self.times, 6))
    }

    fn workings(&self, figures: Figures<'_>) -> Vec<String> {
        if !figures.availability.is_below(figures.commitment) {
            return vec![format!("The commitment of {} is kept: no credit.", percent(figures.commitment))];
        }
        let from = match self.of {
            Shortfall::Unavailability => "1".to_string(),
            Shortfall::BelowCommitment => percent(figures.commitment),
        };
        let (missing, share) = (self.missing(figures), self.share(figures));
        vec![format!(
            "{} × ({from} − availability) = {} × {} = {} of the fee base, about {}.",
            places(&self.times, 6),
            places(&self.times, 6),
            fraction(&missing),
            fraction(&share),
            percent_of(&share)
        )]
    }
}

/// Reads the mapping.
pub(super) fn read(node: &Node, notes: &mut Notes<'_>) -> Option<Linear> {
    let fields = Fields::read(node, "the linear credits", &["times", "of"], notes)?;
    let times = fields.parse("times", notes, times);
    let words = [("unavailability", Shortfall::Unavailability), ("shortfall", Shortfall::BelowCommitment)];
    let of = fields.need("of", notes).and_then(|_| fields.word("of", &words, notes));
    Some(Linear { times: times?, of: of? })
}

/// A positive decimal, exactly.
fn times(text: &str) -> Result<Fraction, String> {
    let wrong = || format!("expected a number such as 1 or 2.5, got '{text}'");
    let (whole, rest) = text.trim().split_once('.').unwrap_or((text.trim(), ""));
    let digits = format!("{whole}{rest}");
    if whole.is_empty() || digits.len() > 15 || rest.len() > 6 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(wrong());
    }
    let number: u64 = digits.parse().map_err(|_| wrong())?;
    if number == 0 { Err(wrong()) } else { Ok(Fraction::new(number, 10u64.pow(rest.len() as u32))) }
}
