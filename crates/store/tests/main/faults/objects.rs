//! Objects in memory that fail when told to.
//!
//! Each put, get, listing, deletion and completed upload is one operation; they are counted, and one of them, or all from
//! there on, can be made to fail.

use std::fmt;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use bytes::Bytes;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    self, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, ObjectStoreExt, PutMultipartOptions, PutOptions, PutPayload, PutResult, UploadPart,
};
use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use tokio::sync::Notify;

/// What becomes of an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It fails and nothing was done.
    Fails,
    /// It is done, or half of what it reads is given, and then it fails.
    FailsLate,
    /// Somebody else acts before it is done.
    Waits,
}

/// Which operations fail.
#[derive(Debug, Clone, Copy)]
pub struct Plan {
    pub at: u64,
    pub fault: Fault,
    /// Whether all after it fail as well.
    pub lasting: bool,
}

#[derive(Debug, Default)]
struct Turns {
    operations: AtomicU64,
    plan: Mutex<Option<Plan>>,
    names: Mutex<Vec<String>>,
    /// An operation waits; it may go on.
    waits: Notify,
    goes_on: Notify,
}

impl Turns {
    /// Counts an operation and says what becomes of it.
    async fn next(&self, name: String) -> Option<Fault> {
        let number = self.operations.fetch_add(1, SeqCst) + 1;
        self.names.lock().unwrap().push(name);
        let plan = (*self.plan.lock().unwrap())?;
        match plan.fault {
            Fault::Waits if number == plan.at => {
                self.waits.notify_one();
                self.goes_on.notified().await;
                None
            }
            Fault::Waits => None,
            fault if number == plan.at => Some(fault),
            _ if number > plan.at && plan.lasting => Some(Fault::Fails),
            _ => None,
        }
    }
}

/// The objects.
#[derive(Debug, Clone)]
pub struct Faulty {
    inner: Arc<InMemory>,
    turns: Arc<Turns>,
}

impl Faulty {
    pub fn over(inner: Arc<InMemory>) -> Self {
        Self { inner, turns: Arc::default() }
    }

    /// From now on operations count from 1.
    pub fn arm(&self, plan: Option<Plan>) {
        *self.turns.plan.lock().unwrap() = plan;
        self.turns.names.lock().unwrap().clear();
        self.turns.operations.store(0, SeqCst);
    }

    /// The operations since.
    pub fn done(&self) -> Vec<String> {
        self.turns.names.lock().unwrap().clone()
    }

    /// Ends when an operation waits for [`Faulty::go_on`].
    pub async fn waits(&self) {
        self.turns.waits.notified().await;
    }

    /// As if an operation waited.
    pub fn wait_no_longer(&self) {
        self.turns.waits.notify_one();
    }

    pub fn go_on(&self) {
        self.turns.goes_on.notify_one();
    }

    async fn turn<T>(
        &self,
        name: String,
        done: impl Future<Output = object_store::Result<T>>,
    ) -> object_store::Result<T> {
        match self.turns.next(name).await {
            None => done.await,
            Some(Fault::Fails) => Err(failure()),
            Some(_) => done.await.and_then(|_| Err(failure())),
        }
    }

    fn listing(
        &self,
        name: String,
        list: BoxStream<'static, object_store::Result<ObjectMeta>>,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        let turns = Arc::clone(&self.turns);
        let listing = async move {
            let fault = turns.next(name).await;
            let all: Vec<_> = list.try_collect().await?;
            let given = match fault {
                None => all.len(),
                Some(Fault::Fails) => 0,
                Some(_) => all.len() / 2,
            };
            let end = fault.map(|_| Err(failure()));
            Ok::<_, Error>(stream::iter(all.into_iter().take(given).map(Ok).chain(end)))
        };
        stream::once(listing).try_flatten().boxed()
    }
}

fn failure() -> Error {
    Error::Generic { store: "faulty", source: "told to fail".into() }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("faulty")
    }
}

#[async_trait]
impl ObjectStore for Faulty {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        opts: PutOptions,
    ) -> object_store::Result<PutResult> {
        self.turn(format!("put {location}"), self.inner.put_opts(location, payload, opts)).await
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        opts: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        let upload = self.inner.put_multipart_opts(location, opts).await?;
        Ok(Box::new(Upload { objects: self.clone(), name: format!("put {location}"), upload }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> object_store::Result<GetResult> {
        let fault = self.turns.next(format!("get {location}")).await;
        if fault == Some(Fault::Fails) {
            return Err(failure());
        }
        let mut result = self.inner.get_opts(location, options).await?;
        if fault.is_some() {
            let meta = (result.meta.clone(), result.attributes.clone(), result.range.clone());
            let bytes = result.bytes().await?;
            let half = Ok(bytes.slice(..bytes.len() / 2));
            let payload = GetResultPayload::Stream(stream::iter([half, Err(failure())]).boxed());
            let (meta, attributes, range) = meta;
            result = GetResult { payload, meta, attributes, range };
        }
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> object_store::Result<Vec<Bytes>> {
        self.turn(format!("get ranges of {location}"), self.inner.get_ranges(location, ranges)).await
    }

    fn delete_stream(
        &self,
        paths: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        let objects = self.clone();
        let delete = move |path: object_store::Result<Path>| {
            let objects = objects.clone();
            async move {
                let path = path?;
                objects.turn(format!("delete {path}"), objects.inner.delete(&path)).await.map(|()| path)
            }
        };
        paths.then(delete).boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.listing("list".to_string(), self.inner.list(prefix))
    }

    fn list_with_offset(
        &self,
        prefix: Option<&Path>,
        offset: &Path,
    ) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        self.listing(format!("list after {offset}"), self.inner.list_with_offset(prefix, offset))
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> object_store::Result<ListResult> {
        self.turn("list a folder".to_string(), self.inner.list_with_delimiter(prefix)).await
    }

    async fn copy_opts(&self, from: &Path, to: &Path, options: CopyOptions) -> object_store::Result<()> {
        self.turn(format!("copy to {to}"), self.inner.copy_opts(from, to, options)).await
    }
}

#[derive(Debug)]
struct Upload {
    objects: Faulty,
    name: String,
    upload: Box<dyn MultipartUpload>,
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, payload: PutPayload) -> UploadPart {
        self.upload.put_part(payload)
    }

    async fn complete(&mut self) -> object_store::Result<PutResult> {
        self.objects.turn(self.name.clone(), self.upload.complete()).await
    }

    async fn abort(&mut self) -> object_store::Result<()> {
        self.upload.abort().await
    }
}
