//! Which rows an objective counts: names and globs.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::sync::{Arc, OnceLock};

use globset::{Glob, GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};

/// Which rows of the service count: those that match one pattern of each list that is not empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowFilter {
    /// Names or globs of businesses.
    pub businesses: Vec<Pattern>,
    /// Names or globs of endpoints.
    pub endpoints: Vec<Pattern>,
    /// Names or globs of customers.
    pub customers: Vec<Pattern>,
    /// By label, names or globs of its values.
    #[serde(default)]
    pub labels: BTreeMap<String, Vec<Pattern>>,
}

impl Hash for RowFilter {
    fn hash<H: Hasher>(&self, state: &mut H) {
        let RowFilter { businesses, endpoints, customers, labels } = self;
        (businesses, endpoints, customers).hash(state);
        // What was kept before there were labels keeps its name.
        if !labels.is_empty() {
            labels.hash(state);
        }
    }
}

impl RowFilter {
    /// Whether a row's endpoint, customer and labels are meant; labels are as stored, empty where there are none.
    pub fn matches(&self, endpoint: &str, customer: &str, labels: &str) -> bool {
        any(&self.endpoints, endpoint) && any(&self.customers, customer) && self.matches_labels(labels)
    }

    fn matches_labels(&self, labels: &str) -> bool {
        if self.labels.is_empty() {
            return true;
        }
        // What a table holds is such an object.
        let carried: BTreeMap<String, String> = serde_json::from_str(labels).unwrap_or_default();
        let is_meant = |(label, values): (&String, &Vec<Pattern>)| {
            carried.get(label).is_some_and(|value| values.iter().any(|pattern| pattern.matches(value)))
        };
        self.labels.iter().all(is_meant)
    }

    /// The one customer that it is narrowed to.
    pub fn customer(&self) -> Option<&str> {
        match self.customers.as_slice() {
            [one] => one.exact(),
            _ => None,
        }
    }
}

pub(crate) fn any(patterns: &[Pattern], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| pattern.matches(name))
}

/// A name, or a glob: `*` and `?` stop at `/`, `**` does not. Text that equals the pattern always matches, so
/// `/users/{id}` and `/a[1]` are names too.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    glob: Option<Arc<LazyGlob>>,
}

/// A glob that is compiled when it is first asked: that takes as long as reading a definition, and those that are
/// only listed or compared never need it.
#[derive(Debug)]
struct LazyGlob {
    glob: Glob,
    matcher: OnceLock<GlobMatcher>,
}

impl Pattern {
    /// Reads a pattern; the error says what is wrong with the glob.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = match text.contains(['*', '?', '[', '{']) {
            false => None,
            true => match GlobBuilder::new(text).literal_separator(true).build() {
                Ok(glob) => Some(Arc::new(LazyGlob { glob, matcher: OnceLock::new() })),
                // Only what is surely meant as a glob can be a wrong one.
                Err(error) if text.contains(['*', '?']) => return Err(error.kind().to_string()),
                Err(_) => None,
            },
        };
        Ok(Pattern { text: text.to_string(), glob })
    }

    /// Whether a name matches.
    pub fn matches(&self, name: &str) -> bool {
        let glob_matches = |lazy: &Arc<LazyGlob>| {
            let matcher = lazy.matcher.get_or_init(|| lazy.glob.compile_matcher());
            matcher.is_match(name)
        };
        self.text == name || self.glob.as_ref().is_some_and(glob_matches)
    }

    /// The name, if only this one can match.
    pub fn exact(&self) -> Option<&str> {
        self.glob.is_none().then_some(self.text.as_str())
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl Eq for Pattern {}

impl Hash for Pattern {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.text.hash(state);
    }
}

impl TryFrom<String> for Pattern {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Pattern::new(&text)
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> String {
        pattern.text
    }
}
