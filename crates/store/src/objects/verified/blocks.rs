//! Reads of data files whose blocks have sums of their own.
//!
//! A read is widened to the blocks that it touches, each of which is read and summed once per call, and cut to what was asked for.
//! The tail is a block too, whose sum is in the name; it is read first, once per process, for the sums of the others.

use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    Attributes, Error, GetOptions, GetRange, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt,
    Result,
};
use datafusion::parquet::file::metadata::ParquetMetaDataReader;
use futures::stream::{self, StreamExt};

use super::damaged::{damaged, told};
use super::kept::Kept;
use super::sums::{Sums, sum};

/// Sums that are remembered, of about 64 GB of data.
const MOST_SUMS: usize = 8 << 20;
/// What a file weighs besides its sums.
const FILE_WEIGHT: usize = 64;
/// Bytes of tails that are remembered: whoever opens a file reads first its footer and then the page indexes before it.
const MOST_TAILS: usize = 32 << 20;
/// Bytes of a stream that are verified at once, rounded up to a block.
const PIECE: u64 = 4 << 20;
/// What a Parquet file ends with: the length of its footer and a mark.
const ENDING: usize = 8;

/// What the tail of a file says.
#[derive(Debug, Clone)]
struct Layout {
    meta: ObjectMeta,
    sums: Sums,
    /// The sum of the tail.
    tail: u32,
}

/// The layouts of files.
#[derive(Debug)]
pub(super) struct Blocks {
    known: Mutex<Kept<Arc<Layout>>>,
    tails: Mutex<Kept<Bytes>>,
}

impl Default for Blocks {
    fn default() -> Self {
        Self { known: Mutex::new(Kept::new(MOST_SUMS)), tails: Mutex::new(Kept::new(MOST_TAILS)) }
    }
}

impl Blocks {
    /// As [`ObjectStore::get_ranges`], of a file whose name states length and sum of its tail.
    pub(super) async fn ranges(
        &self,
        objects: &dyn ObjectStore,
        path: &Path,
        tail: (u64, u32),
        ranges: &[Range<u64>],
    ) -> Result<Vec<Bytes>> {
        let (layout, read) = self.layout(objects, path, tail).await?;
        let size = layout.meta.size;
        if let Some(beyond) = ranges.iter().find(|range| range.end > size || range.start > range.end) {
            return Err(damaged(path, format_args!("it has {size} bytes, and {beyond:?} are asked for")));
        }
        let body = layout.sums.body();
        if ranges.iter().all(|range| range.start >= body)
            && let Some(read) = read.or_else(|| self.tail(path))
        {
            return Ok(ranges.iter().map(|range| cut(&read, body, range)).collect());
        }
        let spans = merged(ranges.iter().map(|range| layout.widened(range)).collect());
        let blocks = layout.read(objects, path, &spans).await?;
        Ok(ranges
            .iter()
            .map(|range| {
                let at = spans.partition_point(|span| span.end <= range.start);
                match range.is_empty() {
                    true => Bytes::new(),
                    false => cut(&blocks[at], spans[at].start, range),
                }
            })
            .collect())
    }

    /// As [`ObjectStore::get_opts`].
    pub(super) async fn get(
        &self,
        objects: &Arc<dyn ObjectStore>,
        path: &Path,
        tail: (u64, u32),
        options: GetOptions,
    ) -> Result<GetResult> {
        let wanted = options.range.clone();
        let (layout, read) = self.layout(&**objects, path, tail).await?;
        options.check_preconditions(&layout.meta)?;
        let size = layout.meta.size;
        let range = match wanted {
            Some(GetRange::Bounded(range)) if range.end > size => {
                return Err(damaged(path, format_args!("it has {size} bytes, and {range:?} are asked for")));
            }
            Some(range) => range
                .as_range(size)
                .map_err(|source| Error::Generic { store: crate::error::VERIFIED, source: Box::new(source) })?,
            None => 0..size,
        };
        let meta = layout.meta.clone();
        let body = layout.sums.body();
        let in_tail = range.start >= body;
        let payload = match read.or_else(|| self.tail(path)).filter(|_| in_tail) {
            Some(read) => {
                let bytes = cut(&read, body, &range);
                stream::once(async { Ok(bytes) }).boxed()
            }
            None => pieces(Arc::clone(objects), path.clone(), layout, range.clone()),
        };
        Ok(GetResult { payload: GetResultPayload::Stream(payload), meta, range, attributes: Attributes::default() })
    }

    /// The tail, if it is remembered.
    fn tail(&self, path: &Path) -> Option<Bytes> {
        self.tails.lock().unwrap_or_else(PoisonError::into_inner).get(path)
    }

