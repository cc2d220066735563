//! Files of samples.

use std::path::PathBuf;
use std::sync::Arc;

use nines_ingest::{Collected, Hash, Limits, Options, Progress, clock, hex};
use nines_store::{Mark, Once, StoreErrorKind, TableKind};

use super::marks;
use super::what::{MetricFiles, MetricTable, MetricsLoaded};
use crate::load::preview::Look;
use crate::load::spool::Spool;
use crate::load::{all_refused, blocking, looked_at, rejected, too_many_writers};
use crate::{EngineError, Result, Session};

/// How often samples are counted again because another writer stored some of them first.
const ATTEMPTS: usize = 10;

/// Digits of the name of a source in that of its pieces.
const DIGITS: usize = 16;

impl Session {
    /// Loads files of samples, a commit for each table that the mapping fills. The same samples again change nothing.
    ///
    /// The series of a table are continued from the last sample that is stored of them; of samples before that, nothing is counted.
    pub async fn load_metrics(&self, load: &MetricFiles, progress: Arc<Progress>) -> Result<MetricsLoaded> {
        let given = load.files.clone();
        let (spool, files) = blocking(move || Spool::of(&given)).await?;
        let load = MetricFiles { files, ..load.clone() };
        spool.told(self.load_metric_files(&load, &spool, progress).await)
    }

    async fn load_metric_files(
        &self,
        load: &MetricFiles,
        spool: &Spool,
        progress: Arc<Progress>,
    ) -> Result<MetricsLoaded> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let rejected = rejected(load.skip_bad.as_deref(), load.files.iter().map(PathBuf::as_path), (spool, &progress))?;
        let limits = (!load.any_time).then(|| Limits::at(clock::now()));
        let mut collected = Collected::new(Arc::clone(&load.mapping)).within(limits);
        for tally in &mut collected.tallies {
            let snapshot = store.table(tally.kind()).snapshot().await?;
            tally.known_until = snapshot.mark(&marks::pulled(&load.source)).await?;
        }
        for file in &load.files {
            progress.expect_file(file)?;
        }
        let mut collected = match &load.rows {
            Some(rows) => self.collect_rows(load, rows, collected, rejected.as_ref(), &progress).await?,
            None => {
                let (files, read, rejected) = (load.files.clone(), Arc::clone(&progress), rejected.clone());
                blocking(move || {
                    for file in &files {
                        collected.add_file(file, &read, rejected.as_deref())?;
                    }
                    Ok(collected)
                })
                .await?
            }
        };
        if let Some(rejected) = &rejected {
            let refused = rejected.finish()?;
            if refused > 0 && collected.samples == 0 {
                return Err(all_refused(refused, rejected));
            }
        }
        let mut loaded = MetricsLoaded {
            samples: collected.samples,
            matched: collected.matched,
            series: collected.series(),
            stale: collected.stale,
            pulled_before: collected.tallies.iter().map(|tally| tally.known).max().unwrap_or(0),
            range: collected.range,
            unmatched: collected.unmatched(),
            unlabelled: collected.unlabelled(),
            others: collected.others(),
            formats: std::mem::take(&mut collected.formats),
            cut: std::mem::take(&mut collected.cut),
            tables: Vec::new(),
        };
        'tables: for tally in &mut collected.tallies {
            let kind = tally.kind();
            for _ in 0..ATTEMPTS {
                let snapshot = store.table(kind).snapshot().await?;
                let mut once = Once::default();
                once.is_trial = load.dry_run;
                once.marks = marks::resume(tally, &snapshot, &load.source).await?;
                let loads = snapshot.mark(&marks::loads(&load.source)).await?;
                let older = self.older(kind).await?;
                if !once.marks.is_empty() {
                    let next = loads.unwrap_or(0) + 1;
                    once.marks.push(Mark::lasting(marks::loads(&load.source), loads, next));
                    once.marks.extend(older.first_told());
                }
                let known = tally.known_series();
                let mut options = Options::new(kind, store.slice_seconds());
                options.source = Some(load.source.clone());
                // Samples of a gauge merge into the row of their source; counts of a slice stand beside those before.
                options.piece = (kind != TableKind::Gauges).then(|| {
                    let id = hex(&Hash::new().field(&load.source).finish(), DIGITS);
                    format!("/{id}.0@{}", loads.unwrap_or(0))
                });
                options.limits = limits;
                let batches = tally.batches(options, i64::MIN, Arc::default())?;
                let look = load.dry_run.then(Look::new);
                let rows = looked_at(kind, look.as_ref(), nines_ingest::stream(batches));
                match self.append(kind, rows, older.rule(), once).await {
                    Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                    Err(error) => return Err(error),
                    Ok(commit) => {
                        let findings = tally.accept();
                        let preview = look.map(|look| look.preview(kind)).transpose()?.flatten();
                        loaded.add(MetricTable { table: kind, commit, findings, known_series: known, preview });
                        continue 'tables;
                    }
                }
            }
            return Err(too_many_writers());
        }
        Ok(loaded)
    }
}
