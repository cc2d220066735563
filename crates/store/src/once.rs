//! What makes an append happen once, however often it is delivered.
//!
//! Both kinds of promise are Delta transaction identifiers (`txn` actions): an application id with a
//! number, written in the same entry as the rows.

/// What an append promises to happen once with. By default nothing: rows that are stored already are found
/// unchanged, but a batch that was corrected since is not recognised as an old one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Once {
    /// The batch that the rows are.
    pub batch: Option<Batch>,
    /// The positions that move on with it.
    pub marks: Vec<Mark>,
    /// The version from which the rows were worked out: they are stored only if it is still the newest. 0 for a
    /// table that was never written.
    pub since: Option<u64>,
    /// Whether all is worked out and nothing stored: [`Outcome::Tried`](crate::Outcome::Tried).
    pub is_trial: bool,
}

impl Once {
    /// The rows are this batch.
    pub fn batch(batch: Batch) -> Self {
        Self { batch: Some(batch), ..Self::default() }
    }

    /// The rows were worked out from this version, and may be wrong for another.
    pub fn since(version: u64) -> Self {
        Self { since: Some(version), ..Self::default() }
    }
}

/// A batch by its name and content. Delivered again it changes nothing; its name with other content is an error.
/// Remembered for 30 days.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Batch {
    /// Who delivers it.
    pub source: String,
    /// Its name among the batches of its source.
    pub id: String,
    /// 63 bits of the hash of its content.
    pub content: i64,
}

impl Batch {
    /// A batch of this source, of this name, with this hash of its content, of which 63 bits are kept.
    pub fn new(source: impl Into<String>, id: impl Into<String>, content: u64) -> Self {
        Self { source: source.into(), id: id.into(), content: (content >> 1) as i64 }
    }

    /// Its name in the log.
    pub(crate) fn app_id(&self) -> String {
        format!("batch/{}/{}", escaped(&self.source), escaped(&self.id))
    }
}

/// A named number in the log that is set with an append, if it is still what its writer took it for: the position
/// up to which an input was read.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Mark {
    /// Its name.
    pub name: String,
    /// What it must be before; `None`: not set.
    pub from: Option<i64>,
    /// What it becomes.
    pub to: i64,
    /// Whether it is remembered for good, not only for as long as batches are.
    pub lasting: bool,
}

impl Mark {
    /// Sets a mark that is remembered for good.
    pub fn lasting(name: impl Into<String>, from: Option<i64>, to: i64) -> Self {
        Self { name: name.into(), from, to, lasting: true }
    }

    /// Sets a mark that is remembered for as long as batches are.
    pub fn passing(name: impl Into<String>, from: Option<i64>, to: i64) -> Self {
        Self { name: name.into(), from, to, lasting: false }
    }

    pub(crate) fn app_id(&self) -> String {
        app_id_of(&self.name)
    }
}

/// The name of a mark in the log.
pub(crate) fn app_id_of(mark: &str) -> String {
    format!("mark/{mark}")
}

/// The source and the name of the batch of which this is the name in the log.
pub(crate) fn batch_of(app_id: &str) -> Option<(String, String)> {
    let (source, id) = app_id.strip_prefix("batch/")?.split_once('/')?;
    let unescaped = |name: &str| name.replace("%2F", "/").replace("%25", "%");
    Some((unescaped(source), unescaped(id)))
}

/// The mark of which this is the name in the log.
pub(crate) fn mark_of(app_id: &str) -> Option<&str> {
    app_id.strip_prefix("mark/")
}

/// A slash in a name must not make two pairs of names one.
fn escaped(name: &str) -> String {
    name.replace('%', "%25").replace('/', "%2F")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn different_batches_have_different_names() {
        let name = |source: &str, id: &str| Batch::new(source, id, 7).app_id();
        assert_ne!(name("a/b", "c"), name("a", "b/c"));
        assert_ne!(name("a%2Fb", "c"), name("a/b", "c"));
        for (source, id) in [("a/b", "c%2F"), ("a%", "%25/"), ("", "业务")] {
            assert_eq!(batch_of(&name(source, id)), Some((source.to_string(), id.to_string())));
            assert_eq!(mark_of(&name(source, id)), None);
        }
        assert_eq!(Batch::new("a", "b", u64::MAX).content, i64::MAX);
    }
}
