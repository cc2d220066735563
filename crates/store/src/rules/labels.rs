//! What must hold of labels: they are part of a row's identity, so the same labels must be the same text.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, AsArray, RecordBatch};

use super::broken::{Broken, First};

/// Labels as they are stored: JSON with sorted names, no spaces between. Labels without a value are none; `None` if there are no others.
pub fn labels_text<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let labels: BTreeMap<&str, &str> = labels.into_iter().filter(|(_, value)| !value.is_empty()).collect();
    // Of texts with text names there is always JSON.
    (!labels.is_empty()).then(|| serde_json::to_string(&labels).unwrap_or_default())
}

/// The labels that a stored text is, by name; none of a text that is none.
pub fn labels_of(text: &str) -> BTreeMap<String, String> {
    serde_json::from_str(text).unwrap_or_default()
}

/// The first row whose labels are not written in the one way that there is. Neighbours mostly carry the same.
pub(super) fn first_broken(batch: &RecordBatch) -> First {
    let labels = batch.column_by_name("labels")?.as_string_view_opt()?;
    let mut last = None;
    (0..labels.len()).filter(|&row| labels.is_valid(row)).find_map(|row| {
        let text = labels.value(row);
        if last.replace(text) == Some(text) {
            return None;
        }
        check(text).err().map(|broken| (row, broken))
    })
}

/// Refuses labels that are not a JSON object of texts, names sorted, without spaces between; no labels are NULL.
fn check(text: &str) -> Result<(), Broken> {
    let expected = r#"labels as {"region":"eu","tier":"1"}: a JSON object of texts, names in order, no spaces between"#;
    let refused = |found: String| Err(Broken::new("labels", found).expected(expected));
    let Ok(labels) = serde_json::from_str::<BTreeMap<String, String>>(text) else {
        return refused(format!("labels are {text:?}"));
    };
    if labels.is_empty() {
        return refused("labels are empty; leave them out".to_string());
    }
    match labels_text(labels.iter().map(|(name, value)| (name.as_str(), value.as_str()))) {
        Some(canonical) if canonical == text => Ok(()),
        _ => refused(format!("labels are {text:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn the_same_labels_are_the_same_text() {
        for labels in [r#"{"a":"1"}"#, r#"{"region":"eu","tier":"1"}"#, r#"{"业务":"支付","引":"\""}"#] {
            check(labels).unwrap();
        }
        for labels in [
            "",
            "null",
            "{}",
            "[]",
            "region=eu",
            r#"{"tier":1}"#,
            r#"{"b":"1","a":"2"}"#,
            r#"{"a": "1"}"#,
            r#"{"a":"1","a":"1"}"#,
        ] {
            check(labels).unwrap_err();
        }
    }
}
