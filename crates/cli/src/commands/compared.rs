//! What proposed agreements would credit, beside those in force.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::physical_plan::common::collect;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::prelude::SessionContext;
use nines_engine::Session;
use nines_engine::slo::{Agreement, AgreementChange, Definitions, PeriodName, Rules};
use nines_timeline::Interval;

use crate::error::Result;
use crate::output::{Format, Output, instant, note, say};

const ALWAYS: Interval = Interval { start: i64::MIN, end: i64::MAX };

/// How proposed agreements differ from those in force, and what is owed under both for the periods of a range.
pub(super) async fn agreements(
    session: &Session,
    changes: &[AgreementChange],
    in_force: Definitions,
    proposed: Definitions,
    range: Interval,
) -> Result<()> {
    if changes.is_empty() {
        return Ok(());
    }
    say(&told(session, changes, &proposed))?;
    let names: BTreeSet<&str> = changes.iter().map(|change| change.agreement.as_str()).collect();
    let only = |mut definitions: Definitions| {
        definitions.agreements.retain(|agreement| names.contains(agreement.name.as_str()));
        Arc::new(definitions)
    };
    owed(session, only(in_force), only(proposed), range).await
}

/// The clauses that differ, and from when on.
fn told(session: &Session, changes: &[AgreementChange], proposed: &Definitions) -> String {
    let zone = session.settings().time_zone.name();
    let mut text = String::new();
    for AgreementChange { agreement, interval, changes } in changes {
        let (from, to) = (instant(interval.start, zone), instant(interval.end, zone));
        text += &format!("agreement {agreement} differs from {from} to {to}:\n");
        changes.iter().for_each(|change| text += &format!("  {change}\n"));
        let own = proposed.agreements.iter().find(|own| own.name == *agreement);
        if let Some(begins) = own.and_then(|own| own.beginning_said(interval.start)) {
            text += &format!("  {begins}.\n");
        }
    }
    text
}

