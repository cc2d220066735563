//! `credits(period)` in SQL.

use std::collections::{BTreeMap, HashSet};
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use chrono::NaiveDate;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::common::{ScalarValue, exec_err};
use datafusion::error::Result;
use datafusion::logical_expr::utils::conjunction;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_plan::ExecutionPlan;
use nines_slo::{PeriodName, Rules};
use nines_store::{ByDay, FilePartition, TableKind};
use nines_timeline::Interval;

use super::business::carried;
use super::carried::Carried;
use super::counter::{COLUMNS, LATENCIES};
use super::credited::CreditedBefore;
use super::exec::CreditsExec;
use super::fees::Fees;
use super::figures;
use super::period_terms::{Chosen, PeriodTerms, scope};
use super::presence::{self, Midnights, Presence, Watch};
use super::wanted::{NAMES, Wanted};
use crate::answers::Arguments;
use crate::answers::signature::{Parameter, Signature};
use crate::deferred_function::DeferredFunction;
use crate::evaluate::{DAY, Evaluation, Evaluator, Inputs, RAW, fold, speaks_of};
use crate::table_call::TableCall;

/// How many days after a period are looked at for rows that say that its services went on.
const LATER: i32 = 62;

/// What table functions of a period take.
pub(super) const PERIOD: Parameter = Parameter::required("period", "'2026-10'");
/// Columns of the answer that rows of `requests` have too. They are among [`NAMES`].
const SHARED: [&str; 2] = ["customer", "service"];

/// The credits of a period.
#[derive(Debug, Clone)]
pub(crate) struct CreditsOf(PeriodName);

#[async_trait]
impl DeferredFunction for CreditsOf {
    const SIGNATURE: Signature = Signature { function: "credits", parameters: &[PERIOD] };
    const DOCUMENTATION: [&'static str; 3] = [
        "Agreements",
        "What each customer is owed for a period such as '2026-10', 'last month' (of the session's time zone) or '2026-10-05' (the first day of a period of days), by agreement, customer and service: a row for \
                       each that has a fee or a valid request in it. availability is in percent, rounded for print, \
                       availability_exact the fraction of 1 that decides. amount is credit_percent of fee_base, rounded once, \
                       half to even, at the currency's minor unit; NULL without a fee. estimated says how many requests are assumed to have \
                       failed where telemetry was lost; valid and failed are those that were counted. complete says whether all of \
                       the judged time, [started, ended), is stored of the service: its newest row is close to the end, and each \
                       local day has a row, an exclusion or an incident, the days before it from which is estimated included. \
                       availability_best and _worst are the bounds where nothing was counted: at best no failure was missed, at \
                       worst every slice without a request was an outage.",
        "SELECT agreement, customer, service, availability, amount, currency FROM credits('2026-10')",
    ];
    /// Whose rows are not read has no credit.
    const CHOOSING: &'static [&'static str] = &NAMES;
    const BESIDE: &'static [TableKind] = &[TableKind::Fees, TableKind::Statements];

    fn of(arguments: &Arguments<'_>) -> Result<Self> {
        arguments.period(PERIOD.name).map(CreditsOf)
    }

    fn schema(zone: &str) -> SchemaRef {
        figures::schema(zone)
    }

    async fn plan(
        &self,
        _: &Evaluation,
        evaluator: &Evaluator<'_>,
        call: &TableCall,
        zone: &Arc<str>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let judging = judging(evaluator, CreditsQuestion::new(self.0), &call.filters).await?;
        judging.check_named()?;
        if let Some(why) = judging.removed.values().next() {
            return exec_err!("{why}");
        }
        let filters: Vec<Expr> = call.filters.iter().filter(|f| speaks_of(f, &SHARED)).cloned().collect();
        Ok(Arc::new(plan(evaluator, judging, &filters, call.projection.clone(), zone)?))
    }
}

/// Whose credits of which period are wanted.
#[derive(Debug)]
pub(super) struct CreditsQuestion {
    pub period: PeriodName,
    pub chosen: Chosen,
    /// Agreement, customer and service of what was issued.
    pub issued: Vec<[String; 3]>,
    /// Only what is judged with the end of this month.
    pub ending: bool,
    pub rules: Rules,
    /// Only these agreements, customers and services.
    pub only: Option<HashSet<[String; 3]>>,
}

