//! `nines credits`: what is owed, statements of it, and whether they hold.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono_tz::Tz;
use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_engine::slo::{IssuedStatement, Month, Period, StatementError, html, markdown};
use nines_engine::{Chosen, Credits, EngineError, Issued, Issuing, Session, Today};

use crate::args;
use crate::error::{CliError, Result, doing};
use crate::opened::{self, Opening};
use crate::output::{Format, Output, can_be_written, instant, note, say, whole_file};

/// The columns that a person looks at first.
const SHOWN: [&str; 10] = [
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
];

/// Notes about fees that are told one by one.
const MOST_NOTES: usize = 5;

pub(crate) async fn run(opening: Opening, args: args::Credits) -> Result<()> {
    let session = opened::open_as_of(opening, &args.as_of).await?;
    let done = told_by(&session, args).await;
    opened::tell_as_of(&session);
    done
}

/// What an engine says.
async fn told_by(session: &Session, args: args::Credits) -> Result<()> {
    let chosen = Chosen { agreement: args.agreement.clone(), customer: args.customer.clone() };
    let month = session.month(&args.period, &chosen).await.map_err(|error| match error {
        EngineError::Usage(said) => CliError::Usage(said),
        other => other.into(),
    })?;
    // Before anything is issued: where it is to be written to must be there.
    args.output.as_deref().map_or(Ok(()), can_be_written)?;
    if args.verify {
        return verify(session, month, &chosen).await;
    }
    let issued = match args.issue {
        true => {
            let how = Issuing {
                incomplete: args.incomplete,
                current_rules: args.rules == Some(args::Rules::Current),
                even_deleted: args.even_deleted,
            };
            Some(session.issue(month, &chosen, how).await?)
        }
        false => None,
    };
    if let Some(issued) = &issued {
        say(&told(issued, month))?;
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
                "note: left out {agreement}: its period is not over with {month}; issue it all the same with --agreement {agreement}"
            ));
        }
    }
    let is_exported = args.format.is_some() || args.output.is_some();
    let credits = match (&issued, &args.pages) {
        (None, None) => Some(session.credits(month, &chosen).await?),
        (None, Some(_)) if is_exported => Some(session.credits(month, &chosen).await?),
        _ => None,
    };
    // What was issued is what is exported, whatever was stored since.
    if let Some(credits) = credits.as_ref().or(issued.as_ref().filter(|_| is_exported).map(|issued| &issued.credits)) {
        show(session, credits, &args).await?;
    }
    if let Some(folder) = &args.pages {
        let statements = session.statements(month, &chosen).await?;
        pages(folder, month, &statements)?;
    }
    match (&issued, &credits) {
        (Some(Issued { commit: None, unchanged: 1.., .. }), _) => {
            Err(CliError::Nothing(format!("{month}: nothing to issue; it was issued before")))
        }
        (Some(Issued { commit: None, .. }), _) => Err(CliError::Nothing(nothing(session, month, &chosen).await?)),
        (None, Some(credits)) if credits.owed.is_empty() => {
            Err(CliError::Nothing(nothing(session, month, &chosen).await?))
        }
        _ => Ok(()),
    }
}

/// What to do where nothing is owed.
async fn nothing(session: &Session, month: Month, chosen: &Chosen) -> Result<String> {
    let agreements = session.sql("SELECT name FROM definitions WHERE kind = 'Agreement'").await?;
    if agreements.iter().map(RecordBatch::num_rows).sum::<usize>() == 0 {
        return Ok("no agreement is defined yet; record one with: nines apply FILE".to_string());
    }
    let whom = match &chosen.customer {
        Some(customer) => format!(
            "nothing is owed to '{customer}' for {month}: no agreement covers a request or a fee of a customer of this name"
        ),
        None => format!("nothing is owed for {month}: no agreement covers a customer with a request or a fee in it"),
    };
    let running = Period::of(month, 1, Tz::UTC).is_some_and(|p| p.interval.end > session.now());
    let running = if running { "; the month is not over" } else { "" };
    Ok(format!("{whom}{running}; see the tables requests, fees and definitions"))
}

