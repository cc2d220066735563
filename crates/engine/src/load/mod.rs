//! Files into a table: read as they are, or through a SQL mapping, and appended in one commit.
//!
//! Raw files, whose rows carry no count, and access logs go in by pieces ([`pieces`]), which add; all other files of a load
//! are one batch ([`batch`]), which replaces. Either way what is stored already is not stored again.

mod batch;
mod beside;
mod follow;
mod mapped;
mod marks;
mod metrics;
mod no_requests;
mod pieces;
#[cfg(test)]
mod pieces_test;
mod preview;
mod rotated;
mod rowwise;
#[cfg(test)]
mod rules_test;
mod select;
mod spool;
mod what;

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, stream};
use nines_ingest::{ErrorKind, Format, Input, Limits, Options, Progress, Rejected, RowsAre, Tail, clock};
use nines_store::{Commit, Mark, Once, Outcome, Rule, Store, StoreErrorKind, TableKind};
use tokio::runtime::Handle;

use crate::agreed;
use crate::load::batch::{Content, Stamps};
pub use crate::load::follow::{Follower, Rotated, Round};
pub use crate::load::metrics::{MetricFiles, MetricTable, MetricsLoaded, Pull, Pulled, RowsOf};
use crate::load::pieces::Plan;
use crate::load::preview::Look;
pub use crate::load::preview::Preview;
use crate::load::spool::Spool;
pub use crate::load::what::{FileRead, FileState, Load, Loaded, Warning};
use crate::{EngineError, Result, Session};

/// How often files are looked at again because another writer went on with one of them first.
const ATTEMPTS: usize = 10;

