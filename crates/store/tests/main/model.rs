//! Random sequences of everything that writes a table, against a naive model of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use datafusion::catalog::TableProvider;
use datafusion::object_store::memory::InMemory;
use datafusion::object_store::{ObjectStore, ObjectStoreExt};
use datafusion::parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use datafusion::physical_plan::collect;
use datafusion::prelude::SessionContext;
use futures::TryStreamExt;
use nines_store::{
    Batch, Compaction, Mark, Once, Outcome, Provider, Snapshot, Store, StoreErrorKind, Table, TableKind,
};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use crate::draw;
use crate::fixture::{context, contexts, stream_of};
use crate::naive::{Changes, Row, Rows, combined, day, from_batches, replace, time_range, unit};
use crate::seed::{Replay, count, seeds};

/// All rows that a provider gives, none of them twice.
pub async fn rows_of(session: &SessionContext, provider: Provider) -> datafusion::error::Result<Rows> {
    let kind = provider.table().kind();
    let plan = provider.scan(&session.state(), None, &[], None).await?;
    let read = collect(plan, session.task_ctx()).await?;
    let listed = from_batches(kind, &read);
    let number = listed.len();
    let rows: Rows = listed.into_iter().collect();
    assert_eq!(rows.len(), number, "a key is there twice");
    Ok(rows)
}

/// A table opened over these objects by somebody who knows nothing of it yet.
pub async fn fresh(objects: &Arc<InMemory>, kind: TableKind) -> Table {
    Store::over("memory://test", Arc::clone(objects) as _, None).await.unwrap().table(kind)
}

/// What must hold of the files of a version, whatever their rows.
pub async fn check_files(objects: &InMemory, snapshot: &Snapshot) {
    let kind = snapshot.table().kind();
    let mut units = BTreeSet::new();
    for file in snapshot.files() {
        let bytes = objects.get(file.path()).await.unwrap().bytes().await.unwrap();
        assert_eq!(bytes.len() as u64, file.size());
        let reader = ParquetRecordBatchReaderBuilder::try_new(bytes).unwrap().build().unwrap();
        let rows = from_batches(kind, &reader.map(Result::unwrap).collect::<Vec<_>>());
        assert_eq!(file.rows(), Some(rows.len() as u64));
        assert!(rows.is_sorted_by(|(a, _), (b, _)| a < b), "{}", file.path());
        if kind.is_series() {
            let folder = file.day().unwrap().signed_duration_since(chrono::NaiveDate::default()).num_days();
            assert!(rows.iter().all(|(key, _)| day(key) == folder), "{}", file.path());
        }
        let of_file: BTreeSet<_> = rows.iter().map(|(key, _)| unit(kind, key)).collect();
        for unit in of_file {
            assert!(units.insert(unit.clone()), "{unit:?} is in two files");
        }
    }
}

/// No data file was left behind: each is in a retained version.
async fn check_objects(objects: &InMemory, table: &Table, oldest: u64) {
    let (mut logged, mut there) = (BTreeSet::new(), BTreeSet::new());
    if let Ok(snapshot) = table.snapshot_at(oldest).await {
        logged.extend(snapshot.files().map(|file| file.path().to_string()));
    }
    for object in objects.list(None).try_collect::<Vec<_>>().await.unwrap() {
        let path = object.location;
        match (path.as_ref().split_once("/_delta_log/"), path.extension()) {
            (Some((table, name)), Some("json")) if name[..20].parse::<u64>().unwrap() > oldest => {
                let entry = objects.get(&path).await.unwrap().bytes().await.unwrap();
                for action in std::str::from_utf8(&entry).unwrap().lines() {
                    let action: serde_json::Value = serde_json::from_str(action).unwrap();
                    logged.extend(action["add"]["path"].as_str().map(|path| format!("{table}/{path}")));
                }
            }
            (Some(_), _) => {}
            (None, Some("parquet")) => {
                there.insert(path.to_string());
            }
            _ => {}
        }
    }
    assert_eq!(there, logged, "data files that are in no version, or are missing");
}

/// What a version holds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Version {
    pub rows: Rows,
    pub marks: BTreeMap<String, i64>,
    /// Content and version of the batches that are remembered.
    pub remembered: BTreeMap<(String, String), (i64, u64)>,
}

/// A table, a model of all its versions, and what has been delivered to it.
pub struct Sequence {
    pub rng: StdRng,
    pub kind: TableKind,
    pub replay: Replay,
    pub objects: Arc<InMemory>,
    /// Independent users of the same objects, each with what it remembers of them.
    pub handles: Vec<Table>,
    pub session: SessionContext,
    /// Sessions that write by different ways.
    writing: Vec<SessionContext>,
    pub versions: Vec<Version>,
    /// The oldest version that is retained.
    pub oldest: u64,
    /// Whether a version was restored, so that a batch may have been set more than once.
    pub restored: bool,
    /// Batches to deliver again, to correct, to relabel.
    delivered: Vec<(Batch, Vec<Row>)>,
    names: u64,
    operations: u64,
}

