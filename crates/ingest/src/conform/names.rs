//! Texts by the names that options give them: endpoints and causes.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, StringViewArray};

use crate::causes::Reasons;
use crate::found::ENDPOINT;
use crate::{Fills, OTHER, Options};

/// The texts of a column by their names, and how many rows have none that is kept.
pub(super) fn named(column: &str, array: ArrayRef, options: &Options) -> (ArrayRef, u64) {
    match column {
        "endpoint" => endpoints(array, options),
        "cause" => (causes(array, options), 0),
        _ => (array, 0),
    }
}

fn endpoints(array: ArrayRef, options: &Options) -> (ArrayRef, u64) {
    let names = &options.endpoints;
    if names.are_as_given() && names.most.is_none() {
        return (array, 0);
    }
    let keeps = |name: &str| names.most.is_none_or(|most| name.is_empty() || options.found.keeps(ENDPOINT, name, most));
    let mut known: HashMap<&str, Option<&str>> = HashMap::new();
    let mut others = 0;
    let named = array.as_string_view().iter().flatten().map(|text| {
        let name = *known.entry(text).or_insert_with(|| Some(names.of(text)).filter(|name| keeps(name)));
        others += u64::from(name.is_none());
        Some(name.unwrap_or(OTHER))
    });
    let named: StringViewArray = named.collect();
    (Arc::new(named), others)
}

fn causes(array: ArrayRef, options: &Options) -> ArrayRef {
    let fills = Fills::Column("cause".to_string());
    let Some(from) = options.from.iter().find(|from| from.fills == fills) else { return array };
    let reasons = Reasons::of(&from.field);
    let named = array.as_string_view().iter().flatten().map(|text| Some(options.causes.of(reasons, text)));
    Arc::new(named.collect::<StringViewArray>())
}
