//! `nines credits --issue` and `--pending`: what was issued, and what waits.

use nines_engine::slo::{PeriodName, Standing};
use nines_engine::{Chosen, Issued, Issuing, Session, Step, Unissued, UnissuedKind};

use super::drafts;
use super::joined;
use super::outcome::Outcome;
use super::statements::{named, nothing, pages, told};
use crate::args;
use crate::error::Result;
use crate::output::{note, say};

/// Issues every period that is over, complete and not issued yet.
pub(super) async fn pending(session: &Session, chosen: &Chosen, args: &args::Credits, how: &Issuing) -> Result<()> {
    let mut outcome = Outcome::default();
    let was_issued = !session.issued_periods(chosen).await?.is_empty();
    let (mut unmatched, mut periods) = (Vec::new(), Vec::new());
    for (period, issued) in session.issue_pending(chosen, how).await? {
        match issued {
            Ok(issued) => {
                tell(&issued, period, how.step)?;
                joined::tell(&issued.credits, period);
                outcome.partly.extend(joined::some_failed(&issued.credits));
                let [matches_nothing, removed, late] = by_kind(&issued, period);
                unmatched.extend(matches_nothing);
                // Nothing will change that.
                removed.iter().for_each(|removed| note(format_args!("note: {removed}")));
                outcome.failed.extend(late);
                outcome.hint = outcome.hint.or(waits_for_rows(&issued).then_some(INCOMPLETE));
                if issued.commit.is_some() {
                    outcome.done = true;
                    periods.push(period);
                }
            }
            Err(error) => outcome.take(&period.to_string(), error.into(), false)?,
        }
    }
    if let Some(folder) = &args.pages {
        for period in periods {
            match how.step {
                Step::Draft => pages(folder, period, &session.drafts(period, chosen).await?, Standing::Draft, None)?,
                Step::Issue | Step::Approve => {
                    pages(folder, period, &session.statements(period, chosen).await?, Standing::Issued, None)?
                }
            }
        }
    }
    match outcome.done || was_issued || !outcome.failed.is_empty() {
        true => unmatched.iter().for_each(|unmatched| note(format_args!("note: {unmatched}"))),
        false => outcome.failed.append(&mut unmatched),
    }
    let done = match how.step {
        Step::Draft => "what can be drafted was drafted, or issued",
        Step::Issue | Step::Approve => "what can be issued was issued",
    };
    outcome.nothing.push(format!("nothing is pending: of each period that is over {done}"));
    outcome.end()
}

/// What is to become of what is drawn up.
pub(super) fn step(args: &args::Credits) -> Step {
    match (args.approve, args.draft) {
        (true, _) => Step::Approve,
        (false, true) => Step::Draft,
        (false, false) => Step::Issue,
    }
}

/// Says what was issued or drafted, and what was not.
pub(super) fn tell(issued: &Issued, period: PeriodName, step: Step) -> Result<()> {
    match step {
        Step::Draft => say(&drafts::told(issued, period))?,
        // Told when it is settled.
        Step::Approve => return Ok(()),
        Step::Issue => {
            say(&told(issued, period))?;
            drafts::replaced(issued);
        }
    }
    for (statement, why) in &issued.kept {
        let rules = statement.rules.number();
        let (statement, hint) = (named(statement), "or judge it by today's rules with --rules current");
        note(format_args!("note: {statement} stays as it was issued by rules {rules}: {why}, {hint}"));
    }
    for (statement, why) in &issued.deleted {
        let statement = named(statement);
        note(format_args!(
            "note: {statement} stays as it was issued: {why}. To revise it all the same: --even-deleted"
        ));
    }
    for agreement in &issued.left_out {
        note(format_args!(
            "note: left out {agreement}: its period is not over with {period}; issue it all the same with --agreement {agreement}"
        ));
    }
    Ok(())
}

/// Agreements that match nothing, those without rows that were removed, and those that failed or wait.
fn by_kind(issued: &Issued, period: PeriodName) -> [Vec<String>; 3] {
    let [mut unmatched, mut removed, mut late] = [Vec::new(), Vec::new(), Vec::new()];
    for unissued in &issued.unissued {
        let of = match unissued.kind {
            UnissuedKind::Unmatched => &mut unmatched,
            UnissuedKind::Removed => &mut removed,
            UnissuedKind::Incomplete | UnissuedKind::Failed => &mut late,
        };
        of.push(waits(unissued, period));
    }
    [unmatched, removed, late]
}

/// What issuing a period comes to. What waits is a failure: a scheduler comes again.
pub(super) async fn settle(
    session: &Session,
    issued: &Issued,
    period: PeriodName,
    chosen: &Chosen,
    outcome: &mut Outcome,
) -> Result<()> {
    let [unmatched, removed, mut late] = by_kind(issued, period);
    late.extend(removed);
    let stays = !issued.deleted.is_empty() || !issued.kept.is_empty();
    let waits = !issued.waiting.is_empty() || !issued.credits.failed.is_empty();
    let is_found = issued.commit.is_some() || issued.unchanged > 0 || stays || waits || !late.is_empty();
    match is_found {
        true => unmatched.iter().for_each(|unmatched| note(format_args!("note: {unmatched}"))),
        false => outcome.failed.extend(unmatched),
    }
    outcome.failed.extend(late);
    outcome.hint = outcome.hint.or(waits_for_rows(issued).then_some(INCOMPLETE));
    match issued {
        Issued { commit: Some(_), .. } => outcome.done = true,
        Issued { drafted_before: 1.., .. } => {
            outcome.nothing.push(format!("{period}: nothing to draft; the drafts are as they were made before"));
        }
        Issued { waiting, .. } if !waiting.is_empty() => {
            let waiting = match waiting.len() {
                1 => "1 statement waits".to_string(),
                several => format!("{several} statements wait"),
            };
            outcome.nothing.push(format!("{period}: nothing to issue now; {waiting} for a fee"));
        }
        _ if issued.unchanged > 0 || stays => {
            outcome.nothing.push(format!("{period}: nothing to issue; it was issued before"));
        }
        _ if !issued.credits.failed.is_empty() => {}
        _ => outcome.take("", nothing(session, period, chosen, &[]).await?, false)?,
    }
    Ok(())
}

/// What to do about a period that is not complete.
const INCOMPLETE: &str = "Ingest the rest. Where a service was silent, store rows of it with requests = 0 (of an objective, samples \
                          or events), or record an exclusion. Or issue what there is: nines credits PERIOD --agreement NAME --issue --incomplete";

/// Whether anything waits for rows.
fn waits_for_rows(issued: &Issued) -> bool {
    issued.unissued.iter().any(|unissued| unissued.kind == UnissuedKind::Incomplete)
}

/// Why nothing of an agreement was issued, and what to do about it.
fn waits(unissued: &Unissued, period: PeriodName) -> String {
    let Unissued { agreement, why, kind, .. } = unissued;
    match kind {
        UnissuedKind::Incomplete => {
            format!("{period} is not complete for agreement {agreement}: {why}; nothing was issued of it")
        }
        UnissuedKind::Unmatched => format!(
            "agreement {agreement} matches nothing in {period}: {why}; nothing was issued of it. Ingest its rows, or correct the \
             agreement with: nines apply FILE"
        ),
        UnissuedKind::Removed | UnissuedKind::Failed => format!("agreement {agreement}, {period}: {why}"),
    }
}
