//! Statements: drawn up from what is stored, recorded once, revised when what they say is no longer so.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::execution::SendableRecordBatchStream;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_slo::{Agreement, Cycle, IssuedStatement, ObjectKind, PeriodName, Rules, SigningKey};
use nines_store::{Commit, Once, StoreErrorKind, TableKind};

use super::gone::gone;
use super::joined::unsure;
use super::name::{Name, name};
use super::open_drafts::{Drafts, Unapproved};
use super::owing::{Credits, Owing};
use super::period_terms::Chosen;
use super::recorded::{Periods, Recorded};
use super::recorded_rows::statement_rows;
use super::unissued::{Unissued, UnissuedKind};
use super::{figures, judged_rows};
use crate::words::counted;
use crate::{EngineError, Mistakes, Result, Session};

/// How often it is drawn up anew when somebody else issued meanwhile.
const ATTEMPTS: u32 = 20;

/// How statements are issued.
#[derive(Debug, Clone, Default)]
pub struct Issuing {
    /// Even if not all of the period is stored.
    pub incomplete: bool,
    /// Only what was never issued: no revisions.
    pub firsts: bool,
    /// By today's rules, whatever they were before.
    pub current_rules: bool,
    /// Even if rows were deleted since a statement was issued: what is left says what is owed then.
    pub even_deleted: bool,
    /// What becomes of what is drawn up.
    pub step: Step,
    /// The key that signs what is issued. Drafts are not signed.
    pub sign: Option<Arc<SigningKey>>,
}

/// What becomes of what is drawn up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Step {
    /// It is issued.
    #[default]
    Issue,
    /// It is recorded for review: nothing is issued.
    Draft,
    /// It is issued if it was drafted, and the draft says the same.
    Approve,
}

/// What was issued.
#[derive(Debug)]
#[non_exhaustive]
pub struct Issued {
    /// What was recorded: first statements, and revisions that say what changed. Drafts of them, where it was drafted.
    pub statements: Vec<IssuedStatement>,
    /// How many had been issued before and are still so.
    pub unchanged: usize,
    /// How many were left out because no customer is named in their rows.
    pub nobody: usize,
    /// Agreement, customer and service of what was not issued because there is no fee, or because it is not sure whose the fee
    /// is: a later run does. What was issued before stays.
    pub waiting: Vec<[String; 3]>,
    /// Agreements that were left out because their calendar period goes on after the month.
    pub left_out: Vec<String>,
    /// What stays as it was issued, because the rules by which it was issued cannot judge what is stored today: the statement,
    /// and why.
    pub kept: Vec<(IssuedStatement, String)>,
    /// What stays as it was issued, because rows are gone since: the statement, and what is known of them.
    pub deleted: Vec<(IssuedStatement, String)>,
    /// Agreements of which nothing was issued, and why.
    pub unissued: Vec<Unissued>,
    /// The figures of what is issued; their evidence is in the statements.
    pub credits: Credits,
    /// How many drafts were made before and are still so, where it was drafted.
    pub drafted_before: usize,
    /// Drafts that were withdrawn, where it was drafted: nothing is to be issued in their place.
    pub withdrawn: Vec<IssuedStatement>,
    /// Drafts that stay drafts, where drafts were to be approved: what they say is no longer so.
    pub unapproved: Vec<Unapproved>,
    /// How many drafts were open whose statements were issued, approved or not.
    pub replaced: usize,
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

