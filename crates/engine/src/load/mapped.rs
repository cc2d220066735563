//! Files through a query into a table: aggregates as one batch, single rows by pieces.
//!
//! What the query yields decides. If its columns carry counts, or it needs all rows at once and is said to be complete for its
//! slices, the rows are a batch that replaces. If each of its rows is made of one row of the input and carries no count, the
//! query runs over what is new in each file, as if the file's rows were single ones themselves.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use datafusion::dataframe::DataFrame;
use datafusion::error::DataFusionError;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use futures::{StreamExt, TryStreamExt, stream};
use nines_ingest::{Format, Options, Progress, RowsAre, conform_rest};
use nines_store::{Once, Outcome, Rule, StoreErrorKind};

use super::batch::{Content, Stamps};
use super::rowwise::whole_input;
use super::{ATTEMPTS, Load, Loaded, Look, Plan, looked_at, select, warnings, with_rejected};
use crate::{Answer, EngineError, Parameters, Result, Session, Statement};

/// What a query makes of its input.
struct Shape {
    /// What in it needs all rows.
    needs_all: Option<&'static str>,
    /// Whether its rows are single requests, events or samples.
    is_raw: bool,
}

impl Session {
    pub(super) async fn load_mapped(
        &self,
        load: &Load,
        select: &str,
        options: Options,
        progress: Arc<Progress>,
        look: Option<&Arc<Look>>,
    ) -> Result<Loaded> {
        let statement = self.one_query(select)?;
        if !load.table.is_series() || load.aggregates {
            return self.load_batch(load, &statement, options, progress, look).await;
        }
        let shape = match self.input(load, None, options.rejected.as_ref(), &progress).await {
            Ok((input, _)) => self.shape(load, &statement, input).await?,
            // A file may end within a row that is being written.
            Err(error) => match self.shape_of_pieces(load, &statement, &options, &progress).await {
                Ok(shape) if shape.is_raw => shape,
                _ => return Err(error),
            },
        };
        match shape {
            Shape { needs_all: Some(what), .. } if !load.replace => Err(EngineError::Usage(format!(
                "--select has {what}, so it needs all rows of its input and cannot run over new ones alone. If its counts are \
                 complete for their slices, say so: --aggregates"
            ))),
            Shape { is_raw: false, .. } => self.load_batch(load, &statement, options, progress, look).await,
            Shape { is_raw: true, .. } => self.load_pieces(load, &statement, options, progress, look).await,
        }
    }

    /// The query of `--select`.
    pub(super) fn one_query(&self, select: &str) -> Result<Statement> {
        let [statement] = self.parse(select)?.try_into().map_err(|statements: Vec<_>| {
            EngineError::Usage(format!("--select takes one query, got {}", statements.len()))
        })?;
        Ok(statement)
    }

    /// All rows of a query as one batch.
    async fn load_batch(
        &self,
        load: &Load,
        statement: &Statement,
        options: Options,
        progress: Arc<Progress>,
        look: Option<&Arc<Look>>,
    ) -> Result<Loaded> {
        let read = Arc::new(AtomicU64::new(0));
        let told = options.clone();
        // What was counted when the query was planned is counted again.
        progress.forget_units();
        let (input, counted) = self.input(load, None, options.rejected.as_ref(), &progress).await?;
        let rows = self.mapped(load, statement, input, options, read.clone()).await?;
        let read_as = select::read_as(&load.files, load.format)?;
        let content = |path: &PathBuf| Content { path: path.clone(), read_as: read_as.clone() };
        let stamps = Stamps::of(&load.files);
        let rule = if load.replace { Rule::Span } else { Rule::Replace };
        let mut once = Once::default();
        once.is_trial = load.dry_run;
        once.batch = self.batch(load, load.files.iter().map(content).collect(), progress).await?;
        let (kept, may_be_none) = (read.clone(), load.allow_empty);
        let rows = with_rejected(stamps.checked_after(rows), told.rejected.clone(), move || {
            may_be_none || kept.load(Relaxed) > 0
        });
        let rows = looked_at(load.table, look, rows);
        let commit = self.append(load.table, rows, rule, once).await?;
        let input = counted.load(Relaxed);
        if input > 0 && commit.outcome == Outcome::Empty && !load.allow_empty {
            return Err(none_kept(input));
        }
        let warnings = warnings(load, &commit, &told, true);
        Ok(Loaded { read: read.load(Relaxed), commit, files: Vec::new(), warnings, preview: None })
    }

