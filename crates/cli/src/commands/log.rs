//! `nines log`: who changed what in which version of a table, and when.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BooleanArray, Int64Array, ListBuilder, RecordBatch, StringArray, StringBuilder,
    TimestampMillisecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, Schema};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use indicatif::HumanCount;
use nines_engine::EngineError;
use nines_engine::store::{Before, Extent, LoggedVersion, Origin, TableKind};

use crate::args::Log;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};
use crate::output::{Format, Output, note};

/// Digits of a hash that names a batch which was given no name.
const UNNAMED: usize = 32;

pub(crate) async fn run(opening: Opening, args: Log) -> Result<()> {
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, Some(file)) => Format::of_file(file)?,
        (None, None) => Format::Table,
    };
    let engine = opened::open(opening).await?;
    let Some(store) = engine.store() else {
        return Err(CliError::Usage(format!("there is no store at {}", engine.store_url())));
    };
    let most = if args.all { usize::MAX } else { args.last };
    let tables = TableKind::ALL.iter().copied();
    let tables = tables.filter(|kind| args.table.map_or(!kind.is_derived(), |table| table == *kind));
    let (mut versions, mut gone, mut more) = (Vec::new(), Vec::new(), false);
    for kind in tables {
        let history = store.table(kind).history(most).await.map_err(EngineError::from)?;
        match history.before {
            Before::Nothing => {}
            Before::More => more = true,
            Before::Gone => gone.push((kind, history.versions.last().map(|last| last.version))),
        }
        versions.extend(in_time(kind, history.versions));
    }
    if versions.is_empty() {
        let what = args.table.map_or("any table", TableKind::name);
        return Err(CliError::Nothing(format!("nothing was ever written to {what} of {}", engine.store_url())));
    }
    // Versions of a table stay in their order, because their times are.
    versions.sort_by_key(|(time, ..)| std::cmp::Reverse(*time));
    more |= versions.len() > most;
    versions.truncate(most);
    let rows = match format {
        Format::Table | Format::Markdown => for_people(&versions)?,
        Format::Csv | Format::Json | Format::Jsonl | Format::Parquet | Format::Arrow => for_programs(&versions)?,
    };
    let output = Output { format, file: args.output.as_deref(), time_zone: engine.settings().time_zone.name() };
    let schema = rows.schema();
    let rows = futures::stream::iter([Ok(rows)]);
    output.write(Arc::clone(&schema), Box::pin(RecordBatchStreamAdapter::new(schema, rows))).await?;
    if more {
        note("note: there are older versions; show more with --last N, or --all");
    }
    for (kind, oldest) in gone {
        let oldest = oldest.map_or(String::new(), |oldest| format!(" before version {oldest}"));
        note(format_args!("note: what the log of {}{oldest} said is no longer there", kind.name()));
    }
    Ok(())
}

/// A version, and the latest time that its log says up to it: what a TIME means goes by that.
type InTime = (i64, TableKind, LoggedVersion);

/// Versions, the newest first, with the times at which they are listed.
fn in_time(kind: TableKind, versions: Vec<LoggedVersion>) -> impl Iterator<Item = InTime> {
    let mut latest = i64::MIN;
    let mut listed: Vec<InTime> = Vec::with_capacity(versions.len());
    for version in versions.into_iter().rev() {
        latest = latest.max(version.timestamp.unwrap_or(i64::MIN));
        listed.push((latest, kind, version));
    }
    listed.into_iter().rev()
}

fn for_people(versions: &[InTime]) -> Result<RecordBatch> {
    let texts = |of: &dyn Fn(&LoggedVersion) -> String| -> ArrayRef {
        Arc::new(versions.iter().map(|(.., version)| Some(of(version))).collect::<StringArray>())
    };
    let columns = [
        ("time", times(versions)),
        ("table", names(versions)),
        ("version", numbers(versions, |version| Some(version.version))),
        ("operation", texts(&|version| version.operation.clone().unwrap_or_default())),
        ("rows", texts(&rows)),
        ("files", texts(&|version| signed(Some(version.added.files), Some(version.removed.files)))),
        ("note", texts(&told)),
    ];
    Ok(batch(columns)?)
}

/// `+3 -2`; what is not known is a question mark.
fn signed(added: Option<u64>, removed: Option<u64>) -> String {
    let one = |sign: char, of: Option<u64>| match of {
        Some(0) => None,
        Some(number) => Some(format!("{sign}{}", HumanCount(number))),
        None => Some(format!("{sign}?")),
    };
    [one('+', added), one('-', removed)].into_iter().flatten().collect::<Vec<_>>().join(" ")
}