    /// Refuses to work out money from files of other Delta writers: nobody can tell whether they are as they were written.
    pub(super) async fn vouched_for(&self) -> Result<()> {
        let Some(store) = self.store() else { return Ok(()) };
        let definitions = self.definitions().await?;
        let versions = definitions.agreements.iter().flat_map(|agreement| &agreement.versions);
        let judged: BTreeSet<TableKind> =
            versions.flat_map(|version| judged_rows::tables(&version.terms, &definitions)).collect();
        let always = [TableKind::Requests, TableKind::Exclusions, TableKind::Incidents, TableKind::Fees];
        for kind in judged.into_iter().chain(always).collect::<BTreeSet<_>>() {
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

    /// An error if no agreement is recorded.
    pub(super) async fn check_agreed(&self) -> Result<()> {
        self.check_present()?;
        let (recorded, _) = self.recorded().await?;
        match recorded.iter().any(|stored| stored.kind == ObjectKind::Agreement) {
            true => Ok(()),
            // For a scheduler this is no month in which there is nothing to do, but the wrong store.
            false => Err(EngineError::Usage(format!(
                "no agreement is defined in {}; is it the right store? Record agreements with: nines apply FILE",
                self.store_url()
            ))),
        }
    }

    /// Issues the statements of a period: what was never issued, and a revision of what is no longer so. Either all of an agreement are
    /// recorded or none: one of which not all of the period is stored waits, unless that is `incomplete` on purpose, and one that cannot
    /// be worked out keeps no other. No statement is revised because rows are gone, unless that is wanted. An agreement whose calendar
    /// period goes on after the month is left out, unless it is the one that is chosen. What was issued by earlier rules is judged by
    /// those, unless it is to be by today's.
    pub async fn issue(&self, period: PeriodName, chosen: &Chosen, how: &Issuing) -> Result<Issued> {
        self.check_agreed().await?;
        match self.issue_together(period, chosen, how).await {
            // What is wrong with one agreement may be all that is wrong.
            Err(error @ (EngineError::Sql(_) | EngineError::Usage(_))) if chosen.agreement.is_none() => {
                self.issue_apart(period, chosen, how, error).await
            }
            done => done,
        }
    }

    pub(super) async fn issue_together(&self, period: PeriodName, chosen: &Chosen, how: &Issuing) -> Result<Issued> {
        let mut attempt = 1;
        loop {
            self.vouched_for().await?;
            let issued = self.recorded_statements(Periods::Named(period), chosen).await?;
            let drafts = self.open_drafts(period, chosen, &issued.statements).await?;
            let mut done = self.drawn_to_issue(period, chosen, how, &issued, &drafts).await?;
            let commit = match how.step {
                Step::Draft => self.draft(drafts, how, &mut done).await,
                Step::Issue | Step::Approve => {
                    if how.step == Step::Approve {
                        done.approve(drafts.open.clone());
                    }
                    let names: HashSet<Name> = done.statements.iter().map(name).collect();
                    if how.step == Step::Approve {
                        // The figures are those of what is issued.
                        done.credits.owed.retain(|owed| names.contains(&owed.name()));
                        done.credits.rows = figures::batch(&done.credits.owed, self.settings().time_zone.name())?;
                    }
                    if let Some(key) = &how.sign {
                        done.statements.iter_mut().for_each(|statement| statement.sign(key));
                    }
                    done.replaced = drafts.open.iter().filter(|draft| names.contains(&name(draft))).count();
                    self.append_issued(period, &issued, &done.statements).await
                }
            };
            match commit {
                Ok(commit) => return Ok(Issued { commit, ..done }),
                Err(EngineError::Store(error)) if error.kind() == StoreErrorKind::Moved && attempt < ATTEMPTS => {
                    attempt += 1;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Records statements, if they were drawn up from what is recorded last.
    async fn append_issued(
        &self,
        period: PeriodName,
        issued: &Recorded,
        new: &[IssuedStatement],
    ) -> Result<Option<Commit>> {
        // What is stored under a key that stands already replaces it.
        if let Some(statement) = issued.taken(new) {
            return Err(renamed(period, statement));
        }
        if new.is_empty() {
            return Ok(None);
        }
        let table = self.store_to_write().await?.table(TableKind::Statements);
        let rows = appended(statement_rows(new)?);
        Ok(Some(table.append(rows, Once::since(issued.version), self.task()).await?))
    }

    /// What is to be issued now, and what is not and why. Nothing is recorded.
    async fn drawn_to_issue(
        &self,
        period: PeriodName,
        chosen: &Chosen,
        how: &Issuing,
        issued: &Recorded,
        drafts: &Drafts,
    ) -> Result<Issued> {
        let before = &issued.statements;
        let mut how = how.clone();
        let mut earlier = match how.current_rules {
            true => BTreeMap::new(),
            false => by_earlier_rules(before),
        };
        let mut ending = chosen.agreement.is_none();
        if how.step == Step::Approve {
            // The drafts say what was wanted; what they say is compared.
            (how.incomplete, how.even_deleted, how.firsts, ending) = (true, true, false, false);
            for draft in &drafts.open {
                match draft.rules == Rules::CURRENT {
                    true => earlier.remove(&name(draft)),
                    false => earlier.insert(name(draft), draft.rules),
                };
            }
        }
        let owing = Owing { period, chosen, issued: before, ending, with_evidence: true, earlier };
        let mut credits = self.owing(&owing).await?;
        let mut last: HashMap<[&str; 3], &IssuedStatement> = HashMap::new();
        for statement in before {
            last.insert([&statement.agreement, &statement.customer, &statement.service], statement);
        }
        let (mut new, mut unchanged, mut nobody) = (Vec::new(), 0, 0);
        let (mut deleted, mut deletes) = (Vec::new(), None);
        let (mut waiting, unsure) = (Vec::new(), unsure(&credits.joined));
        let drawn = self.draw_up(period, &mut credits)?;
        for (statement, owed) in drawn.into_iter().zip(&credits.owed) {
            let before = last.get(&[statement.agreement.as_str(), &statement.customer, &statement.service]).copied();
            match before {
                _ if statement.customer.is_empty() => nobody += 1,
                _ if credits.failed.contains_key(&name(&statement)) => {}
                _ if unsure.contains(&payer(&statement)) || lacks_fee(&statement, before) => {
                    waiting.push(name(&statement));
                }
                Some(before) if months(before) != months(&statement) => return Err(renamed(period, &statement)),
                None => new.push(statement),
                Some(_) if how.firsts => unchanged += 1,
                Some(before) => match statement.revised(before) {
                    Some(revision) => {
                        if deletes.is_none() && !how.even_deleted {
                            deletes = Some(self.deletes().await?);
                        }
                        let of_data = |deletes| {
                            deleted_since(before, deletes).or_else(|| gone(before, revision.credit.valid, &owed.lack))
                        };
                        match deletes.as_ref().and_then(of_data) {
                            Some(why) => deleted.push((before.clone(), why)),
                            None => new.push(revision),
                        }
                    }
                    None => unchanged += 1,
                },
            }
        }
        let unissued = unissued(&mut credits, &new, before, &how);
        let late: HashSet<&str> = unissued.iter().map(|unissued| unissued.agreement.as_str()).collect();
        new.retain(|statement| !late.contains(statement.agreement.as_str()));
        let stays: HashSet<Name> = deleted.iter().map(|(statement, _)| name(statement)).collect();
        if !late.is_empty() || !stays.is_empty() {
            // What is left says nothing of what was issued.
            credits.owed.retain(|owed| !late.contains(owed.agreement.as_str()) && !stays.contains(&owed.name()));
            credits.rows = figures::batch(&credits.owed, self.settings().time_zone.name())?;
        }
        let left_out = std::mem::take(&mut credits.left_out);
        let mut kept = Vec::new();
        for ([agreement, customer, service], why) in &credits.refused {
            if let Some(statement) = last.get(&[agreement.as_str(), customer, service]) {
                kept.push(((*statement).clone(), why.clone()));
            }
        }
        Ok(Issued {
            statements: new,
            unchanged,
            nobody,
            waiting,
            left_out,
            kept,
            deleted,
            unissued,
            credits,
            drafted_before: 0,
            withdrawn: Vec::new(),
            unapproved: Vec::new(),
            replaced: 0,
            commit: None,
        })
    }
}

/// The agreements of which nothing is issued now. One that was issued before waits only if there is something new to say.
fn unissued(
    credits: &mut Credits,
    new: &[IssuedStatement],
    before: &[IssuedStatement],
    how: &Issuing,
) -> Vec<Unissued> {
    let mut unissued = std::mem::take(&mut credits.unissued);
    let has = |statements: &[IssuedStatement], agreement: &str| statements.iter().any(|s| s.agreement == agreement);
    unissued.retain(|unissued| match unissued.kind {
        UnissuedKind::Incomplete => {
            !how.incomplete && (has(new, &unissued.agreement) || !has(before, &unissued.agreement))
        }
        UnissuedKind::Unmatched | UnissuedKind::Removed | UnissuedKind::Failed => true,
    });
    unissued
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

/// Whether there is no fee from which a statement could credit. What an earlier version issued without one is revised as before.
fn lacks_fee(statement: &IssuedStatement, before: Option<&IssuedStatement>) -> bool {
    statement.credit.fee_base.is_none() && before.is_none_or(|before| before.credit.fee_base.is_some())
}

fn payer(statement: &IssuedStatement) -> [String; 2] {
    [statement.customer.clone(), statement.service.clone()]
}

/// What was issued last by other rules than today's.
pub(super) fn by_earlier_rules(issued: &[IssuedStatement]) -> BTreeMap<Name, Rules> {
    let mut last: BTreeMap<Name, Rules> = issued.iter().map(|statement| (name(statement), statement.rules)).collect();
    last.retain(|_, rules| *rules != Rules::CURRENT);
    last
}

/// Two statements for the same time are not two revisions.
fn renamed(asked: PeriodName, statement: &IssuedStatement) -> EngineError {
    let IssuedStatement { agreement, customer, service, period, .. } = statement;
    let what = if let PeriodName::Day(_) = period { "days" } else { "months" };
    EngineError::Usage(format!(
        "a statement of {agreement} for '{customer}', {service} was issued for other {what} than the period {period} of {asked} \
         has now; nothing was issued. A statement stays: give the agreement whose period has another duration a name of its own"
    ))
}

/// The months or days that a statement is about.
fn months(statement: &IssuedStatement) -> Option<(PeriodName, Cycle)> {
    statement.calendar_period().ok().map(|period| (period.name, period.cycle))
}

/// Rows to append.
pub(super) fn appended(rows: RecordBatch) -> SendableRecordBatchStream {
    Box::pin(RecordBatchStreamAdapter::new(rows.schema(), futures::stream::iter([Ok(rows)])))
}
