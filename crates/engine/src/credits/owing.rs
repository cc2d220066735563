//! What is owed for a period: by today's rules, or by those by which it was issued.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;
use datafusion::common::{exec_datafusion_err, internal_datafusion_err};
use datafusion::error::DataFusionError;
use datafusion::execution::memory_pool::MemoryReservation;
use nines_slo::{Basis, IssuedStatement, ObjectKind, PeriodName, Rules, Stored};
use nines_store::TableKind;

use super::joined::{Joined, add_alike, alike, joined};
use super::name::{Name, name};
use super::period_terms::Chosen;
use super::unissued::Unissued;
use super::{Owed, figures, table};
use crate::evaluate::{Evaluation, Evaluator, stored};
use crate::threads::by_threads;
use crate::{EngineError, Result, Session};

/// Credits, and what they were read from.
#[derive(Debug)]
#[non_exhaustive]
pub struct Credits {
    /// By agreement, customer and service.
    pub owed: Vec<Owed>,
    /// The same as rows of `credits(period)`.
    pub rows: RecordBatch,
    /// Start of the first data, in µs; `None` if there are none.
    pub first: Option<i64>,
    /// End of the newest data, in µs; `None` if there are none.
    pub watermark: Option<i64>,
    /// What is told of how fees and requests were joined, by kind.
    pub joined: Vec<Joined>,
    /// Agreements of which not all of the period is stored, or that nothing matches.
    pub unissued: Vec<Unissued>,
    /// Agreements that were left out because their calendar period goes on after the month.
    pub(super) left_out: Vec<String>,
    /// Agreements that could not be judged because rows that their credits follow from were removed, and why.
    pub(super) removed: BTreeMap<String, String>,
    /// That of the evidence.
    _memory: Vec<MemoryReservation>,
    /// For whom nothing, or no amount, could be worked out, and why: agreement, customer and service.
    pub failed: BTreeMap<Name, String>,
    /// What the rules by which it was issued cannot judge, and why.
    pub(super) refused: BTreeMap<Name, String>,
    /// What is judged by earlier rules, by today's.
    pub(super) by_current: Vec<Owed>,
    /// The version of each table that was read.
    tables: BTreeMap<String, i64>,
    /// How many threads statements are drawn up on.
    threads: usize,
    /// Agreements as they are recorded, by name.
    recorded: HashMap<String, Vec<Stored>>,
}

/// What is to be worked out.
pub(super) struct Owing<'a> {
    pub period: PeriodName,
    pub chosen: &'a Chosen,
    /// What was issued: told of even where nothing is left of it.
    pub issued: &'a [IssuedStatement],
    /// Only what is judged with the end of the month, if that is all that is due.
    pub ending: bool,
    /// Whether statements are drawn up of it.
    pub with_evidence: bool,
    /// What is judged by earlier rules, because it was issued by them.
    pub earlier: BTreeMap<Name, Rules>,
}

impl Credits {
    /// These, and those of other agreements.
    pub(super) fn join(&mut self, other: Credits) -> Result<()> {
        self.rows = concat_batches(self.rows.schema_ref(), [&self.rows, &other.rows]).map_err(DataFusionError::from)?;
        self.owed.extend(other.owed);
        self.unissued.extend(other.unissued);
        self.joined.extend(other.joined);
        self.joined.sort();
        self.joined.dedup();
        self.failed.extend(other.failed);
        self.left_out.extend(other.left_out);
        self._memory.extend(other._memory);
        Ok(())
    }
}

impl Session {
    /// What is owed for a period, by today's rules: the figures, without their evidence.
    pub async fn credits(&self, period: PeriodName, chosen: &Chosen) -> Result<Credits> {
        let owing =
            Owing { period, chosen, issued: &[], ending: false, with_evidence: false, earlier: BTreeMap::new() };
        let credits = self.owing(&owing).await?;
        match credits.removed.values().next() {
            Some(why) if credits.owed.is_empty() => Err(EngineError::Incomplete(why.clone())),
            Some(_) | None => Ok(credits),
        }
    }