    /// A query over what is new in each file.
    async fn load_pieces(
        &self,
        load: &Load,
        statement: &Statement,
        mut options: Options,
        progress: Arc<Progress>,
        look: Option<&Arc<Look>>,
    ) -> Result<Loaded> {
        let formats = formats(load)?;
        let mut once = Once::default();
        once.is_trial = load.dry_run;
        if load.batch.is_some() {
            let content =
                |(path, format): &(PathBuf, Format)| Content { path: path.clone(), read_as: format.to_string() };
            once.batch = self.batch(load, formats.iter().map(content).collect(), progress.clone()).await?;
        }
        let stamps = Stamps::of(formats.iter().filter(|(_, format)| *format == Format::Parquet).map(|(path, _)| path));
        options.rows = RowsAre::Raw;
        for _ in 0..ATTEMPTS {
            let Plan { pieces, marks, files } = self.plan_pieces(load, &formats, progress.clone()).await?;
            once.marks = marks;
            let older = self.older(load.table).await?;
            if !pieces.is_empty() {
                once.marks.extend(older.first_told());
            }
            let rule = if load.replace { Rule::Span } else { older.rule() };
            progress.forget_units();
            if let Some(rejected) = &options.rejected {
                rejected.again();
            }
            let (read, kept) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
            let mut streams = Vec::new();
            let mut counts = Vec::new();
            for at in 0..pieces.len() {
                let (input, counted) =
                    self.input(load, Some((&pieces, at)), options.rejected.as_ref(), &progress).await?;
                counts.push(counted);
                streams.push(self.mapped(load, statement, input, options.for_piece(&pieces[at]), kept.clone()).await?);
            }
            let is_first = pieces.iter().all(|piece| piece.bytes().0 == 0);
            let refuses_none = is_first && !load.allow_empty;
            let (total, kept_rows) = (read.clone(), kept.clone());
            let end = stream::once(async move {
                total.store(counts.iter().map(|counted| counted.load(Relaxed)).sum(), Relaxed);
                let rows = total.load(Relaxed);
                (refuses_none && rows > 0 && kept_rows.load(Relaxed) == 0)
                    .then(|| Err(DataFusionError::External(Box::new(none_kept(rows)))))
            });
            let schema = load.table.schema(options.slice_seconds);
            let rows = stream::iter(streams).flatten().chain(end.filter_map(|refused| async move { refused }));
            let rows: SendableRecordBatchStream = Box::pin(RecordBatchStreamAdapter::new(schema, rows));
            let (taken, may_be_none) = (kept.clone(), load.allow_empty);
            let rows = with_rejected(stamps.checked_after(rows), options.rejected.clone(), move || {
                may_be_none || taken.load(Relaxed) > 0
            });
            let rows = looked_at(load.table, look, rows);
            match self.append(load.table, rows, rule, once.clone()).await {
                Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                commit => {
                    let commit = commit?;
                    let warnings = warnings(load, &commit, &options, false);
                    return Ok(Loaded { read: kept.load(Relaxed), commit, files, warnings, preview: None });
                }
            }
        }
        Err(super::too_many_writers())
    }

    /// The rows of a query over an input, fitted to the table.
    async fn mapped(
        &self,
        load: &Load,
        statement: &Statement,
        input: DataFrame,
        options: Options,
        counted: Arc<AtomicU64>,
    ) -> Result<SendableRecordBatchStream> {
        let schema = load.table.schema(options.slice_seconds);
        let mut before = 0;
        let fitted = self.over_input(statement, input).await?.batches.map(move |batch| {
            let batch = batch?;
            let fitted = conform_rest(&batch, &options, "the result of --select", before)
                .map_err(|error| DataFusionError::External(Box::new(error)))?;
            before += batch.num_rows() as u64;
            let kept: u64 = fitted.iter().map(|batch| batch.num_rows() as u64).sum();
            counted.fetch_add(kept, Relaxed);
            Ok::<_, DataFusionError>(stream::iter(fitted.into_iter().map(Ok)))
        });
        let fitted = fitted.try_flatten();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, fitted)))
    }

    /// A query over an input.
    pub(super) async fn over_input(&self, statement: &Statement, input: DataFrame) -> Result<Answer> {
        self.context().register_table("input", input.into_view())?;
        let answer = self.run(statement, &Parameters::default()).await;
        self.context().deregister_table("input")?;
        answer
    }

    async fn shape(&self, load: &Load, statement: &Statement, input: DataFrame) -> Result<Shape> {
        self.context().register_table("input", input.into_view())?;
        let planned = self.plan(statement, &Parameters::default()).await;
        self.context().deregister_table("input")?;
        let planned = planned?;
        let plan = planned.logical();
        let columns = plan.schema().fields().iter().map(|field| field.name().clone()).collect::<Vec<_>>();
        Ok(Shape { needs_all: whole_input(plan)?, is_raw: nines_ingest::are_raw(load.table, &columns, &[])? })
    }

    /// The same, of files as far as their rows are complete.
    async fn shape_of_pieces(
        &self,
        load: &Load,
        statement: &Statement,
        options: &Options,
        progress: &Arc<Progress>,
    ) -> Result<Shape> {
        // Under this name no file is known, so that each is looked at from its start.
        let whole = Load { replace: false, source: Some("\0".to_string()), ..load.clone() };
        let Plan { pieces, .. } = self.plan_pieces(&whole, &formats(load)?, progress.clone()).await?;
        let Some(first) = (!pieces.is_empty()).then_some((&pieces[..], 0)) else {
            return Ok(Shape { needs_all: None, is_raw: false });
        };
        let (input, _) = self.input(load, Some(first), options.rejected.as_ref(), progress).await?;
        self.shape(load, statement, input).await
    }
}

/// The files and what they are.
fn formats(load: &Load) -> Result<Vec<(PathBuf, Format)>> {
    let format = |path: &PathBuf| Ok((path.clone(), load.format.map_or_else(|| nines_ingest::detect(path), Ok)?));
    load.files.iter().map(format).collect()
}

fn none_kept(rows: u64) -> EngineError {
    let problem = format!("the query kept none of the {rows} rows that it read; nothing is stored");
    let advice = "Look at its WHERE; if there may be nothing to keep, say --allow-empty";
    EngineError::Usage(format!("the result of --select: {problem}. {advice}"))
}
