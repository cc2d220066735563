//! The fields of lines in the common and combined formats, which fill columns.

use std::borrow::Cow;

use chrono_tz::Tz;

use super::line::{LineReader, Reading};
use super::presets;
use crate::Result;

/// A reader for each of the plain formats: lines of one log may be of several.
pub(crate) struct PlainFields([LineReader; 3]);

impl PlainFields {
    /// The fields of these names, of which the format that has most must have each.
    pub fn of(names: &[String], zone: Tz) -> Result<Self> {
        let [common, combined, hosts] = presets::plain()?.map(|format| LineReader::new(format.layout(), zone));
        Ok(Self([common.perhaps_filling(names), combined.perhaps_filling(names), hosts.filling(names)?]))
    }

    /// What they say in a line; nothing in one of another shape, which counts all the same.
    pub fn read<'a>(&mut self, line: &'a [u8]) -> Vec<Option<Cow<'a, str>>> {
        match self.0[presets::plain_of(line)].parse(line) {
            Ok(Reading::Request(line)) => line.filling,
            Ok(Reading::Directive | Reading::NoRequest(_)) | Err(_) => Vec::new(),
        }
    }
}
