//! What is said of statements, and their pages.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use nines_engine::slo::{Cycle, IssuedStatement, Period, PeriodName, Standing, StatementError, html, markdown};
use nines_engine::{Chosen, Issued, Session, Unissued, UnissuedKind};

use nines_engine::slo::Rules;
use nines_engine::timeline::Interval;

use crate::error::{CliError, Result, doing};
use crate::output::{say, whole_file};

const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// What to do where nothing is owed.
pub(super) async fn nothing(
    session: &Session,
    period: PeriodName,
    chosen: &Chosen,
    unissued: &[Unissued],
) -> Result<CliError> {
    let agreements = session.sql("SELECT name FROM definitions WHERE kind = 'Agreement'").await?;
    if agreements.iter().map(RecordBatch::num_rows).sum::<usize>() == 0 {
        return Ok(CliError::Failed("no agreement is defined yet; record one with: nines apply FILE".to_string()));
    }
    let all = session.agreements().await?;
    let judging = all.iter().filter(|agreement| chosen.has(&agreement.name));
    let judging: Vec<_> = judging.filter_map(|agreement| agreement.covered(period, ALWAYS, Rules::CURRENT)).collect();
    let (is_running, what) = match period {
        PeriodName::Month(month) => {
            (Period::of(month, 1, Tz::UTC).is_some_and(|month| month.interval.end > session.now()), "month")
        }
        PeriodName::Day(_) => (judging.iter().any(|covered| covered.period.interval.end > session.now()), "period"),
    };
    // That nobody is owed anything is one thing, and that nothing was found by the names in the agreements another.
    let unmatched = unissued.iter().filter(|unissued| unissued.kind == UnissuedKind::Unmatched && !is_running);
    let unmatched: Vec<String> =
        unmatched.map(|unissued| format!("{}: {}", unissued.agreement, unissued.why)).collect();
    // One beside others is told in a note.
    if !unmatched.is_empty() && unmatched.len() >= judging.len() {
        let all = unmatched.join("; ");
        return Ok(CliError::Failed(format!("no agreement matches anything in {period}: {all}")));
    }
    let whom = match &chosen.customer {
        Some(customer) => format!(
            "nothing is owed to '{customer}' for {period}: no agreement covers a request or a fee of a customer of this name"
        ),
        None => format!("nothing is owed for {period}: no agreement covers a customer with a request or a fee in it"),
    };
    let running = if is_running { format!("; the {what} is not over") } else { String::new() };
    Ok(CliError::Nothing(format!("{whom}{running}; see the tables requests, fees and definitions")))
}

pub(super) fn told(issued: &Issued, period: PeriodName) -> String {
    let mut text = String::new();
    let first = issued.statements.iter().filter(|statement| statement.revision == 1).count();
    if let Some(commit) = &issued.commit {
        let revised = issued.statements.len() - first;
        text.push_str(&format!(
            "issued     {} and {} for {period}, {} unchanged; version {} of statements\n",
            many(first, "statement"),
            many(revised, "revision"),
            issued.unchanged,
            commit.version().unwrap_or_default()
        ));
    }
    text.push_str(&signed(issued));
    if !issued.waiting.is_empty() {
        text.push_str(&format!(
            "waiting    {} for a fee; the next --issue issues what has one\n",
            many(issued.waiting.len(), "statement")
        ));
    }
    if issued.nobody > 0 {
        text.push_str(&format!("left out   {} without a customer: nobody is owed anything\n", issued.nobody));
    }
    text + &changes(issued, "revision")
}

/// By which key what was issued is signed.
pub(super) fn signed(issued: &Issued) -> String {
    let signature = issued.statements.first().and_then(|statement| statement.signature.as_deref());
    let key = signature.and_then(|signature| signature.split(':').nth(1));
    key.map_or_else(String::new, |key| format!("signed     with key {key}\n"))
}

