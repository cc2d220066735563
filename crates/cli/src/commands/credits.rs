//! `nines credits`: what is owed, statements of it, and whether they hold.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use datafusion::arrow::compute::concat_batches;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_engine::slo::{IssuedStatement, PeriodName, PublicKey, Standing};
use nines_engine::{Chosen, Credits, EngineError, Issuing, Session, Today, UnissuedKind};

use super::drafts;
use super::exported::{self, formulas};
use super::issuing::{pending, settle, step, tell};
use super::joined;
use super::outcome::Outcome;
use super::signatures;
use super::statements::{named, nothing, pages};
use crate::args;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{Format, Output, can_be_written, note, say};

/// The columns that a person looks at first.
const SHOWN: [&str; 11] = [
    "agreement",
    "customer",
    "service",
    "failed",
    "availability",
    "kept",
    "credit_percent",
    "amount",
    "currency",
    "claim_by",
    "figure",
];

pub(crate) async fn run(opening: Opening, args: args::Credits) -> Result<()> {
    let session = opened::open_as_of(opening, &args.as_of).await?;
    let done = told_by(&session, args).await;
    opened::tell_as_of(&session);
    done
}

/// What an engine says.
async fn told_by(session: &Session, args: args::Credits) -> Result<()> {
    let chosen = Chosen { agreement: args.agreement.clone(), customer: args.customer.clone(), ..Chosen::default() };
    // Before anything is issued: where it is to be written to must be there.
    args.output.as_deref().map_or(Ok(()), |file| can_be_written(&of_period(file, "0000-00")))?;
    // And a key must be one.
    let (sign, key) = (signatures::signing(args.sign.as_deref())?, signatures::public(args.key.as_deref())?);
    let how = Issuing {
        incomplete: args.incomplete,
        current_rules: args.rules == Some(args::Rules::Current),
        even_deleted: args.even_deleted,
        step: step(&args),
        sign,
        ..Issuing::default()
    };
    if args.pending {
        return pending(session, &chosen, &args, &how).await;
    }
    let parts = match &args.period {
        Some(words) => session.periods(words, &chosen).await.map_err(|error| match error {
            EngineError::Usage(said) => CliError::Usage(said),
            other => other.into(),
        })?,
        None => session.issued_periods(&chosen).await?,
    };
    if args.verify {
        return verify(session, &parts, &chosen, key.as_ref()).await;
    }
    if args.moved {
        return super::moved::tell(session, &parts).await;
    }
    let (mut outcome, is_only) = (Outcome::default(), parts.len() == 1);
    let (mut shown, mut kept_back) = (Vec::new(), false);
    for (period, chosen) in &parts {
        let issued = match args.issue || args.approve {
            true => match session.issue(*period, chosen, &how).await {
                Ok(issued) => Some(issued),
                Err(error) => {
                    outcome.take(&period.to_string(), error.into(), is_only)?;
                    continue;
                }
            },
            false => None,
        };
        match issued {
            Some(issued) => {
                tell(&issued, *period, how.step)?;
                match args.approve {
                    true => drafts::approved(session, &issued, *period, chosen, &mut outcome).await?,
                    false => settle(session, &issued, *period, chosen, &mut outcome).await?,
                }
                kept_back |= !issued.unissued.is_empty();
                shown.push((*period, issued.credits));
            }
            // They are read afterwards.
            None if args.statements => {}
            None if args.pages.is_some() && !is_exported(&args) => outcome.done = true,
            None => match session.credits(*period, chosen).await {
                Ok(credits) => {
                    match credits.owed.is_empty() && credits.failed.is_empty() {
                        true => outcome.take("", nothing(session, *period, chosen, &credits.unissued).await?, false)?,
                        false => outcome.done = true,
                    }
                    shown.push((*period, credits));
                }
                Err(error) => outcome.take(&period.to_string(), error.into(), is_only)?,
            },
        }
    }
    // What was issued is what is exported, whatever was stored since. Of what waits nothing is exported, and no file says that nothing
    // is owed.
    let is_shown = if args.issue || args.approve || args.pages.is_some() { is_exported(&args) } else { true };
    let waits_all = kept_back && shown.iter().all(|(_, credits)| credits.owed.is_empty());
    if args.statements {
        statements(session, &parts, &args, kept_back, &mut outcome).await?;
    } else if is_shown && !waits_all {
        shown.sort_by_key(|(period, _)| *period);
        for (file, of_month) in files(&shown, args.output.as_deref()) {
            show(session, of_month, &args, file.as_deref()).await?;
        }
    }
    // What was approved was looked at when it was drafted.
    for (period, credits) in shown.iter().filter(|_| !args.approve) {
        joined::tell(credits, *period);
        outcome.partly.extend(joined::some_failed(credits));
    }
    if let Some(folder) = &args.pages {
        for (period, chosen) in &parts {
            let written = match args.draft {
                true => match session.drafts(*period, chosen).await? {
                    none if none.is_empty() => Err(drafts::none(session, *period, chosen).await?),
                    found => pages(folder, *period, &found, Standing::Draft, None),
                },
                false => {
                    let statements = session.statements(*period, chosen).await?;
                    pages(folder, *period, &statements, Standing::Issued, args.revision)
                }
            };
            if let Err(error) = written {
                outcome.take(&period.to_string(), error, is_only)?;
            }
        }
    }
    outcome.end()
}