    /// The same, and what has become of statements that were issued. All of it is read from one version of each table.
    pub(super) async fn owing(&self, owing: &Owing<'_>) -> Result<Credits> {
        let (state, pins) = self.beginning().await?;
        let evaluation = Evaluation::of(&state, self.read())?;
        let evaluator = Evaluator::new(&evaluation, self.place(), self.read()).await?;
        let mut recorded: HashMap<String, Vec<Stored>> = HashMap::new();
        for version in stored(&evaluator.rows(TableKind::Definitions, None, &[]).await?)? {
            if version.kind == ObjectKind::Agreement {
                recorded.entry(version.name.clone()).or_default().push(version);
            }
        }
        let zone: Arc<str> = self.settings().time_zone.name().into();
        let issued: Vec<Name> = owing.issued.iter().map(name).collect();
        let asked = |rules, only| table::CreditsQuestion {
            period: owing.period,
            chosen: owing.chosen.clone(),
            issued: issued.clone(),
            ending: owing.ending,
            rules,
            only,
        };
        let judging = table::judging(&evaluator, asked(Rules::CURRENT, None), &[]).await?;
        let exec = table::plan(&evaluator, judging, &[], None, &zone)?;
        let (mut owed, mut memory) = exec.owed(&state.task_ctx(), owing.with_evidence).await?;
        let is_earlier = |owed: &mut Owed| !owing.earlier.is_empty() && owing.earlier.contains_key(&owed.name());
        let mut by_current: Vec<Owed> = owed.extract_if(.., is_earlier).collect();
        // Completeness is no rule of arithmetic: what is compared differs by rules alone.
        by_current.iter_mut().for_each(|owed| owed.complete = exec.judging().is_complete(owed.needed));
        let (mut refused, mut failed) = (exec.refused(), exec.failed());
        failed.retain(|name, _| !owing.earlier.contains_key(name));
        let earlier: BTreeSet<Rules> = owing.earlier.values().copied().collect();
        for rules in earlier {
            let own = owing.earlier.iter().filter(|(_, own)| **own == rules).map(|(name, _)| name.clone());
            let judging = table::judging(&evaluator, asked(rules, Some(own.collect())), &[]).await?;
            let exec = table::plan(&evaluator, judging, &[], None, &zone)?;
            let (more, held) = exec.owed(&state.task_ctx(), owing.with_evidence).await?;
            owed.extend(more);
            memory.extend(held);
            refused.extend(exec.refused());
            failed.extend(exec.failed());
        }
        if !owed.is_sorted_by(|a, b| a.named() <= b.named()) {
            owed.sort_by(|a, b| a.named().cmp(&b.named()));
        }
        let rows = figures::batch(&owed, &zone)?;
        let mut with_fee: HashSet<Name> = HashSet::new();
        for statement in owing.issued {
            // The last revision says it.
            match statement.credit.fee_base {
                Some(_) => with_fee.insert(name(statement)),
                None => with_fee.remove(&name(statement)),
            };
        }
        let mut joined = joined(exec.judging(), &owed, &with_fee);
        if let Some(customer) = &owing.chosen.customer
            && owed.iter().any(|owed| owed.has_fee() && !owed.traffic)
        {
            // A fee without requests may be that of requests under nearly the same name, whose rows were not read.
            let everybody = Chosen { customer: None, ..owing.chosen.clone() };
            let asked = table::CreditsQuestion { chosen: everybody, ..asked(Rules::CURRENT, None) };
            let judging = table::judging(&evaluator, asked, &[]).await?;
            let (all, _held) =
                table::plan(&evaluator, judging, &[], None, &zone)?.owed(&state.task_ctx(), false).await?;
            add_alike(&mut joined, alike(&all, &[]), customer);
        }
        let unissued = exec.unissued(&owed);
        let versions = pins.versions().into_iter();
        let tables = versions.filter_map(|(kind, version)| Some((kind.name().to_string(), version? as i64))).collect();
        Ok(Credits {
            owed,
            rows,
            first: exec.first(),
            watermark: exec.watermark(),
            joined,
            unissued,
            left_out: exec.judging().left_out(),
            failed,
            removed: exec.judging().removed.clone(),
            refused,
            by_current,
            _memory: memory,
            tables,
            threads: state.config().target_partitions(),
            recorded,
        })
    }

    /// Draws up a statement of each credit, as it would be issued first. The evidence moves into it.
    pub(super) fn draw_up(&self, period: PeriodName, credits: &mut Credits) -> Result<Vec<IssuedStatement>> {
        let owed = std::mem::take(&mut credits.owed);
        let (drawn, owed) = drawn(period, credits, owed)?;
        credits.owed = owed;
        Ok(drawn)
    }
}

/// How many statements a thread draws up at once.
const AT_ONCE: usize = 64;

/// Statements of credits, and the credits without their evidence.
pub(super) fn drawn(
    period: PeriodName,
    credits: &Credits,
    mut all: Vec<Owed>,
) -> Result<(Vec<IssuedStatement>, Vec<Owed>)> {
    let now = nines_ingest::clock::now();
    let draw_up = |owed: &mut Owed| {
        let evidence = owed.evidence.take();
        let evidence = evidence.ok_or_else(|| internal_datafusion_err!("a statement is drawn up of figures alone"))?;
        let basis = Basis {
            agreement: owed.agreement.clone(),
            customer: owed.customer.clone(),
            service: owed.service.clone(),
            business: owed.business.clone(),
            period,
            versions: credits.recorded.get(&owed.agreement).cloned().unwrap_or_default(),
            active: owed.active,
            rules: owed.rules,
            beside: owed.beside.clone(),
            evidence,
            tables: credits.tables.clone(),
            program: format!("nines {}", env!("CARGO_PKG_VERSION")),
            complete: owed.complete,
            watermark: owed.watermark,
            missing: if owed.complete { Vec::new() } else { owed.lack.missing.clone() },
        };
        let wrong = |error| exec_datafusion_err!("agreement {}, '{}': {error}", owed.agreement, owed.customer);
        Ok(IssuedStatement::draw_up(basis, now).map_err(wrong)?)
    };
    let drawn = by_threads(all.iter_mut().collect(), credits.threads, AT_ONCE, |owed| Some(draw_up(owed)));
    Ok((drawn.into_iter().collect::<Result<_>>()?, all))
}
