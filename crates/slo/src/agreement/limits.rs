//! What limits an amount: the cap, the least that is paid out, and how amounts are rounded.

use nines_timeline::Share;

use crate::agreement::credits::percent_of;
use crate::fields::{self, Fields};
use crate::fraction::{Fraction, Rounding};
use crate::mistake::Notes;
use crate::money;
use crate::yaml::{Node, Value};

/// The most that is credited for a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cap {
    /// A share of the fee base.
    Share(Share),
    /// Money, for those who pay in its currency.
    Money(Money),
}

/// An amount of money.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Money {
    /// In 10⁻⁶ of the currency's unit.
    pub amount: i128,
    /// ISO 4217.
    pub currency: String,
}

/// How a figure is rounded before it decides: `2, half-up`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Rounded {
    /// Decimal places: of a percent for an availability, of the currency's unit for an amount.
    pub places: u32,
    /// What becomes of what is between.
    pub mode: Rounding,
}

impl Rounded {
    /// An availability, rounded to so many places of a percent.
    pub(crate) fn availability(self, availability: &Fraction) -> Fraction {
        let scale = 100 * 10u64.pow(self.places);
        Fraction::new(availability.rounded_by(self.mode, scale), scale)
    }
}

/// The most places that are taken.
const PLACES: u32 = 6;

/// `round` and `roundAmount`: places and how.
pub(crate) fn rounded(name: &'static str, fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Rounded> {
    fields.parse(name, notes, |text| {
        let wrong = || {
            format!("expected decimal places from 0 to {PLACES} and half-up, half-even or down, as in 2, half-up; got '{text}'")
        };
        let (places, mode) = text.split_once(',').ok_or_else(wrong)?;
        let places = places.trim().parse().ok().filter(|places| *places <= PLACES).ok_or_else(wrong)?;
        let mode = match mode.trim() {
            "half-up" => Rounding::HalfUp,
            "half-even" => Rounding::HalfEven,
            "down" => Rounding::Down,
            _ => return Err(wrong()),
        };
        Ok(Rounded { places, mode })
    })
}

/// `cap`: a percent, or money.
pub(crate) fn cap(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Cap> {
    let node = fields.get("cap")?;
    let hint = "such as cap: 50%, or cap: 1000.00 EUR";
    let Some(text) = node.text() else {
        notes.error_hint(node.place, format!("'cap' must be a percent or money, got {}", node.what()), hint);
        return None;
    };
    if text.trim_end().ends_with('%') {
        return percent_of(node, "cap", notes).map(Cap::Share);
    }
    if !text.trim().contains(' ') {
        notes.error_hint(node.place, format!("'cap' must be a percent or money, got {}", node.what()), hint);
        return None;
    }
    fields.parse("cap", notes, money::read).map(|(amount, currency)| Cap::Money(Money { amount, currency }))
}

/// `minPayout`: money, or a list of it, one for each currency.
pub(crate) fn min_payout(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Vec<Money>> {
    let Some(node) = fields.get("minPayout") else { return Some(Vec::new()) };
    let mut found: Vec<Money> = Vec::new();
    let items: &[Node] = match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    };
    for item in items {
        let text = fields::text(item, "minPayout", notes)?;
        match money::read(text) {
            Err(error) => notes.error(item.place, format!("'minPayout': {error}")),
            Ok((_, currency)) if found.iter().any(|own| own.currency == currency) => {
                notes.error(item.place, format!("'minPayout' names {currency} twice"));
            }
            Ok((amount, currency)) => found.push(Money { amount, currency }),
        }
    }
    Some(found)
}