impl Sequence {
    async fn start(seed: u64, kind: TableKind) -> Self {
        let objects = Arc::new(InMemory::new());
        let mut handles = Vec::new();
        for _ in 0..2 {
            handles.push(fresh(&objects, kind).await);
        }
        let mut replay = Replay::new(seed);
        replay.note(format!("{kind:?}"));
        Self {
            rng: StdRng::seed_from_u64(seed),
            kind,
            replay,
            objects,
            handles,
            session: context(),
            writing: contexts(),
            versions: Vec::new(),
            oldest: 0,
            restored: false,
            delivered: Vec::new(),
            names: 0,
            operations: 0,
        }
    }

    pub fn now(&self) -> Version {
        self.versions.last().cloned().unwrap_or_default()
    }

    fn new_batch(&mut self) -> Batch {
        self.names += 1;
        Batch::new(draw::one(&mut self.rng, &["a", "b/c"]), format!("batch {}", self.names), self.names * 4)
    }

    /// Puts rows into fewer files through one of the handles: a version with the same rows, under the same names.
    async fn compact(&mut self) {
        let handle = self.rng.random_range(0..self.handles.len());
        self.replay.note(format!("compact: handle {handle}"));
        let named = |snapshot: &Snapshot| -> Vec<_> {
            snapshot.partitions().map(|partition| (partition.first_day(), partition.content())).collect()
        };
        let before = named(&self.handles[handle].snapshot().await.unwrap());
        let done = self.handles[handle].compact(&Compaction::default(), self.session.task_ctx()).await.unwrap();
        let Some(version) = done.version else { return };
        assert!(done.after.files < done.before.files && done.left.files == 0, "{done:?}");
        assert_eq!(version, self.versions.len() as u64);
        self.versions.push(self.now());
        let after = self.handles[handle].snapshot().await.unwrap();
        assert_eq!(named(&after), before);
        check_files(&self.objects, &after).await;
    }

    async fn step(&mut self) {
        if self.rng.random_bool(0.15) {
            self.compact().await;
        }
        if self.rng.random_bool(0.12) {
            self.upkeep().await;
        }
        let fresh_rows = |sequence: &mut Self| draw::stream(&mut sequence.rng, sequence.kind);
        let earlier = match self.delivered.is_empty() {
            true => None,
            false => Some(draw::one(&mut self.rng, &self.delivered)),
        };
        let what = self.rng.random_range(0..100);
        let (what, stream, once) = match (what, earlier) {
            (40..=54, Some((_, rows))) => {
                let rows = draw::correction(&mut self.rng, self.kind, &combined(self.kind, &rows).unwrap());
                ("correction", rows, Once::batch(self.new_batch()))
            }
            (55..=64, Some((_, rows))) if self.kind == TableKind::Requests => {
                let rows = draw::relabelled(&mut self.rng, self.kind, &combined(self.kind, &rows).unwrap());
                ("relabelled", rows, Once::batch(self.new_batch()))
            }
            (65..=74, Some((batch, mut rows))) => {
                // A batch is what its content's hash says; what comes with it is not looked at.
                rows.shuffle(&mut self.rng);
                ("redelivery", rows, Once::batch(batch))
            }
            (75..=79, Some((batch, _))) => {
                let other = Batch::new(batch.source, batch.id, batch.content as u64 * 2 + 2);
                ("other content", fresh_rows(self), Once::batch(other))
            }
            (80..=87, Some((_, rows))) => {
                let once = if self.rng.random() { Once::batch(self.new_batch()) } else { Once::default() };
                ("same rows", rows, once)
            }
            (88..=95, _) => {
                let rows = if self.rng.random_bool(0.3) { Vec::new() } else { fresh_rows(self) };
                let mut once = if self.rng.random() { Once::batch(self.new_batch()) } else { Once::default() };
                for name in ["position", "file/業務"].into_iter().take(self.rng.random_range(1..=2)) {
                    let from = match self.rng.random_bool(0.8) {
                        true => self.now().marks.get(name).copied(),
                        false => draw::one(&mut self.rng, &[None, Some(-1), Some(2)]),
                    };
                    let to = self.rng.random_range(-3..1000);
                    let lasting = self.rng.random();
                    once.marks.push(if lasting {
                        Mark::lasting(name, from, to)
                    } else {
                        Mark::passing(name, from, to)
                    });
                }
                ("marks", rows, once)
            }
            (96..=97, _) => ("nothing", Vec::new(), Once::batch(self.new_batch())),
            (98..=99, _) if !self.kind.is_series() => {
                let mut rows = fresh_rows(self);
                let (key, mut measures) = rows[0].clone();
                while measures == rows[0].1 {
                    measures = draw::measures(&mut self.rng, self.kind);
                }
                rows.push((key, measures));
                ("contradiction", rows, Once::default())
            }
            _ => {
                let rows = fresh_rows(self);
                let once = if self.rng.random_bool(0.8) { Once::batch(self.new_batch()) } else { Once::default() };
                ("batch", rows, once)
            }
        };
        self.append(what, stream, once).await;
        self.operations += 1;
    }

