//! The command line of what fills a store.

use std::path::PathBuf;
use std::sync::Arc;

use nines_engine::ingest::{Format as InputFormat, LatencyUnit, LogFormat, RepeatedHour};
use nines_engine::store::TableKind;

use super::values::{Auto, input_format, latency_unit, log_format, repeated_hour, seconds, table};

#[derive(Debug, clap::Args)]
pub(crate) struct Ingest {
    /// The table to fill: requests, events or gauges (counted per slice), incidents, exclusions, fees or annotations
    /// (kept row by row)
    #[arg(value_parser = table)]
    pub table: TableKind,

    /// The files, stored together or not at all
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What the files are: auto, csv, jsonl, parquet or log (access logs, combined or common)
    #[arg(long, default_value = "auto", value_parser = input_format)]
    pub format: Auto<InputFormat>,

    /// A query over the table `input`, the file as it is, that yields the table's columns;
    /// of a log, `input` has the one column `line`
    #[arg(long, value_name = "SQL")]
    pub select: Option<String>,

    /// With --select: succeed although the query keeps none of the rows
    #[arg(long, requires = "select")]
    pub allow_empty: bool,

    /// Who reports: fills the column `source` where it is empty; keeps logs that begin alike apart
    #[arg(long, value_name = "NAME")]
    pub source: Option<String>,

    /// What these files are called among those of their --source: the same again changes nothing, the name
    /// with other content is an error [default: the hash of their content]
    #[arg(long, value_name = "ID")]
    pub batch: Option<String>,

    /// Counts are complete for their slices, also those of rows that carry none: they replace what the source reported
    /// before instead of adding to it
    #[arg(long)]
    pub aggregates: bool,

    /// The file, whose rows carry no counts, is complete from its first slice to its last: it replaces what the source
    /// reported in between of the same business, service and name
    #[arg(long, conflicts_with = "aggregates")]
    pub replace: bool,

    /// Take samples of any time, also before 1990 and more than a day ahead
    #[arg(long)]
    pub any_time: bool,

    /// Which of two a local time is that clocks show twice [default: told by the order of the rows]
    #[arg(long, value_name = "first|second", value_parser = repeated_hour)]
    pub repeated_hour: Option<RepeatedHour>,

    /// Fills the column `business` where it is empty
    #[arg(long, value_name = "NAME")]
    pub business: Option<String>,

    /// Fills the column `service` where it is empty
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    /// The unit of a whole number at the end of an access log's lines: s, ms, us or ns. Without it such a number is no
    /// latency; a number with a decimal point is one, in seconds
    #[arg(long, value_name = "UNIT", value_parser = latency_unit)]
    pub latency_unit: Option<LatencyUnit>,

    /// How the lines of an access log are laid out: a log_format of nginx, a LogFormat of Apache, a format of Envoy; a file
    /// of a configuration that defines one, as FILE#NAME where it defines several; fields of JSON, as 'json time=ts
    /// status=code'; or a name, such as ingress-nginx
    #[arg(long, value_name = "FORMAT", value_parser = log_format)]
    pub log_format: Option<Arc<LogFormat>>,

    /// The slice width of a store that this command creates, as 15s [default: 60s]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub slice: Option<i64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// The folder to make; must not exist, or hold nothing
    #[arg(default_value = "nines-demo")]
    pub folder: PathBuf,

    /// How many days of history, ending with the last whole UTC day
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u32).range(1..=3660))]
    pub days: u32,

    /// The last day, as 2026-10-31 [default: yesterday]
    #[arg(long, value_name = "DATE")]
    pub until: Option<chrono::NaiveDate>,

    /// Another seed makes another history
    #[arg(long, default_value_t = 42)]
    pub seed: u64,
}