impl Session {
    /// Loads files into a table in one commit. `progress` is advanced while files are read as they are, those that are
    /// looked at before included.
    pub async fn load(&self, load: &Load, progress: Arc<Progress>) -> Result<Loaded> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let mut options = Options::new(load.table, store.slice_seconds());
        options.business.clone_from(&load.business);
        options.service.clone_from(&load.service);
        options.source.clone_from(&load.source);
        options.latency_unit = load.latency_unit;
        options.log_format.clone_from(&load.log_format);
        options.from.clone_from(&load.from);
        options.causes.clone_from(&load.causes);
        options.endpoints.clone_from(&load.endpoints);
        if load.table == TableKind::Requests {
            options.agreed = Arc::new(agreed::limits(&self.definitions().await?));
        }
        options.time_zone = self.settings().time_zone.tz();
        options.repeated_hour = load.repeated_hour;
        options.limits = (load.table.is_series() && !load.any_time).then(|| Limits::at(clock::now()));
        check_options(load)?;
        let given = load.files.clone();
        let (spool, files) = blocking(move || Spool::of(&given)).await?;
        let read = load.files.iter().map(PathBuf::as_path).chain(load.tails.iter().map(Tail::path));
        options.rejected = rejected(load.skip_bad.as_deref(), read, (&spool, &progress))?;
        let (files, again) = each_once(&files);
        let load = &Load { files, ..load.clone() };
        let look = load.dry_run.then(Look::new);
        let loaded = match &load.select {
            Some(select) => {
                check_unit(load, &[])?;
                self.load_mapped(load, select, options, progress, look.as_ref()).await
            }
            None => self.load_files(load, options, progress, look.as_ref()).await,
        };
        let loaded = match loaded {
            Ok(mut loaded) => {
                // The rows are stored, whatever comes of this.
                let slices = self.beside(load, &loaded.commit).await.unwrap_or_else(|error| {
                    tracing::warn!(target: "nines", %error, "it is not known whether other sources tell the same requests");
                    0
                });
                loaded.warnings.extend((slices > 0).then_some(Warning::Beside(slices)));
                Ok(loaded)
            }
            failed => failed,
        };
        let loaded = match (loaded, &look) {
            (Ok(loaded), Some(look)) => Ok(Loaded { preview: look.preview(load.table)?, ..loaded }),
            (loaded, _) => loaded,
        };
        let again = again.into_iter().map(|file| FileRead { file, found: FileState::Known, left: 0 });
        spool.named(loaded.map(|mut loaded| {
            loaded.files.extend(again);
            loaded
        }))
    }

    async fn load_files(
        &self,
        load: &Load,
        mut options: Options,
        progress: Arc<Progress>,
        look: Option<&Arc<Look>>,
    ) -> Result<Loaded> {
        let (mut raw, mut others, mut contents, mut formats) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for path in &load.files {
            let format = load.given_format().map_or_else(|| nines_ingest::detect_for(load.table, path), Ok)?;
            formats.push(format);
            let is_raw = !load.aggregates && nines_ingest::is_raw(path, format, load.table, &load.from)?;
            match is_raw {
                true => raw.push((path.clone(), format)),
                false => others.push(Input::File(path.clone(), format)),
            }
            // A file that grew is not the same batch again, so only a given name makes it part of one.
            if !is_raw || load.batch.is_some() {
                let replaces = if load.replace && !is_raw { " --replace" } else { "" };
                contents.push(Content { path: path.clone(), read_as: format!("{format}{replaces}") });
            }
        }
        for tail in &load.tails {
            formats.extend(single_rows(load, tail)?);
        }
        let has_raw = !raw.is_empty() || !load.tails.is_empty() || !load.rotated.is_empty();
        check_unit(load, &formats)?;
        let rule = self.rule(load, has_raw, !others.is_empty())?;
        options.rows = if load.aggregates { RowsAre::Any } else { RowsAre::Counted };
        let mut delivered = Vec::new();
        let whole = raw.iter().filter(|(_, format)| *format == Format::Parquet).map(|(path, _)| path);
        let stamps = Stamps::of(contents.iter().map(|content| &content.path).chain(whole));
        let mut once = Once::default();
        once.is_trial = load.dry_run;
        once.batch = self.batch(load, contents, progress.clone()).await?;
        for _ in 0..ATTEMPTS {
            let Plan { pieces, marks, files } = self.plan_pieces(load, &raw, progress.clone()).await?;
            let files = [files, delivered.clone()].concat();
            // With nothing left to read the append is empty: it makes sure that what was found stored is durable.
            once.marks = marks;
            let older = self.older(load.table).await?;
            if !pieces.is_empty() || !others.is_empty() && load.table.is_series() {
                once.marks.extend(older.first_told());
            }
            let before = progress.rows_read();
            progress.forget_units();
            options.found.again();
            if let Some(rejected) = &options.rejected {
                rejected.again();
            }
            let inputs = others.iter().cloned().chain(pieces.iter().map(|piece| Input::Piece(Box::new(piece.clone()))));
            let batches = nines_ingest::read_inputs(inputs, options.clone(), progress.clone())?;
            let rows = stamps.checked_after(nines_ingest::stream(batches));
            let (read_on, rejected) = (progress.clone(), options.rejected.clone());
            let may_be_none = load.allow_empty;
            let rows = with_rejected(rows, rejected, move || may_be_none || read_on.rows_read() > before);
            let rows = no_requests::refused(load, &pieces, &progress, rows);
            let rows = looked_at(load.table, look, rows);
            match self.append(load.table, rows, rule.unwrap_or(older.rule()), once.clone()).await {
                Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                // The other files are an old batch, which says nothing about the raw ones beside them.
                Ok(commit) if was_delivered(&commit) && !pieces.is_empty() && load.batch.is_none() => {
                    once.batch = None;
                    let known = |input: Input| match input {
                        Input::File(file, _) => Some(FileRead { file, found: FileState::Known, left: 0 }),
                        _ => None,
                    };
                    delivered = std::mem::take(&mut others).into_iter().filter_map(known).collect();
                }
                commit => {
                    let (read, commit) = (progress.rows_read() - before, commit?);
                    let warnings = warnings(load, &commit, &options, pieces.is_empty());
                    return Ok(Loaded { read, commit, files, warnings, preview: None });
                }
            }
        }
        Err(too_many_writers())
    }

    /// What the rows mean for those that are stored; `None` if they add.
    fn rule(&self, load: &Load, has_raw: bool, has_others: bool) -> Result<Option<Rule>> {
        let usage = |problem: &str| Err(EngineError::Usage(problem.to_string()));
        match (has_raw, has_others) {
            (true, true) if load.table == TableKind::Gauges => {
                usage("some of these files carry counts and some do not; ingest them one after the other")
            }
            _ if load.replace => Ok(Some(Rule::Span)),
            (true, _) => Ok(None),
            (false, _) => Ok(Some(Rule::Replace)),
        }
    }

    /// Up to when rows of plain sources may be raw rows that an older version stored.
    async fn older(&self, table: TableKind) -> Result<Older> {
        const MARK: &str = "raw/older";
        let Some(store) = self.store() else { return Ok(Older { until: 0, mark: None }) };
        let snapshot = store.table(table).snapshot().await?;
        Ok(match snapshot.mark(MARK).await? {
            Some(until) => Older { until, mark: None },
            None => {
                let until = snapshot.watermark().unwrap_or_default();
                Older { until, mark: Some(Mark::lasting(MARK, None, until)) }
            }
        })
    }

    async fn batch(
        &self,
        load: &Load,
        contents: Vec<Content>,
        progress: Arc<Progress>,
    ) -> Result<Option<nines_store::Batch>> {
        // What a complete file says holds from then on, whatever was said since it came first.
        if contents.is_empty() || load.replace && load.batch.is_none() {
            return Ok(None);
        }
        let (load, zone) = (load.clone(), self.settings().time_zone.to_string());
        blocking(move || batch::batch(&load, &contents, &zone, &progress)).await
    }

    async fn plan_pieces(&self, load: &Load, files: &[(PathBuf, Format)], progress: Arc<Progress>) -> Result<Plan> {
        let has_files = !files.is_empty() || !load.tails.is_empty() || !load.rotated.is_empty();
        let Some(store) = self.store().filter(|_| has_files) else { return Ok(Plan::default()) };
        let snapshot = store.table(load.table).snapshot().await?;
        let (load, files, handle) = (load.clone(), files.to_vec(), Handle::current());
        let zone = self.settings().time_zone.tz();
        let mark = move |name: &str| Ok(handle.block_on(snapshot.mark(name))?);
        blocking(move || pieces::plan(&load, &files, zone, &progress, mark)).await
    }

    async fn append(
        &self,
        table: TableKind,
        rows: SendableRecordBatchStream,
        rule: Rule,
        once: Once,
    ) -> Result<Commit> {
        let Some(store) = self.store() else { return Ok(Commit::default()) };
        let mut into = store.table(table);
        // What was never written is tried in memory, so that nothing is left of it.
        if once.is_trial && into.snapshot().await?.version().is_none() {
            into = Store::in_memory(store.slice_seconds()).await?.table(table);
        }
        into.append_by(rows, rule, once, self.task()).await.map_err(ingest_first)
    }
}