impl CreditsQuestion {
    pub fn new(period: PeriodName) -> Self {
        CreditsQuestion {
            period,
            chosen: Chosen::default(),
            issued: Vec::new(),
            ending: false,
            rules: Rules::CURRENT,
            only: None,
        }
    }
}

/// By what a period is judged: what the small tables say, and of which business services are.
pub(super) async fn judging(
    evaluator: &Evaluator<'_>,
    asked: CreditsQuestion,
    filters: &[Expr],
) -> Result<PeriodTerms> {
    let inputs = evaluator.inputs(TableKind::Requests)?;
    let CreditsQuestion { period, chosen, issued, ending, rules, only } = asked;
    let mut judging = PeriodTerms {
        period,
        chosen,
        ending,
        rules,
        only,
        refused: Mutex::default(),
        failed: Mutex::default(),
        planless: Mutex::default(),
        wanted: Wanted::new(evaluator.session, filters)?,
        issued,
        definitions: Arc::clone(&evaluator.definitions),
        fees: Fees::new(&evaluator.rows(TableKind::Fees, None, &[]).await?)?,
        credited: CreditedBefore::default(),
        exclusions: evaluator.excluded(period.over_by().unwrap_or_default())?,
        incidents: evaluator.incidents.clone(),
        lost: evaluator.incidents.iter().filter(|incident| incident.telemetry_lost).cloned().collect(),
        carried: Carried::default(),
        first: inputs.first,
        watermark: inputs.watermark,
        watermarks: watermarks(evaluator)?,
        slot: evaluator.slot,
        store: evaluator.store.clone(),
        now: evaluator.now,
        midnights: Midnights::default(),
        removed: BTreeMap::new(),
        cases: Mutex::default(),
        latest: Mutex::default(),
        asked_objectives: BTreeMap::new(),
        seen_by_objective: OnceLock::new(),
        presence: OnceLock::new(),
    };
    judging.check_readable()?;
    judging.tell_other_names();
    judging.removed = removed(evaluator, &judging)?;
    judging.check_begun(evaluator.now)?;
    let filters: Vec<&Expr> = filters.iter().filter(|filter| speaks_of(filter, &SHARED)).collect();
    judging.midnights = judging.midnights();
    if judging
        .agreements()
        .flat_map(|(_, agreement)| judging.judges(agreement))
        .any(|(_, of)| of.terms.cap_of_year.is_some())
    {
        judging.credited = CreditedBefore::read(evaluator, judging.period).await?;
    }
    judging.ask_objectives(evaluator).await?;
    // What speaks of services alone chooses services whole.
    let narrows = judging.chosen.customer.is_some() || !filters.iter().all(|filter| speaks_of(filter, &["service"]));
    // Of each service by itself, whoever its customers are.
    let of_services: Vec<Expr> =
        filters.iter().filter(|filter| speaks_of(filter, &["service"])).map(|filter| (*filter).clone()).collect();
    if narrows && let Some((reads, services)) = judging.reads() {
        let mut seen = Presence::default();
        if let Some(scan) = scan(evaluator, days_of(reads), &presence::COLUMNS, services, of_services.clone())? {
            let begin = |_| Watch::new(judging.midnights.clone());
            let parts = fold(&scan, &evaluator.session.task_ctx(), "days", begin).await?;
            parts.into_iter().for_each(|part| seen.join(part));
        }
        let _ = judging.presence.set(seen);
    }
    let asking = judging.asking();
    let of_rows = scope(asking.iter().map(|asking| (asking.judged, asking.terms.as_ref())));
    let Some((reads, services)) = of_rows.filter(|(reads, _)| names_a_business(inputs, *reads)) else {
        return Ok(judging);
    };
    if !narrows && !judging.has_scoped_records() {
        // Only the answer tells of it then, and what is counted anyway says it.
        judging.carried.asking = Some(asking.into());
        return Ok(judging);
    }
    if let Some(scan) = scan(evaluator, days_of(reads), &COLUMNS, services, of_services)? {
        judging.carried = carried(asking, &judging.definitions, &scan, &evaluator.session.task_ctx()).await?;
    }
    Ok(judging)
}

fn watermarks(evaluator: &Evaluator<'_>) -> Result<BTreeMap<TableKind, i64>> {
    RAW.into_iter().map(|kind| Ok((kind, evaluator.inputs(kind)?.watermark))).collect()
}

