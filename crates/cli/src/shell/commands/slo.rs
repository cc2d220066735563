//! `\slo`: one objective at a glance: what it promises, how it did, when it failed last.

use chrono::{DateTime, Datelike, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, TimeUnit, TimestampMicrosecondType};
use nines_engine::Parameter;
use nines_engine::ingest::clock;

use crate::error::{CliError, Result};
use crate::output::{duration, instant, text as text_of};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::nearest::nearest;
use crate::shell::state::ShellState;
use crate::shell::vocabulary::column;

pub(super) const OBJECTIVE: Command = Command {
    name: "slo",
    arguments: "[NAME]",
    takes: Takes::Objective,
    help: "an objective at a glance; without a name, those in force",
    does: Does::Later(|shell, argument| Box::pin(run(shell, argument))),
};

const DEFINED: &str = "
    SELECT business, service, owner, display_name, description, measures, slice_seconds, slice_target, target, budgeting,
           time_window, effective_from, effective_until, not_measured
    FROM slos WHERE objective = $name ORDER BY effective_from DESC NULLS LAST";

const IN_FORCE: &str = "
    SELECT service, objective, coalesce(measures, concat('not measured: ', not_measured)) AS measures, target,
           time_window AS window
    FROM slos
    WHERE (effective_from IS NULL OR effective_from <= $at) AND (effective_until IS NULL OR effective_until > $at)
    ORDER BY service, objective";

const FIGURES: &str = "
    SELECT concat_ws(' ', business, service) AS service, slo, target, slo_error_time, CAST(failures AS DOUBLE) AS failures,
           mttr, mtbf, budget_remaining, measured_seconds, assumed_seconds, lost_seconds, last_data, approximation
    FROM report($from, $to, 'objective') WHERE objective = $name";

const FAILURES: &str = "
    SELECT f.started, f.seconds, f.incident, i.title
    FROM failures($from, $to, 'objective') f LEFT JOIN incidents i ON i.id = f.incident
    WHERE f.objective = $name ORDER BY f.started DESC LIMIT 5";

const NEWEST: &str = "
    SELECT max(time) AS time FROM
      (SELECT max(time) AS time FROM requests UNION ALL SELECT max(time) FROM events UNION ALL SELECT max(time) FROM gauges)";

/// Objectives that are named to one who asked for a part of their names.
const MEANT: usize = 8;

/// Days of the first line of figures.
const DAYS: i64 = 28;

/// What time it is.
fn now() -> DateTime<Utc> {
    DateTime::from_timestamp_micros(clock::now()).unwrap_or_default()
}

async fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let name = argument.trim_end_matches(';').trim_matches(['\'', '"']);
    if name.is_empty() {
        let at = Parameter::Text(now().to_rfc3339());
        let (schema, rows) = shell.query(IN_FORCE, &[("at", at)]).await?;
        return match rows.iter().any(|batch| batch.num_rows() > 0) {
            true => shell.show_table(&schema, &rows),
            false => Err(CliError::Usage("nothing is in force; record definitions with: nines apply".to_string())),
        };
    }
    let named = || ("name", Parameter::Text(name.to_string()));
    let (_, defined) = shell.query(DEFINED, &[named()]).await?;
    let versions: usize = defined.iter().map(RecordBatch::num_rows).sum();
    let now = now();
    let until = newest_end(shell).await?.filter(|end| now - *end > TimeDelta::days(1)).unwrap_or(now);
    let zone: Tz = shell.session.time_zone().tz();
    let periods = periods(now, until, zone);
    let mut figures = Vec::new();
    for (period, from, to) in &periods {
        let (_, rows) = shell.query(FIGURES, &[("from", at(*from)), ("to", at(*to)), named()]).await?;
        for batch in &rows {
            for row in 0..batch.num_rows() {
                figures.push(Figures::of(period, batch, row, zone)?);
            }
        }
    }
    if versions == 0 && figures.is_empty() {
        return Err(unknown(shell, name).await?);
    }
    shell.show_text(&promise(name, &defined, zone, now)?)?;
    if figures.is_empty() {
        return shell.show_text("there are no rows for it yet\n");
    }
    shell.show_text(&format!("{}\n{}", lined_up(&figures), measured(&figures)))?;
    let Some((_, from, to)) = periods.first() else { return Ok(()) };
    let (_, failures) = shell.query(FAILURES, &[("from", at(*from)), ("to", at(*to)), named()]).await?;
    let is_measured = figures.iter().any(|line| line.is_measured && line.period == periods[0].0);
    shell.show_text(&failed(&failures, is_measured, zone)?)
}