    /// What the tail says; the tail as well, if it had to be read.
    async fn layout(
        &self,
        objects: &dyn ObjectStore,
        path: &Path,
        (length, crc): (u64, u32),
    ) -> Result<(Arc<Layout>, Option<Bytes>)> {
        if let Some(known) = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(path) {
            return Ok((known, None));
        }
        let options = GetOptions { range: Some(GetRange::Suffix(length)), ..GetOptions::default() };
        let found = told(path, objects.get_opts(path, options).await)?;
        let meta = found.meta.clone();
        let tail = found.bytes().await?;
        if tail.len() as u64 != length || sum(&tail) != crc {
            let size = meta.size;
            let what = format_args!("the end of its {size} bytes does not give the checksum in its name");
            return Err(damaged(path, what));
        }
        let Some(sums) = sums_in(&tail) else {
            return Err(damaged(path, "its footer does not say the sums of its blocks"));
        };
        let (size, written) = (meta.size, sums.body().saturating_add(length));
        if size != written {
            return Err(damaged(path, format_args!("it has {size} bytes, and {written} were written")));
        }
        let weight = sums.len() + FILE_WEIGHT;
        let layout = Arc::new(Layout { meta, sums, tail: crc });
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(path, Arc::clone(&layout), weight);
        self.tails.lock().unwrap_or_else(PoisonError::into_inner).insert(path, tail.clone(), tail.len());
        Ok((layout, Some(tail)))
    }
}

impl Layout {
    /// The blocks that a range touches, the tail being one of them.
    fn widened(&self, range: &Range<u64>) -> Range<u64> {
        let (body, size) = (self.sums.body(), self.meta.size);
        let start = if range.start < body { self.sums.start_of(range.start) } else { body };
        let end = if range.end <= body { self.sums.end_of(range.end) } else { size };
        start..end.max(start)
    }

    /// Reads and verifies spans of whole blocks.
    async fn read(&self, objects: &dyn ObjectStore, path: &Path, spans: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let read = match told(path, objects.get_ranges(path, spans).await) {
            Ok(read) => read,
            Err(error) => {
                // Stores tell in ways of their own that an object ends too early.
                let size = told(path, objects.head(path).await)?.size;
                let written = self.meta.size;
                if size != written {
                    return Err(damaged(path, format_args!("it has {size} bytes, and {written} were written")));
                }
                return Err(error);
            }
        };
        for (bytes, span) in read.iter().zip(spans) {
            if bytes.len() as u64 != span.end - span.start {
                return Err(damaged(path, format_args!("of the bytes {span:?} only {} are there", bytes.len())));
            }
            self.verify(path, bytes, span)?;
        }
        Ok(read)
    }

    fn verify(&self, path: &Path, bytes: &Bytes, span: &Range<u64>) -> Result<()> {
        let body = self.sums.body();
        let wrong =
            |range: Range<u64>| Err(damaged(path, format_args!("the bytes {range:?} do not give their checksum")));
        let mut at = span.start;
        while at < span.end {
            let (end, expected) = match at < body {
                true => (self.sums.end_of(at + 1), self.sums.of_block_at(at)),
                false => (self.meta.size, Some(self.tail)),
            };
            let block = &bytes[(at - span.start) as usize..(end - span.start) as usize];
            if expected != Some(sum(block)) {
                return wrong(at..end);
            }
            at = end;
        }
        Ok(())
    }
}

/// The part of a file that is asked for, of one that begins at `start`.
fn cut(bytes: &Bytes, start: u64, range: &Range<u64>) -> Bytes {
    bytes.slice((range.start - start) as usize..(range.end - start) as usize)
}

/// The sums in the footer at the end of these bytes.
fn sums_in(tail: &Bytes) -> Option<Sums> {
    let rest = tail.len().checked_sub(ENDING)?;
    let length = u32::from_le_bytes(tail.get(rest..rest + 4)?.try_into().ok()?) as usize;
    let footer = tail.get(rest.checked_sub(length)?..rest)?;
    Sums::of(ParquetMetaDataReader::decode_metadata(footer).ok()?.file_metadata())
}

/// Spans in order, those that overlap or touch as one.
fn merged(mut spans: Vec<Range<u64>>) -> Vec<Range<u64>> {
    spans.retain(|span| !span.is_empty());
    spans.sort_unstable_by_key(|span| span.start);
    let mut merged: Vec<Range<u64>> = Vec::with_capacity(spans.len());
    for span in spans {
        match merged.last_mut() {
            Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
            _ => merged.push(span),
        }
    }
    merged
}

/// A range of a file piece by piece, each verified before it is given out.
fn pieces(
    objects: Arc<dyn ObjectStore>,
    path: Path,
    layout: Arc<Layout>,
    range: Range<u64>,
) -> stream::BoxStream<'static, Result<Bytes>> {
    let next = move |at: u64| {
        let (objects, path, layout, end) = (Arc::clone(&objects), path.clone(), Arc::clone(&layout), range.end);
        async move {
            if at >= end {
                return Ok(None);
            }
            let span = layout.widened(&(at..end.min(at + PIECE)));
            let upto = span.end.min(end);
            let blocks = layout.read(&*objects, &path, std::slice::from_ref(&span)).await?;
            Ok(blocks.first().map(|bytes| (cut(bytes, span.start, &(at..upto)), upto)))
        }
    };
    stream::try_unfold(range.start, next).boxed()
}