/// Agreements whose period cannot be worked out any more, and why: rows that it needs were removed.
fn removed(evaluator: &Evaluator<'_>, judging: &PeriodTerms) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    for (_, agreement) in judging.agreements() {
        let requests = judging.reads_of(std::iter::once(agreement)).map(|(reads, _)| (TableKind::Requests, reads));
        for (table, reads) in requests.into_iter().chain(judging.reads_of_objectives(agreement)?) {
            let inputs = evaluator.inputs(table)?;
            let Some(sealed) = inputs.sealed.filter(|_| inputs.lacks(&days_of(reads))) else { continue };
            let from = NaiveDate::from_epoch_days(sealed.rows_from).map_or_else(String::new, |day| day.to_string());
            let why = format!(
                "the credits of {} under {} follow from rows of {} that were removed: those before {from} are not kept. What was \
                 issued is in the table statements, with its evidence. Of several agreements, ask for another with --agreement",
                judging.period,
                agreement.name,
                table.name()
            );
            found.entry(agreement.name.clone()).or_insert(why);
        }
    }
    Ok(found)
}

/// Whether any row of these days may name a business.
fn names_a_business(inputs: &Inputs, reads: Interval) -> bool {
    let days = inputs.snapshot.iter().flat_map(|snapshot| snapshot.days_in(days_of(reads)));
    let empty = |value: &ScalarValue| value.try_as_str() == Some(Some(""));
    let mut files = days.flat_map(FilePartition::files);
    files.any(|file| !file.bounds("business").is_some_and(|(least, most)| empty(least) && empty(most)))
}

fn days_of(reads: Interval) -> RangeInclusive<i32> {
    reads.start.div_euclid(DAY) as i32..=(reads.end - 1).div_euclid(DAY) as i32
}

/// Plans the credits of a period: which rows of `requests` are needed.
pub(super) fn plan(
    evaluator: &Evaluator<'_>,
    judging: PeriodTerms,
    filters: &[Expr],
    projection: Option<Vec<usize>>,
    zone: &Arc<str>,
) -> Result<CreditsExec> {
    let (rows, later) = match judging.reads() {
        Some((reads, services)) => {
            let mut conditions = filters.to_vec();
            if let Some(customer) = &judging.chosen.customer {
                conditions.push(col("customer").eq(lit(customer.as_str())));
            }
            let latencies = if judging.asks_latency() { LATENCIES.as_slice() } else { &[] };
            let columns = [&COLUMNS, latencies].concat();
            let rows = scan(evaluator, days_of(reads), &columns, services.clone(), conditions)?;
            let after = days_of(reads).end() + 1;
            let later = match judging.may_need_later() {
                true => {
                    let filters = filters.iter().filter(|filter| speaks_of(filter, &["service"])).cloned().collect();
                    scan(evaluator, after..=after + LATER, &presence::COLUMNS, services, filters)?
                }
                false => None,
            };
            (rows, later)
        }
        None => (None, None),
    };
    CreditsExec::new(judging, rows, later, projection, zone)
}

/// These columns of the rows of `requests` of these days and services (of all, if none is named) for which these conditions hold, as far
/// as that can be decided while they are read; `None` if there are none.
fn scan(
    evaluator: &Evaluator<'_>,
    days: RangeInclusive<i32>,
    columns: &[&str],
    services: Vec<String>,
    mut conditions: Vec<Expr>,
) -> Result<Option<Arc<dyn ExecutionPlan>>> {
    let inputs = evaluator.inputs(TableKind::Requests)?;
    let Some(snapshot) = &inputs.snapshot else { return Ok(None) };
    let days: Vec<i32> = inputs.days_in(days).collect();
    if days.is_empty() {
        return Ok(None);
    }
    if !services.is_empty() {
        conditions.push(col("service").in_list(services.into_iter().map(lit).collect(), false));
    }
    let mut decided = Vec::new();
    for condition in conditions {
        if snapshot.filters_by_day(evaluator.session, &condition)? {
            decided.push(condition);
        }
    }
    let partitions = evaluator.session.config().target_partitions();
    let by_day = ByDay { days: &days, columns, filter: conjunction(decided), exact: true, partitions, lead_in: 0 };
    Ok(Some(snapshot.scan_by_day(evaluator.session, &by_day)?.plan))
}