/// A line of figures, as texts.
struct Figures {
    period: String,
    service: String,
    values: Vec<String>,
    /// What the figure is about: how much was measured, what of it was not by events, and until when there are data.
    measured: String,
    /// Where a latency threshold lies between two that are known.
    approximation: Option<String>,
    is_measured: bool,
}

const FIGURE_NAMES: [&str; 7] = ["slo", "target", "in error", "failures", "mttr", "mtbf", "budget left"];

impl Figures {
    fn of(period: &str, batch: &RecordBatch, row: usize, zone: Tz) -> Result<Figures> {
        let number = |at: usize| {
            let values = batch.column(at).as_primitive_opt::<Float64Type>()?;
            values.is_valid(row).then(|| values.value(row))
        };
        let told = |at: usize, tell: &dyn Fn(f64) -> String| number(at).map_or_else(|| "-".to_string(), tell);
        let rounded = |share: f64| format!("{:.1} %", share * 100.0);
        let text = |at: usize| {
            let text = column(std::slice::from_ref(&batch.slice(row, 1)), at).unwrap_or_default().join("");
            (!text.is_empty()).then_some(text)
        };
        let approximation = text(12);
        let about = if approximation.is_some() { "≈ " } else { "" };
        let values = vec![
            told(1, &|slo| format!("{about}{}", percent(slo))),
            told(2, &percent),
            told(3, &duration),
            told(4, &|count| format!("{count}")),
            told(5, &duration),
            told(6, &duration),
            told(7, &rounded),
        ];
        let mut measured = format!("{} measured", told(8, &duration));
        for (at, of) in [(9, "assumed without data"), (10, "lost")] {
            if let Some(seconds) = number(at).filter(|seconds| *seconds > 0.0) {
                measured.push_str(&format!(", {} of it {of}", duration(seconds)));
            }
        }
        measured.push_str(&match batch.column(11).is_valid(row) {
            true => format!("; last data {}", text_of(batch.column(11), row, zone.name())?),
            false => "; no data".to_string(),
        });
        let service = text(0).unwrap_or_default();
        let is_measured = number(8).is_some_and(|seconds| seconds > 0.0);
        Ok(Figures { period: period.to_string(), service, values, measured, approximation, is_measured })
    }
}

/// A table of figures; whose they are is said only where it is not the same for all of them.
fn lined_up(figures: &[Figures]) -> comfy_table::Table {
    let several = figures.iter().any(|line| line.service != figures[0].service);
    let mut table = comfy_table::Table::new();
    table.load_preset(comfy_table::presets::UTF8_FULL_CONDENSED);
    let names = ["", "of"].into_iter().take(1 + usize::from(several)).chain(FIGURE_NAMES);
    table.set_header(names);
    for line in figures {
        let of = several.then(|| line.service.clone());
        table.add_row(std::iter::once(line.period.clone()).chain(of).chain(line.values.clone()));
    }
    for column in table.column_iter_mut().skip(1 + usize::from(several)) {
        column.set_cell_alignment(comfy_table::CellAlignment::Right);
    }
    table
}

/// How much of each period was measured, in lines, and how sure a latency is.
fn measured(figures: &[Figures]) -> String {
    let several = figures.iter().any(|line| line.service != figures[0].service);
    let mut text = String::new();
    for line in figures {
        let of = if several { format!(", {}", line.service) } else { String::new() };
        text.push_str(&format!("  {}{of}: {}\n", line.period, line.measured));
    }
    let mut known: Vec<&str> = figures.iter().filter_map(|line| line.approximation.as_deref()).collect();
    known.dedup();
    known.iter().for_each(|told| text.push_str(&format!("  {told}\n")));
    text
}

