//! `exclusions`: what the party does not answer for.

use crate::agreement::clauses::months;
use crate::agreement::terms::{Allowance, Exclude, Granularity, Notice};
use crate::duration;
use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::yaml::{Node, Value};

/// What is excluded, and how.
pub(crate) struct Exclusions {
    pub categories: Vec<Exclude>,
    pub granularity: Granularity,
    pub bridge: bool,
}

/// Reads categories, a list of them or `{categories: […], granularity: slice, bridge: true}`; each is a name or `{category,
/// announced: before}`.
pub(crate) fn exclusions(fields: &Fields<'_>, notes: &mut Notes<'_>) -> Exclusions {
    let mut read = Exclusions { categories: Vec::new(), granularity: Granularity::Stored, bridge: false };
    let whole = match fields.get("exclusions") {
        Some(node) if matches!(node.value, Value::Map(_)) => {
            Fields::read(node, "exclusions", &["categories", "granularity", "bridge"], notes)
        }
        Some(_) | None => {
            read.categories = categories(fields.list("exclusions", notes).unwrap_or_default(), notes);
            return read;
        }
    };
    let Some(whole) = whole else { return read };
    if whole.need("categories", notes).is_some() {
        read.categories = categories(whole.list("categories", notes).unwrap_or_default(), notes);
    }
    let words = [("slice", Granularity::Slice), ("stored", Granularity::Stored)];
    read.granularity = whole.word("granularity", &words, notes).unwrap_or(read.granularity);
    read.bridge = whole.flag("bridge", notes).unwrap_or(false);
    read
}

fn categories(items: &[Node], notes: &mut Notes<'_>) -> Vec<Exclude> {
    let mut found: Vec<Exclude> = Vec::new();
    for item in items {
        let Some(exclude) = exclude(item, notes) else { continue };
        if found.iter().any(|other| other.category == exclude.category) {
            notes.error(item.place, format!("category '{}' stands here again", exclude.category));
        }
        found.push(exclude);
    }
    found
}

fn exclude(item: &Node, notes: &mut Notes<'_>) -> Option<Exclude> {
    let (node, announced, at_most) = match &item.value {
        Value::Map(_) => {
            let fields = Fields::read(item, "the exclusion", &["category", "announced", "atMost"], notes)?;
            let announced = fields.parse("announced", notes, notice);
            let at_most = fields.parse("atMost", notes, allowance);
            (fields.need("category", notes)?, announced, at_most)
        }
        _ => (item, None, None),
    };
    let category = fields::text(node, "category", notes)?;
    if category.trim().is_empty() {
        notes.error(node.place, "'category' is empty");
        return None;
    }
    Some(Exclude { category: category.to_string(), announced, at_most })
}

/// `before`, `5d`.
fn notice(text: &str) -> Result<Notice, String> {
    match text {
        "before" => Ok(Notice::Before),
        text => duration::micros(text, duration::SPAN)
            .map(Notice::Ahead)
            .map_err(|_| format!("expected before, or a time before the start such as 5d or 48h; got '{text}'")),
    }
}

/// `12h per 1Y`.
fn allowance(text: &str) -> Result<Allowance, String> {
    let wrong = || format!("expected a time of each month, quarter or year such as 12h per 1Y, got '{text}'");
    let (most, period) = text.split_once(" per ").ok_or_else(wrong)?;
    let most = duration::micros(most.trim(), duration::SPAN).map_err(|_| wrong())?;
    let months = months(period.trim()).map_err(|_| wrong())?;
    Ok(Allowance { most, months })
}