/// The rows, and at their end an error if none is good or what was refused could not be written out.
fn with_rejected(
    rows: SendableRecordBatchStream,
    rejected: Option<Arc<Rejected>>,
    keeps_some: impl Fn() -> bool + Send + 'static,
) -> SendableRecordBatchStream {
    let Some(rejected) = rejected else { return rows };
    let schema = rows.schema();
    let end = stream::once(async move {
        let refused = match rejected.finish() {
            Err(error) => Some(EngineError::from(error)),
            Ok(refused) if refused > 0 && !keeps_some() => Some(all_refused(refused, &rejected)),
            Ok(_) => None,
        };
        refused.map(|error| Err(DataFusionError::External(Box::new(error))))
    });
    let rows = rows.chain(end.filter_map(|refused| async move { refused }));
    Box::pin(RecordBatchStreamAdapter::new(schema, rows))
}

fn all_refused(refused: u64, rejected: &Rejected) -> EngineError {
    let file = rejected.path().display();
    EngineError::Usage(format!(
        "nothing is left to store, and nothing is stored: {refused} refused, in {file} with the reasons"
    ))
}

/// The rows, of a dry run looked at on their way.
fn looked_at(table: TableKind, look: Option<&Arc<Look>>, rows: SendableRecordBatchStream) -> SendableRecordBatchStream {
    match look {
        None => rows,
        Some(look) => {
            look.again();
            look.at(table, rows)
        }
    }
}

/// The file for what is refused, which is none of those that are read.
fn rejected<'a>(
    path: Option<&Path>,
    mut read: impl Iterator<Item = &'a Path>,
    (spool, progress): (&Spool, &Arc<Progress>),
) -> Result<Option<Arc<Rejected>>> {
    let Some(path) = path else { return Ok(None) };
    let place = |file: &Path| std::fs::canonicalize(file).ok();
    if read.any(|read| place(read).is_some_and(|read| Some(read) == place(path))) {
        let problem = format!("--skip-bad {}: this file is read, and would be written", path.display());
        return Err(EngineError::Usage(problem));
    }
    Ok(Some(Arc::new(Rejected::to(path, Arc::clone(progress))?.of_copies(spool.copies()))))
}

fn too_many_writers() -> EngineError {
    EngineError::Usage(format!(
        "other writers read the same files and were faster {ATTEMPTS} times; nothing was stored, try again"
    ))
}

/// Up to when rows of plain sources may be raw rows of an older version, in µs; as long as the table has not been told, the
/// mark that tells it.
struct Older {
    until: i64,
    mark: Option<Mark>,
}