/// The amounts that differ, and the sums of all.
async fn owed(
    session: &Session,
    in_force: Arc<Definitions>,
    proposed: Arc<Definitions>,
    range: Interval,
) -> Result<()> {
    let context = SessionContext::new();
    let mut periods: BTreeSet<PeriodName> = due(&in_force.agreements, range, session.now());
    periods.extend(due(&proposed.agreements, range, session.now()));
    let mut schema = None;
    let (mut before, mut after): (Vec<RecordBatch>, Vec<RecordBatch>) = (Vec::new(), Vec::new());
    for period in periods {
        let sql = format!(
            "SELECT agreement, customer, service, period, availability, credit_percent, amount, currency, complete
             FROM credits('{period}')"
        );
        let statement = session.parse(&sql)?;
        let [statement] = statement.as_slice() else { return Ok(()) };
        let answers = async {
            let (mut of, mut all) = (None, [Vec::new(), Vec::new()]);
            for (definitions, found) in [&in_force, &proposed].into_iter().zip(&mut all) {
                // One of the two may have other periods then.
                if definitions.agreements.iter().any(|agreement| agreement.has_period(period)) {
                    let answer = session.run_as_if(statement, Arc::clone(definitions)).await?;
                    of = Some(Arc::clone(&answer.schema));
                    *found = collect(answer.batches).await?;
                }
            }
            Ok::<_, crate::error::CliError>((of, all))
        };
        match answers.await {
            Ok((of, [old, new])) => {
                schema = of.or(schema);
                before.extend(old);
                after.extend(new);
            }
            Err(error) => note(format_args!("note: what is owed for {period} is not compared: {error}")),
        }
    }
    let Some(schema) = schema else {
        return say("what is owed is not compared: no agreement judges a period of this range that has begun\n");
    };
    let table = |batches| datafusion::datasource::MemTable::try_new(Arc::clone(&schema), vec![batches]);
    context.register_table("in_force", Arc::new(table(before)?))?;
    context.register_table("proposed", Arc::new(table(after)?))?;
    // A quarter is the answer to each of its months.
    let differ = "SELECT coalesce(p.agreement, f.agreement) AS agreement, coalesce(p.customer, f.customer) AS customer,
                    coalesce(p.service, f.service) AS service, coalesce(p.period, f.period) AS period,
                    f.availability AS availability, p.availability AS availability_proposed,
                    f.credit_percent AS credit_percent, p.credit_percent AS credit_percent_proposed,
                    f.amount AS amount, p.amount AS amount_proposed, coalesce(p.currency, f.currency) AS currency
             FROM (SELECT DISTINCT * FROM in_force) f FULL JOIN (SELECT DISTINCT * FROM proposed) p
               ON f.agreement = p.agreement AND f.customer = p.customer AND f.service = p.service AND f.period = p.period
             WHERE f.agreement IS NULL OR p.agreement IS NULL OR (f.availability IS DISTINCT FROM p.availability)
                OR (f.credit_percent IS DISTINCT FROM p.credit_percent) OR (f.amount IS DISTINCT FROM p.amount)
             ORDER BY 1, 2, 3, 4";
    let rows = context.sql(differ).await?.collect().await?;
    match rows.iter().map(RecordBatch::num_rows).sum::<usize>() {
        0 => say("nothing that is owed differs\n")?,
        _ => {
            say("what is owed, where it differs:\n")?;
            table_of(session, rows).await?;
        }
    }
    let sums = "SELECT coalesce(p.agreement, f.agreement) AS agreement, coalesce(p.period, f.period) AS period,
                    coalesce(p.currency, f.currency) AS currency, f.owed AS owed, p.owed AS owed_proposed
             FROM (SELECT agreement, period, currency, sum(amount) AS owed FROM (SELECT DISTINCT * FROM in_force)
                   WHERE amount IS NOT NULL GROUP BY ALL) f
             FULL JOIN (SELECT agreement, period, currency, sum(amount) AS owed FROM (SELECT DISTINCT * FROM proposed)
                   WHERE amount IS NOT NULL GROUP BY ALL) p
               ON f.agreement = p.agreement AND f.period = p.period AND f.currency = p.currency
             ORDER BY 1, 2, 3";
    let rows = context.sql(sums).await?.collect().await?;
    match rows.iter().map(RecordBatch::num_rows).sum::<usize>() {
        0 => say("no amounts: nobody has a fee in these periods\n")?,
        _ => {
            say("what is owed in all:\n")?;
            table_of(session, rows).await?;
        }
    }
    let open = "SELECT DISTINCT agreement, period FROM (SELECT * FROM in_force UNION ALL SELECT * FROM proposed)
             WHERE NOT complete ORDER BY 1, 2";
    let open: usize = context.sql(open).await?.collect().await?.iter().map(RecordBatch::num_rows).sum();
    if open > 0 {
        note(format_args!(
            "not final: not all of the time that is judged is stored, of {}",
            match open {
                1 => "one agreement's period".to_string(),
                several => format!("{several} agreements' periods"),
            }
        ));
    }
    Ok(())
}

async fn table_of(session: &Session, rows: Vec<RecordBatch>) -> Result<()> {
    let Some(schema) = rows.first().map(RecordBatch::schema) else { return Ok(()) };
    let output = Output { format: Format::Table, file: None, time_zone: session.settings().time_zone.name() };
    let rows = futures::stream::iter(rows.into_iter().map(Ok));
    output.write(schema.clone(), Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await?;
    Ok(())
}

/// The names of the periods that these agreements judge, in part inside the range, and that have begun.
fn due(agreements: &[Agreement], range: Interval, now: i64) -> BTreeSet<PeriodName> {
    let mut found = BTreeSet::new();
    for agreement in agreements {
        let names = agreement.names_touching(range.start, range.end.min(now)).into_iter();
        for covered in names.filter_map(|name| agreement.covered(name, ALWAYS, Rules::CURRENT)) {
            if !covered.interval.overlap(range).is_empty() && covered.period.interval.start < now {
                found.insert(covered.period.name);
            }
        }
    }
    found
}
