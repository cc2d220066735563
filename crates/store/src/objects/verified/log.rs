//! The objects of a table's log: entries by their own hash, their heads and each other, checkpoints of ours whole by their records.
//!
//! `_last_checkpoint`, which is overwritten again and again, decides nothing: of it only the version is passed on, and only if a
//! sound checkpoint is there. Without it the newest sound checkpoint is looked for by listing.

use bytes::Bytes;
use datafusion::object_store::path::Path;
use datafusion::object_store::{
    Attributes, Error, GetOptions, GetResult, GetResultPayload, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode,
    PutOptions, PutPayload, PutResult, Result,
};
use futures::stream::{self, StreamExt, TryStreamExt};
use ring::digest::{Context, SHA256};
use serde::Deserialize;

use super::Verified;
use super::damaged::{damaged, is_corrupt};
use super::whole::Expected;
use crate::error::{StoreError, VERIFIED};
use crate::log::{Examined, Head, LOG_FOLDER, LogPlace, Origin, Recorded, examine};

/// Which object of a log it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LogObject {
    Entry(LogPlace),
    Checkpoint(LogPlace),
    LastCheckpoint,
}

impl LogObject {
    /// What a path is for; `None` for anything else than a log's objects that are verified.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let mut parts = path.parts();
        let (table, folder, name) = (parts.next()?, parts.next()?, parts.next()?);
        if folder.as_ref() != LOG_FOLDER || parts.next().is_some() {
            return None;
        }
        if name.as_ref() == "_last_checkpoint" {
            return Some(Self::LastCheckpoint);
        }
        let (digits, kind) = name.as_ref().split_once('.')?;
        let version = digits.parse().ok().filter(|_| digits.len() == 20)?;
        let place = LogPlace { table: table.as_ref().to_string(), version };
        match kind {
            "json" => Some(Self::Entry(place)),
            "checkpoint.parquet" => Some(Self::Checkpoint(place)),
            _ => None,
        }
    }
}

/// What `_last_checkpoint` says, as far as it matters.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Hint {
    version: u64,
    parts: Option<serde_json::Value>,
    v2_checkpoint: Option<serde_json::Value>,
}

impl Verified {
    /// An entry, verified.
    pub(crate) async fn entry(&self, place: &LogPlace) -> Result<(ObjectMeta, Bytes, Examined)> {
        let path = place.entry();
        let found = self.inner.get(&path).await?;
        let meta = found.meta.clone();
        let bytes = found.bytes().await?;
        let examined = examine(&bytes, &place.table, place.version).map_err(|why| damaged(&path, why))?;
        if examined.origin != Origin::Nines
            && let Some(hash) = self.hash_in_head(place).await?
            && hash != examined.hash
        {
            return Err(damaged(&path, format_args!("it is not what {} was written for", place.head())));
        }
        self.chain.add(place, examined).map_err(|(version, why)| {
            let wrong = LogPlace { version, ..place.clone() };
            damaged(&wrong.entry(), why)
        })?;
        Ok((meta, bytes, examined))
    }

