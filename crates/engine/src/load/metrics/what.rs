//! What is loaded, and what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use nines_ingest::{Findings, Format, RepeatedHour, Unlabelled, Unmatched};
use nines_prometheus::Client;
use nines_slo::Mapping;
use nines_store::{Commit, TableKind};

use crate::load::Preview;

/// Files of samples to load.
#[derive(Debug, Clone)]
pub struct MetricFiles {
    /// The files, counted together.
    pub files: Vec<PathBuf>,
    /// What they become.
    pub mapping: Arc<Mapping>,
    /// Who reports: the column `source`.
    pub source: String,
    /// Whether samples may be of any time.
    pub any_time: bool,
    /// Where lines, messages, rows and samples that are refused are written, while the rest is stored; `None`: the first one ends the load.
    pub skip_bad: Option<PathBuf>,
    /// Whether everything is worked out and nothing stored.
    pub dry_run: bool,
    /// How the files are read as tables whose rows are samples; `None`: they are in a format of samples.
    pub rows: Option<RowsOf>,
}

/// Files as a table whose rows are samples: columns `metric`, `time` and `value`, and a label in each other one.
#[derive(Debug, Clone, Default)]
pub struct RowsOf {
    /// The format of the files; `None`: as it is detected.
    pub format: Option<Format>,
    /// A query over the table `input`, which are the files, that gives such rows; `None`: the files' own rows.
    pub select: Option<String>,
    /// Which of two a local time is that a clock change repeats; `None`: told by the order of the rows of its series.
    pub repeated_hour: Option<RepeatedHour>,
}

/// Samples to ask a server for.
#[derive(Debug, Clone)]
pub struct Pull {
    /// The server.
    pub client: Client,
    /// What samples become.
    pub mapping: Arc<Mapping>,
    /// Who reports: the column `source`.
    pub source: String,
    /// From when, in µs; `None`: from where the last pull ended.
    pub from: Option<i64>,
    /// Until when, in µs.
    pub to: i64,
    /// How far before its beginning is looked for the samples from which counters go on, in µs.
    pub lookback: i64,
}

/// What became of the samples of one table.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct MetricTable {
    /// The table.
    pub table: TableKind,
    /// What was stored, the last commit of several.
    pub commit: Commit,
    /// What was found on the way.
    pub findings: Findings,
    /// Series of which every sample is known, and others that begin before what is stored.
    pub known_series: (u64, u64),
    /// Of a dry run, what would be stored; `None` if there is nothing.
    pub preview: Option<Preview>,
}

/// What a load of samples did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct MetricsLoaded {
    /// Samples that were read.
    pub samples: u64,
    /// Those of series that meet a rule.
    pub matched: u64,
    /// Series that meet a rule.
    pub series: u64,
    /// Samples that are none: NaN and marks of staleness.
    pub stale: u64,
    /// Samples from before the end of what was pulled under this source.
    pub pulled_before: u64,
    /// The first and the last instant of a sample that counts, in µs.
    pub range: Option<(i64, i64)>,
    /// Selectors that no series met.
    pub unmatched: Vec<Unmatched>,
    /// Labels that are to fill columns and that series do not have.
    pub unlabelled: Vec<Unlabelled>,
    /// By label of rows, series whose value is called `other` because there are too many.
    pub others: Vec<(String, u64)>,
    /// What the files were, with how many of each.
    pub formats: BTreeMap<String, u64>,
    /// Where files end within a message, which is not complete yet.
    pub cut: Vec<String>,
    /// What became of them, table by table.
    pub tables: Vec<MetricTable>,
}

/// What a pull did.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Pulled {
    /// As of files.
    pub loaded: MetricsLoaded,
    /// From when until when slices were asked for, in µs.
    pub range: (i64, i64),
    /// Where the last pull ended, if not where this one began, in µs.
    pub gap_since: Option<i64>,
}

impl MetricsLoaded {
    /// Adds what became of a table once more.
    pub(super) fn add(&mut self, more: MetricTable) {
        let Some(of) = self.tables.iter_mut().find(|of| of.table == more.table) else {
            self.tables.push(more);
            return;
        };
        let MetricTable { commit, findings, .. } = more;
        of.findings.add(&findings);
        let before = std::mem::replace(&mut of.commit, commit);
        let now = &mut of.commit;
        now.rows += before.rows;
        now.files += before.files;
        now.bytes += before.bytes;
        now.changes.added += before.changes.added;
        now.changes.replaced += before.changes.replaced;
        now.changes.unchanged += before.changes.unchanged;
        now.changes.removed += before.changes.removed;
        now.time_range = match (before.time_range, now.time_range) {
            (Some((first, last)), Some((from, to))) => Some((first.min(from), last.max(to))),
            (before, now) => before.or(now),
        };
        if !matches!(now.outcome, nines_store::Outcome::Stored(_)) {
            now.outcome = before.outcome;
        }
    }
}
