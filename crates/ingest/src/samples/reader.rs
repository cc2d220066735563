//! What reads samples.

use super::Sink;
use crate::Result;

/// A format of samples.
pub(crate) trait Reader {
    /// Reads all samples and hands them on. An error says where it lies; one of whoever takes a sample gets the sample's place.
    fn read(&mut self, sink: &mut Sink<'_>) -> Result<()>;

    /// What the file is, for a person.
    fn format(&self) -> String;

    /// Where the file ends within a message, so that the rest of it is not written yet.
    fn cut(&self) -> Option<String> {
        None
    }
}
