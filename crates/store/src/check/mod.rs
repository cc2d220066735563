//! Whether a table is as it was written: every byte of its log and its data, and what the log says of them.
//!
//! Reads are verified anyhow; this reads all there is, also what no question asks for, and says everything that is wrong
//! instead of the first thing.

mod checked;
mod heads;
mod rows;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::execution::TaskContext;
use datafusion::object_store::ObjectStoreExt;
use datafusion::object_store::path::Path;
use futures::{StreamExt, TryStreamExt};

use crate::error::{Result, StoreError};
use crate::found::{ObjectKind, StoredObject, versions as versions_of};
use crate::log::{DataFile, Origin, Recorded};
use crate::table::Table;
pub use checked::{Checked, Problem};

/// How often a table is looked at again because versions were given up meanwhile.
const LOOKS: usize = 3;
/// Files that are read at once.
const AT_ONCE: usize = 4;

impl Table {
    /// Reads everything of the table. `bytes` counts what was read of its data, for whoever watches.
    ///
    /// An error is only what kept it from looking: objects that cannot be listed, too little memory, too few descriptors.
    pub async fn check(&self, task: &Arc<TaskContext>, bytes: &Arc<AtomicU64>) -> Result<Checked> {
        let mut checked = Checked::default();
        for _ in 0..LOOKS {
            let before = self.retained().await.ok().flatten();
            checked = self.check_once(task, bytes).await?;
            // What was given up meanwhile may be gone, and is no loss.
            if checked.problems.is_empty() || self.retained().await.ok().flatten() == before {
                break;
            }
        }
        Ok(checked)
    }

    async fn check_once(&self, task: &Arc<TaskContext>, bytes: &Arc<AtomicU64>) -> Result<Checked> {
        let mut checked = Checked::default();
        // What is found says it.
        self.foreign_is_news();
        let found = self.found().await?;
        if found.is_empty() {
            if let Some(left) = self.log().left().await? {
                checked.problems.push(Problem::of(&left, &self.log().lost(&left)));
            }
            return Ok(checked);
        }
        if let Err(error) = self.log().check_record().await {
            checked.add(Problem::of(&self.log().record(), &error), error)?;
        }
        let mut versions = versions_of(&found, ObjectKind::Entry);
        let mut checkpoints = versions_of(&found, ObjectKind::Checkpoint);
        let mut heads = versions_of(&found, ObjectKind::Head);
        self.look_for_missed(&mut versions, &heads).await;
        let oldest = self.oldest_to_check(&versions, &mut checked).await?;
        // What is before the checkpoint of the oldest version was given up, and its removal was interrupted.
        let from = checkpoints.iter().copied().filter(|version| *version <= oldest).max().unwrap_or(0);
        let from = if versions.contains(&0) && oldest == 0 { 0 } else { from };
        for which in [&mut versions, &mut checkpoints, &mut heads] {
            which.retain(|version| *version >= from);
        }
        let mut files = self.check_entries(&versions, oldest, &checkpoints, &heads, &mut checked).await?;
        self.check_checkpoints(&checkpoints, &mut checked).await?;
        self.check_versions(&versions, oldest, &checkpoints, &mut files, &mut checked).await?;
        let of_any: BTreeSet<&Path> = files.keys().collect();
        let is_left_over = |found: &&StoredObject| found.kind == ObjectKind::Data && !of_any.contains(&found.path);
        checked.left_over.extend(found.iter().filter(is_left_over).map(|found| found.path.to_string()));
        let newest = self.newest().await;
        let current = newest.iter().flatten().flat_map(|newest| newest.files.files().map(DataFile::path)).collect();
        self.check_files(files.into_values().collect(), &current, bytes, &mut checked).await?;
        match newest {
            Ok(Some(newest)) => self.check_keys(&newest, task, &mut checked).await?,
            Ok(None) => {}
            Err(error) => checked.add_news(Problem::new(self.kind().name(), error.to_string()), error)?,
        }
        checked.problems.sort();
        checked.problems.dedup();
        Ok(checked)
    }

    /// Adds the entries that a list may lack because writers were at work while it was made: a list is no look at one moment. Of those
    /// that are lost none is looked for but the one before each that is there.
    async fn look_for_missed(&self, versions: &mut BTreeSet<u64>, heads: &BTreeSet<u64>) {
        let Some(first) = versions.first().copied() else { return };
        let before = versions.iter().filter(|version| **version > first).map(|version| version - 1);
        let ends: BTreeSet<u64> = before.chain(heads.iter().copied()).filter(|version| *version > first).collect();
        for end in ends.into_iter().rev() {
            for version in (first + 1..=end).rev() {
                let is_known = versions.contains(&version);
                if is_known || !matches!(self.objects().get(&self.log().place(version).entry()).await, Ok(Some(_))) {
                    break;
                }
                versions.insert(version);
            }
        }
    }

