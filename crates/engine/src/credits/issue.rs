//! Statements: drawn up from what is stored, recorded once, revised when what they say is no longer so.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::{
    ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringViewArray, TimestampMicrosecondArray,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_slo::moment::Moment;
use nines_slo::{Agreement, IssuedStatement, Month, ObjectKind, Rules};
use nines_store::{Commit, MONEY, Once, StoreErrorKind, TableKind, UTC};
use nines_timeline::Interval;

use super::owing::{Credits, Name, Owing, name};
use super::period_terms::Chosen;
use crate::words::counted;
use crate::{EngineError, Mistakes, Result, Session};

/// How often it is drawn up anew when somebody else issued meanwhile.
const ATTEMPTS: u32 = 20;

/// How statements are issued.
#[derive(Debug, Clone, Copy, Default)]
pub struct Issuing {
    /// Even if not all of the period is stored.
    pub incomplete: bool,
    /// By today's rules, whatever they were before.
    pub current_rules: bool,
    /// Even if rows were deleted since a statement was issued: what is left says what is owed then.
    pub even_deleted: bool,
}

/// What was issued.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// What was recorded: first statements, and revisions that say what changed.
    pub statements: Vec<IssuedStatement>,
    /// How many had been issued before and are still so.
    pub unchanged: usize,
    /// How many were left out because no customer is named in their rows.
    pub nobody: usize,
    /// Agreements that were left out because their calendar period goes on after the month.
    pub left_out: Vec<String>,
    /// What stays as it was issued, because the rules by which it was issued cannot judge what is stored today: the statement,
    /// and why.
    pub kept: Vec<(IssuedStatement, String)>,
    /// What stays as it was issued, because rows were deleted since: the statement, and what was deleted.
    pub deleted: Vec<(IssuedStatement, String)>,
    /// The figures of what is issued; their evidence is in the statements.
    pub credits: Credits,
    /// `None`: there was nothing to record.
    pub commit: Option<Commit>,
}

impl Session {
    /// The agreements that are recorded, by name.
    pub async fn agreements(&self) -> Result<Vec<Agreement>> {
        let (recorded, _) = self.recorded().await?;
        let definitions = nines_slo::resolve(&recorded).map_err(|all| EngineError::Definitions(Mistakes(all)))?;
        Ok(definitions.agreements)
    }

    /// The month that words (`last month`, `last-month`) name where the agreements that are chosen are judged. An error if that
    /// is in several time zones.
    pub async fn month(&self, words: &str, chosen: &Chosen) -> Result<Month> {
        if let Ok(month) = words.parse() {
            return Ok(month);
        }
        let agreements = self.agreements().await?;
        let of = agreements.iter().filter(|a| chosen.agreement.as_ref().is_none_or(|name| *name == a.name));
        let mut zones: Vec<Tz> = of.filter_map(|agreement| Some(agreement.versions.last()?.terms.time_zone)).collect();
        zones.sort_by_key(|zone| zone.name());
        zones.dedup();
        let zone = match zones.as_slice() {
            [] => self.settings().time_zone.tz(),
            [zone] => *zone,
            [first, second, ..] => {
                return Err(EngineError::Usage(format!(
                    "{words} begins at different times in {first} and {second}, of which there are agreements; name the month, \
                     or one of them with --agreement"
                )));
            }
        };
        let moment = Moment { now: self.now(), zone };
        moment.month(&words.replace('-', " ")).ok_or_else(|| {
            EngineError::Usage(format!(
                "'{words}' is no month: expected one such as 2026-10, or last-month, this-month or month-before-last"
            ))
        })
    }

    /// Refuses to work out money from files of other Delta writers: nobody can tell whether they are as they were written.
    pub(super) async fn vouched_for(&self) -> Result<()> {
        let Some(store) = self.store() else { return Ok(()) };
        for kind in [TableKind::Requests, TableKind::Exclusions, TableKind::Incidents, TableKind::Fees] {
            let snapshot = self.snapshot(&store.table(kind)).await?;
            let foreign = snapshot.files().filter(|file| file.foreign());
            if let (Some(first), more) = (foreign.clone().next(), foreign.count()) {
                let name = kind.name();
                return Err(EngineError::Usage(format!(
                    "{} another Delta writer's, the first is {}: nobody can tell whether they are as they \
                     were written. If you vouch for their rows: nines compact {name} --adopt",
                    counted(more, &format!("file of {name} is"), &format!("files of {name} are")),
                    first.path()
                )));
            }
        }
        Ok(())
    }

