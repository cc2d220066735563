//! Loss of power at every moment: what was acknowledged is there afterwards, and nothing is there by halves.
//!
//! A workload runs on a real folder while each call that changes the disk is written down. Then, for each moment
//! between two calls, folders are made as a disk may look after a loss of power there: bytes that were not synced
//! are whole, cut or gone; names that were not synced are there or not, each for itself, in any combination.
//!
//! `NINES_SEED` chooses other combinations, `NINES_IMAGES` how many per moment; with `NINES_FULL=1` writers die in
//! every append.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{
    ArrayRef, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray, new_null_array,
};
use datafusion::arrow::util::display::array_value_to_string;
use datafusion::common::{DFSchema, ScalarValue};
use datafusion::object_store::PutPayload;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::{SessionConfig, SessionContext, col, lit};
use futures::stream;
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};

use super::disk::{Disk, Real};
use crate::objects::Objects;
use crate::{
    Batch, Commit, Compaction, Condemned, Deletion, Gc, Once, Outcome, Provider, Result, Sealed, Store, StoreErrorKind,
    TableKind,
};

/// One call that changed the disk. Paths are relative to the folder in which all happens.
#[derive(Debug, Clone)]
enum Call {
    CreateFolder(PathBuf),
    Write(PathBuf, Vec<u8>),
    SyncFile(PathBuf),
    Link(PathBuf, PathBuf),
    Rename(PathBuf, PathBuf),
    Remove(PathBuf),
    SyncFolder(PathBuf),
}

/// A real disk that writes down its calls, and dies after some of them if it is told to.
#[derive(Debug, Clone)]
struct Recorded {
    base: PathBuf,
    calls: Arc<Mutex<Vec<Call>>>,
    /// The number of calls, by all who share the list, after which this one does nothing any more.
    dies_at: Option<usize>,
}

impl Recorded {
    fn new(base: &Path) -> Self {
        Self { base: base.to_path_buf(), calls: Arc::default(), dies_at: None }
    }

    fn calls(&self) -> usize {
        self.calls.lock().unwrap().len()
    }

    /// Folders above the base are as they are.
    fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.base).unwrap_or(Path::new("/")).to_path_buf()
    }

    fn record<T>(&self, call: Call, done: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let mut calls = self.calls.lock().unwrap();
        if self.dies_at.is_some_and(|at| calls.len() >= at) {
            return Err(io::Error::other("dead"));
        }
        let done = done()?;
        calls.push(call);
        Ok(done)
    }
}