    /// Appends through one of the handles and compares what it says with the model.
    async fn append(&mut self, what: &str, stream: Vec<Row>, once: Once) {
        let handle = self.rng.random_range(0..self.handles.len());
        let session = format!("{} rows, {once:?}, handle {handle}", stream.len());
        self.replay.note(format!("{what}: {session}"));
        let batches = draw::cut(&mut self.rng, self.kind, &stream);
        let task = draw::one(&mut self.rng, &self.writing).task_ctx();
        let told = self.handles[handle].append(stream_of(batches), once.clone(), task).await;
        self.handles[handle].write_checkpoint().await;

        let Version { rows, marks, mut remembered } = self.now();
        let named = once.batch.as_ref().map(|batch| (batch.source.clone(), batch.id.clone()));
        if let Some((content, version)) = named.as_ref().and_then(|name| remembered.get(name)) {
            if *content == once.batch.as_ref().unwrap().content {
                let told = told.unwrap();
                match told.outcome {
                    // Which version it became may be told no longer.
                    Outcome::Delivered(None) if self.oldest > 0 => {}
                    Outcome::Delivered(Some(told)) if self.oldest > 0 || self.restored => {
                        assert!(told < self.versions.len() as u64);
                    }
                    told => assert_eq!(told, Outcome::Delivered(Some(*version))),
                }
                assert_eq!((told.rows, told.files, Changes::from(told.changes)), (0, 0, Changes::default()));
            } else {
                assert_eq!(told.unwrap_err().kind(), StoreErrorKind::Mismatch);
            }
            return;
        }
        let Some(batch) = combined(self.kind, &stream) else {
            assert_eq!(told.unwrap_err().kind(), StoreErrorKind::InvalidRows);
            return;
        };
        if batch.is_empty() && once.marks.is_empty() {
            assert_eq!(told.unwrap(), nines_store::Commit::default());
            return;
        }
        if self.versions.is_empty() {
            self.versions.push(Default::default());
        }
        if once.marks.iter().any(|mark| marks.get(&mark.name).copied() != mark.from) {
            assert_eq!(told.unwrap_err().kind(), StoreErrorKind::Moved);
            return;
        }
        let told = told.unwrap();
        let (after, changes) = replace(self.kind, &rows, &batch);
        assert_eq!(Changes::from(told.changes), changes);
        assert_eq!(told.rows, batch.len() as u64);
        assert_eq!(told.time_range, time_range(self.kind, &batch));
        let version = self.versions.len() as u64;
        assert_eq!(
            told.outcome,
            match changes.nothing() {
                true if batch.is_empty() => Outcome::Empty,
                true => Outcome::Unchanged,
                false => Outcome::Stored(version),
            }
        );
        assert_eq!(told.files == 0, changes.nothing());
        let (named, content) = (named.filter(|_| !batch.is_empty()), once.batch.as_ref().map(|batch| batch.content));
        if !changes.nothing() || named.is_some() || !once.marks.is_empty() {
            let set = once.marks.iter().map(|mark| (mark.name.clone(), mark.to));
            if let Some(named) = named {
                remembered.insert(named, (content.unwrap(), version));
                self.delivered.push((once.batch.unwrap(), stream));
            }
            self.versions.push(Version { rows: after, marks: marks.into_iter().chain(set).collect(), remembered });
        }
    }

    /// The newest version, and now and then an earlier one, through one of the handles.
    async fn check(&mut self) {
        if self.rng.random_bool(0.1) {
            let handle = self.rng.random_range(0..self.handles.len());
            self.handles[handle] = fresh(&self.objects, self.kind).await;
        }
        let table = draw::one(&mut self.rng, &self.handles);
        let snapshot = table.snapshot().await.unwrap();
        assert_eq!(snapshot.version(), (self.versions.len() as u64).checked_sub(1));
        let Version { rows, marks, .. } = self.now();
        assert_eq!(snapshot.rows(), Some(rows.len() as u64));
        let read = rows_of(&self.session, Provider::pinned(snapshot.clone())).await.unwrap();
        assert!(read == rows, "{}", difference(&read, &rows));
        for name in ["position", "file/業務", "never"] {
            assert_eq!(snapshot.mark(name).await.unwrap(), marks.get(name).copied());
        }
        if self.operations.is_multiple_of(10) && !self.versions.is_empty() {
            for _ in 0..3 {
                let version = self.rng.random_range(self.oldest as usize..self.versions.len());
                self.check_version(&table, version).await;
            }
        }
    }

