//! `each`: members of a service (its endpoints or businesses, such as zones or regions) that are judged apart, and what their
//! figures come to.

use crate::fields::{self, Fields};
use crate::mistake::Notes;
use crate::words::listed;
use crate::yaml::{Node, Value};

/// By what values rows of a service are told apart, and how what they come to is joined.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Each {
    /// What tells members apart.
    pub by: EachBy,
    /// What becomes of them.
    pub join: Join,
}

/// What tells members of a service apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EachBy {
    /// Their endpoint.
    Endpoint,
    /// Their business.
    Business,
}

/// What several members come to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Join {
    /// Each is judged over the whole period, and the one with the largest credit decides.
    Worst,
    /// Slice by slice the one with the highest error rate decides: bad where any is.
    Any,
    /// Slice by slice the one with the lowest error rate decides: bad where all are.
    All {
        /// Which there are; never empty.
        of: Vec<String>,
        /// What a member without enough requests in a slice is.
        silent: Silent,
    },
}

/// What a member is that has too few requests in a slice for an error rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Silent {
    /// Without error.
    Ok,
    /// In error.
    Error,
    /// Nothing: the others decide.
    Ignored,
}

impl EachBy {
    /// As it is written, and as the column is called.
    pub fn word(self) -> &'static str {
        match self {
            EachBy::Endpoint => "endpoint",
            EachBy::Business => "business",
        }
    }
}

impl Each {
    /// As a clause.
    pub(crate) fn words(&self) -> String {
        let by = self.by.word();
        match &self.join {
            Join::Worst => format!("Each {by} is judged by itself; the one with the largest credit decides"),
            Join::Any => format!("Of each slice the {by} with the highest error rate decides"),
            Join::All { of, silent } => {
                let silent = match silent {
                    Silent::Ok => "counts as without error",
                    Silent::Error => "counts as in error",
                    Silent::Ignored => "does not count",
                };
                format!(
                    "Of each slice the {by} with the lowest error rate decides, of {}; one with too few requests {silent}",
                    listed(of)
                )
            }
        }
    }
}

/// Reads `each: endpoint`, or `{by: endpoint, join: all, of: […], noData: ok}`. `None` where members count together. `has_no_slices`: the
/// measure knows none. `estimates`: what is lost of telemetry is estimated.
pub(crate) fn each(fields: &Fields<'_>, [has_no_slices, estimates]: [bool; 2], notes: &mut Notes<'_>) -> Option<Each> {
    const BY: [(&str, Option<EachBy>); 3] =
        [("endpoint", Some(EachBy::Endpoint)), ("business", Some(EachBy::Business)), ("customer", None)];
    let node = fields.get("each")?;
    let (by, by_node, inner) = match &node.value {
        Value::Map(_) => {
            let inner = Fields::read(node, "each", &["by", "join", "of", "noData"], notes)?;
            (inner.need("by", notes).and_then(|by| fields::word(by, "by", &BY, notes))?, inner.get("by"), Some(inner))
        }
        Value::Scalar { .. } | Value::List(_) => (fields::word(node, "each", &BY, notes)?, Some(node), None),
    };
    let Some(by) = by else {
        let place = by_node.map_or(node.place, |node| node.place);
        notes.error_hint(place, "each customer is judged by itself as it is", "leave 'each' out");
        return None;
    };
    let Some(inner) = inner else { return Some(Each { by, join: Join::Worst }) };
    #[derive(Clone, Copy, PartialEq)]
    enum Word {
        Worst,
        Any,
        All,
        Sum,
    }
    let words = [("worst", Word::Worst), ("any", Word::Any), ("all", Word::All), ("sum", Word::Sum)];
    let join = inner.word("join", &words, notes).unwrap_or(Word::Worst);
    for name in ["of", "noData"] {
        if let Some(node) = inner.get(name).filter(|_| join != Word::All) {
            notes.error(node.place, format!("'{name}' means nothing but for join: all"));
        }
    }
    if matches!(join, Word::Any | Word::All) {
        by_slice(node, [has_no_slices, estimates], notes);
    }
    let join = match join {
        // As if nothing were said.
        Word::Sum => return None,
        Word::Worst => Join::Worst,
        Word::Any => Join::Any,
        Word::All => {
            let words = [("ok", Silent::Ok), ("error", Silent::Error), ("ignore", Silent::Ignored)];
            let silent = inner.word("noData", &words, notes).unwrap_or(Silent::Ok);
            Join::All { of: members(&inner, notes)?, silent }
        }
    };
    Some(Each { by, join })
}

/// `of`: who all are.
fn members(inner: &Fields<'_>, notes: &mut Notes<'_>) -> Option<Vec<String>> {
    let hint =
        "as in of: [zone-a, zone-b]: a member that is silent is told from one that is not there by this list alone";
    let Some(node) = inner.get("of") else {
        notes.error_hint(inner.place, "missing field 'of' in each, which join: all needs", hint);
        return None;
    };
    let mut of: Vec<String> = Vec::new();
    for item in inner.list("of", notes)? {
        let text = fields::text(item, "of", notes)?;
        if of.iter().any(|known| known == text) {
            notes.error(item.place, format!("'{text}' stands here again"));
        }
        of.push(text.to_string());
    }
    if of.is_empty() {
        notes.error_hint(node.place, "'of' names no member", hint);
        return None;
    }
    Some(of)
}

/// What decides slice by slice needs slices that can decide.
fn by_slice(node: &Node, [has_no_slices, estimates]: [bool; 2], notes: &mut Notes<'_>) {
    if has_no_slices {
        let hint = "join: worst judges each by itself";
        notes.error_hint(node.place, "no member decides a slice for Occurrences, which knows none", hint);
    }
    if estimates {
        let hint = "leave lostTelemetry out, or judge each by itself with join: worst";
        notes.error_hint(
            node.place,
            "what was lost of a member cannot be estimated where another may decide the slice",
            hint,
        );
    }
}
