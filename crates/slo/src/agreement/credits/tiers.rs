//! What is credited below which availability: `[{below: 99.9%, percent: 10}, {atOrBelow: 99%, days: 3}]`.

use nines_timeline::Share;

use crate::agreement::credits::form::{Around, Figures, Form};
use crate::agreement::credits::value::CreditValue;
use crate::fields::{self, Fields};
use crate::fraction::Fraction;
use crate::mistake::Notes;
use crate::words::percent;
use crate::yaml::Node;

/// Descending bounds with ascending values; empty until they are agreed.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Tiers(pub Vec<Tier>);

/// A credit tier: applies where availability is below its bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Tier {
    /// The bound.
    pub below: Share,
    /// It applies at the bound as well.
    pub at_too: bool,
    /// What is credited.
    pub value: CreditValue,
}

impl Tier {
    fn applies(&self, availability: &Fraction) -> bool {
        let order = availability.cmp_share(self.below);
        order.is_lt() || self.at_too && order.is_eq()
    }

    fn bound(&self) -> String {
        let at = if self.at_too { "at or below" } else { "below" };
        format!("{at} {}", percent(self.below))
    }
}

impl Tiers {
    /// Which tier applies.
    pub(crate) fn applying(&self, availability: &Fraction) -> Option<usize> {
        self.0.iter().rposition(|tier| tier.applies(availability))
    }
}

impl Form for Tiers {
    fn share(&self, figures: Figures<'_>) -> Fraction {
        let tier = self.applying(figures.availability).and_then(|at| self.0.get(at));
        tier.map_or_else(Fraction::zero, |tier| tier.value.share(figures.days))
    }

    fn bounds(&self) -> Vec<(Share, bool)> {
        self.0.iter().map(|tier| (tier.below, tier.at_too)).collect()
    }

    fn clause(&self) -> String {
        if self.0.is_empty() {
            return "None are agreed yet".to_string();
        }
        let tiers: Vec<String> = self.0.iter().map(|tier| format!("{} {}", tier.value.words(), tier.bound())).collect();
        format!("{} of the fee base", tiers.join(", "))
    }

    fn workings(&self, figures: Figures<'_>) -> Vec<String> {
        let Some(first) = self.0.first() else { return vec!["No credits are agreed yet: 0 %.".to_string()] };
        let Some((at, tier)) = self.applying(figures.availability).and_then(|at| Some((at, self.0.get(at)?))) else {
            return vec![format!("The availability is not {}: no credit.", first.bound())];
        };
        let mut lines = vec![format!("The availability is {}: a credit of {}.", tier.bound(), tier.value.words())];
        lines.push(match self.0.get(at + 1) {
            Some(next) => {
                format!("It is not {}, where a credit of {} would begin.", next.bound(), next.value.words())
            }
            None => "There is no higher credit.".to_string(),
        });
        if let CreditValue::Days(days) = tier.value {
            lines.push(format!(
                "{days} of the period's {} days are {days}/{} of the fee base.",
                figures.days, figures.days
            ));
        }
        lines
    }
}

/// Reads the tiers: strictly descending bounds, none above the commitment, with strictly ascending values.
pub(super) fn read(fields: &Fields<'_>, around: Around, notes: &mut Notes<'_>) -> Option<Tiers> {
    let items = fields.list("credits", notes)?;
    if let ([], Some(node)) = (items, fields.get("credits")) {
        notes.warn(node.place, "no credits are agreed yet: every period's credit is 0", None);
    }
    let mut tiers: Vec<Tier> = Vec::new();
    for item in items {
        let Some(tier) = tier(item, notes) else { continue };
        match tiers.last() {
            None if around.commitment.is_some_and(|commitment| above(tier.below, commitment)) => {
                let reason = "the tier begins above the commitment: a credit would be due although it is kept";
                notes.error(item.place, reason);
            }
            None if tier.at_too && around.commitment == Some(tier.below) => {
                let reason = "the tier begins at the commitment: a credit would be due although it is just kept";
                notes.error_hint(item.place, reason, "write 'below' where the commitment itself is no miss");
            }
            Some(before)
                if !(above(before.below, tier.below)
                    || before.below == tier.below && before.at_too && !tier.at_too) =>
            {
                let hint = "tiers go from the highest bound down, as in [{below: 99.9%, percent: 10}, {below: 99%, \
                            percent: 25}]";
                let key = if tier.at_too { "atOrBelow" } else { "below" };
                notes.error_hint(item.place, format!("'{key}' is not lower than that of the tier before"), hint);
            }
            Some(before) if !ascends(before.value, tier.value, around.lengths) => {
                let hint = "the lower the availability, the higher the credit";
                let key = if matches!(tier.value, CreditValue::Days(_)) { "days" } else { "percent" };
                notes.error_hint(item.place, format!("'{key}' is not higher than that of the tier before"), hint);
            }
            _ => {}
        }
        tiers.push(tier);
    }
    Some(Tiers(tiers))
}

/// Whether a value is higher than the one before, in the shortest period and in the longest.
fn ascends(before: CreditValue, value: CreditValue, lengths: [u32; 2]) -> bool {
    lengths.into_iter().all(|days| before.share(days) < value.share(days))
}

fn tier(node: &Node, notes: &mut Notes<'_>) -> Option<Tier> {
    let fields = Fields::read(node, "the tier", &["below", "atOrBelow", "percent", "days"], notes)?;
    let (bound, key) = match (fields.get("below"), fields.get("atOrBelow")) {
        (Some(_), Some(node)) => {
            notes.error(node.place, "'below' and 'atOrBelow' cannot both stand here: a tier has one bound");
            return None;
        }
        (None, Some(node)) => (Some(node), "atOrBelow"),
        (_, None) => (fields.need("below", notes), "below"),
    };
    let below = bound.and_then(|node| fields::share(node, key, notes));
    let value = CreditValue::read(&fields, notes);
    if let (Some(0), Some(node), "below") = (below.map(|below| below.numerator()), bound, key) {
        notes.error(node.place, "'below' must be above 0: no availability is lower");
        return None;
    }
    Some(Tier { below: below?, at_too: key == "atOrBelow", value: value? })
}

fn above(one: Share, other: Share) -> bool {
    let product = |a: Share, b: Share| u128::from(a.numerator()) * u128::from(b.denominator());
    product(one, other) > product(other, one)
}
