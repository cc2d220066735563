//! Statements as another program takes them: one row each, whatever became of it.
//!
//! What was issued comes from the table `statements` alone, so that it is listed long after the rows behind it are gone. Only what
//! waits for a fee is worked out from what is stored today.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::logical_expr::Expr;
use datafusion::prelude::SessionContext;
use nines_slo::{Credit, IssuedStatement, PeriodName, Side};
use nines_store::{StoreError, TableKind};
use nines_timeline::Interval;

use super::Owed;
use super::carried_texts::CarriedTexts;
use super::figures::{amounts, money, percent, percent_of, percents};
use super::joined::{joined, unsure};
use super::name::{Name, name};
use super::period_terms::Chosen;
use super::recorded::{Periods, Recorded, not_withdrawn, open, recorded_in};
use super::table::{self, CreditsQuestion};
use super::wanted::{NAMES, may_pass};
use crate::Result;
use crate::answers::columns::{count, counts, instant, instants, text, texts};
use crate::evaluate::{Evaluation, Evaluator, speaks_of, unqualified};

/// Statements of a period, a row each.
#[derive(Debug)]
#[non_exhaustive]
pub struct ExportedStatements {
    /// Rows of `credit_statements(period)`, by agreement, customer, service and revision.
    pub rows: RecordBatch,
    /// How many credits could be issued and are not: nobody drafted them either.
    pub due: usize,
    /// Why it is not known, or not of all agreements, what waits for a fee.
    pub unknown: Option<String>,
}

/// What became of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Status {
    /// A later revision was issued.
    Superseded,
    /// It was issued last.
    Issued,
    /// It waits for approval.
    Draft,
    /// It is worked out and complete, and there is no fee yet.
    Waiting,
}

impl Status {
    fn word(self) -> &'static str {
        match self {
            Status::Superseded => "superseded",
            Status::Issued => "issued",
            Status::Draft => "draft",
            Status::Waiting => WAITING,
        }
    }
}

/// What stands in `status` where there is no fee.
const WAITING: &str = "waiting";
/// The column of what became of it.
pub(super) const STATUS: &str = "status";
/// The tables that are read and that an evaluation does not read.
pub(super) const READ: [TableKind; 3] = [TableKind::Fees, TableKind::Statements, TableKind::Drafts];

struct Row {
    name: Name,
    business: String,
    side: Side,
    period: String,
    judged: Interval,
    time_zone: &'static str,
    credit: Credit,
    /// Of what is, or is to be, issued.
    revision: Option<i64>,
    number: Option<String>,
    issued_at: Option<i64>,
    sha256: Option<String>,
    status: Status,
}

pub(super) fn schema(zone: &str) -> SchemaRef {
    Arc::new(Schema::new(vec![
        text("agreement"),
        text("customer"),
        text("service"),
        text("business"),
        text("side"),
        text("period"),
        instant("period_start", zone),
        instant("period_end", zone),
        count("revision"),
        text("number"),
        instant("issued_at", zone),
        percent("availability"),
        text("availability_exact"),
        percent("credit_percent"),
        money("fee_base"),
        money("amount"),
        text("currency"),
        instant("claim_by", zone),
        text("time_zone"),
        text("sha256"),
        text(STATUS),
    ]))
}

fn batch(rows: &[Row], zone: &str) -> datafusion::error::Result<RecordBatch> {
    let text = |of: fn(&Row) -> &str| texts(rows.iter().map(move |row| Some(of(row))));
    let exact: Vec<String> = rows.iter().map(|row| row.credit.availability.to_string()).collect();
    let time = |of: fn(&Row) -> Option<i64>| instants(rows.iter().map(of), zone);
    Ok(RecordBatch::try_new(
        schema(zone),
        vec![
            text(|row| &row.name[0]),
            text(|row| &row.name[1]),
            text(|row| &row.name[2]),
            text(|row| &row.business),
            text(|row| row.side.word()),
            text(|row| &row.period),
            time(|row| Some(row.judged.start)),
            time(|row| Some(row.judged.end)),
            counts(rows.iter().map(|row| row.revision)),
            texts(rows.iter().map(|row| row.number.as_deref())),
            time(|row| row.issued_at),
            percents(rows.iter().map(|row| row.credit.availability_percent)),
            texts(exact.iter().map(|exact| Some(exact.as_str()))),
            percents(rows.iter().map(|row| percent_of(&row.credit.percent))),
            amounts(rows.iter().map(|row| row.credit.fee_base))?,
            amounts(rows.iter().map(|row| row.credit.amount))?,
            texts(rows.iter().map(|row| row.credit.currency.as_deref())),
            time(|row| row.credit.claim_by),
            text(|row| row.time_zone),
            texts(rows.iter().map(|row| row.sha256.as_deref())),
            text(|row| row.status.word()),
        ],
    )?)
}

/// Which statements are asked for.
pub(super) struct Asked<'a> {
    pub period: PeriodName,
    pub chosen: &'a Chosen,
    /// Conditions that are applied again to what comes out.
    pub filters: &'a [Expr],
    /// In which times are shown.
    pub zone: &'a Arc<str>,
}