/// Whether figures go somewhere else than to a person who looks at them.
fn is_exported(args: &args::Credits) -> bool {
    args.format.is_some() || args.output.is_some()
}

/// A file, and what is printed into it.
type Printed<'a, T> = (Option<PathBuf>, &'a [(PeriodName, T)]);

/// What is printed into which file: all of it, or what is of a month where the file's name holds its period. It comes by month.
fn files<'a, T>(all: &'a [(PeriodName, T)], output: Option<&Path>) -> Vec<Printed<'a, T>> {
    match output.filter(|file| of_period(file, "") != **file) {
        None => vec![(output.map(Path::to_path_buf), all)],
        Some(pattern) => {
            let months = all.chunk_by(|a, b| a.0 == b.0);
            months.map(|of_month| (Some(of_period(pattern, &of_month[0].0.to_string())), of_month)).collect()
        }
    }
}

/// Prints the statements of the periods.
async fn statements(
    session: &Session,
    parts: &[(PeriodName, Chosen)],
    args: &args::Credits,
    kept_back: bool,
    outcome: &mut Outcome,
) -> Result<()> {
    let records = args.issue || args.approve;
    let mut found = Vec::new();
    for (period, chosen) in parts {
        match session.exported_statements(*period, chosen).await {
            Ok(statements) => found.push((*period, statements)),
            Err(error) => outcome.take(&period.to_string(), error.into(), parts.len() == 1)?,
        }
    }
    found.sort_by_key(|(period, _)| *period);
    for (file, of_month) in files(&found, args.output.as_deref()) {
        let is_empty = of_month.iter().all(|(_, statements)| statements.rows.num_rows() == 0);
        // No file says that there is nothing, where something is late; to a person it is said in words.
        if !is_empty || !kept_back && is_exported(args) {
            exported::show(session, of_month, args.format, file.as_deref()).await?;
        }
        outcome.done |= !is_empty && !records;
    }
    if !records {
        found.iter().for_each(|(period, statements)| exported::tell(statements, *period, outcome));
    }
    Ok(())
}

/// A file's name with its period.
fn of_period(pattern: &Path, period: &str) -> PathBuf {
    PathBuf::from(pattern.to_string_lossy().replace("{period}", period))
}

