//! Retention of raw rows: what is older than people want to keep goes, and what was worked out from it stays.
//!
//! ```text
//! days that go ─▶ who waits for them? (credits) ─▶ every objective evaluated, kept for good ─▶ one version without the rows
//! ```
//! The version in which rows go is made only if they are still those that were evaluated; else it begins again.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use chrono_tz::Tz;
use nines_slo::{Definitions, PeriodName};
use nines_store::{Condemned, Deletion, Sealed, StoreErrorKind, TableKind};
use nines_timeline::Interval;

use crate::credits::{Chosen, lead_in, tables};
use crate::evaluate::{DAY, Evaluator};
use crate::{EngineError, Result, Session};

/// How often it is tried while rows that shall go change.
const ATTEMPTS: u32 = 5;

/// Which rows to keep.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Retaining {
    /// The first UTC day to keep.
    pub from: NaiveDate,
    /// Why, for whoever reads the log.
    pub reason: String,
    /// Whether nothing is done but to look.
    pub dry_run: bool,
    /// Even rows for which credits are not settled.
    pub even_owed: bool,
}

/// What went, or would.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Retained {
    /// The first and the last day with rows that go; `None` if none does.
    pub days: Option<(NaiveDate, NaiveDate)>,
    /// Rows.
    pub rows: u64,
    /// The first day whose figures are not sealed.
    pub sealed_until: Option<NaiveDate>,
    /// The first day that is kept because later days look back to it, if it is not the one that was asked for.
    pub kept_from: Option<NaiveDate>,
    /// The version without the rows; `None` in a dry run, and if none goes.
    pub version: Option<u64>,
}

fn date(day: i32) -> Option<NaiveDate> {
    NaiveDate::from_epoch_days(day)
}

impl Session {
    /// Refuses to remove rows of days that are damaged, or another Delta writer's: what was kept of them may not be what they say, and
    /// afterwards nobody can tell.
    async fn sound(&self, kind: TableKind, rows_from: i32, dry_run: bool) -> Result<()> {
        let Some(store) = self.store() else { return Ok(()) };
        let table = store.table(kind);
        let snapshot = table.snapshot().await?;
        for file in snapshot.files().filter(|file| file.first_day().is_some_and(|day| day < rows_from)) {
            if file.foreign() {
                return Err(EngineError::Usage(format!(
                    "{} was written by another program, and nobody has vouched for its rows; nothing was changed. If you do: nines \
                     compact {} --adopt",
                    file.path(),
                    kind.name()
                )));
            }
            if !dry_run {
                table.verify(file).await?;
            }
        }
        Ok(())
    }

