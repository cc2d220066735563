//! Samples that a server is asked for, day by day.

use std::collections::HashSet;
use std::sync::Arc;

use nines_ingest::{Collected, Options, Sample, read_samples};
use nines_prometheus::Error;
use nines_slo::{Counted, Mapping, Selector};
use nines_store::{Mark, Once, Rule, StoreErrorKind};

use super::marks;
use super::what::{MetricTable, MetricsLoaded, Pull, Pulled};
use crate::load::{blocking, too_many_writers};
use crate::{EngineError, Result, Session};

const MILLI: i64 = 1_000;
const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;

/// How often the mark is looked at again because another pull moved it.
const ATTEMPTS: usize = 10;

impl Session {
    /// Pulls samples from a server and stores whole slices of them, a commit for each UTC day and table: they replace what their
    /// source said of these slices. `passed` is told up to when slices are stored, in µs, of which range.
    ///
    /// Stopped anywhere, the same pull goes on where it was. The same range again changes nothing.
    pub async fn pull_metrics(&self, pull: &Pull, mut passed: impl FnMut(i64, (i64, i64))) -> Result<Pulled> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("loading needs a store; open the session with open_or_create".to_string()));
        };
        let slice = store.slice_seconds() * 1_000_000;
        let mut collected = Collected::new(Arc::clone(&pull.mapping));
        // Where one of the tables was not written any more, the pull of all goes on from there.
        let mut before: Option<i64> = None;
        let mut never = false;
        for tally in &collected.tallies {
            let snapshot = store.table(tally.kind()).snapshot().await?;
            match snapshot.mark(&marks::pulled(&pull.source)).await? {
                Some(until) => before = Some(before.map_or(until, |before| before.min(until))),
                None => never = true,
            }
        }
        let before = before.filter(|_| !never);
        let Some(from) = pull.from.or(before) else {
            return Err(EngineError::Usage(format!(
                "nothing was pulled as source '{}' yet: say from when, as --from 2026-10-01",
                pull.source
            )));
        };
        let (from, to) = (from - from.rem_euclid(slice), pull.to - pull.to.rem_euclid(slice));
        let mut pulled =
            Pulled { range: (from, to), gap_since: before.filter(|before| *before < from), ..Pulled::default() };
        let (queries, beginnings) = (queries(&pull.mapping), beginnings(&pull.mapping));
        // Most programs do not say when they began: of a day one answer without samples, where there are others, is enough.
        let mut silent: HashSet<&str> = HashSet::new();
        let mut at = from;
        while at < to {
            let until = (at - at.rem_euclid(DAY) + DAY).min(to);
            let since = if at == from { at - pull.lookback } else { at };
            let mut asked = since;
            silent.clear();
            while asked < until {
                let next = (asked + HOUR).min(until);
                let before = collected.samples;
                for query in &queries {
                    collected = ask(pull, query, collected, asked, next).await?;
                }
                let has_samples = collected.samples > before;
                for query in &beginnings {
                    if silent.contains(query.as_str()) {
                        continue;
                    }
                    let before = collected.samples;
                    collected = ask(pull, query, collected, asked, next).await?;
                    if has_samples && collected.samples == before {
                        silent.insert(query);
                    }
                }
                asked = next;
                passed(asked.max(from), (from, to));
            }
            for at_table in 0..collected.tallies.len() {
                self.store_slices(pull, &mut collected, at_table, at, until, &mut pulled.loaded).await?;
            }
            at = until;
        }
        let loaded = &mut pulled.loaded;
        (loaded.samples, loaded.matched, loaded.series) = (collected.samples, collected.matched, collected.series());
        (loaded.stale, loaded.range, loaded.unmatched) = (collected.stale, collected.range, collected.unmatched());
        loaded.unlabelled = collected.unlabelled();
        loaded.others = collected.others();
        Ok(pulled)
    }

    /// Stores the slices of a table from one instant to another.
    async fn store_slices(
        &self,
        pull: &Pull,
        collected: &mut Collected,
        at_table: usize,
        from: i64,
        until: i64,
        loaded: &mut MetricsLoaded,
    ) -> Result<()> {
        let (Some(store), Some(tally)) = (self.store(), collected.tallies.get_mut(at_table)) else { return Ok(()) };
        let kind = tally.kind();
        for _ in 0..ATTEMPTS {
            let name = marks::pulled(&pull.source);
            let before = store.table(kind).snapshot().await?.mark(&name).await?;
            let mark = before.is_none_or(|before| before < until).then(|| Mark::lasting(name, before, until));
            let mut once = Once::default();
            once.marks.extend(mark);
            let mut options = Options::new(kind, store.slice_seconds());
            options.source = Some(pull.source.clone());
            let batches = tally.batches(options, from, Arc::default())?;
            match self.append(kind, nines_ingest::stream(batches), Rule::Replace, once).await {
                Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved => {}
                Err(error) => return Err(error),
                Ok(commit) => {
                    let findings = tally.accept();
                    loaded.add(MetricTable { table: kind, commit, findings, known_series: (0, 0), preview: None });
                    return Ok(());
                }
            }
        }
        Err(too_many_writers())
    }
}

/// Adds the samples of a selector from one instant on and before another, in µs: at once, or in halves where that is too much.
async fn ask(pull: &Pull, query: &str, collected: Collected, from: i64, to: i64) -> Result<Collected> {
    let mut waiting = vec![(from, to)];
    let mut collected = collected;
    while let Some((from, to)) = waiting.pop() {
        let answer = match pull.client.samples(query, from / MILLI, to / MILLI).await {
            Ok(answer) => answer,
            Err(Error::TooMuch(_)) if to - from >= 2_000 * MILLI => {
                let half = from + (to - from) / 2 / MILLI * MILLI;
                waiting.extend([(half, to), (from, half)]);
                continue;
            }
            Err(error) => return Err(EngineError::Usage(format!("{query}: {error}"))),
        };
        let name = format!("{}: the answer to {query}", pull.client.address());
        collected = blocking(move || {
            read_samples(&name, answer, &mut |sample: Sample| match (from..to).contains(&sample.time) {
                true => collected.add(&sample),
                false => Ok(()),
            })?;
            Ok(collected)
        })
        .await?;
    }
    Ok(collected)
}

/// What a server is asked for beside, each once: when counters began, which OpenMetrics calls `x_created` of `x_total`.
fn beginnings(mapping: &Mapping) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    for selector in mapping
        .rules
        .iter()
        .filter(|rule| !matches!(rule.what, Counted::Gauge { .. }))
        .flat_map(|rule| rule.what.selectors())
    {
        let Some(base) = selector.metric().and_then(|metric| metric.strip_suffix("_total")) else { continue };
        let query = selector.named(&format!("{base}_created")).to_string();
        if !queries.contains(&query) {
            queries.push(query);
        }
    }
    queries
}

/// What a server is asked for, each once.
fn queries(mapping: &Mapping) -> Vec<String> {
    let mut queries: Vec<String> = Vec::new();
    let mut add = |selector: &Selector| {
        let text = selector.to_string();
        if !queries.contains(&text) {
            queries.push(text);
        }
    };
    for rule in &mapping.rules {
        match &rule.what {
            Counted::Histogram { series, .. } => {
                for selector in series {
                    let Some(metric) = selector.metric() else { continue };
                    [format!("{metric}_bucket"), format!("{metric}_sum"), metric.to_string()]
                        .iter()
                        .for_each(|name| add(&selector.named(name)));
                }
            }
            other => other.selectors().for_each(&mut add),
        }
    }
    queries
}