/// What revisions change.
pub(super) fn changes(issued: &Issued, what: &str) -> String {
    let mut text = String::new();
    for revision in issued.statements.iter().filter(|statement| statement.revision > 1) {
        text.push_str(&format!("{what:<10} {}\n", named(revision)));
        for change in &revision.changes {
            text.push_str(&format!("           {}\n", change.text));
        }
    }
    text
}

pub(super) fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

pub(super) fn named(statement: &IssuedStatement) -> String {
    let IssuedStatement { agreement, customer, service, period, revision, .. } = statement;
    format!("{agreement}, {customer}, {service}, {period}, revision {revision}")
}

/// Writes a page for each customer and period, from one revision of each statement or the last, and beside it the statements
/// themselves, a line of JSON for each.
pub(super) fn pages(
    folder: &Path,
    period: PeriodName,
    statements: &[IssuedStatement],
    standing: Standing,
    revision: Option<u32>,
) -> Result<()> {
    let mut last: BTreeMap<(&str, &str, &str), &IssuedStatement> = BTreeMap::new();
    for statement in statements.iter().filter(|s| revision.is_none_or(|revision| s.revision == revision)) {
        last.insert((&statement.customer, &statement.agreement, &statement.service), statement);
    }
    let failed = |customer: &str, error: StatementError| CliError::Failed(format!("the page of {customer}: {error}"));
    let mut of: BTreeMap<(&str, PeriodName, Cycle), Vec<IssuedStatement>> = BTreeMap::new();
    for statement in last.into_values() {
        let period = statement.calendar_period().map_err(|error| failed(&statement.customer, error))?;
        of.entry((&statement.customer, period.name, period.cycle)).or_default().push(statement.clone());
    }
    if let (true, Some(revision)) = (of.is_empty() && !statements.is_empty(), revision) {
        return Err(CliError::Nothing(format!("no statement for {period} has a revision {revision}")));
    }
    if of.is_empty() {
        return Err(CliError::Nothing(format!("no statement was issued for {period}; issue them with --issue")));
    }
    if folder.is_file() {
        return Err(CliError::Usage(format!("{} is a file; --pages needs a folder", folder.display())));
    }
    doing(folder.display(), std::fs::create_dir_all(folder))?;
    let mut names = BTreeSet::new();
    for ((customer, first, cycle), statements) in &of {
        let period = match cycle {
            Cycle::Months { months: months @ 2.., from: 1 } => format!("{first}-to-{}", first.month().plus(months - 1)),
            Cycle::Months { .. } | Cycle::Days { .. } => first.to_string(),
        };
        let mut name = format!("{period}-{}", file_name(customer));
        while !names.insert(name.clone()) {
            name.push('_');
        }
        let failed = |error| failed(customer, error);
        let lines: Vec<String> = statements.iter().map(|statement| statement.to_signed_json() + "\n").collect();
        // Nobody sends a draft for what was issued.
        let draft = if standing == Standing::Draft { ".draft" } else { "" };
        for (extension, text) in [
            ("md", markdown(statements, standing).map_err(failed)?),
            ("html", html(statements, standing).map_err(failed)?),
            ("jsonl", lines.concat()),
        ] {
            let file = folder.join(format!("{name}{draft}.{extension}"));
            whole_file(&file, |writer| doing(file.display(), writer.write_all(text.as_bytes())))?;
        }
    }
    let customers: BTreeSet<&str> = of.keys().map(|(customer, ..)| *customer).collect();
    let drafts = if standing == Standing::Draft { " of drafts" } else { "" };
    say(&format!(
        "pages      {}{drafts}, Markdown and HTML with their evidence in JSON, in {}\n",
        many(customers.len(), "customer"),
        folder.display()
    ))
}

/// A customer's name as part of a file's.
fn file_name(customer: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    customer.chars().map(|c| if fits(c) { c } else { '_' }).collect::<String>().trim_start_matches('.').to_string()
}
