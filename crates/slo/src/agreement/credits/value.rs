//! What a tier or a step is worth: a percent of the fee base, or days of it.

use nines_timeline::Share;

use crate::fields::{self, Fields};
use crate::fraction::Fraction;
use crate::mistake::Notes;
use crate::words::{counted, percent};
use crate::yaml::Node;

/// A part of the fee base.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CreditValue {
    /// A share of it.
    Percent(Share),
    /// Of so many days: days ÷ days of the period.
    Days(u32),
}

impl CreditValue {
    /// As a share of the fee base of a period of so many days.
    pub fn share(self, days: u32) -> Fraction {
        match self {
            CreditValue::Percent(share) => Fraction::from(share),
            CreditValue::Days(own) => Fraction::new(own, days),
        }
    }

    pub(crate) fn words(self) -> String {
        match self {
            CreditValue::Percent(share) => percent(share),
            CreditValue::Days(days) => counted(days.into(), "day"),
        }
    }

    /// `percent` or `days`, just one of which must be there.
    pub(crate) fn read(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Self> {
        match (fields.get("percent"), fields.get("days")) {
            (Some(node), None) => percent_of(node, "percent", notes).map(CreditValue::Percent),
            (None, Some(_)) => {
                let read = |text: &str| {
                    let days = text.parse::<u32>().ok().filter(|days| (1..=366).contains(days));
                    days.ok_or_else(|| format!("expected a number of days from 1 to 366, got '{text}'"))
                };
                fields.parse("days", notes, read).map(CreditValue::Days)
            }
            (None, None) => {
                fields.need("percent", notes);
                None
            }
            (Some(_), Some(node)) => {
                notes.error(node.place, "'percent' and 'days' cannot both stand here: the credit is one of them");
                None
            }
        }
    }
}

/// A number of percent, with or without its sign.
pub(crate) fn percent_of(node: &Node, name: &str, notes: &mut Notes<'_>) -> Option<Share> {
    let text = fields::text(node, name, notes)?;
    let share = format!("{}%", text.trim_end().trim_end_matches('%')).parse().ok();
    if share.is_none() {
        notes.error(node.place, format!("'{name}' must be a number from 0 to 100, got {text}"));
    }
    let is_written = text.trim_end().ends_with('%');
    if let Some(share) = share.filter(|share| !is_written && is_below_one_percent(*share)) {
        let reason = format!("'{name}: {text}' is {text} %, less than one percent of the fee");
        let hint = format!("write {text}% if that is right, {} for a share of {text}", hundred_times(share));
        notes.warn(node.place, reason, Some(&hint));
    }
    share
}

fn is_below_one_percent(share: Share) -> bool {
    share.numerator() > 0 && u128::from(share.numerator()) * 100 < u128::from(share.denominator())
}

/// The share that somebody may have written instead of a number of percent, as a number of percent.
fn hundred_times(share: Share) -> String {
    let percent = share.numerator() as f64 * 10_000.0 / share.denominator() as f64;
    ((percent * 1e6).round() / 1e6).to_string()
}