impl Older {
    fn rule(&self) -> Rule {
        Rule::Add { older_until: self.until }
    }

    fn first_told(&self) -> Option<Mark> {
        self.mark.clone()
    }
}

/// The format of a file that is followed, once it has a record. One whose rows carry counts is refused.
fn single_rows(load: &Load, tail: &Tail) -> Result<Option<Format>> {
    let format = tail.format(load.table, load.given_format())?;
    if format.is_some() && !tail.is_raw(load.table, &load.from)? {
        return Err(EngineError::Usage(format!(
            "{}: its rows carry counts, or are none of {}; --follow is for lines of logs and single rows, each of which is stored \
             when it is written. Ingest it when it is complete",
            tail.path().display(),
            load.table.name()
        )));
    }
    Ok(format)
}

/// Refuses options that contradict each other or the table.
fn check_options(load: &Load) -> Result<()> {
    let is_other_format = load.format.is_some_and(|format| format != Format::Log);
    let refused = match (load.aggregates, load.replace) {
        _ if load.log_format.is_some() && (is_other_format || load.table != TableKind::Requests) => {
            "--log-format says how the lines of access logs are laid out, which are ingested into the table requests"
        }
        _ if load.log_format.is_some() && load.select.is_some() => {
            "--log-format and --select exclude each other: with --select a line is taken apart by the query"
        }
        _ if load.log_format.is_some() && load.latency_unit.is_some() => {
            "--log-format says itself in which unit a log writes times taken; leave out --latency-unit"
        }
        _ if load.select.is_some() && (!load.from.is_empty() || !load.endpoints.options().is_empty()) => {
            "--select says itself what fills the columns: name the fields, and endpoints, in the query"
        }
        (true, true) => {
            "--aggregates and --replace exclude each other: aggregates replace slice by slice, a raw file as a whole"
        }
        (true, _) | (_, true) if !load.table.is_series() => {
            "--aggregates and --replace are for requests, events and gauges; a record replaces the one of its key"
        }
        _ => return Ok(()),
    };
    Err(EngineError::Usage(refused.to_string()))
}

/// Refuses a unit of latencies where no file has latencies without one.
fn check_unit(load: &Load, formats: &[Format]) -> Result<()> {
    if load.latency_unit.is_none() || load.select.is_none() && formats.contains(&Format::Log) {
        return Ok(());
    }
    Err(EngineError::Usage(
        "--latency-unit is for whole numbers at the ends of lines of access logs. latency_seconds in other files is in \
         seconds: convert it with --select"
            .to_string(),
    ))
}

/// What a person should look at after a commit.
fn warnings(load: &Load, commit: &Commit, options: &Options, counted: bool) -> Vec<Warning> {
    if !matches!(commit.outcome, Outcome::Stored(_) | Outcome::Tried) || !load.table.is_series() {
        return Vec::new();
    }
    let mut warnings: Vec<Warning> = commit.overlap.map(Warning::Overlap).into_iter().collect();
    if counted {
        let (first, last) = options.seen.off_grid(options.slice_seconds);
        warnings.extend((commit.changes.removed > 0).then_some(Warning::Removed(commit.changes.removed)));
        warnings.extend(first.map(Warning::FirstSlice));
        warnings.extend(last.map(Warning::LastSlice));
    }
    warnings.extend(commit.relabelled.map(Warning::Relabelled));
    let never = load.from.iter().filter(|from| options.found.given(&from.field) == 0);
    warnings.extend(never.map(|from| Warning::Unfilled(from.option())));
    let mapped = load.log_format.iter().flat_map(|format| format.mapped()).filter(|_| commit.rows > 0);
    let never = mapped.filter(|field| options.found.given(field) == 0);
    warnings.extend(never.map(|field| Warning::Unfilled(format!("{field} of --log-format"))));
    warnings.extend(options.found.others().into_iter().map(|(what, rows)| Warning::Others(what, rows)));
    warnings
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
            if ingest.kind() == ErrorKind::Changed {
                return EngineError::Changed(ingest.to_string());
            }
            return EngineError::Usage(ingest.to_string());
        }
        source = cause.source();
    }
    if error.kind() == StoreErrorKind::Overlap {
        return EngineError::Usage(format!(
            "{error}. Nothing is stored. If the file is complete from its first slice to its last, put it in the place of \
             these rows: --replace. If it is another delivery, give it a name of its own: --source NAME"
        ));
    }
    EngineError::Store(error)
}