    /// The oldest version that is retained: those before it need not be readable.
    async fn oldest_to_check(&self, versions: &BTreeSet<u64>, checked: &mut Checked) -> Result<u64> {
        let first = versions.first().copied().unwrap_or(0);
        match self.retained().await {
            Ok(retained) => Ok(retained.unwrap_or(first)),
            Err(error) => {
                checked.add(Problem::new(self.kind().name(), error.to_string()), error)?;
                Ok(first)
            }
        }
    }

    /// Every entry by itself, by its head and by the one before it; none missing in between. The files that those after the oldest
    /// version add.
    async fn check_entries(
        &self,
        versions: &BTreeSet<u64>,
        oldest: u64,
        checkpoints: &BTreeSet<u64>,
        heads: &BTreeSet<u64>,
        checked: &mut Checked,
    ) -> Result<BTreeMap<Path, DataFile>> {
        let mut files = BTreeMap::new();
        let mut origins = Vec::new();
        let mut before: Option<(u64, [u8; 32])> = None;
        for &version in versions {
            checked.entries += 1;
            let place = self.log().place(version);
            let first = before.is_none() && Some(version) == versions.first().copied();
            if first && version > 0 && !checkpoints.contains(&version) {
                checked.problems.push(Problem::new(
                    place.entry(),
                    format!(
                        "the entries of the versions before it are missing, and there is no checkpoint of version {version} that would \
                         stand for them. Put them back from a backup"
                    ),
                ));
            }
            if let Some((last, _)) = before.filter(|(last, _)| last + 1 != version) {
                let missing = if last + 2 == version {
                    format!("{}", last + 1)
                } else {
                    format!("{} to {}", last + 1, version - 1)
                };
                checked.problems.push(Problem::new(
                    place.entry(),
                    format!("the entries before it, of version {missing}, are missing. Put them back from a backup"),
                ));
            }
            let entry = match self.objects().get(&place.entry()).await {
                Ok(Some(entry)) => entry,
                Ok(None) => continue,
                Err(error) => {
                    checked.add(Problem::of(&place.entry(), &error), error)?;
                    before = None;
                    continue;
                }
            };
            match self.origin_of(version).await {
                Ok(origin) => {
                    origins.push((version, origin));
                    if origin == Origin::Foreign {
                        checked.foreign_entries.push(version);
                    }
                }
                Err(error) => checked.add(Problem::of(&place.entry(), &error), error)?,
            }
            match self.log().added(version, &entry) {
                Ok(_) if version <= oldest => {}
                Ok(added) => files.extend(added.into_iter().map(|file| (file.path().clone(), file))),
                Err(error) => checked.add(Problem::of(&place.entry(), &error), error)?,
            }
            let hash = crate::digest::sha256(&entry);
            if let (Some((last, expected)), Some(said)) = (before, crate::log::previous(&entry))
                && last + 1 == version
                && said != expected
            {
                checked.problems.push(Problem::new(
                    place.entry(),
                    format!("it does not follow the entry of version {last}: one of the two was replaced. Put them back from a backup"),
                ));
            }
            before = Some((version, hash));
            if !heads.contains(&version) {
                continue;
            }
            match self.objects().head(&place).await {
                Ok(Some(head)) if head == hash => {}
                Ok(_) => checked.problems.push(Problem::new(
                    place.head(),
                    "it is the head of other bytes than those of its entry: one of the two was replaced. Put them back from a backup",
                )),
                Err(error) => checked.add(Problem::of(&place.head(), &error), error)?,
            }
        }
        // Writers at work put them a moment after their entries.
        let mut there = heads.clone();
        for version in origins.iter().map(|(version, _)| *version).filter(|version| !heads.contains(version)) {
            if matches!(self.objects().head(&self.log().place(version)).await, Ok(Some(_))) {
                there.insert(version);
            }
        }
        checked.problems.extend(self.check_heads(&origins, &there));
        let newest = versions.last().copied();
        for lost in heads.iter().filter(|head| newest.is_none_or(|newest| **head > newest)) {
            checked.problems.push(Problem::new(
                self.log().place(*lost).head(),
                "it is the head of an entry that is missing: the log lost its end. Put the entry back from a backup",
            ));
        }
        Ok(files)
    }

    /// Every checkpoint by its record.
    async fn check_checkpoints(&self, checkpoints: &BTreeSet<u64>, checked: &mut Checked) -> Result<()> {
        for &version in checkpoints {
            let place = self.log().place(version);
            let read = match self.objects().object_store().get(&place.checkpoint()).await {
                Ok(object) => object.bytes().await.map(drop),
                Err(error) => Err(error),
            };
            if matches!(self.objects().get(&place.record()).await, Ok(None)) {
                let theirs = matches!(self.origin_of(version).await, Ok(Origin::Foreign | Origin::Older));
                if theirs || read.is_ok() {
                    checked.foreign_checkpoints.push(version);
                    continue;
                }
            }
            if let Err(error) = read {
                let error = self.objects().failed("read", &place.checkpoint(), error);
                checked.add(Problem::of(&place.checkpoint(), &error), error)?;
            }
            if let Ok(Some(record)) = self.objects().get(&place.record()).await
                && let Err(why) = Recorded::read(&record, &place)
            {
                checked.problems.push(Problem::new(place.record(), format!("{why}: its checkpoint is not used")));
            }
        }
        Ok(())
    }

