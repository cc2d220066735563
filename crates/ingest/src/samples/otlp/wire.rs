//! Walking through a message of protobuf without holding more of it than its bytes.

use crate::{IngestError, Result};

/// Bytes of a part that is decoded whole, such as a point, at most.
const LONGEST: usize = 1 << 20;

/// A message, and where in its file it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Message<'b> {
    bytes: &'b [u8],
    at: u64,
}

/// What a field holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Field<'b> {
    Varint(u64),
    Bytes(Message<'b>),
    /// Four or eight bytes, of which nothing is asked here.
    Fixed,
}

impl<'b> Message<'b> {
    pub fn new(bytes: &'b [u8], at: u64) -> Self {
        Message { bytes, at }
    }

    /// Where it begins.
    pub fn at(self) -> u64 {
        self.at
    }

    /// Its fields, by number.
    pub fn fields(self) -> Fields<'b> {
        Fields { rest: self.bytes, end: self.at + self.bytes.len() as u64, is_broken: false }
    }

    /// The messages of a field, in order.
    pub fn all(self, number: u32) -> impl Iterator<Item = Result<Message<'b>>> {
        self.fields().filter_map(move |field| match field {
            Ok((found, Field::Bytes(message))) => (found == number).then_some(Ok(message)),
            Ok((found, other)) if found == number => Some(Err(self.other(found, other))),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        })
    }

    fn other(self, number: u32, found: Field<'_>) -> IngestError {
        broken(self.at, format!("field {number} of the message that begins here is {found:?}"))
            .expected("a message or text")
    }

    /// The message or text of a field that is there once; of several the last.
    pub fn last(self, number: u32) -> Result<Option<Message<'b>>> {
        self.all(number).last().transpose()
    }

    /// The number of a field; 0 if it is not there.
    pub fn number(self, number: u32) -> Result<u64> {
        let mut last = 0;
        for field in self.fields() {
            if let (found, Field::Varint(value)) = field?
                && found == number
            {
                last = value;
            }
        }
        Ok(last)
    }

    /// The text that it is.
    pub fn text(self) -> Result<&'b str> {
        std::str::from_utf8(self.bytes)
            .map_err(|error| broken(self.at + error.valid_up_to() as u64, "the text is no UTF-8".to_string()))
    }

    /// The message, decoded whole.
    pub fn decode<M: prost::Message + Default>(self) -> Result<M> {
        if self.bytes.len() > LONGEST {
            return Err(broken(self.at, "a point, scope or resource is longer than 1 MiB".to_string()));
        }
        let (mut message, mut rest) = (M::default(), self.bytes);
        message.merge(&mut rest).map_err(|error| {
            let problem = error.to_string();
            let problem = problem.strip_prefix("failed to decode Protobuf message: ").unwrap_or(&problem).to_string();
            broken(self.at + (self.bytes.len() - rest.len()) as u64, problem)
        })?;
        Ok(message)
    }
}

/// The fields of a message; the first broken one is the last.
pub(super) struct Fields<'b> {
    rest: &'b [u8],
    end: u64,
    is_broken: bool,
}

impl<'b> Fields<'b> {
    fn at(&self) -> u64 {
        self.end - self.rest.len() as u64
    }

    fn varint(&mut self) -> Result<u64> {
        let (at, mut value) = (self.at(), 0u64);
        for (place, byte) in self.rest.iter().take(10).enumerate() {
            value |= u64::from(byte & 0x7f).checked_shl(7 * place as u32).unwrap_or(0);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[place + 1..];
                return Ok(value);
            }
        }
        Err(broken(at, "the number does not end".to_string()))
    }

    fn bytes(&mut self, length: u64) -> Result<Message<'b>> {
        let at = self.at();
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let Some((bytes, rest)) = split else {
            let left = self.rest.len();
            return Err(broken(at, format!("{length} bytes should follow, and {left} are left of the message")));
        };
        self.rest = rest;
        Ok(Message { bytes, at })
    }

    fn field(&mut self) -> Result<(u32, Field<'b>)> {
        let at = self.at();
        let key = self.varint()?;
        let number = u32::try_from(key >> 3).ok().filter(|number| (1..1 << 29).contains(number));
        let Some(number) = number else { return Err(broken(at, "this is no field of a message".to_string())) };
        let field = match key & 7 {
            0 => Field::Varint(self.varint()?),
            1 => self.bytes(8).map(|_| Field::Fixed)?,
            2 => {
                let length = self.varint()?;
                Field::Bytes(self.bytes(length)?)
            }
            5 => self.bytes(4).map(|_| Field::Fixed)?,
            other => {
                return Err(broken(at, format!("field {number} has the wire type {other}, which OTLP does not have")));
            }
        };
        Ok((number, field))
    }
}

impl<'b> Iterator for Fields<'b> {
    type Item = Result<(u32, Field<'b>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_broken || self.rest.is_empty() {
            return None;
        }
        let field = self.field();
        self.is_broken = field.is_err();
        Some(field)
    }
}

fn broken(at: u64, problem: String) -> IngestError {
    IngestError::bad_line(problem).at_byte(at)
}
