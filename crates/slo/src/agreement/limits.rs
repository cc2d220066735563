//! What limits an amount: the cap, the least that is paid out, and how amounts are rounded.

use nines_timeline::Share;

use crate::agreement::credits::percent_of;
use crate::fields::{self, Fields};
use crate::fraction::{Fraction, Rounding};
use crate::mistake::Notes;
use crate::money;
use crate::words::{counted, money as shown, percent};
use crate::yaml::{Node, Value};

/// The most that is credited for a period.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Cap {
    /// A share of the fee base.
    Share(Share),
    /// Money, for those who pay in its currency.
    Money(Money),
}

/// The most that is credited for the periods that begin in one calendar year.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum YearCap {
    /// A share of a period's fee base: of that which is credited last.
    Share(Share),
    /// So many of its fee bases.
    Fees(u32),
    /// Money, for those who pay in its currency.
    Money(Money),
}

impl YearCap {
    /// In fee bases of a period; `None` where it is money.
    pub(crate) fn fees(&self) -> Option<Fraction> {
        match self {
            YearCap::Share(share) => Some(Fraction::from(*share)),
            YearCap::Fees(fees) => Some(Fraction::new(*fees, 1u8)),
            YearCap::Money(_) => None,
        }
    }

    /// `2 fees`.
    pub(crate) fn words(&self) -> String {
        match self {
            YearCap::Share(share) => format!("{} of the fee base", percent(*share)),
            YearCap::Fees(fees) => format!("{} of a period", counted((*fees).into(), "fee base")),
            YearCap::Money(most) => shown(most.amount, &most.currency),
        }
    }
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

/// `cap`: a percent or money of a period, or a mapping of what is the most of a period and of a year.
pub(crate) fn caps(fields: &Fields<'_>, notes: &mut Notes<'_>) -> (Option<Cap>, Option<YearCap>) {
    match fields.get("cap") {
        Some(node) if matches!(node.value, Value::Map(_)) => {
            let Some(own) = Fields::read(node, "cap", &["period", "year"], notes) else { return (None, None) };
            if own.get("period").is_none() && own.get("year").is_none() {
                notes.error_hint(node.place, "'cap' says nothing", "such as cap: {period: 50%, year: 2 fees}");
            }
            (cap(&own, "period", notes), year_cap(&own, notes))
        }
        _ => (cap(fields, "cap", notes), None),
    }
}

fn cap(fields: &Fields<'_>, name: &'static str, notes: &mut Notes<'_>) -> Option<Cap> {
    let node = fields.get(name)?;
    let text = node.text().unwrap_or_default().trim();
    if text.ends_with('%') {
        return percent_of(node, name, notes).map(Cap::Share);
    }
    if !text.contains(' ') {
        let hint = "such as cap: 50%, cap: 1000.00 EUR, or cap: {period: 50%, year: 2 fees}";
        notes.error_hint(node.place, format!("'{name}' must be a percent or money, got {}", node.what()), hint);
        return None;
    }
    fields.parse(name, notes, money::read).map(|(amount, currency)| Cap::Money(Money { amount, currency }))
}

/// More would never be reached: a period's credit is no more than its fee.
const FEES: u32 = 11;

/// `year` of `cap`: a percent, fees, or money.
fn year_cap(cap: &Fields<'_>, notes: &mut Notes<'_>) -> Option<YearCap> {
    let node = cap.get("year")?;
    let text = node.text().unwrap_or_default().trim();
    if text.ends_with('%') {
        return percent_of(node, "year", notes).map(YearCap::Share);
    }
    match text.split_once(' ') {
        Some((number, "fee" | "fees")) => {
            let fees = number.parse().ok().filter(|fees| (1..=FEES).contains(fees));
            if fees.is_none() {
                notes.error(node.place, format!("expected whole fees from 1 to {FEES}, such as 2 fees; got '{text}'"));
            }
            fees.map(YearCap::Fees)
        }
        Some(_) => {
            cap.parse("year", notes, money::read).map(|(amount, currency)| YearCap::Money(Money { amount, currency }))
        }
        None => {
            let hint = "such as cap: {year: 100%}, cap: {year: 2 fees}, or cap: {year: 1000.00 EUR}";
            notes.error_hint(node.place, format!("'year' must be a percent, fees or money, got {}", node.what()), hint);
            None
        }
    }
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
