//! `credits` and `cap`: what is credited below which availability.

use nines_timeline::Share;

use crate::agreement::terms::Tier;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::yaml::Node;

/// Reads the tiers: strictly descending bounds, none above the commitment, with strictly ascending percents.
pub(crate) fn tiers(fields: &Fields<'_>, commitment: Option<Share>, notes: &mut Notes<'_>) -> Option<Vec<Tier>> {
    if fields.get("credits").is_none() {
        let reason = "missing field 'credits' in the agreement's spec";
        notes.error_hint(fields.place, reason, "write credits: [] until they are agreed");
        return None;
    }
    let items = fields.list("credits", notes)?;
    if let ([], Some(node)) = (items, fields.get("credits")) {
        notes.warn(node.place, "no credits are agreed yet: every period's credit is 0", None);
    }
    let mut tiers: Vec<Tier> = Vec::new();
    for item in items {
        let Some(tier) = tier(item, notes) else { continue };
        match tiers.last() {
            None if commitment.is_some_and(|commitment| above(tier.below, commitment)) => {
                let reason = "the tier begins above the commitment: a credit would be due although it is kept";
                notes.error(item.place, reason);
            }
            Some(before) if !above(before.below, tier.below) => {
                let hint = "tiers go from the highest bound down, as in [{below: 99.9%, percent: 10}, {below: 99%, \
                            percent: 25}]";
                notes.error_hint(item.place, "'below' is not lower than that of the tier before", hint);
            }
            Some(before) if !above(tier.percent, before.percent) => {
                let hint = "the lower the availability, the higher the credit";
                notes.error_hint(item.place, "'percent' is not higher than that of the tier before", hint);
            }
            _ => {}
        }
        tiers.push(tier);
    }
    Some(tiers)
}

fn tier(node: &Node, notes: &mut Notes<'_>) -> Option<Tier> {
    let fields = Fields::read(node, "the tier", &["below", "percent"], notes)?;
    let below = fields.need("below", notes).and_then(|node| fields::share(node, "below", notes));
    let percent = fields.need("percent", notes).and_then(|node| percent(node, "percent", notes));
    if let (Some(0), Some(node)) = (below.map(|below| below.numerator()), fields.get("below")) {
        notes.error(node.place, "'below' must be above 0: no availability is lower");
        return None;
    }
    Some(Tier { below: below?, percent: percent? })
}

/// `cap`: the most that is credited.
pub(crate) fn cap(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Share> {
    let node = fields.get("cap")?;
    let written = node.text().is_some_and(|text| text.trim_end().ends_with('%'));
    if !written {
        notes.error_hint(node.place, format!("'cap' must be a percent, got {}", node.what()), "such as cap: 50%");
        return None;
    }
    percent(node, "cap", notes)
}

/// A number of percent, with or without its sign.
fn percent(node: &Node, name: &str, notes: &mut Notes<'_>) -> Option<Share> {
    let text = fields::text(node, name, notes)?;
    let share = format!("{}%", text.trim_end().trim_end_matches('%')).parse().ok();
    if share.is_none() {
        notes.error(node.place, format!("'{name}' must be a number from 0 to 100, got {text}"));
    }
    share
}

fn above(one: Share, other: Share) -> bool {
    let product = |a: Share, b: Share| u128::from(a.numerator()) * u128::from(b.denominator());
    product(one, other) > product(other, one)
}
