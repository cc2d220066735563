//! What `nines exclude` and `nines incident` share: times from arguments, a record as lines, a list, an unknown id.

use nines_engine::slo::moment::Moment;
use nines_engine::store::TableKind;
use nines_engine::{Edited, Parameters, Record, Session};

use crate::error::{CliError, Result};
use crate::output::{Format, Output, note, say, text};

/// The instant that an argument means, in µs.
pub(super) fn time(argument: &str, value: &str, session: &Session) -> Result<i64> {
    nines_engine::told(value, moment(session))
        .map_err(|expected| CliError::Usage(format!("{argument} is {value:?}; expected {expected}")))
}

/// The range that two arguments mean, or the first one alone: `yesterday`, `2026-10`.
pub(super) fn range((from, first): (&str, &str), to: Option<(&str, &str)>, session: &Session) -> Result<(i64, i64)> {
    match to {
        Some((to, last)) => Ok((time(from, first, session)?, time(to, last, session)?)),
        None => moment(session).range(first).ok_or_else(|| {
            CliError::Usage(format!(
                "{from} is {first:?} and there is no TO; give TO as well, or one range such as 'yesterday', '2026-10-03' or \
                 '2026-10-03 22:00 to 2026-10-03 23:30'"
            ))
        }),
    }
}

fn moment(session: &Session) -> Moment {
    Moment { now: session.now(), zone: session.settings().time_zone.tz() }
}

/// Refuses a record that contradicts itself, by the name of the argument that is wrong.
pub(super) fn check(record: &Record, argument: impl Fn(&str) -> String) -> Result<()> {
    match record.invalid()? {
        Some(invalid) => Err(CliError::Usage(format!("{}: {}", argument(invalid.column), invalid.message))),
        None => Ok(()),
    }
}

/// Tells of a scope that no stored row carries: what is recorded for it would change nothing.
pub(super) async fn note_unmatched(session: &Session, [business, service, customer]: [&str; 3]) -> Result<()> {
    let scope = [("business", business), ("service", service), ("customer", customer)];
    for told in session.unmatched_scope(scope).await? {
        note(format_args!("note: {told}"));
    }
    Ok(())
}

/// The error for an id that is not there; `otherwise` says what else could have been meant.
pub(super) async fn unknown(session: &Session, kind: TableKind, id: &str, otherwise: &str) -> Result<CliError> {
    let similar = session.similar_ids(kind, id).await?;
    let meant = match similar.as_slice() {
        [] if otherwise.is_empty() => String::new(),
        [] => ".".to_string(),
        ids => format!(". Did you mean {}?", ids.join(", ")),
    };
    Ok(CliError::Usage(format!("{id} is not in {}{meant}{otherwise}", kind.name())))
}

/// Prints a record, a field per line, each with what stood there before if that was something else.
pub(super) fn show(kind: TableKind, edited: &Edited, session: &Session) -> Result<()> {
    let zone = session.settings().time_zone.name();
    let cell = |record: &Record, column: &str| -> Result<String> {
        let Some(value) = record.get(column) else { return Ok(String::new()) };
        if value.is_null() {
            return Ok(String::new());
        }
        Ok(text(&value.to_array()?, 0, zone)?)
    };
    let mut lines = String::new();
    // Columns that came in later are shown where something stands in them, or stood.
    let filled = |record: Option<&Record>, column: &str| {
        record.and_then(|record| record.get(column)).is_some_and(|value| !value.is_null())
    };
    let shown = |column: &str| {
        !kind.later().contains(&column) || filled(Some(&edited.after), column) || filled(edited.before.as_ref(), column)
    };
    for (column, value) in edited.after.columns().filter(|(column, _)| shown(column)) {
        let now = cell(&edited.after, &column)?;
        let changed = edited.before.as_ref().filter(|before| before.get(&column) != Some(value));
        let before = match changed.map(|before| cell(before, &column)).transpose()? {
            Some(before) if before.is_empty() => "  (was empty)".to_string(),
            Some(before) => format!("  (was {before})"),
            None => String::new(),
        };
        let (now, before) = if now.is_empty() { (before.trim_start(), "") } else { (now.as_str(), before.as_str()) };
        lines.push_str(format!("{column:14}  {now}{before}").trim_end());
        lines.push('\n');
    }
    let store = &session.store_url();
    let done = match (&edited.before, edited.commit.version()) {
        (None, Some(version)) => format!("recorded        version {version} of {} in {store}\n", kind.name()),
        (Some(_), Some(version)) => format!("changed         version {version} of {} in {store}\n", kind.name()),
        (_, None) => "unchanged       nothing to store\n".to_string(),
    };
    say(&(lines + &done))
}

/// Prints the rows of a query as a table; if there are none, what would make one.
pub(super) async fn list(session: &Session, sql: &str, record_one: &str) -> Result<()> {
    for statement in session.parse(sql)? {
        let answer = session.run(&statement, &Parameters::default()).await?;
        let output = Output { format: Format::Table, file: None, time_zone: session.settings().time_zone.name() };
        if output.write(answer.schema, answer.batches).await? == 0 {
            note(format_args!("nothing is in force here; record one with: {record_one}"));
        }
    }
    Ok(())
}
