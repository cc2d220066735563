//! Files of samples.

use std::sync::Arc;

use nines_ingest::{Collected, Hash, Limits, Options, Progress, clock, hex};
use nines_store::{Mark, Once, StoreErrorKind, TableKind};

use super::marks;
use super::what::{MetricFiles, MetricsLoaded};
use crate::load::spool::Spool;
use crate::load::{blocking, too_many_writers};
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
        spool.told(self.load_metric_files(&load, progress).await)
    }

    async fn load_metric_files(&self, load: &MetricFiles, progress: Arc<Progress>) -> Result<MetricsLoaded> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let mut collected = Collected::new(Arc::clone(&load.mapping));
        for tally in &mut collected.tallies {
            let snapshot = store.table(tally.kind()).snapshot().await?;
            tally.known_until = snapshot.mark(&marks::pulled(&load.source)).await?;
        }
        for file in &load.files {
            progress.expect_file(file)?;
        }
        let mut collected = match &load.rows {
            Some(rows) => self.collect_rows(load, rows, collected, progress).await?,
            None => {
                let (files, read) = (load.files.clone(), Arc::clone(&progress));
                blocking(move || {
                    for file in &files {
                        collected.add_file(file, &read)?;
                    }
                    Ok(collected)
                })
                .await?
            }
        };
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
                options.limits = (!load.any_time).then(|| Limits::at(clock::now()));
                let batches = tally.batches(options, i64::MIN, Arc::default())?;
                match self.append(kind, nines_ingest::stream(batches), older.rule(), once).await {
                    Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                    Err(error) => return Err(error),
                    Ok(commit) => {
                        loaded.add(kind, commit, tally.accept(), known);
                        continue 'tables;
                    }
                }
            }
            return Err(too_many_writers());
        }
        Ok(loaded)
    }
}