/// The statements that are asked for, and what waits, of one version of each table.
pub(super) async fn exported(
    evaluation: &Evaluation,
    evaluator: &Evaluator<'_>,
    asked: &Asked<'_>,
) -> Result<ExportedStatements> {
    let issued = recorded(evaluation, evaluator, asked, TableKind::Statements).await?.statements;
    let drafts = recorded(evaluation, evaluator, asked, TableKind::Drafts).await?.statements;
    let drafts = open(drafts, &issued);
    let mut rows = rows(issued, drafts)?;
    let (mut due, mut unknown) = (0, None);
    if may_pass(evaluator.session, asked.filters, STATUS, WAITING)? {
        let known: HashSet<Name> = rows.iter().map(|row| row.name.clone()).collect();
        match waiting(evaluator, asked, known).await {
            Ok(found) => {
                rows.extend(found.waiting);
                (due, unknown) = (found.due, found.unknown);
            }
            Err(error) if rows.is_empty() || StoreError::found_in(&error).is_some() => return Err(error.into()),
            // What was issued is listed, whatever is wrong with what is agreed or paid today.
            Err(error) => unknown = Some(error.to_string()),
        }
    }
    rows.sort_by(|a, b| (&a.name, &a.period, a.revision).cmp(&(&b.name, &b.period, b.revision)));
    Ok(ExportedStatements { rows: batch(&rows, asked.zone)?, due, unknown })
}

/// What one of the tables of statements says.
async fn recorded(
    evaluation: &Evaluation,
    evaluator: &Evaluator<'_>,
    asked: &Asked<'_>,
    kind: TableKind,
) -> Result<Recorded> {
    let Some(snapshot) = evaluator.snapshot(kind).await? else { return Ok(Recorded::default()) };
    let context = SessionContext::new_with_state(evaluation.state().clone());
    let of_names = asked.filters.iter().filter(|filter| speaks_of(filter, &NAMES));
    let conditions = of_names.map(|filter| unqualified(filter.clone()));
    let mut conditions = conditions.collect::<datafusion::error::Result<Vec<_>>>()?;
    conditions.extend((kind == TableKind::Drafts).then(not_withdrawn));
    recorded_in(snapshot, &context, Periods::Named(asked.period), asked.chosen, &conditions).await
}

/// What was issued and what is drafted.
fn rows(issued: Vec<IssuedStatement>, drafts: Vec<IssuedStatement>) -> Result<Vec<Row>> {
    let mut last: BTreeMap<(Name, PeriodName), u32> = BTreeMap::new();
    for statement in &issued {
        // They come by revision.
        last.insert((name(statement), statement.period), statement.revision);
    }
    let status = |statement: &IssuedStatement| match last.get(&(name(statement), statement.period)) {
        Some(revision) if *revision > statement.revision => Status::Superseded,
        Some(_) | None => Status::Issued,
    };
    let issued = issued.into_iter().map(|statement| (status(&statement), statement));
    let drafts = drafts.into_iter().map(|draft| (Status::Draft, draft));
    let mut carried = CarriedTexts::default();
    let mut rows = Vec::new();
    for (status, statement) in issued.chain(drafts) {
        let facts = carried.facts(&statement)?;
        rows.push(Row {
            name: name(&statement),
            business: statement.business,
            side: facts.side,
            period: statement.period.to_string(),
            judged: facts.judged,
            time_zone: facts.time_zone.name(),
            credit: statement.credit,
            revision: Some(statement.revision.into()),
            number: facts.number,
            issued_at: Some(statement.issued_at).filter(|_| status != Status::Draft),
            sha256: Some(statement.sha256),
            status,
        });
    }
    Ok(rows)
}

/// What was not issued.
struct Unissued {
    waiting: Vec<Row>,
    due: usize,
    unknown: Option<String>,
}

/// What is complete and not among those that are `known`.
async fn waiting(
    evaluator: &Evaluator<'_>,
    asked: &Asked<'_>,
    known: HashSet<Name>,
) -> datafusion::error::Result<Unissued> {
    // Whether it is sure whose a fee is depends on the names of all customers.
    let chosen = Chosen { customer: None, ..asked.chosen.clone() };
    let is_asked = |owed: &Owed| asked.chosen.customer.as_ref().is_none_or(|customer| *customer == owed.customer);
    let judging =
        table::judging(evaluator, CreditsQuestion { chosen, ..CreditsQuestion::new(asked.period) }, &[]).await?;
    let unknown = judging.removed.values().next().cloned();
    let exec = table::plan(evaluator, judging, &[], None, asked.zone)?;
    let (owed, _held) = exec.owed(&evaluator.session.task_ctx(), false).await?;
    let unsure = unsure(&joined(exec.judging(), &owed, &HashSet::new()));
    let failed = exec.failed();
    let mut found = Unissued { waiting: Vec::new(), due: 0, unknown };
    for owed in owed.into_iter().filter(is_asked) {
        let name = owed.name();
        if !owed.complete || owed.customer.is_empty() || known.contains(&name) || failed.contains_key(&name) {
            continue;
        }
        match owed.credit.fee_base.is_none() || unsure.contains(&[owed.customer.clone(), owed.service.clone()]) {
            true => found.waiting.push(without_fee(name, owed)),
            false => found.due += 1,
        }
    }
    Ok(found)
}

/// A row without an amount: where it is not sure whose a fee is, neither is the amount.
fn without_fee(name: Name, owed: Owed) -> Row {
    Row {
        name,
        business: owed.business,
        side: owed.terms.side,
        period: owed.period,
        judged: owed.judged,
        time_zone: owed.terms.time_zone.name(),
        credit: Credit { fee_base: None, amount: None, currency: None, ..owed.credit },
        revision: None,
        number: None,
        issued_at: None,
        sha256: None,
        status: Status::Waiting,
    }
}