impl Disk for Recorded {
    fn create_folder(&self, path: &Path) -> io::Result<()> {
        if !path.starts_with(&self.base) || path == self.base {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        self.record(Call::CreateFolder(self.relative(path)), || Real.create_folder(path))
    }

    fn write(&self, path: &Path, bytes: &PutPayload) -> io::Result<File> {
        let all = bytes.iter().flat_map(|part| part.to_vec()).collect();
        self.record(Call::Write(self.relative(path), all), || Real.write(path, bytes))
    }

    fn sync_file(&self, path: &Path, _file: &File) -> io::Result<()> {
        self.record(Call::SyncFile(self.relative(path)), || Ok(()))
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.record(Call::Link(self.relative(from), self.relative(to)), || Real.link(from, to))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.record(Call::Rename(self.relative(from), self.relative(to)), || Real.rename(from, to))
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.record(Call::Remove(self.relative(path)), || Real.remove(path))
    }

    fn open_folder(&self, path: &Path) -> io::Result<File> {
        Real.open_folder(path)
    }

    fn sync_folder(&self, path: &Path, _folder: &File) -> io::Result<()> {
        self.record(Call::SyncFolder(self.relative(path)), || Ok(()))
    }
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Node {
    Folder,
    File(usize),
}

/// A disk as the calls left it: what is certain, and what a loss of power may keep or drop.
#[derive(Debug, Default)]
struct Model {
    /// Bytes of files and whether they are synced.
    files: Vec<(Vec<u8>, bool)>,
    /// All names now.
    names: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    /// Changes of names since the last sync of their folder.
    pending: Vec<(PathBuf, Option<Node>)>,
}

impl Model {
    fn apply(&mut self, call: &Call) {
        match call {
            Call::CreateFolder(path) => self.set(path, Some(Node::Folder)),
            Call::Write(path, bytes) => {
                self.files.push((bytes.clone(), false));
                self.set(path, Some(Node::File(self.files.len() - 1)));
            }
            Call::SyncFile(path) => match self.names[path] {
                Node::File(file) => self.files[file].1 = true,
                Node::Folder => panic!("a folder is synced as a file"),
            },
            Call::Link(from, to) => self.set(to, Some(self.names[from])),
            Call::Rename(from, to) => {
                self.set(to, Some(self.names[from]));
                self.set(from, None);
            }
            Call::Remove(path) => self.set(path, None),
            Call::SyncFolder(folder) => {
                for (path, node) in std::mem::take(&mut self.pending) {
                    match path.parent() == Some(folder) {
                        true => keep(&mut self.durable, path, node),
                        false => self.pending.push((path, node)),
                    }
                }
            }
        }
    }

    fn set(&mut self, path: &Path, node: Option<Node>) {
        keep(&mut self.names, path.to_path_buf(), node);
        self.pending.push((path.to_path_buf(), node));
    }

    /// Makes a folder as the disk may look after a loss of power. `luck` is how likely what is not synced is kept.
    fn image(&self, base: &Path, random: &mut StdRng, luck: f64) {
        let mut names = self.durable.clone();
        for (path, node) in &self.pending {
            if random.random_bool(luck) {
                keep(&mut names, path.clone(), *node);
            }
        }
        // Names come before those below them; what is in a folder that was lost is lost.
        for (path, node) in &names {
            let to = base.join(path);
            if !to.parent().unwrap().is_dir() {
                continue;
            }
            match node {
                Node::Folder => fs::create_dir(to).unwrap(),
                Node::File(file) => {
                    let (bytes, synced) = &self.files[*file];
                    let length = match synced {
                        true => bytes.len(),
                        false if random.random_bool(luck) => bytes.len(),
                        false => random.random_range(0..=bytes.len()),
                    };
                    fs::write(to, &bytes[..length]).unwrap();
                }
            }
        }
    }
}

fn keep(names: &mut BTreeMap<PathBuf, Node>, path: PathBuf, node: Option<Node>) {
    match node {
        Some(node) => names.insert(path, node),
        None => names.remove(&path),
    };
}

const DAY: i64 = 86_400_000_000;

/// What the workload does.
enum Step {
    Append {
        rows: Vec<(i64, &'static str, i64)>,
        once: Once,
    },
    Restore(u64),
    Compact,
    Delete,
    /// Rows of days that are over go, and their days are sealed.
    Retain(i32),
    Gc,
}

fn step(id: usize, rows: &[(i64, &'static str, i64)]) -> Step {
    Step::Append { rows: rows.to_vec(), once: Once::batch(Batch::new("crash", id.to_string(), id as u64 * 2)) }
}

/// New rows, late rows, corrections that rewrite a file, two days at once, a batch that says nothing new.
fn workload() -> Vec<Step> {
    let minute = |n: i64| 20_000 * DAY + n * 60_000_000;
    vec![
        step(1, &[(minute(0), "login", 1), (minute(0), "业务", 2)]),
        step(2, &[(minute(1), "login", 3)]),
        step(3, &[(minute(0), "login", 4), (minute(2), "login", 5)]),
        step(4, &[(minute(0) - DAY, "login", 6), (minute(0) + DAY, "login", 7)]),
        step(5, &[(minute(2), "login", 5)]),
        step(6, &[(minute(1), "login", 8), (minute(0) + DAY, "login", 9)]),
    ]
}

/// The same, and all that looks after a table.
fn upkeep() -> Vec<Step> {
    let minute = |n: i64| 20_000 * DAY + n * 60_000_000;
    let mut steps = workload();
    steps.extend([
        Step::Restore(4),
        step(7, &[(minute(3), "login", 1), (minute(4) + DAY, "pay", 2)]),
        step(8, &[(minute(5), "login", 1), (minute(6) + DAY, "pay", 2)]),
        Step::Compact,
        Step::Delete,
        step(9, &[(minute(7) + DAY, "login", 3)]),
        Step::Retain(20_000),
        Step::Gc,
        step(10, &[(minute(8) + DAY, "login", 4)]),
        Step::Gc,
    ]);
    steps
}

/// What a step says of itself, as far as that matters here.
async fn take(store: &Store, step: &Step) -> Result<Commit> {
    let table = store.table(TableKind::Events);
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    match step {
        Step::Append { rows, once } => return append(store, rows, once).await,
        Step::Restore(version) => {
            table.restore(*version, false).await?;
        }
        Step::Compact => {
            table.compact(&Compaction::default(), context.task_ctx()).await?;
        }
        Step::Delete => {
            let schema = DFSchema::try_from(table.schema().as_ref().clone()).unwrap();
            let pay = col("service").eq(lit(ScalarValue::Utf8View(Some("pay".to_string()))));
            let what = Condemned::Rows(context.create_physical_expr(pay, &schema).unwrap());
            table.delete(&what, &Deletion::default(), context.task_ctx()).await?;
        }
        Step::Retain(day) => {
            store.seal().await?;
            let seals = Some(Sealed { from: 19_999, rows_from: *day, until: *day, held: false });
            let how = Deletion { seals, ..Deletion::default() };
            table.delete(&Condemned::Before(*day), &how, context.task_ctx()).await?;
        }
        Step::Gc => {
            table.gc(&Gc::newest(0)).await?;
        }
    }
    Ok(Commit::default())
}

async fn append(store: &Store, rows: &[(i64, &'static str, i64)], once: &Once) -> Result<Commit> {
    let table = store.table(TableKind::Events);
    let empty: ArrayRef = Arc::new(StringViewArray::from_iter_values(rows.iter().map(|_| "")));
    let counts: ArrayRef = Arc::new(rows.iter().map(|row| Some(row.2)).collect::<Int64Array>());
    let times = TimestampMicrosecondArray::from_iter_values(rows.iter().map(|row| row.0)).with_timezone("UTC");
    let schema = table.schema();
    let columns = schema.fields().iter().map(|field| match field.name().as_str() {
        "time" => Arc::new(times.clone()) as ArrayRef,
        "service" => Arc::new(StringViewArray::from_iter_values(rows.iter().map(|row| row.1))),
        "good" | "total" => Arc::clone(&counts),
        _ if field.is_nullable() => new_null_array(field.data_type(), rows.len()),
        _ => Arc::clone(&empty),
    });
    let batch = RecordBatch::try_new(table.schema(), columns.collect()).unwrap();
    let rows = Box::pin(RecordBatchStreamAdapter::new(table.schema(), stream::iter([Ok(batch)])));
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    table.append(rows, once.clone(), context.task_ctx()).await
}

async fn contents(store: &Store) -> Vec<String> {
    let context = SessionContext::new_with_config(SessionConfig::new().with_target_partitions(1));
    let table = context.read_table(Arc::new(Provider::newest(store.table(TableKind::Events)))).unwrap();
    let mut rows = Vec::new();
    for batch in table.collect().await.unwrap() {
        for row in 0..batch.num_rows() {
            let cell = |name| array_value_to_string(&batch[name], row).unwrap();
            rows.push(format!("{} {} {}", cell("time"), cell("service"), cell("total")));
        }
    }
    rows.sort();
    rows
}

async fn open(base: &Path, disk: Arc<dyn Disk>) -> Result<Store> {
    Store::create_over(Objects::on_disk(base.join("a/store"), true, disk)?, None).await
}

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |value| value.parse().unwrap())
}

/// After a loss of power the store holds what was acknowledged, perhaps the one append under way, and goes on.
async fn check(image: &Path, states: &[Vec<String>], steps: &[Step], acknowledged: usize, told: &str) {
    // Its syncs need not be real ones.
    let disk = Arc::new(Recorded::new(image));
    let objects = match Objects::on_disk(image.join("a/store"), false, disk) {
        Ok(objects) => objects,
        Err(error) if error.kind() == StoreErrorKind::NotFound && acknowledged == 0 => return,
        Err(error) => panic!("{told}: {error}"),
    };
    let store = Store::create_over(objects, None).await.unwrap_or_else(|error| panic!("{told}: {error}"));
    let found = contents(&store).await;
    let next = (acknowledged + 1).min(states.len() - 1);
    assert!(
        found == states[acknowledged] || found == states[next],
        "{told}: {found:?}, not {:?}",
        states[acknowledged]
    );
    if let Some(step) = steps.get(acknowledged) {
        take(&store, step).await.unwrap_or_else(|error| panic!("{told}: {error}"));
        assert_eq!(contents(&store).await, states[next], "{told}");
    }
    let context = SessionContext::new();
    let checked = store.table(TableKind::Events).check(&context.task_ctx(), &Arc::default()).await.unwrap();
    assert!(checked.problems.is_empty(), "{told}: {:#?}", checked.problems);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledged_rows_survive_a_loss_of_power_at_every_moment() {
    power_lost(workload(), 1).await;
}

/// Every fifth moment, unless all are asked for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn upkeep_survives_a_loss_of_power_at_every_moment() {
    power_lost(upkeep(), if setting("NINES_FULL", 0) == 1 { 1 } else { 5 }).await;
}

async fn power_lost(steps: Vec<Step>, every: usize) {
    let seed = setting("NINES_SEED", 1);
    let images = setting("NINES_IMAGES", 2);
    let folder = tempfile::tempdir().unwrap();
    let disk = Recorded::new(folder.path());
    let (mut states, mut acknowledged) = (vec![Vec::new()], Vec::new());
    let store = open(folder.path(), Arc::new(disk.clone())).await.unwrap();
    for step in &steps {
        take(&store, step).await.unwrap();
        acknowledged.push(disk.calls());
        states.push(contents(&store).await);
    }
    let calls = disk.calls.lock().unwrap().clone();
    let mut model = Model::default();
    let mut random = StdRng::seed_from_u64(seed);
    for moment in 0..=calls.len() {
        let done = acknowledged.iter().filter(|&&at| at <= moment).count();
        for image in (0..images).filter(|_| moment % every == seed as usize % every) {
            let place = tempfile::tempdir().unwrap();
            // All lost, all kept, and combinations.
            let luck = [0.0, 0.5, 1.0, 0.8][image as usize % 4];
            model.image(place.path(), &mut random, luck);
            let told = format!("NINES_SEED={seed}: power lost after call {moment}, image {image}");
            check(place.path(), &states, &steps, done, &told).await;
        }
        if let Some(call) = calls.get(moment) {
            model.apply(call);
        }
    }
    let syncs = calls.iter().filter(|call| matches!(call, Call::SyncFile(_) | Call::SyncFolder(_))).count();
    println!("{} calls, {syncs} of them syncs; {} images", calls.len(), (calls.len() as u64 + 1) * images);
}

/// A writer dies anywhere in an append, another delivers the same batch, is told that it is stored, and then
/// the power is lost: what the dead one left unsynced must not be what the other one's word rests on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_dead_writer_left_is_made_durable_before_it_is_acknowledged() {
    let seed = setting("NINES_SEED", 1);
    let mut random = StdRng::seed_from_u64(seed);
    let steps = workload();
    let mut deaths = 0;
    // By default the first append, one that rewrites a file and one of two days.
    let all = setting("NINES_FULL", 0) == 1;
    for dying in (0..steps.len()).filter(|dying| all || [0, 2, 3].contains(dying)) {
        for call in 0.. {
            let folder = tempfile::tempdir().unwrap();
            let mut disk = Recorded::new(folder.path());
            let mut states = vec![Vec::new()];
            if dying > 0 {
                let store = open(folder.path(), Arc::new(disk.clone())).await.unwrap();
                for step in &steps[..dying] {
                    take(&store, step).await.unwrap();
                    states.push(contents(&store).await);
                }
            }
            disk.dies_at = Some(disk.calls() + call);
            let died = match open(folder.path(), Arc::new(disk.clone())).await {
                Ok(store) => take(&store, &steps[dying]).await.is_err(),
                Err(_) => true,
            };
            disk.dies_at = None;
            let other = open(folder.path(), Arc::new(disk.clone())).await.unwrap();
            let commit = take(&other, &steps[dying]).await.unwrap();
            states.push(contents(&other).await);
            let mut model = Model::default();
            disk.calls.lock().unwrap().iter().for_each(|call| model.apply(call));
            for luck in [0.0, 0.5] {
                let place = tempfile::tempdir().unwrap();
                model.image(place.path(), &mut random, luck);
                let told =
                    format!("NINES_SEED={seed}: step {dying} died at its call {call}, then {:?}", commit.outcome);
                check(place.path(), &states, &steps[..=dying], dying + 1, &told).await;
            }
            if !died {
                assert!(matches!(commit.outcome, Outcome::Delivered(Some(_))), "{:?}", commit.outcome);
                break;
            }
            deaths += 1;
        }
    }
    println!("{deaths} deaths");
}