    pub async fn check_version(&self, table: &Table, version: usize) {
        let Version { rows, marks, .. } = &self.versions[version];
        let snapshot = table.snapshot_at(version as u64).await.unwrap();
        assert_eq!(snapshot.version(), Some(version as u64));
        let read = rows_of(&self.session, Provider::at(table.clone(), version as u64)).await.unwrap();
        assert!(read == *rows, "at version {version}: {}", difference(&read, rows));
        for name in ["position", "file/業務"] {
            assert_eq!(snapshot.mark(name).await.unwrap(), marks.get(name).copied());
        }
    }

    /// What holds when all is done: files of each version are in order, and there are no others.
    async fn finish(mut self) -> u64 {
        self.check().await;
        let table = fresh(&self.objects, self.kind).await;
        let snapshot = table.snapshot().await.unwrap();
        check_files(&self.objects, &snapshot).await;
        check_objects(&self.objects, &table, self.oldest).await;
        self.sound(&table).await;
        self.operations
    }
}

/// A difference of thousands of rows is not read by anybody.
pub fn difference(read: &Rows, model: &Rows) -> String {
    let few = |rows: Vec<String>| format!("{} ({:#?})", rows.len(), &rows[..rows.len().min(3)]);
    let missing = model.iter().filter(|(key, _)| !read.contains_key(*key)).map(|row| format!("{row:?}")).collect();
    let surplus = read.iter().filter(|(key, _)| !model.contains_key(*key)).map(|row| format!("{row:?}")).collect();
    let other = model.iter().filter_map(|(key, cells)| {
        read.get(key).filter(|read| *read != cells).map(|read| format!("{key:?}: {read:?}, not {cells:?}"))
    });
    format!("missing: {}, surplus: {}, other: {}", few(missing), few(surplus), few(other.collect()))
}

#[tokio::test]
async fn random_sequences_do_what_the_model_does() {
    let (started, mut sequences, mut operations) = (Instant::now(), 0, 0);
    for seed in seeds("NINES_SEQUENCES", 16) {
        let kind = match seed % 8 {
            0 => TableKind::Gauges,
            1 => TableKind::Incidents,
            2 => [TableKind::Exclusions, TableKind::Fees, TableKind::Events][(seed / 8 % 3) as usize],
            _ => TableKind::Requests,
        };
        let mut sequence = Sequence::start(seed, kind).await;
        for _ in 0..sequence.rng.random_range(5..=35) {
            sequence.step().await;
            sequence.check().await;
        }
        operations += sequence.finish().await;
        sequences += 1;
    }
    println!("{sequences} sequences of {operations} operations in {:.1?}", started.elapsed());
}

#[tokio::test]
async fn a_long_sequence_crosses_checkpoints() {
    let started = Instant::now();
    let commits = count("NINES_LONG", 120) as usize;
    for seed in seeds("NINES_LONG_SEQUENCES", 1) {
        let mut sequence = Sequence::start(seed, TableKind::Requests).await;
        while sequence.versions.len() <= commits {
            sequence.step().await;
            if sequence.operations.is_multiple_of(5) {
                sequence.check().await;
            }
        }
        let checkpoints: Vec<_> = sequence.objects.list(None).try_collect().await.unwrap();
        let checkpoints = checkpoints.iter().filter(|object| object.location.as_ref().ends_with(".checkpoint.parquet"));
        let regular = (sequence.oldest as usize).div_ceil(50).max(1)..=(sequence.versions.len() - 1) / 50;
        assert!(checkpoints.count() >= regular.count());
        // Whoever starts from a checkpoint knows what was delivered before it, and each version.
        sequence.handles = vec![fresh(&sequence.objects, sequence.kind).await];
        let early: Vec<_> = sequence.delivered.iter().take(10).cloned().collect();
        for (batch, rows) in early {
            sequence.append("early redelivery", rows, Once::batch(batch)).await;
        }
        let table = sequence.handles[0].clone();
        for version in (sequence.oldest as usize..sequence.versions.len()).step_by(13) {
            sequence.check_version(&table, version).await;
        }
        let operations = sequence.finish().await;
        println!("{operations} operations over {commits} versions in {:.1?}", started.elapsed());
    }
}
