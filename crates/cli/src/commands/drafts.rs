//! `nines credits --issue --draft` and `--approve`: what was drafted, and what became of it.

use nines_engine::slo::PeriodName;
use nines_engine::{Chosen, Issued, Session};

use super::outcome::Outcome;
use super::statements::{changes, many, named, signed};
use crate::error::{CliError, Result};
use crate::output::{note, say};

/// What was drafted.
pub(super) fn told(issued: &Issued, period: PeriodName) -> String {
    let mut text = String::new();
    let drafted = !issued.statements.is_empty();
    if let Some(commit) = issued.commit.as_ref().filter(|_| drafted) {
        let first = issued.statements.iter().filter(|statement| statement.revision == 1).count();
        text.push_str(&format!(
            "drafted    {} and {} for {period}, {} as before; version {} of drafts\n",
            many(first, "statement"),
            many(issued.statements.len() - first, "revision"),
            many(issued.drafted_before, "draft"),
            commit.version().unwrap_or_default()
        ));
        text.push_str(&format!(
            "           Look at them: nines credits {period} --draft --pages FOLDER. Issue them: nines credits {period} --approve\n"
        ));
    }
    for draft in &issued.withdrawn {
        text.push_str(&format!("withdrawn  the draft of {}: nothing is to be issued in its place\n", named(draft)));
    }
    if !issued.waiting.is_empty() {
        text.push_str(&format!(
            "waiting    {} for a fee; the next --issue --draft drafts what has one\n",
            many(issued.waiting.len(), "statement")
        ));
    }
    text + &changes(issued, "draft")
}

/// Says what was approved, and which drafts are no longer what is stored.
pub(super) async fn approved(
    session: &Session,
    issued: &Issued,
    period: PeriodName,
    chosen: &Chosen,
    outcome: &mut Outcome,
) -> Result<()> {
    let mut text = String::new();
    if let Some(commit) = &issued.commit {
        let first = issued.statements.iter().filter(|statement| statement.revision == 1).count();
        text.push_str(&format!(
            "approved   {} and {} for {period}; version {} of statements\n",
            many(first, "statement"),
            many(issued.statements.len() - first, "revision"),
            commit.version().unwrap_or_default()
        ));
        text.push_str(&signed(issued));
        text.push_str(&changes(issued, "revision"));
        outcome.done = true;
    }
    for unapproved in &issued.unapproved {
        text.push_str(&format!("changed    {}: not what it was when it was drafted\n", named(&unapproved.draft)));
        unapproved.why.iter().for_each(|why| text.push_str(&format!("           {why}\n")));
    }
    say(&text)?;
    let mut agreements: Vec<&str> =
        issued.unapproved.iter().map(|unapproved| unapproved.draft.agreement.as_str()).collect();
    agreements.dedup();
    if !agreements.is_empty() {
        let changed = many(issued.unapproved.len(), "draft");
        outcome.failed.push(format!(
            "{period}: what {changed} of {} came from changed since; nothing of it was issued. Draft again, and review that: nines \
             credits {period} --issue --draft",
            agreements.join(" and ")
        ));
    } else if issued.commit.is_none() {
        outcome.take("", none(session, period, chosen).await?, false)?;
    }
    Ok(())
}

/// Why there is no draft.
pub(super) async fn none(session: &Session, period: PeriodName, chosen: &Chosen) -> Result<CliError> {
    let is_issued = !session.statements(period, chosen).await?.is_empty();
    let issued = if is_issued { "; statements were issued" } else { "" };
    Ok(CliError::Nothing(format!(
        "no draft of {period} waits for approval{issued}. Draft with: nines credits {period} --issue --draft"
    )))
}

/// Says that statements were issued of which drafts waited for approval.
pub(super) fn replaced(issued: &Issued) {
    if issued.replaced > 0 {
        let are = if issued.replaced == 1 { "is" } else { "are" };
        note(format_args!(
            "note: {} waited for approval and {are} replaced by what was issued. To approve what was reviewed: --approve",
            many(issued.replaced, "draft")
        ));
    }
}
