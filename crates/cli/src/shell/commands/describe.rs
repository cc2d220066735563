//! `\d`: the tables, and the columns of one.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::arrow::datatypes::DataType;
use nines_engine::store::TableKind;
use nines_functions::{histogram_type, is_timeline};

use crate::error::{CliError, Result};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::nearest::nearest;
use crate::shell::state::ShellState;
use crate::shell::vocabulary::{column, columns, table_names};

pub(super) const TABLES: Command = Command {
    name: "d",
    arguments: "[NAME]",
    takes: Takes::Table,
    help: "the tables; the columns of a table or table function",
    does: Does::Later(|shell, argument| Box::pin(run(shell, argument))),
};

/// What the tables are for.
const ABOUT: &[(&str, &str)] = &[
    ("requests", "requests per slice, endpoint, customer, status and cause, with their latencies"),
    ("events", "good and total business events per slice"),
    ("gauges", "samples of a measured value per slice: queues, probes"),
    ("incidents", "what happened, and when it was detected, located, fixed and verified"),
    ("exclusions", "time that objectives and agreements do not count"),
    ("fees", "what a customer pays for a service in a month"),
    ("annotations", "what happened at an instant: a release, a change of configuration"),
    ("definitions", "objectives and agreements as they were applied"),
    ("statements", "credits as they were issued, with their evidence"),
    ("drafts", "statements that wait for approval"),
    ("slo_days", "evaluated days of objectives, kept for the next question"),
    ("slo_facts", "what evaluation found out beforehand, kept likewise"),
    ("slos", "every version of every objective, and when it was in force"),
    ("baselines", "latency limits that follow from the month before"),
    ("functions", "what can be called, with examples"),
];

async fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let name = argument.trim_end_matches([';', '(', ')']);
    if name.is_empty() { tables(shell).await } else { table(shell, name).await }
}

async fn tables(shell: &mut ShellState) -> Result<()> {
    let names = table_names(&shell.session).await?;
    let about = names.iter().map(|name| match ABOUT.iter().find(|(known, _)| known == name) {
        Some((_, about)) => *about,
        None if name.starts_with('_') => "a result of this session",
        None => "of this session",
    });
    let about: StringArray = about.map(Some).collect();
    let mut calls = shell
        .query("SELECT syntax FROM functions WHERE kind = 'table' AND section IN ('Objectives', 'Agreements')", &[])
        .await?;
    show(shell, [("table", texts(&names)), ("what it holds", Arc::new(about))])?;
    let calls = column(&std::mem::take(&mut calls.1), 0)?;
    shell.show_text(&format!("and, called like tables (\\df NAME):\n{}\n", wrapped(&calls, 100)))
}

async fn table(shell: &mut ShellState, name: &str) -> Result<()> {
    let Some(schema) = columns(&shell.session, name).await else {
        let (_, rows) = shell
            .query("SELECT table_name AS name FROM information_schema.tables UNION SELECT name FROM functions WHERE kind = 'table'", &[])
            .await?;
        let names = column(&rows, 0)?;
        let near = nearest(name, names.iter().map(String::as_str));
        let meant =
            near.map_or_else(|| "\\d lists those there are".to_string(), |near| format!("did you mean {near}?"));
        return Err(CliError::Usage(format!("there is no table {name}; {meant}")));
    };
    let fields = schema.fields();
    let names: Vec<String> = fields.iter().map(|field| field.name().clone()).collect();
    let types: Vec<String> = fields.iter().map(|field| spoken(field.data_type())).collect();
    match TableKind::from_name(name) {
        Some(kind) => {
            let key = |name: &String| if kind.key().contains(&name.as_str()) { "key" } else { "" };
            let keys: StringArray = names.iter().map(key).map(Some).collect();
            show(shell, [("column", texts(&names)), ("type", texts(&types)), ("", Arc::new(keys))])
        }
        None => show(shell, [("column", texts(&names)), ("type", texts(&types))]),
    }
}

fn show<const N: usize>(shell: &ShellState, columns: [(&str, ArrayRef); N]) -> Result<()> {
    let rows = RecordBatch::try_from_iter(columns)?;
    shell.show_table(&rows.schema(), &[rows])
}

fn texts(texts: &[String]) -> ArrayRef {
    Arc::new(StringArray::from_iter_values(texts))
}

/// A type as people say it.
fn spoken(data_type: &DataType) -> String {
    match data_type {
        _ if is_timeline(data_type) => "timeline".to_string(),
        _ if *data_type == histogram_type() => "histogram".to_string(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "text".to_string(),
        DataType::Boolean => "true or false".to_string(),
        DataType::Timestamp(_, Some(zone)) => format!("instant, shown in {zone}"),
        DataType::Timestamp(_, None) => "time without zone".to_string(),
        DataType::Date32 | DataType::Date64 => "date".to_string(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "number".to_string(),
        DataType::Decimal128(_, scale) => format!("decimal, {scale} places"),
        whole if whole.is_integer() => "whole number".to_string(),
        DataType::Dictionary(_, values) => spoken(values),
        DataType::List(item) | DataType::LargeList(item) | DataType::ListView(item) => {
            format!("list of {}", spoken(item.data_type()))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| field.name().as_str());
            format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

/// Items with commas between them, in lines of at most so many columns.
fn wrapped(items: &[String], columns: usize) -> String {
    let mut lines = vec![String::from(" ")];
    for (at, item) in items.iter().enumerate() {
        let item = format!(" {item}{}", if at + 1 < items.len() { "," } else { "" });
        match lines.last_mut() {
            Some(line) if line.chars().count() + item.chars().count() <= columns => line.push_str(&item),
            _ => lines.push(format!(" {item}")),
        }
    }
    lines.join("\n")
}
