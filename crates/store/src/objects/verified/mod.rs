//! What is read of a store is verified before anybody sees it.
//!
//! [`Verified`] stands before the objects of a store, so that whoever reads through it (DataFusion, the merge of an append, the
//! Delta kernel, and a plan that travelled to another machine) gets bytes as they were written or an error that names the object:
//! - entries of a log by the hash in them, by their heads and by each other ([`log`], [`chain`]), its checkpoints whole by their
//!   records; what a log holds is asked for by name ([`listing`]);
//! - data files of ours by the blocks that a read touches ([`blocks`]), older ones whole, once per process ([`whole`]);
//! - what another Delta writer made passes: nothing is known about it.
//!
//! An error is a [`StoreError`](crate::StoreError) of kind `Corrupt` inside an `object_store` error, and comes out of the layers
//! above as that one ([`StoreError::found_in`](crate::StoreError::found_in)).

mod blocks;
mod chain;
mod damaged;
mod kept;
mod listing;
mod log;
mod shared;
mod sums;
#[cfg(test)]
mod tests;
mod whole;

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result, UploadPart,
};
use futures::stream::{self, BoxStream, StreamExt};

use crate::log::{FileName, LogPlace};
pub(crate) use damaged::{damaged, missing_object};
use log::LogObject;
pub(crate) use shared::Verified;
pub(crate) use sums::{BLOCK, BLOCKS_KEY, Sums, sum};
use whole::Expected;

fn name_of(path: &Path) -> Option<FileName> {
    FileName::parse(path.filename()?)
}

impl Verified {
    async fn verify_file(&self, path: &Path, crc: u32) -> Result<()> {
        self.whole.verify(&*self.inner, path, async { Ok(Some(Expected::Crc32c(crc))) }).await
    }
}

#[async_trait]
impl ObjectStore for Verified {
    async fn get_opts(&self, path: &Path, options: GetOptions) -> Result<GetResult> {
        if options.head {
            let mut head = self.inner.get_opts(path, options).await?;
            // A local folder gives the open file along.
            head.payload = GetResultPayload::Stream(stream::empty().boxed());
            return Ok(head);
        }
        match name_of(path) {
            Some(FileName::Blocks { tail, crc, .. }) => self.blocks.get(&self.inner, path, (tail, crc), options).await,
            Some(FileName::Whole { crc, .. }) => {
                self.verify_file(path, crc).await?;
                self.inner.get_opts(path, options).await
            }
            None => match LogObject::of(path) {
                Some(object) => self.get_of_log(&object, path, options).await,
                None => self.inner.get_opts(path, options).await,
            },
        }
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match name_of(path) {
            Some(FileName::Blocks { tail, crc, .. }) => {
                self.blocks.ranges(&*self.inner, path, (tail, crc), ranges).await
            }
            Some(FileName::Whole { crc, .. }) => {
                self.verify_file(path, crc).await?;
                self.inner.get_ranges(path, ranges).await
            }
            None => match LogObject::of(path) {
                Some(LogObject::Entry(place)) => {
                    let (_, bytes, _) = self.entry(&place).await?;
                    let part = |range: &Range<u64>| bytes.get(range.start as usize..range.end as usize);
                    let parts = ranges.iter().map(|range| part(range).map(|part| bytes.slice_ref(part)));
                    parts
                        .collect::<Option<_>>()
                        .ok_or_else(|| damaged(path, format_args!("it has {} bytes", bytes.len())))
                }
                Some(LogObject::Checkpoint(place)) => {
                    self.verify_checkpoint(&place).await?;
                    self.inner.get_ranges(path, ranges).await
                }
                Some(LogObject::LastCheckpoint) | None => self.inner.get_ranges(path, ranges).await,
            },
        }
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        match LogObject::of(path) {
            Some(LogObject::Checkpoint(place)) => self.put_checkpoint(&place, payload).await,
            Some(LogObject::Entry(_) | LogObject::LastCheckpoint) | None => {
                self.inner.put_opts(path, payload, options).await
            }
        }
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        match LogObject::of(path) {
            Some(LogObject::Checkpoint(place)) => {
                Ok(Box::new(Upload { objects: self.clone(), place, parts: Vec::new() }))
            }
            Some(LogObject::Entry(_) | LogObject::LastCheckpoint) | None => {
                self.inner.put_multipart_opts(path, options).await
            }
        }
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        listing::of_log(self, prefix, offset).unwrap_or_else(|| self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}

/// A large checkpoint that is written in parts, which are kept until it is complete.
#[derive(Debug)]
struct Upload {
    objects: Verified,
    place: LogPlace,
    parts: Vec<PutPayload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        self.parts.push(payload);
        Box::pin(async { Ok(()) })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let parts = std::mem::take(&mut self.parts);
        let whole: PutPayload = parts.iter().flat_map(PutPayload::iter).cloned().collect();
        self.objects.put_checkpoint(&self.place, whole).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.parts.clear();
        Ok(())
    }
}
