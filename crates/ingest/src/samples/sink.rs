//! Where samples go, and what is refused of them.

use super::Sample;
use crate::{ErrorKind, IngestError, Rejected, Result};

/// Takes samples, one after the other.
pub(crate) struct Sink<'t> {
    /// What errors call the input.
    name: &'t str,
    take: &'t mut dyn FnMut(Sample) -> Result<()>,
    /// Where what is refused is written; `None`: the first refusal ends the reading.
    rejected: Option<&'t Rejected>,
}

impl<'t> Sink<'t> {
    pub fn new(name: &'t str, take: &'t mut dyn FnMut(Sample) -> Result<()>, rejected: Option<&'t Rejected>) -> Self {
        Sink { name, take, rejected }
    }

    /// Whether what is refused is left out, so that the rest is taken.
    pub fn is_lenient(&self) -> bool {
        self.rejected.is_some()
    }

    /// Hands a sample on.
    pub fn take(&mut self, sample: Sample) -> Result<()> {
        (self.take)(sample)
    }

    /// Hands a sample on, or leaves it out. `place` says in an error where the sample stands.
    pub fn sample(&mut self, sample: Sample, place: impl FnOnce(IngestError) -> IngestError) -> Result<()> {
        let shown = self.is_lenient().then(|| sample.clone());
        match self.take(sample) {
            Ok(()) => Ok(()),
            Err(error) => self.refuse(place(error), &shown.map(|sample| sample.to_string()).unwrap_or_default()),
        }
    }

    /// Hands on the samples of a message, none of them if the message cannot be read to its end and is left out. `place` says in an
    /// error where the message stands, `text` is what is written out of it.
    pub fn message(
        &mut self,
        read: impl FnOnce(&mut dyn FnMut(Sample) -> Result<()>) -> Result<()>,
        place: impl Fn(IngestError) -> IngestError,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        if !self.is_lenient() {
            return read(&mut |sample| self.take(sample)).map_err(place);
        }
        let mut samples = Vec::new();
        let read = read(&mut |sample| {
            samples.push(sample);
            Ok(())
        });
        match read {
            Ok(()) => samples.into_iter().try_for_each(|sample| self.sample(sample, &place)),
            Err(error) => self.refuse(place(error), &text()),
        }
    }

    /// Leaves out what cannot be read, written out as this text: a line, a message or a sample. Any other error stays one.
    pub fn refuse(&mut self, error: IngestError, text: &str) -> Result<()> {
        match self.rejected {
            Some(rejected) if error.kind() == ErrorKind::BadLine => {
                rejected.add(&error.in_file(self.name), text);
                Ok(())
            }
            _ => Err(error),
        }
    }
}