    /// The last version of each table that deleted rows, and why it did.
    async fn deletes(&self) -> Result<Deletes> {
        let mut deletes = Deletes::new();
        for &kind in TableKind::ALL.iter().filter(|kind| kind.is_series()) {
            let Some(table) = self.store().map(|store| store.table(kind)) else { continue };
            let Some(version) = table.last_delete().await? else { continue };
            let told = table.told_of(version).await?;
            let reason = told.and_then(|told| told.parameters.into_iter().find(|(name, _)| name == "reason"));
            deletes.insert(kind.name(), (version, reason.map(|(_, reason)| reason)));
        }
        Ok(deletes)
    }

    /// Issues the statements of a period: what was never issued, and a revision of what is no longer so. Either all are recorded
    /// or none. It is an error if not all of the period is stored, unless that is `incomplete` on purpose. An agreement whose
    /// calendar period goes on after the month is left out, unless it is the one that is chosen. What was issued by earlier rules is
    /// judged by those, unless it is to be by today's.
    pub async fn issue(&self, month: Month, chosen: &Chosen, how: Issuing) -> Result<Issued> {
        self.check_present()?;
        let mut attempt = 1;
        loop {
            let (recorded, _) = self.recorded().await?;
            if !recorded.iter().any(|stored| stored.kind == ObjectKind::Agreement) {
                // For a scheduler this is no month in which there is nothing to do, but the wrong store.
                return Err(EngineError::Usage(format!(
                    "no agreement is defined in {}; is it the right store? Record agreements with: nines apply FILE",
                    self.store_url()
                )));
            }
            self.vouched_for().await?;
            let issued = self.recorded_statements(month..=month, chosen).await?;
            let before = &issued.statements;
            let earlier = match how.current_rules {
                true => BTreeMap::new(),
                false => by_earlier_rules(before),
            };
            let owing = Owing { month, chosen, issued: before, ending: chosen.agreement.is_none(), earlier };
            let mut credits = self.owing(&owing).await?;
            if !how.incomplete {
                if let Some((agreement, judged)) = &credits.unfinished {
                    return Err(unfinished(month, agreement, *judged, *judged, &credits));
                }
                if let Some(short) = credits.owed.iter().find(|owed| !owed.complete) {
                    return Err(unfinished(month, &short.agreement, short.judged, short.needed, &credits));
                }
            }
            let mut last: HashMap<[&str; 3], &IssuedStatement> = HashMap::new();
            for statement in before {
                last.insert([&statement.agreement, &statement.customer, &statement.service], statement);
            }
            let (mut new, mut unchanged, mut nobody) = (Vec::new(), 0, 0);
            let (mut deleted, mut deletes) = (Vec::new(), None);
            for statement in self.draw_up(month, &mut credits)? {
                let before =
                    last.get(&[statement.agreement.as_str(), &statement.customer, &statement.service]).copied();
                match before {
                    _ if statement.customer.is_empty() => nobody += 1,
                    Some(before) if months(before) != months(&statement) => return Err(renamed(month, &statement)),
                    None => new.push(statement),
                    Some(before) => match statement.revised(before) {
                        Some(revision) => {
                            if deletes.is_none() && !how.even_deleted {
                                deletes = Some(self.deletes().await?);
                            }
                            match deletes.as_ref().and_then(|deletes| deleted_since(before, deletes)) {
                                Some(why) => deleted.push((before.clone(), why)),
                                None => new.push(revision),
                            }
                        }
                        None => unchanged += 1,
                    },
                }
            }
            // What is stored under a key that stands already replaces it.
            if let Some(statement) = issued.taken(&new) {
                return Err(renamed(month, statement));
            }
            let left_out = std::mem::take(&mut credits.left_out);
            let mut kept = Vec::new();
            for ([agreement, customer, service], why) in &credits.refused {
                if let Some(statement) = last.get(&[agreement.as_str(), customer, service]) {
                    kept.push(((*statement).clone(), why.clone()));
                }
            }
            let done = |statements, credits, commit| Issued {
                statements,
                unchanged,
                nobody,
                left_out,
                kept,
                deleted,
                credits,
                commit,
            };
            if new.is_empty() {
                return Ok(done(new, credits, None));
            }
            let table = self.store_to_write().await?.table(TableKind::Statements);
            let rows = rows(&new)?;
            let rows = RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)]));
            match table.append(Box::pin(rows), Once::since(issued.version), self.task()).await {
                Ok(commit) => return Ok(done(new, credits, Some(commit))),
                Err(error) if error.kind() == StoreErrorKind::Moved && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The last version of each table that deleted rows, and why, as far as the log still tells it.
type Deletes = BTreeMap<&'static str, (u64, Option<String>)>;

/// Why what is stored now is no ground for revising a statement: rows were deleted since, on purpose. What is left does not say what was
/// owed.
fn deleted_since(statement: &IssuedStatement, deletes: &Deletes) -> Option<String> {
    statement.tables.iter().find_map(|(name, read)| {
        let (version, reason) = deletes.get(name.as_str())?;
        let reason = reason.as_ref().map_or_else(String::new, |reason| format!(", reason: {reason}"));
        i64::try_from(*version).is_ok_and(|version| version > *read).then(|| {
            format!("rows of {name} were deleted since (version {version}{reason}), so that what is left does not say what was owed")
        })
    })
}

/// What was issued last by other rules than today's.
pub(super) fn by_earlier_rules(issued: &[IssuedStatement]) -> BTreeMap<Name, Rules> {
    let mut last: BTreeMap<Name, Rules> = issued.iter().map(|statement| (name(statement), statement.rules)).collect();
    last.retain(|_, rules| *rules != Rules::CURRENT);
    last
}

fn unfinished(month: Month, agreement: &str, judged: Interval, needed: Interval, credits: &Credits) -> EngineError {
    let shown = |micros| chrono::DateTime::from_timestamp_micros(micros).map_or_else(String::new, |at| at.to_rfc3339());
    let stored = match (credits.first, credits.watermark) {
        (Some(first), Some(end)) => format!("the data begin at {} and end at {}", shown(first), shown(end)),
        _ => "nothing is stored in requests".to_string(),
    };
    let estimated = match needed.start < judged.start {
        true => format!(" with an estimate from {} on", shown(needed.start)),
        false => String::new(),
    };
    EngineError::Incomplete(format!(
        "{month} is not complete for agreement {agreement}: it is judged from {} until {}{estimated}, but {stored}; nothing was \
         issued. Ingest the rest, or issue what there is with --incomplete",
        shown(judged.start),
        shown(judged.end)
    ))
}

/// Two statements for the same time are not two revisions.
fn renamed(month: Month, statement: &IssuedStatement) -> EngineError {
    let IssuedStatement { agreement, customer, service, period, .. } = statement;
    EngineError::Usage(format!(
        "a statement of {agreement} for '{customer}', {service} was issued for other months than the period {period} of {month} \
         has now; nothing was issued. A statement stays: give the agreement whose period has another duration a name of its own"
    ))
}

/// The calendar months that a statement is about.
fn months(statement: &IssuedStatement) -> Option<(Month, u32)> {
    statement.calendar_period().ok().map(|period| (period.first, period.months))
}

fn rows(statements: &[IssuedStatement]) -> Result<RecordBatch> {
    let text = |of: &dyn Fn(&IssuedStatement) -> String| -> ArrayRef {
        Arc::new(statements.iter().map(|statement| Some(of(statement))).collect::<StringViewArray>())
    };
    let issued: TimestampMicrosecondArray = statements.iter().map(|statement| Some(statement.issued_at)).collect();
    let amounts: Decimal128Array = statements.iter().map(|statement| statement.credit.amount).collect();
    let amounts = amounts.with_precision_and_scale(MONEY.0, MONEY.1);
    let rows = RecordBatch::try_from_iter([
        ("agreement", text(&|s| s.agreement.clone())),
        ("customer", text(&|s| s.customer.clone())),
        ("service", text(&|s| s.service.clone())),
        ("period", text(&|s| s.period.to_string())),
        (
            "revision",
            Arc::new(statements.iter().map(|s| Some(i64::from(s.revision))).collect::<Int64Array>()) as ArrayRef,
        ),
        ("issued_at", Arc::new(issued.with_timezone(UTC))),
        ("complete", Arc::new(statements.iter().map(|s| Some(s.complete)).collect::<BooleanArray>())),
        ("availability_exact", text(&|s| s.credit.availability.to_string())),
        ("amount", Arc::new(amounts.map_err(datafusion::error::DataFusionError::from)?)),
        ("currency", text(&|s| s.credit.currency.clone().unwrap_or_default())),
        ("text", text(&IssuedStatement::to_json)),
        ("sha256", text(&|s| s.sha256.clone())),
        ("rules", Arc::new(statements.iter().map(|s| Some(i64::from(s.rules.number()))).collect::<Int64Array>())),
    ]);
    rows.map_err(|error| EngineError::Sql(error.into()))
}