/// The last failures in lines: when, how long, and what it was, if somebody knows.
fn failed(failures: &[RecordBatch], is_measured: bool, zone: Tz) -> Result<String> {
    let mut text = String::new();
    for batch in failures {
        for row in 0..batch.num_rows() {
            let one = batch.slice(row, 1);
            let said = |at: usize| Ok::<_, CliError>(column(std::slice::from_ref(&one), at)?.join(""));
            let seconds = one.column(1).as_primitive_opt::<Float64Type>().map_or(0.0, |seconds| seconds.value(0));
            let started = text_of(one.column(0), 0, zone.name())?;
            let incident =
                [said(2)?, said(3)?].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(": ");
            text.push_str(format!("  {started}  {:>7}  {incident}", duration(seconds)).trim_end());
            text.push('\n');
        }
    }
    Ok(match text.is_empty() {
        true if !is_measured => format!("nothing was measured in these {DAYS} days\n"),
        true => format!("no failure in these {DAYS} days\n"),
        false => format!("the last failures of these {DAYS} days:\n{text}"),
    })
}

/// The days up to the end of the newest slice, and the calendar month that it is in: all of it, so that its budget is the month's.
fn periods(now: DateTime<Utc>, until: DateTime<Utc>, zone: Tz) -> Vec<(String, DateTime<Utc>, DateTime<Utc>)> {
    let days = (until - TimeDelta::days(DAYS), until);
    let local = (until - TimeDelta::microseconds(1)).with_timezone(&zone);
    let first = |year: i32, month: u32| {
        zone.with_ymd_and_hms(year, month, 1, 0, 0, 0).earliest().map(|first| first.with_timezone(&Utc))
    };
    let month = first(local.year(), local.month()).unwrap_or(until);
    let next = match local.month() {
        12 => first(local.year() + 1, 1),
        month => first(local.year(), month + 1),
    };
    let is_old = until < now;
    let name = |text: &str| match is_old {
        true => format!("{text} up to {}", until.with_timezone(&zone).format("%Y-%m-%d %H:%M")),
        false => text.to_string(),
    };
    let of_month = format!("{}", local.format("%B %Y"));
    vec![(name(&format!("last {DAYS} days")), days.0, days.1), (of_month, month, next.unwrap_or(until))]
}

/// When the newest slice of any raw table ends.
async fn newest_end(shell: &mut ShellState) -> Result<Option<DateTime<Utc>>> {
    let slice = shell.session.store().map_or(0, |store| store.slice_seconds());
    let (_, rows) = shell.query(NEWEST, &[]).await?;
    let Some(batch) = rows.iter().find(|batch| batch.num_rows() > 0) else { return Ok(None) };
    let times = cast(batch.column(0), &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
    let times = times.as_primitive::<TimestampMicrosecondType>();
    let start = times.is_valid(0).then(|| times.value(0)).and_then(DateTime::from_timestamp_micros);
    Ok(start.and_then(|start| start.checked_add_signed(TimeDelta::seconds(slice))))
}

/// What is promised by the version in force, in lines.
fn promise(name: &str, defined: &[RecordBatch], zone: Tz, now: DateTime<Utc>) -> Result<String> {
    let mut text = String::new();
    let Some(batch) = defined.iter().find(|batch| batch.num_rows() > 0) else {
        return Ok(format!("{name}: several objectives together\n"));
    };
    let cell = |column: &str, row: usize| -> Result<Option<String>> {
        let Some(values) = batch.column_by_name(column) else { return Ok(None) };
        let values = cast(values, &DataType::Utf8)?;
        let values = values.as_string::<i32>();
        Ok((values.is_valid(row) && !values.value(row).is_empty()).then(|| values.value(row).to_string()))
    };
    let number = |column: &str, row: usize| {
        let values = batch.column_by_name(column)?.as_primitive_opt::<Float64Type>()?;
        values.is_valid(row).then(|| values.value(row))
    };
    let instant_of = |column: &str, row: usize| -> Result<Option<i64>> {
        let Some(values) = batch.column_by_name(column) else { return Ok(None) };
        let values = cast(values, &DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())))?;
        let values = values.as_primitive::<TimestampMicrosecondType>();
        Ok(values.is_valid(row).then(|| values.value(row)))
    };
    let now = now.timestamp_micros();
    let mut row = 0;
    let mut state = "none is in force; this is the newest";
    for version in 0..batch.num_rows() {
        let (from, until) = (instant_of("effective_from", version)?, instant_of("effective_until", version)?);
        if from.is_none_or(|from| from <= now) && until.is_none_or(|until| until > now) {
            (row, state) = (version, "");
            break;
        }
    }
    let title =
        cell("display_name", row)?.filter(|title| title != name).map_or_else(String::new, |title| format!(": {title}"));
    text.push_str(&format!("{name}{title}\n"));
    if let Some(description) = cell("description", row)? {
        text.push_str(&format!("{description}\n"));
    }
    let mut line = |name: &str, value: String| text.push_str(&format!("  {name:10}{value}\n"));
    let mut service = cell("service", row)?.unwrap_or_default();
    if let Some(business) = cell("business", row)? {
        service.push_str(&format!(" of {business}"));
    }
    if let Some(owner) = cell("owner", row)? {
        service.push_str(&format!(", owned by {owner}"));
    }
    line("service", service);
    match cell("not_measured", row)? {
        Some(why) => line("measured", format!("not: {why}")),
        None => line("counts", cell("measures", row)?.unwrap_or_default()),
    }
    if let (Some(seconds), Some(target)) = (number("slice_seconds", row), number("slice_target", row)) {
        line("slice", format!("{}, ok from {} on", duration(seconds), percent(target)));
    }
    if let (Some(target), Some(method)) = (number("target", row), cell("budgeting", row)?) {
        let window = cell("time_window", row)?.map_or_else(String::new, |window| format!(", {window}"));
        line("target", format!("{} by {method}{window}", percent(target)));
    }
    let since = match instant_of("effective_from", row)? {
        Some(at) => format!("since {}", instant(at, zone.name())),
        None => "since ever".to_string(),
    };
    let others = match batch.num_rows() {
        1 => String::new(),
        versions => {
            format!(" ({versions} versions: SELECT * FROM slos WHERE objective = '{}')", name.replace('\'', "''"))
        }
    };
    line("in force", format!("{}{others}", if state.is_empty() { &since } else { state }));
    Ok(text)
}