async fn show(session: &Session, credits: &Credits, args: &args::Credits) -> Result<()> {
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, Some(file)) => Format::of_file(file)?,
        (None, None) => Format::Table,
    };
    let for_people = matches!(format, Format::Table | Format::Markdown);
    let rows = match for_people {
        true => {
            let schema = credits.rows.schema();
            let shown = SHOWN.iter().filter_map(|name| schema.index_of(name).ok()).collect::<Vec<_>>();
            credits.rows.project(&shown)?
        }
        false => credits.rows.clone(),
    };
    let output = Output { format, file: args.output.as_deref(), time_zone: session.settings().time_zone.name() };
    let schema = rows.schema();
    let rows = futures::stream::iter([Ok(rows)]);
    output.write(schema.clone(), Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await?;
    if format == Format::Table && args.output.is_none() {
        say(&totals(credits))?;
    }
    if let Some(short) = credits.owed.iter().find(|owed| !owed.complete) {
        let zone = session.settings().time_zone.name();
        let stored = match (credits.first, credits.watermark) {
            (Some(first), Some(end)) => {
                format!("the data begin at {} and end at {}", instant(first, zone), instant(end, zone))
            }
            _ => "nothing is stored in requests".to_string(),
        };
        let (from, until) = (instant(short.judged.start, zone), instant(short.judged.end, zone));
        let estimated = match short.needed.start < short.judged.start {
            true => format!(" with an estimate from {} on", instant(short.needed.start, zone)),
            false => String::new(),
        };
        note(format_args!(
            "not final: {} is judged from {from} until {until}{estimated}, and {stored}",
            short.agreement
        ));
    }
    for (customer, service) in credits.unagreed.iter().take(MOST_NOTES) {
        note(format_args!(
            "note: '{customer}' has a fee for {service}, but no agreement covers a time in which it is active"
        ));
    }
    if let Some(more) = credits.unagreed.len().checked_sub(MOST_NOTES).filter(|more| *more > 0) {
        note(format_args!("note: and {more} more fees are covered by no agreement"));
    }
    Ok(())
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

fn told(issued: &Issued, month: Month) -> String {
    let mut text = String::new();
    let first = issued.statements.iter().filter(|statement| statement.revision == 1).count();
    if let Some(commit) = &issued.commit {
        let revised = issued.statements.len() - first;
        text.push_str(&format!(
            "issued     {} and {} for {month}, {} unchanged; version {} of statements\n",
            many(first, "statement"),
            many(revised, "revision"),
            issued.unchanged,
            commit.version().unwrap_or_default()
        ));
    }
    if issued.nobody > 0 {
        text.push_str(&format!("left out   {} without a customer: nobody is owed anything\n", issued.nobody));
    }
    for revision in issued.statements.iter().filter(|statement| statement.revision > 1) {
        text.push_str(&format!("revision   {}\n", named(revision)));
        for change in &revision.changes {
            text.push_str(&format!("           {}\n", change.text));
        }
    }
    text
}

fn many(count: usize, what: &str) -> String {
    format!("{count} {what}{}", if count == 1 { "" } else { "s" })
}

fn named(statement: &IssuedStatement) -> String {
    let IssuedStatement { agreement, customer, service, period, revision, .. } = statement;
    format!("{agreement}, {customer}, {service}, {period}, revision {revision}")
}

async fn verify(session: &Session, month: Month, chosen: &Chosen) -> Result<()> {
    let (verified, missing) = session.verify(month, chosen).await?;
    let (mut broken, mut differ, mut removed) = (0, 0, None);
    let mut text = String::new();
    for one in &verified {
        let evidence = if one.evidence.holds() { "evidence holds" } else { "EVIDENCE DOES NOT HOLD" };
        let today = match &one.today {
            Today::Equal => "today's data say the same",
            Today::Differs(_) => "TODAY'S DATA DIFFER",
            Today::Gone => "NO AGREEMENT COVERS IT ANY MORE",
            Today::Refused(_) => "TODAY'S DATA CANNOT BE JUDGED BY ITS RULES",
            Today::Removed(_) => "today's data no longer cover the period",
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
        if let Some(current) = &one.by_current_rules {
            text.push_str(&format!("    {}\n", by_current_rules(&one.statement, current)));
        }
        broken += usize::from(!one.evidence.holds());
        if let Today::Removed(why) = &one.today {
            removed = Some(why.clone());
        }
        differ += usize::from(matches!(one.today, Today::Differs(_) | Today::Gone | Today::Refused(_)));
    }
    for never in &missing {
        let IssuedStatement { agreement, customer, service, .. } = never;
        text.push_str(&format!("{agreement}, {customer}, {service}, {month}: NEVER ISSUED\n"));
    }
    say(&text)?;
    let all = verified.len();
    if let (Some(why), 0) = (removed, broken) {
        return Err(CliError::Differs(format!(
            "the evidence of {all} statements holds, and there is nothing to compare it with: {why}"
        )));
    }
    match (broken, differ, missing.len()) {
        (1.., ..) => Err(CliError::Failed(format!("{broken} of {all} statements do not hold"))),
        (0, 0, 0) if all == 0 => Err(CliError::Nothing(match &chosen.customer {
            Some(customer) => format!("no statement was issued to '{customer}' for {month}"),
            None => format!("no statement was issued for {month}"),
        })),
        (0, 0, 0) => say(&format!("{all} statements hold\n")),
        (0, _, never) => Err(CliError::Differs(format!(
            "{differ} of {all} statements are no longer what is stored, {never} were never issued; --issue records revisions"
        ))),
    }
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
        rules.says()
    )
}

/// Writes a page for each customer and period, from the last revision of each statement.
fn pages(folder: &Path, month: Month, statements: &[IssuedStatement]) -> Result<()> {
    let mut last: BTreeMap<(&str, &str, &str), &IssuedStatement> = BTreeMap::new();
    for statement in statements {
        last.insert((&statement.customer, &statement.agreement, &statement.service), statement);
    }
    let failed = |customer: &str, error: StatementError| CliError::Failed(format!("the page of {customer}: {error}"));
    let mut of: BTreeMap<(&str, Month, u32), Vec<IssuedStatement>> = BTreeMap::new();
    for statement in last.into_values() {
        let period = statement.calendar_period().map_err(|error| failed(&statement.customer, error))?;
        of.entry((&statement.customer, period.first, period.months)).or_default().push(statement.clone());
    }
    if of.is_empty() {
        return Err(CliError::Nothing(format!("no statement was issued for {month}; issue them with --issue")));
    }
    if folder.is_file() {
        return Err(CliError::Usage(format!("{} is a file; --pages needs a folder", folder.display())));
    }
    doing(folder.display(), std::fs::create_dir_all(folder))?;
    let mut names = BTreeSet::new();
    for ((customer, first, months), statements) in &of {
        let period = match months {
            1 => first.to_string(),
            several => format!("{first}-to-{}", first.plus(several - 1)),
        };
        let mut name = format!("{period}-{}", file_name(customer));
        while !names.insert(name.clone()) {
            name.push('_');
        }
        let failed = |error| failed(customer, error);
        for (extension, text) in
            [("md", markdown(statements).map_err(failed)?), ("html", html(statements).map_err(failed)?)]
        {
            let file = folder.join(format!("{name}.{extension}"));
            whole_file(&file, |writer| doing(file.display(), writer.write_all(text.as_bytes())))?;
        }
    }
    let customers: BTreeSet<&str> = of.keys().map(|(customer, ..)| *customer).collect();
    say(&format!("pages      {}, Markdown and HTML, in {}\n", many(customers.len(), "customer"), folder.display()))
}

/// A customer's name as part of a file's.
fn file_name(customer: &str) -> String {
    let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.');
    customer.chars().map(|c| if fits(c) { c } else { '_' }).collect::<String>().trim_start_matches('.').to_string()
}