    /// The hash that the head of an entry has of it; `None` if it has no head.
    pub(crate) async fn hash_in_head(&self, place: &LogPlace) -> Result<Option<[u8; 32]>> {
        let path = place.head();
        match self.inner.get(&path).await {
            Ok(found) => Head::read(&found.bytes().await?, place).map(Some).map_err(|why| damaged(&path, why)),
            Err(Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The newest checkpoint of a table that is recorded and known to be sound in this process.
    pub(crate) fn newest_checkpoint(&self, table: &str) -> Option<Recorded> {
        self.lock(&self.recorded).get(table).cloned()
    }

    fn learn_checkpoint(&self, recorded: Recorded) {
        let mut newest = self.lock(&self.recorded);
        if newest.get(&recorded.table).is_none_or(|known| known.version < recorded.version) {
            newest.insert(recorded.table.clone(), recorded);
        }
    }

    /// Makes sure that a checkpoint is as it was written.
    ///
    /// Those of ours are recorded before they are put. One without a record is another writer's or an older program's, or lost its
    /// record: it is left out where all entries are there, and used only where they are not and its entry is another writer's.
    pub(super) async fn verify_checkpoint(&self, place: &LogPlace) -> Result<()> {
        let path = place.checkpoint();
        let expected = async {
            let found = match self.inner.get(&place.record()).await {
                Err(Error::NotFound { .. }) => return self.check_unrecorded(place).await.map(|()| None),
                found => found?.bytes().await?,
            };
            let (recorded, checkpoint, entry) =
                Recorded::read(&found, place).map_err(|why| damaged(&place.record(), why))?;
            if let Some(read) = self.chain.read(place).filter(|read| read.hash != entry) {
                let why = format!("it was not written after this entry, whose origin is {:?}", read.origin);
                return Err(damaged(&path, why));
            }
            self.learn_checkpoint(recorded.clone());
            Ok(Some(Expected::Sha256 { size: recorded.size, hash: checkpoint }))
        };
        let verified = self.whole.verify(&*self.inner, &path, expected).await;
        if let Err(error) = &verified
            && is_corrupt(error)
            // One that is gone was given up since it was listed.
            && self.inner.head(&path).await.is_ok()
            && self.lock(&self.unusable).insert(path.clone())
            && self.has_beginning(&place.table).await?
        {
            let told = StoreError::found_in(error).map(|error| error.to_string()).unwrap_or_default();
            self.notices().add(format!("a checkpoint is left out, the entries of the log are read instead: {told}"));
        }
        verified
    }

    /// Refuses a checkpoint without a record, unless it is a foreign one without which nothing could be read.
    async fn check_unrecorded(&self, place: &LogPlace) -> Result<()> {
        let path = place.checkpoint();
        self.inner.head(&path).await?;
        if self.has_beginning(&place.table).await? {
            if !self.is_of_ours(place).await? {
                // Nothing happened to it that should be known.
                self.lock(&self.unusable).insert(path.clone());
            }
            return Err(damaged(&path, format_args!("its record {} is not there, so it is not used", place.record())));
        }
        match self.is_of_ours(place).await? {
            true => Err(damaged(
                &path,
                format_args!(
                    "its record {} is missing, and so are the entries of the log that it stands for: nobody can tell whether it is as \
                     it was written",
                    place.record()
                ),
            )),
            false => Ok(()),
        }
    }

    /// Whether the log is there from its first entry on: nothing of it was removed because of a checkpoint.
    pub(super) async fn has_beginning(&self, table: &str) -> Result<bool> {
        let first = LogPlace { table: table.to_string(), version: 0 };
        Ok(self.find(vec![first.entry()], usize::MAX).await?.iter().any(Option::is_some))
    }

    /// Whether the entry of a version is of this program, or, where it is gone, what comes after it.
    async fn is_of_ours(&self, place: &LogPlace) -> Result<bool> {
        let next = LogPlace { version: place.version.saturating_add(1), ..place.clone() };
        for entry in [place, &next] {
            let found = match self.inner.get(&entry.entry()).await {
                Err(Error::NotFound { .. }) => continue,
                found => found?.bytes().await?,
            };
            // Of what does not hold, it is not known.
            return Ok(!examine(&found, &entry.table, entry.version).is_ok_and(|found| found.origin != Origin::Nines));
        }
        Ok(self.hash_in_head(place).await?.is_some())
    }

    /// Whether a checkpoint can be used. An error is one of reading.
    async fn is_sound(&self, place: &LogPlace) -> Result<bool> {
        match self.verify_checkpoint(place).await {
            Ok(()) => Ok(true),
            Err(error) if is_corrupt(&error) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// A sound checkpoint to begin with: the one that `_last_checkpoint` names, or else the newest one.
    async fn last_checkpoint(&self, path: &Path) -> Result<GetResult> {
        let hint = match self.inner.get(path).await {
            Ok(found) => serde_json::from_slice::<Hint>(&found.bytes().await?).ok(),
            Err(Error::NotFound { .. }) => None,
            Err(error) => return Err(error),
        };
        let table = path.parts().next().map(|table| table.as_ref().to_string()).unwrap_or_default();
        let place = |version| LogPlace { table: table.clone(), version };
        // Other kinds of checkpoints are other writers'; they are found by listing.
        if let Some(hint) = hint.filter(|hint| hint.parts.is_none() && hint.v2_checkpoint.is_none())
            && let Some(sound) = self.hint_of(&place(hint.version)).await?
        {
            return Ok(sound);
        }
        for version in self.checkpoints(&table).await? {
            if let Some(sound) = self.hint_of(&place(version)).await? {
                return Ok(sound);
            }
        }
        Err(Error::NotFound { path: path.to_string(), source: "there is no checkpoint that can be used".into() })
    }

    /// What stands in `_last_checkpoint` for a checkpoint; `None` if it is missing or damaged.
    async fn hint_of(&self, place: &LogPlace) -> Result<Option<GetResult>> {
        let meta = match self.inner.head(&place.checkpoint()).await {
            Ok(meta) => meta,
            Err(Error::NotFound { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let line = format!("{{\"version\":{},\"size\":0}}", place.version);
        Ok(self.is_sound(place).await?.then(|| whole(meta, line.into())))
    }

    /// The versions that have a checkpoint, the newest first.
    async fn checkpoints(&self, table: &str) -> Result<Vec<u64>> {
        let folder = Path::from(format!("{table}/{LOG_FOLDER}"));
        let names = match &self.folder {
            Some(local) => local.names(&folder, ".checkpoint.").await?,
            None => {
                let all = self.inner.list(Some(&folder)).map_ok(|object| object.location);
                all.try_collect().await.or_else(|error| match error {
                    Error::NotFound { .. } => Ok(Vec::new()),
                    error => Err(error),
                })?
            }
        };
        let version = |path: &Path| match LogObject::of(path)? {
            LogObject::Checkpoint(place) => Some(place.version),
            LogObject::Entry(_) | LogObject::LastCheckpoint => None,
        };
        let mut versions: Vec<u64> = names.iter().filter_map(version).collect();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        Ok(versions)
    }

    /// Puts a checkpoint, which must not be there yet, and its record before it.
    pub(super) async fn put_checkpoint(&self, place: &LogPlace, payload: PutPayload) -> Result<PutResult> {
        let path = place.checkpoint();
        let exists = || Error::AlreadyExists { path: path.to_string(), source: "there is a checkpoint already".into() };
        match self.inner.head(&path).await {
            Ok(_) => return Err(exists()),
            Err(Error::NotFound { .. }) => {}
            Err(error) => return Err(error),
        }
        let (_, _, entry) = self.entry(place).await?;
        let mut hash = Context::new(&SHA256);
        payload.iter().for_each(|part| hash.update(part));
        let mut checkpoint = [0; 32];
        checkpoint.copy_from_slice(hash.finish().as_ref());
        let recorded = Recorded::new(place, payload.content_length() as u64, &checkpoint, &entry.hash);
        let bytes = recorded.to_bytes().map_err(|error| Error::Generic { store: VERIFIED, source: Box::new(error) })?;
        match self.inner.put_opts(&place.record(), bytes.into(), PutMode::Create.into()).await {
            Ok(_) => {}
            Err(Error::AlreadyExists { .. }) => {
                let found = self.inner.get(&place.record()).await?.bytes().await?;
                let same = Recorded::read(&found, place).is_ok_and(|(_, recorded, _)| recorded == checkpoint);
                if !same {
                    return Err(exists());
                }
            }
            Err(error) => return Err(error),
        }
        let put = self.inner.put_opts(&path, payload, PutOptions::from(PutMode::Create)).await?;
        self.learn_checkpoint(recorded);
        Ok(put)
    }

    /// As [`ObjectStore::get_opts`], of an object of a log.
    pub(super) async fn get_of_log(&self, object: &LogObject, path: &Path, options: GetOptions) -> Result<GetResult> {
        match object {
            LogObject::Entry(place) => {
                let (meta, bytes, _) = self.entry(place).await?;
                options.check_preconditions(&meta)?;
                let Some(range) = options.range else { return Ok(whole(meta, bytes)) };
                let range = range
                    .as_range(meta.size)
                    .map_err(|source| Error::Generic { store: VERIFIED, source: Box::new(source) })?;
                let part = bytes.slice(range.start as usize..range.end as usize);
                Ok(GetResult { range, ..whole(meta, part) })
            }
            LogObject::Checkpoint(place) => {
                self.verify_checkpoint(place).await?;
                self.inner.get_opts(path, options).await
            }
            LogObject::LastCheckpoint => self.last_checkpoint(path).await,
        }
    }
}

/// An object of these bytes.
fn whole(mut meta: ObjectMeta, bytes: Bytes) -> GetResult {
    meta.size = bytes.len() as u64;
    let range = 0..meta.size;
    let payload = GetResultPayload::Stream(stream::once(async { Ok(bytes) }).boxed());
    GetResult { payload, meta, range, attributes: Attributes::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_of_logs_are_known_by_their_paths() {
        let place = LogPlace { table: "slo_days".to_string(), version: 50 };
        assert_eq!(LogObject::of(&place.entry()), Some(LogObject::Entry(place.clone())));
        assert_eq!(LogObject::of(&place.checkpoint()), Some(LogObject::Checkpoint(place.clone())));
        assert_eq!(LogObject::of(&Path::from("slo_days/_delta_log/_last_checkpoint")), Some(LogObject::LastCheckpoint));
        for other in [
            "slo_days/_nines/00000000000000000050.head",
            "slo_days/_delta_log/50.json",
            "slo_days/_delta_log/00000000000000000050.crc",
            "slo_days/_delta_log/00000000000000000050.checkpoint.0000000001.0000000002.parquet",
            "a/slo_days/_delta_log/00000000000000000050.json",
        ] {
            assert_eq!(LogObject::of(&Path::from(other)), None, "{other}");
        }
    }
}