    /// The files of versions from which others are read. Those that cannot be read are said.
    async fn check_versions(
        &self,
        versions: &BTreeSet<u64>,
        oldest: u64,
        checkpoints: &BTreeSet<u64>,
        files: &mut BTreeMap<Path, DataFile>,
        checked: &mut Checked,
    ) -> Result<()> {
        // Between these a version has what the one before it had, and what its entry adds.
        let ends = [Some(oldest), versions.last().copied()].into_iter().flatten().chain(checkpoints.iter().copied());
        for version in ends.filter(|version| *version >= oldest).collect::<BTreeSet<u64>>() {
            match self.snapshot_at(version).await {
                Ok(snapshot) => files.extend(snapshot.files().map(|file| (file.path().clone(), file.clone()))),
                Err(error) => {
                    let place = self.log().place(version);
                    let problem = format!("version {version} cannot be read: {error}");
                    checked.add_news(Problem::new(place.entry(), problem), error)?;
                }
            }
        }
        Ok(())
    }

    /// Every byte of every file, and what the log says of its rows. `current` are those of the newest version.
    async fn check_files(
        &self,
        files: Vec<DataFile>,
        current: &BTreeSet<&Path>,
        bytes: &Arc<AtomicU64>,
        checked: &mut Checked,
    ) -> Result<()> {
        let checks = files.into_iter().map(|file| async move {
            let read = self.objects().object_store().get(file.path()).await;
            let read = match read {
                Ok(object) => object.bytes().await,
                Err(error) => Err(error),
            };
            let problems = match read {
                Ok(read) if read.len() as u64 != file.size() => vec![Problem::new(
                    file.path(),
                    format!("it has {} bytes, and the log says {}. Put it back from a backup", read.len(), file.size()),
                )],
                Ok(read) => {
                    let (kind, of) = (self.kind(), file.clone());
                    let found =
                        tokio::task::spawn_blocking(move || rows::problems(kind, &of, read).map_err(StoreError::from))
                            .await;
                    let doing = || format!("cannot check {}", file.path());
                    match found.map_err(|error| StoreError::of_task(&doing(), error)) {
                        Ok(Ok(found)) => found.into_iter().map(|problem| Problem::new(file.path(), problem)).collect(),
                        Ok(Err(error)) if error.is_of_resources() => return Err(error),
                        Ok(Err(error)) => vec![Problem::new(file.path(), format!("its rows cannot be read: {error}"))],
                        Err(error) if error.is_of_resources() => return Err(error),
                        Err(_) => vec![Problem::new(
                            file.path(),
                            "its rows cannot be read: what reads Parquet files failed on it. Put it back from a backup",
                        )],
                    }
                }
                Err(error) => match self.objects().failed("read", file.path(), error) {
                    error if error.is_of_resources() => return Err(error),
                    error => {
                        let mut problem = Problem::of(file.path(), &error);
                        if !current.contains(file.path()) {
                            let name = self.kind().name();
                            // Another program may have cleaned up.
                            problem.problem.push_str(&format!(
                                ". It belongs to earlier versions alone: if nobody needs these any more, give them up with: \
                                 nines gc {name} --now"
                            ));
                        }
                        vec![problem]
                    }
                },
            };
            bytes.fetch_add(file.size(), Relaxed);
            Ok((file, problems))
        });
        let mut checks = futures::stream::iter(checks).buffer_unordered(AT_ONCE);
        while let Some((file, problems)) = checks.try_next().await? {
            checked.files += 1;
            checked.bytes += file.size();
            checked.problems.extend(problems);
            if file.foreign() {
                checked.foreign_files.push(file.path().to_string());
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::StoreErrorKind;

    #[tokio::test]
    async fn what_this_process_lacks_is_no_problem_of_an_object() {
        let panic =
            tokio::task::spawn_blocking(|| panic!("zstd returned null pointer when creating new context")).await;
        let memory = StoreError::of_task("cannot check a file", panic.map(|_: ()| ()).unwrap_err());
        assert!(!memory.to_string().contains("null pointer"), "{memory}");
        let files = std::io::Error::from_raw_os_error(24);
        let files = StoreError::caused(StoreErrorKind::Io, "cannot read a file", files);
        let damage = StoreError::corrupt("a file is damaged");
        let mut checked = Checked::default();
        for (error, expected) in [(memory, false), (files, false), (damage, true)] {
            let told = error.to_string();
            assert_eq!(checked.add(Problem::new("a file", told.clone()), error).is_ok(), expected, "{told}");
        }
        assert_eq!(checked.problems, [Problem::new("a file", "a file is damaged")]);
    }
}
