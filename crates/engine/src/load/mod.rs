//! Files into a table: read as they are, or through a SQL mapping, and appended in one commit.
//!
//! Access logs that are read as they are go in by pieces ([`logs`]); all other files of a load are one batch ([`batch`]).
//! Either way what is stored already is not stored again.

mod batch;
mod logs;
mod select;
mod spool;

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use nines_ingest::{Format, Input, LatencyUnit, Options, Progress};
use nines_store::{Commit, Once, Outcome, StoreErrorKind, TableKind};
use tokio::runtime::Handle;

use crate::load::batch::{Content, Stamps};
use crate::load::logs::Plan;
use crate::load::select::Mapped;
use crate::load::spool::Spool;
use crate::{Engine, EngineError, Result};

/// How often logs are looked at again because another writer went on with one of them first.
const ATTEMPTS: usize = 10;

/// What to load.
#[derive(Debug, Clone)]
pub struct Load {
    /// The table to fill.
    pub table: TableKind,
    /// The files, stored together or not at all.
    pub files: Vec<PathBuf>,
    /// Their format; `None`: told from name and content.
    pub format: Option<Format>,
    /// A query over the table `input`, the files as they are, that yields the table's columns. Of a log, `input`
    /// has one column, `line`.
    pub select: Option<String>,
    /// What fills columns that the input leaves empty.
    pub business: Option<String>,
    /// Likewise.
    pub service: Option<String>,
    /// Likewise. Of an access log it is what the names of its pieces begin with, `log` if `None`.
    pub source: Option<String>,
    /// What the files are called among those of their source: the same again changes nothing, the name with other
    /// content is an error. `None`: the hash of their content; access logs have no name then.
    pub batch: Option<String>,
    /// The unit of whole numbers at the ends of lines of access logs; `None`: they are no latencies. It counts for lines
    /// that are new.
    pub latency_unit: Option<LatencyUnit>,
    /// Whether a query that keeps none of the rows it reads is right.
    pub allow_empty: bool,
}

impl Load {
    /// These files into this table, nothing filled in.
    pub fn new(table: TableKind, files: Vec<PathBuf>) -> Self {
        Load {
            table,
            files,
            format: None,
            select: None,
            business: None,
            service: None,
            source: None,
            batch: None,
            latency_unit: None,
            allow_empty: false,
        }
    }
}

/// What a load did.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Loaded {
    /// Lines or rows of input.
    pub read: u64,
    /// What was stored.
    pub commit: Commit,
    /// What was found in each access log, and in other files where it differs from what the commit says.
    pub files: Vec<FileRead>,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct FileRead {
    /// The file.
    pub file: PathBuf,
    /// Whether there was anything to read.
    pub found: Found,
    /// Bytes of a log's last line, if that is incomplete and so not read yet.
    pub left: u64,
}

/// Whether a file holds anything to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Found {
    /// Lines that were not read before.
    New,
    /// Only what was read before.
    Known,
    /// A log without a complete line.
    NoLine,
}

impl Engine {
    /// Loads files into a table in one commit. `progress` is advanced while files are read as they are, those that are
    /// looked at before included.
    pub async fn load(&self, load: &Load, progress: Arc<Progress>) -> Result<Loaded> {
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let mut options = Options::new(load.table, store.slice_seconds());
        options.business.clone_from(&load.business);
        options.service.clone_from(&load.service);
        options.source.clone_from(&load.source);
        options.latency_unit = load.latency_unit;
        options.time_zone = self.settings().time_zone.parse().unwrap_or(options.time_zone);
        let given = load.files.clone();
        let (spool, files) = blocking(move || Spool::of(&given)).await?;
        let (files, again) = each_once(&files);
        let load = &Load { files, ..load.clone() };
        let loaded = match &load.select {
            Some(select) => self.load_mapped(load, select, options, progress).await,
            None => self.load_files(load, options, progress).await,
        };
        let again = again.into_iter().map(|file| FileRead { file, found: Found::Known, left: 0 });
        spool.named(loaded.map(|mut loaded| {
            loaded.files.extend(again);
            loaded
        }))
    }

    async fn load_mapped(
        &self,
        load: &Load,
        select: &str,
        options: Options,
        progress: Arc<Progress>,
    ) -> Result<Loaded> {
        let read = Arc::new(AtomicU64::new(0));
        let Mapped { rows, input } = self.mapped(load, select, options, read.clone(), progress.clone()).await?;
        let read_as = select::read_as(&load.files, load.format)?;
        let content = |path: &PathBuf| Content { path: path.clone(), read_as: read_as.clone() };
        let stamps = Stamps::of(&load.files);
        let mut once = Once::default();
        once.batch = self.batch(load, load.files.iter().map(content).collect(), progress).await?;
        let commit = self.append(load.table, stamps.checked_after(rows), once).await?;
        let (rows, kept) = (input.load(Relaxed), commit.outcome != Outcome::Empty);
        if rows > 0 && !kept && !load.allow_empty {
            let problem = format!("the query kept none of the {rows} rows that it read; nothing is stored");
            let advice = "Look at its WHERE; if there may be nothing to keep, say --allow-empty";
            return Err(EngineError::Usage(format!("the result of --select: {problem}. {advice}")));
        }
        Ok(Loaded { read: read.load(Relaxed), commit, files: Vec::new() })
    }

