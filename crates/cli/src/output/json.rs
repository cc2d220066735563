//! JSON: one array of objects, or one object a line. NULLs are written.

use std::io::Write;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::json::writer::{JsonArray, LineDelimited, Writer, WriterBuilder};

use super::sink::Sink;
use crate::error::Result;

pub(super) struct Array<W: Write>(Writer<W, JsonArray>);

impl<W: Write> Array<W> {
    pub fn new(writer: W) -> Self {
        Array(WriterBuilder::new().with_explicit_nulls(true).build(writer))
    }
}

impl<W: Write> Sink for Array<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.0.finish()?;
        let mut writer = self.0.into_inner();
        crate::error::doing("writing the result", writer.write_all(b"\n").and_then(|()| writer.flush()))
    }
}

/// A writer of one object a line.
pub(super) fn lines<W: Write>(writer: W) -> Writer<W, LineDelimited> {
    WriterBuilder::new().with_explicit_nulls(true).build(writer)
}

pub(super) struct Lines<W: Write>(Writer<W, LineDelimited>);

impl<W: Write> Lines<W> {
    pub fn new(writer: W) -> Self {
        Lines(lines(writer))
    }
}

impl<W: Write> Sink for Lines<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        Ok(self.0.write(batch)?)
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.0.finish()?;
        crate::error::doing("writing the result", self.0.into_inner().flush())
    }
}