    /// Removes the raw rows of days before one, after every objective was evaluated for these days and the days were sealed: what was
    /// evaluated then stays. The newest day with rows always stays.
    pub async fn retain(&self, kind: TableKind, how: &Retaining) -> Result<Retained> {
        self.check_present()?;
        let Some(store) = self.store() else {
            return Err(EngineError::Usage("there is no store whose rows could go".to_string()));
        };
        if !kind.is_series() {
            return Err(EngineError::Usage(format!(
                "{} holds no raw rows: expected requests, events or gauges",
                kind.name()
            )));
        }
        let mut attempt = 1;
        loop {
            let evaluation = self.evaluation().await?;
            let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
            let inputs = evaluator.inputs(kind)?;
            let (Some(first), Some(last)) = (inputs.days().next(), inputs.days().last()) else {
                return Ok(Retained::default());
            };
            let (back, needed) = evaluator.looks_back(kind)?;
            let asked = how.from.to_epoch_days();
            let rows_from = asked.min(last - back).min(needed.unwrap_or(asked));
            let until = rows_from + back;
            let going = inputs.days_in(i32::MIN..=rows_from - 1);
            let mut done = Retained {
                days: going.last().and_then(|last| date(first).zip(date(last))),
                sealed_until: date(until),
                kept_from: date(rows_from).filter(|_| rows_from < asked),
                ..Retained::default()
            };
            let Some((from, to)) = done.days else { return Ok(Retained { sealed_until: None, ..done }) };
            let before = inputs.sealed;
            // A slice that begins on the day before may hold rows of the first day.
            let seal_from = before.map_or(first - 1, |sealed| sealed.until);
            let contents: BTreeMap<i32, u64> =
                inputs.days_in(i32::MIN..=until - 1).map(|day| (day, inputs.hash_of(day))).collect();
            if !how.even_owed {
                self.settled(kind, Interval::new(i64::from(first) * DAY, i64::from(rows_from) * DAY)).await?;
            }
            let mut deletion = Deletion::default();
            deletion.dry_run = how.dry_run;
            deletion.told = vec![
                ("predicate", format!("time < '{}'", date(rows_from).unwrap_or_default())),
                ("reason", how.reason.clone()),
            ];
            deletion.only = Some(contents);
            deletion.seals = Some(Sealed { from: first, rows_from, until, held: true });
            self.sound(kind, rows_from, how.dry_run).await?;
            if !how.dry_run {
                store.seal().await?;
                evaluator.seal(kind, seal_from, until).await?;
            }
            match store.table(kind).delete(&Condemned::Before(rows_from), &deletion, self.task()).await {
                Ok(deleted) => {
                    (done.rows, done.version, done.days) = (deleted.rows, deleted.version, Some((from, to)));
                    return Ok(done);
                }
                Err(error) if error.kind() == StoreErrorKind::Moved && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Refuses to let go of rows for which a credit was not issued yet, or may still be complained about.
    async fn settled(&self, table: TableKind, going: Interval) -> Result<()> {
        let definitions = self.definitions().await?;
        // One by one: what rows of one agreement are gone already says nothing of another.
        for agreement in &definitions.agreements {
            let mut judged = agreement.versions.iter().map(|version| version.terms.as_ref());
            if judged.any(|terms| tables(terms, &definitions).contains(&table)) {
                self.agreement_settled(agreement.name.clone(), table, going, &definitions).await?;
            }
        }
        Ok(())
    }

    async fn agreement_settled(
        &self,
        agreement: String,
        table: TableKind,
        going: Interval,
        definitions: &Definitions,
    ) -> Result<()> {
        let now = nines_ingest::clock::now();
        let own = definitions.agreements.iter().filter(|own| own.name == agreement).flat_map(|own| &own.versions);
        let lead = own.map(|version| lead_in(&version.terms, definitions, table)).max().unwrap_or_default();
        let chosen = Chosen { agreement: Some(agreement), ..Chosen::default() };
        let own = definitions.agreements.iter().filter(|own| Some(&own.name) == chosen.agreement.as_ref());
        let names = own.flat_map(|own| {
            // Of months each is asked for, also where nothing is agreed: a statement may be of it.
            let is_meant = move |name: &PeriodName| matches!(name, PeriodName::Month(_)) || own.has_period(*name);
            own.names_touching(going.start, going.end.saturating_add(lead)).into_iter().filter(is_meant)
        });
        let is_begun = |at: &PeriodName| at.begins(Tz::UTC).is_some_and(|begins| begins <= now);
        for at in names.filter(is_begun).collect::<Vec<_>>() {
            let issued = self.statements(at, &chosen).await?;
            let touched = |interval: Interval| interval.start < going.end && interval.end > going.start;
            let owed = match self.credits(at, &chosen).await {
                Ok(credits) => credits.owed,
                // Some of its rows are gone already: they went when it was settled.
                Err(EngineError::Incomplete(_)) => Vec::new(),
                Err(error) => return Err(error),
            };
            for owed in owed {
                let reads = Interval::new(owed.reads.start - lead_in(&owed.terms, definitions, table), owed.reads.end);
                if !touched(reads) || owed.customer.is_empty() {
                    continue;
                }
                let name = owed.name();
                let named =
                    issued.iter().rfind(|s| [&s.agreement, &s.customer, &s.service] == [&name[0], &name[1], &name[2]]);
                let open = match named {
                    None => Some("was not issued yet".to_string()),
                    Some(statement) => statement.credit.claim_by.filter(|by| *by > now).map(|by| {
                        let zone = owed.terms.time_zone;
                        let by = chrono::DateTime::from_timestamp_micros(by).map(|by| by.with_timezone(&zone));
                        let by = by.map_or_else(String::new, |by| by.format("%Y-%m-%d %H:%M").to_string());
                        format!("can be complained about until {by} {zone}")
                    }),
                };
                if let Some(why) = open {
                    let [agreement, customer, service] = &name;
                    return Err(EngineError::Usage(format!(
                        "the credit of agreement {agreement} for '{customer}', {service}, {} {why}; nothing was removed. If the rows \
                         shall go all the same: --even-owed",
                        owed.period
                    )));
                }
            }
        }
        Ok(())
    }
}