    async fn load_files(&self, load: &Load, options: Options, progress: Arc<Progress>) -> Result<Loaded> {
        let (mut logs, mut others, mut contents) = (Vec::new(), Vec::new(), Vec::new());
        for path in &load.files {
            let format = load.format.map_or_else(|| nines_ingest::detect(path), Ok)?;
            match format {
                Format::Log => logs.push(path.clone()),
                _ => others.push(Input::File(path.clone(), format)),
            }
            // A log that grew is not the same batch again, so only a given name makes it part of one.
            if format != Format::Log || load.batch.is_some() {
                contents.push(Content { path: path.clone(), read_as: format.to_string() });
            }
        }
        let mut delivered = Vec::new();
        let stamps = Stamps::of(contents.iter().map(|content| &content.path));
        let mut once = Once::default();
        once.batch = self.batch(load, contents, progress.clone()).await?;
        for _ in 0..ATTEMPTS {
            let Plan { pieces, marks, files } = self.plan(load, &logs, progress.clone()).await?;
            let files = [files, delivered.clone()].concat();
            // With nothing left to read the append is empty: it makes sure that what was found stored is durable.
            once.marks = marks;
            let before = progress.rows_read();
            progress.forget_units();
            let inputs = others.iter().cloned().chain(pieces.iter().map(|piece| Input::Piece(Box::new(piece.clone()))));
            let batches = nines_ingest::read_inputs(inputs, options.clone(), progress.clone())?;
            let rows = stamps.checked_after(nines_ingest::stream(batches));
            match self.append(load.table, rows, once.clone()).await {
                Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                // The other files are an old batch, which says nothing about the logs beside them.
                Ok(commit) if was_delivered(&commit) && !pieces.is_empty() && load.batch.is_none() => {
                    once.batch = None;
                    let known = |input: Input| match input {
                        Input::File(file, _) => Some(FileRead { file, found: Found::Known, left: 0 }),
                        _ => None,
                    };
                    delivered = std::mem::take(&mut others).into_iter().filter_map(known).collect();
                }
                commit => return Ok(Loaded { read: progress.rows_read() - before, commit: commit?, files }),
            }
        }
        Err(EngineError::Usage(format!(
            "other writers read the same logs and were faster {ATTEMPTS} times; nothing was stored, try again"
        )))
    }

    async fn batch(
        &self,
        load: &Load,
        contents: Vec<Content>,
        progress: Arc<Progress>,
    ) -> Result<Option<nines_store::Batch>> {
        if contents.is_empty() {
            return Ok(None);
        }
        let (load, zone) = (load.clone(), self.settings().time_zone.clone());
        blocking(move || batch::batch(&load, &contents, &zone, &progress)).await
    }

    async fn plan(&self, load: &Load, logs: &[PathBuf], progress: Arc<Progress>) -> Result<Plan> {
        let Some(store) = self.store().filter(|_| !logs.is_empty()) else { return Ok(Plan::default()) };
        let snapshot = store.table(load.table).snapshot().await?;
        let (load, logs, handle) = (load.clone(), logs.to_vec(), Handle::current());
        blocking(move || logs::plan(&load, &logs, &progress, |name| Ok(handle.block_on(snapshot.mark(name))?))).await
    }

    async fn append(&self, table: TableKind, rows: SendableRecordBatchStream, once: Once) -> Result<Commit> {
        let Some(store) = self.store() else { return Ok(Commit::default()) };
        store.table(table).append(rows, once, self.writing()).await.map_err(ingest_first)
    }
}

/// The files, and those that are one of them under another name: rows of the same key add, so reading one twice would
/// double its counts.
fn each_once(files: &[PathBuf]) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let mut seen = HashSet::new();
    // One that cannot be found is told by whoever reads it.
    let place = |file: &PathBuf| std::fs::canonicalize(file).unwrap_or_else(|_| file.clone());
    files.iter().cloned().partition(|file| seen.insert(place(file)))
}

fn was_delivered(commit: &Commit) -> bool {
    matches!(commit.outcome, Outcome::Delivered(_))
}

/// Reads files on a thread that may wait for them.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> Result<T> + Send + 'static) -> Result<T> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|error| DataFusionError::ExecutionJoin(Box::new(error)))?
}

/// An input error that came through the store's stream is the input's, not the store's.
fn ingest_first(error: nines_store::StoreError) -> EngineError {
    use std::error::Error;
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(ingest) = cause.downcast_ref::<nines_ingest::IngestError>() {
            return EngineError::Usage(ingest.to_string());
        }
        source = cause.source();
    }
    EngineError::Store(error)
}
