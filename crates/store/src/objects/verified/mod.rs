//! What is read of a store is verified before anybody sees it.
//!
//! [`Verified`] stands before the objects of a store, so that whoever reads through it (DataFusion, the merge of an append, the
//! Delta kernel, and a plan that travelled to another machine) gets bytes as they were written or an error that names the object:
//! - data files of ours by the blocks that a read touches ([`blocks`]), older ones whole, once per process ([`whole`]);
//! - what another Delta writer made passes: nothing is known about it.
//!
//! An error is a [`StoreError`](crate::StoreError) of kind `Corrupt` inside an `object_store` error, and comes out of the layers
//! above as that one ([`StoreError::found_in`](crate::StoreError::found_in)).

mod blocks;
mod damaged;
mod kept;
mod sums;
#[cfg(test)]
mod tests;
mod whole;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::{self, BoxStream, StreamExt};

use crate::log::FileName;
use blocks::Blocks;
pub(crate) use damaged::VERIFIED;
pub(crate) use sums::{BLOCK, BLOCKS_KEY, Sums, sum};
use whole::{Expected, Whole};

/// Objects that are verified when they are read.
#[derive(Debug)]
pub(crate) struct Verified {
    inner: Arc<dyn ObjectStore>,
    blocks: Blocks,
    whole: Whole,
}

impl Verified {
    pub(crate) fn new(inner: Arc<dyn ObjectStore>) -> Self {
        Self { inner, blocks: Blocks::default(), whole: Whole::default() }
    }

    /// Files that had to be read whole to be verified, and their bytes.
    pub(crate) fn verified_whole(&self) -> (u64, u64) {
        self.whole.done()
    }
}

fn name_of(path: &Path) -> Option<FileName> {
    FileName::parse(path.filename()?)
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "verified {}", self.inner)
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
                self.whole.verify(&*self.inner, path, Expected::Crc32c(crc)).await?;
                self.inner.get_opts(path, options).await
            }
            None => self.inner.get_opts(path, options).await,
        }
    }

    async fn get_ranges(&self, path: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        match name_of(path) {
            Some(FileName::Blocks { tail, crc, .. }) => {
                self.blocks.ranges(&*self.inner, path, (tail, crc), ranges).await
            }
            Some(FileName::Whole { crc, .. }) => {
                self.whole.verify(&*self.inner, path, Expected::Crc32c(crc)).await?;
                self.inner.get_ranges(path, ranges).await
            }
            None => self.inner.get_ranges(path, ranges).await,
        }
    }

    async fn put_opts(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        self.inner.put_opts(path, payload, options).await
    }

    async fn put_multipart_opts(&self, path: &Path, options: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        self.inner.put_multipart_opts(path, options).await
    }

    fn delete_stream(&self, paths: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        self.inner.delete_stream(paths)
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list(prefix)
    }

    fn list_with_offset(&self, prefix: Option<&Path>, offset: &Path) -> BoxStream<'static, Result<ObjectMeta>> {
        self.inner.list_with_offset(prefix, offset)
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.inner.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> Result<()> {
        self.inner.copy_opts(from, to, options).await
    }
}
