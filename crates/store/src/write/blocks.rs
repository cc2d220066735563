//! A Parquet file in memory whose bytes are summed block by block while they are written.
//!
//! ```text
//! │ block │ block │ … │ part of a block ║ page indexes, footer │
//! └──────── body: row groups ──────────┘╨──────── tail ────────┘
//! ```
//!
//! The sums of the body's blocks are an entry of the footer's metadata, so that a reader which has verified the tail (by the sum in
//! the file's name) can verify any part of the body by the blocks that it touches.

use std::io;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::parquet::arrow::ArrowWriter;
use datafusion::parquet::arrow::arrow_writer::ArrowWriterOptions;
use datafusion::parquet::file::metadata::{KeyValue, ParquetMetaData};
use datafusion::parquet::file::properties::WriterProperties;

use crate::error::{Result, StoreError};
use crate::objects::{BLOCKS_KEY, Sums, sum};

/// Bytes in memory, and the CRC32C of each block that is complete.
#[derive(Debug)]
struct Summed {
    block: usize,
    bytes: Vec<u8>,
    sums: Vec<u32>,
}

impl io::Write for Summed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        let complete = |summed: &Self| summed.sums.len() * summed.block;
        while let Some(block) = self.bytes.get(complete(self)..).and_then(|rest| rest.get(..self.block)) {
            self.sums.push(sum(block));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Summed {
    /// The sums of all that was written so far.
    fn of_body(&self) -> Sums {
        let mut sums = self.sums.clone();
        if let Some(rest) = self.bytes.get(sums.len() * self.block..).filter(|rest| !rest.is_empty()) {
            sums.push(sum(rest));
        }
        Sums::new(self.block as u64, self.bytes.len() as u64, sums)
    }
}

/// Encodes rows as a Parquet file.
pub(crate) struct BlockWriter(ArrowWriter<Summed>);

/// A file as it is to be stored.
pub(crate) struct Encoded {
    pub bytes: Vec<u8>,
    /// Bytes behind the last row group, and their sum.
    pub tail: u64,
    pub crc: u32,
    pub metadata: ParquetMetaData,
}

impl BlockWriter {
    /// With blocks of so many bytes ([`BLOCK`](crate::objects::BLOCK)).
    pub(crate) fn new(schema: &SchemaRef, properties: WriterProperties, block: usize) -> Result<Self> {
        let options = ArrowWriterOptions::new()
            .with_properties(properties)
            // Plain Parquet types say all there is; Arrow's own would tie readers to view types.
            .with_skip_arrow_metadata(true);
        let summed = Summed { block, bytes: Vec::new(), sums: Vec::new() };
        Ok(Self(ArrowWriter::try_new_with_options(summed, SchemaRef::clone(schema), options)?))
    }

    /// Bytes that it holds.
    pub(super) fn memory(&self) -> usize {
        self.0.memory_size() + self.0.bytes_written()
    }

    /// Bytes of the row groups that are complete.
    pub(super) fn written(&self) -> usize {
        self.0.bytes_written()
    }

    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        Ok(self.0.write(rows)?)
    }

    pub(crate) fn finish(mut self) -> Result<Encoded> {
        self.0.flush()?;
        // What the writer still buffers belongs to the last row group.
        self.0.sync().map_err(|error| StoreError::internal(format!("bytes in memory were not taken: {error}")))?;
        let sums = self.0.inner().of_body();
        self.0.append_key_value_metadata(KeyValue::new(BLOCKS_KEY.to_string(), sums.to_string()));
        let metadata = self.0.finish()?;
        let bytes = std::mem::take(&mut self.0.inner_mut().bytes);
        let tail = bytes.get(sums.body() as usize..).unwrap_or_default();
        let (length, crc) = (tail.len() as u64, sum(tail));
        Ok(Encoded { bytes, tail: length, crc, metadata })
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int64Array};
    use datafusion::parquet::file::metadata::ParquetMetaDataReader;
    use rand::rngs::StdRng;
    use rand::{Rng, SeedableRng};

    use super::*;
    use crate::objects::BLOCK;

    /// Numbers that do not compress, in row groups of their own size.
    fn writer(groups: &[usize]) -> BlockWriter {
        let mut random = StdRng::seed_from_u64(1);
        let mut batch = |rows: usize| {
            let numbers: ArrayRef = Arc::new((0..rows).map(|_| Some(random.random::<i64>())).collect::<Int64Array>());
            RecordBatch::try_from_iter([("number", numbers)]).unwrap()
        };
        let mut writer = BlockWriter::new(&batch(1).schema(), WriterProperties::default(), BLOCK).unwrap();
        for &rows in groups {
            writer.write(&batch(rows)).unwrap();
            writer.0.flush().unwrap();
        }
        writer
    }

    #[test]
    fn the_tail_leaves_the_body_as_it_is() {
        for groups in [&[1][..], &[BLOCK / 8 - 1], &[BLOCK / 8 + 100, 3], &[40_000, 70_000, 1]] {
            let mut writer = writer(groups);
            writer.0.sync().unwrap();
            let body = writer.0.inner().bytes.clone();
            let file = writer.finish().unwrap();
            assert_eq!(file.bytes[..body.len()], body);
            assert_eq!(file.tail as usize, file.bytes.len() - body.len());
            assert_eq!(file.crc, sum(&file.bytes[body.len()..]));
            let last = file.metadata.row_groups().last().unwrap().columns().last().unwrap();
            let (start, length) = last.byte_range();
            assert_eq!((start + length) as usize, body.len(), "the body ends with the last row group");
            // What a reader of another program finds in the footer.
            let footer = ParquetMetaDataReader::new().parse_and_finish(&bytes::Bytes::from(file.bytes)).unwrap();
            let sums = Sums::of(footer.file_metadata()).unwrap();
            assert_eq!(sums.body() as usize, body.len());
            assert_eq!(sums.each().to_vec(), body.chunks(BLOCK).map(sum).collect::<Vec<_>>());
        }
    }
}