fn rows(version: &LoggedVersion) -> String {
    let Extent { files: added, .. } = version.added;
    match version.changes_rows {
        false if added > 0 => "same".to_string(),
        _ => signed(version.added.rows, version.removed.rows),
    }
}

/// What is special about a version.
fn told(version: &LoggedVersion) -> String {
    let mut said = Vec::new();
    if version.origin == Origin::Foreign {
        let engine = version.engine.as_deref().unwrap_or("unknown");
        said.push(format!("another Delta writer: {engine}"));
    } else {
        let parameters = version.parameters.iter().filter(|(_, value)| !value.is_empty());
        said.extend(parameters.map(|(name, value)| format!("{name}: {value}")));
    }
    let is_hash = |id: &str| id.len() == UNNAMED && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    for (source, id) in version.batches.iter().filter(|(_, id)| !is_hash(id)) {
        let of = if source.is_empty() { String::new() } else { format!(" of {source}") };
        said.push(format!("batch {id}{of}"));
    }
    if version.changes_table && version.version > 0 {
        said.push("columns or properties changed".to_string());
    }
    said.join("; ")
}

fn for_programs(versions: &[InTime]) -> Result<RecordBatch> {
    let texts = |of: &dyn Fn(&LoggedVersion) -> Option<String>| -> ArrayRef {
        Arc::new(versions.iter().map(|(.., version)| of(version)).collect::<StringArray>())
    };
    let lists = |of: &dyn Fn(&LoggedVersion) -> Vec<String>| -> ArrayRef {
        let mut lists = ListBuilder::new(StringBuilder::new());
        for (.., version) in versions {
            lists.append_value(of(version).into_iter().map(Some));
        }
        Arc::new(lists.finish())
    };
    let flags: BooleanArray = versions.iter().map(|(.., version)| Some(version.changes_rows)).collect();
    let columns = [
        ("time", times(versions)),
        ("table", names(versions)),
        ("version", numbers(versions, |version| Some(version.version))),
        ("operation", texts(&|version| version.operation.clone())),
        ("engine", texts(&|version| version.engine.clone())),
        ("origin", texts(&|version| Some(origin(version.origin).to_string()))),
        ("changes_rows", Arc::new(flags)),
        ("rows_added", numbers(versions, |version| version.added.rows)),
        ("rows_removed", numbers(versions, |version| version.removed.rows)),
        ("files_added", numbers(versions, |version| Some(version.added.files))),
        ("files_removed", numbers(versions, |version| Some(version.removed.files))),
        ("bytes_added", numbers(versions, |version| version.added.bytes)),
        ("bytes_removed", numbers(versions, |version| version.removed.bytes)),
        (
            "parameters",
            lists(&|version| version.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        ),
        ("batches", lists(&|version| version.batches.iter().map(|(source, id)| format!("{source}/{id}")).collect())),
        ("marks", lists(&|version| version.marks.clone())),
    ];
    Ok(batch(columns)?)
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Nines => "nines",
        Origin::Older => "older",
        Origin::Foreign => "foreign",
    }
}

fn times(versions: &[InTime]) -> ArrayRef {
    let times: TimestampMillisecondArray = versions.iter().map(|(.., version)| version.timestamp).collect();
    Arc::new(times.with_timezone("UTC"))
}

fn names(versions: &[InTime]) -> ArrayRef {
    Arc::new(versions.iter().map(|(_, kind, _)| Some(kind.name())).collect::<StringArray>())
}

fn numbers(versions: &[InTime], of: impl Fn(&LoggedVersion) -> Option<u64>) -> ArrayRef {
    let numbers = versions.iter().map(|(.., version)| of(version).and_then(|number| i64::try_from(number).ok()));
    Arc::new(numbers.collect::<Int64Array>())
}

fn batch<const N: usize>(columns: [(&str, ArrayRef); N]) -> datafusion::common::Result<RecordBatch> {
    let nullable = |name: &&str| !["table", "version"].contains(name);
    let field =
        |(name, column): &(&str, ArrayRef)| Field::new(*name, DataType::clone(column.data_type()), nullable(name));
    let schema = Schema::new(columns.iter().map(field).collect::<Vec<_>>());
    Ok(RecordBatch::try_new(Arc::new(schema), columns.into_iter().map(|(_, column)| column).collect())?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_and_went() {
        assert_eq!(signed(Some(28_800), Some(288)), "+28,800 -288");
        assert_eq!(signed(Some(0), Some(2)), "-2");
        assert_eq!(signed(Some(0), Some(0)), "");
        assert_eq!(signed(None, None), "+? -?");
    }
}