/// A share in percent, without the noise of binary fractions; never rounded to all of it.
fn percent(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    if text == "100.0000" && share < 1.0 {
        return format!("{} %", share * 100.0);
    }
    format!("{} %", text.trim_end_matches('0').trim_end_matches('.'))
}

async fn unknown(shell: &mut ShellState, name: &str) -> Result<CliError> {
    let (_, rows) = shell.query("SELECT DISTINCT objective FROM slos ORDER BY objective", &[]).await?;
    let names = column(&rows, 0)?;
    let part = name.to_lowercase();
    let similar: Vec<&str> =
        names.iter().map(String::as_str).filter(|known| known.to_lowercase().contains(&part)).collect();
    let meant = match nearest(name, names.iter().map(String::as_str)) {
        _ if (2..=MEANT).contains(&similar.len()) => format!("did you mean one of {}?", similar.join(", ")),
        Some(near) => format!("did you mean {near}?"),
        None if names.is_empty() => "nothing is defined yet; record definitions with: nines apply".to_string(),
        None => "\\slo lists those there are".to_string(),
    };
    Ok(CliError::Usage(format!("no objective is called {name}; {meant}")))
}

fn at(time: DateTime<Utc>) -> Parameter {
    Parameter::Text(time.to_rfc3339())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_percent_as_written() {
        assert_eq!(percent(0.999), "99.9 %");
        assert_eq!(percent(0.99), "99 %");
        assert_eq!(percent(1.0), "100 %");
        assert_eq!(percent(0.99995), "99.995 %");
    }

    #[test]
    fn the_month_is_that_of_the_newest_row_in_the_zone() {
        let until = "2026-10-31T16:00:00Z".parse().unwrap();
        let of = |zone: Tz| periods(Utc::now().max(until), until, zone)[1].clone();
        assert_eq!(of(chrono_tz::UTC).0, "October 2026");
        // Midnight of the first of November there: the month that has just ended.
        let (name, from, to) = of(chrono_tz::Asia::Shanghai);
        assert_eq!((name.as_str(), from.to_rfc3339().as_str()), ("October 2026", "2026-09-30T16:00:00+00:00"));
        assert_eq!(to.to_rfc3339(), "2026-10-31T16:00:00+00:00");
        let december = periods(Utc::now(), "2025-12-03T00:00:00Z".parse().unwrap(), Tz::UTC)[1].clone();
        assert_eq!(december.2.to_rfc3339(), "2026-01-01T00:00:00+00:00");
    }
}