async fn show(
    session: &Session,
    all: &[(PeriodName, Credits)],
    args: &args::Credits,
    file: Option<&Path>,
) -> Result<()> {
    let Some((_, first)) = all.first() else { return Ok(()) };
    let rows = concat_batches(first.rows.schema_ref(), all.iter().map(|(_, credits)| &credits.rows))?;
    let format = match (args.format, file) {
        (Some(format), _) => format,
        (None, Some(file)) => Format::of_file(file)?,
        (None, None) => Format::Table,
    };
    let for_people = matches!(format, Format::Table | Format::Markdown);
    let rows = match for_people {
        true => {
            let schema = rows.schema();
            // Which figure decides says nothing where none has several.
            let says =
                |at: &usize| rows.column(*at).null_count() < rows.num_rows() || schema.field(*at).name() != "figure";
            let shown = SHOWN.iter().filter_map(|name| schema.index_of(name).ok()).filter(says).collect::<Vec<_>>();
            rows.project(&shown)?
        }
        false => rows,
    };
    let output = Output { format, file, time_zone: session.settings().time_zone.name() };
    let schema = rows.schema();
    let rows = futures::stream::iter([Ok(rows)]);
    output.write(schema.clone(), Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await?;
    if format == Format::Csv {
        let owed = all.iter().flat_map(|(_, credits)| &credits.owed);
        formulas(owed.flat_map(|owed| [owed.agreement.as_str(), &owed.customer, &owed.service, &owed.business]));
    }
    if format == Format::Table && file.is_none() {
        all.iter().try_for_each(|(_, credits)| say(&totals(credits)))?;
    }
    all.iter().for_each(|(_, credits)| notes(credits));
    Ok(())
}

/// Of what is shown: what is not final, and agreements of which nothing is shown.
fn notes(credits: &Credits) {
    for unissued in &credits.unissued {
        match unissued.kind {
            UnissuedKind::Incomplete => note(format_args!("not final: {}: {}", unissued.agreement, unissued.why)),
            UnissuedKind::Unmatched | UnissuedKind::Removed | UnissuedKind::Failed => {
                note(format_args!("note: {}: {}", unissued.agreement, unissued.why))
            }
        }
    }
}

/// What is credited in all, by agreement and currency.
fn totals(credits: &Credits) -> String {
    let mut sums: BTreeMap<(&str, &str), (i128, usize, usize)> = BTreeMap::new();
    for owed in &credits.owed {
        if let (Some(amount), Some(currency)) = (owed.credit.amount, &owed.credit.currency) {
            let sum = sums.entry((&owed.agreement, currency)).or_default();
            *sum = (sum.0 + amount, sum.1 + usize::from(amount > 0), sum.2 + 1);
        }
    }
    let line = |((agreement, currency), (sum, credited, all)): ((&str, &str), (i128, usize, usize))| {
        format!("{agreement}: {} {currency} credited, {credited} of {all} fees\n", money(sum, currency))
    };
    sums.into_iter().map(line).collect()
}

/// An amount in 10⁻⁶ of a unit, with the places of its currency.
fn money(amount: i128, currency: &str) -> String {
    const UNIT: i128 = 1_000_000;
    let digits = nines_engine::slo::minor_digits(currency).unwrap_or(2) as usize;
    let places = format!("{:06}", amount % UNIT);
    match digits {
        0 => (amount / UNIT).to_string(),
        digits => format!("{}.{}", amount / UNIT, &places[..digits.min(places.len())]),
    }
}

async fn verify(
    session: &Session,
    parts: &[(PeriodName, Chosen)],
    chosen: &Chosen,
    key: Option<&PublicKey>,
) -> Result<()> {
    let mut outcome = Outcome::default();
    let (mut verified, mut missing) = (Vec::new(), Vec::new());
    for (period, chosen) in parts {
        match session.verify(*period, chosen).await {
            Ok((found, never)) => {
                verified.extend(found);
                missing.extend(never);
            }
            Err(error) => outcome.take(&period.to_string(), error.into(), parts.len() == 1)?,
        }
    }
    let (mut broken, mut differ, mut uncompared, mut why_not) = (0, 0, 0, "");
    let mut text = String::new();
    for one in &verified {
        let evidence = if one.evidence.holds() { "evidence holds" } else { "EVIDENCE DOES NOT HOLD" };
        let today = match &one.today {
            Today::Equal => "today's data say the same",
            Today::Differs(_) => "TODAY'S DATA DIFFER",
            Today::Gone => "NO AGREEMENT COVERS IT ANY MORE",
            Today::Failed(_) => "TODAY'S CREDIT CANNOT BE WORKED OUT",
            Today::Refused(_) => "TODAY'S DATA CANNOT BE JUDGED BY ITS RULES",
            Today::Removed(_) => "today's data no longer cover the period",
            Today::Unread(_) => "today's data cannot be read",
            _ => "no agreement is stored here to compare with",
        };
        text.push_str(&format!("{}: {evidence}; {today}\n", named(&one.statement)));
        for problem in &one.evidence.problems {
            text.push_str(&format!("    {problem}\n"));
        }
        if let Today::Differs(differences) = &one.today {
            differences.iter().for_each(|difference| text.push_str(&format!("    {}\n", difference.text)));
        }
        if let Today::Refused(why) = &one.today {
            text.push_str(&format!("    By rules {}: {why}.\n", one.statement.rules.number()));
        }
        if let Today::Failed(why) = &one.today {
            text.push_str(&format!("    {why}.\n"));
        }
        if let Some(current) = &one.by_current_rules {
            text.push_str(&format!("    {}\n", by_current_rules(&one.statement, current)));
        }
        broken += usize::from(!one.evidence.holds());
        if let Today::Removed(why) | Today::Unread(why) = &one.today {
            uncompared += 1;
            // Of many statements it is the same.
            if why_not != why {
                why_not = why;
                text.push_str(&format!("    {why}\n"));
            }
        }
        differ +=
            usize::from(matches!(one.today, Today::Differs(_) | Today::Gone | Today::Refused(_) | Today::Failed(_)));
    }
    for never in &missing {
        let IssuedStatement { agreement, customer, service, period, .. } = never;
        text.push_str(&format!("{agreement}, {customer}, {service}, {period}: NEVER ISSUED\n"));
    }
    say(&text)?;
    if let Some(key) = key {
        signatures::verify(session, parts, key, &mut outcome).await?;
    }
    let all = verified.len();
    if broken > 0 {
        outcome.failed.push(format!("{broken} of {all} statements do not hold"));
    }
    if uncompared > 0 {
        outcome.differs.push(format!(
            "the evidence of {all} statements holds; of {uncompared} there is nothing to compare it with: {why_not}"
        ));
    }
    if differ + missing.len() > 0 {
        outcome.differs.push(format!(
            "{differ} of {all} statements are no longer what is stored, {} were never issued; --issue records revisions",
            missing.len()
        ));
    }
    if all == 0 {
        let periods: Vec<String> = parts.iter().map(|(period, _)| period.to_string()).collect();
        let of = if periods.is_empty() { String::new() } else { format!(" for {}", periods.join(", ")) };
        outcome.nothing.push(match &chosen.customer {
            Some(customer) => format!("no statement was issued to '{customer}'{of}"),
            None => format!("no statement was issued{of}"),
        });
    } else if outcome.failed.is_empty() && outcome.differs.is_empty() {
        say(&format!("{all} statements hold\n"))?;
    }
    outcome.end()
}

/// What today's rules would say of a statement by earlier ones.
fn by_current_rules(issued: &IssuedStatement, current: &IssuedStatement) -> String {
    let (rules, credit) = (current.rules, &current.credit);
    let percent =
        format!("{}.{:06} %", credit.availability_percent / 1_000_000, credit.availability_percent % 1_000_000);
    let owed = match (credit.amount, &credit.currency) {
        (Some(amount), Some(currency)) => format!(", {} {currency}", money(amount, currency)),
        _ => String::new(),
    };
    format!(
        "Issued by rules {}; by rules {} it would be {percent} of {} slices{owed}: {}. Revise it with --issue --rules current.",
        issued.rules.number(),
        rules.number(),
        credit.slices,
        rules.changed_since(issued.rules)
    )
}
