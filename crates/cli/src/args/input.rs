//! The command line of what fills a store.

use std::path::PathBuf;
use std::sync::Arc;

use nines_engine::ingest::{
    CauseNames, EndpointNames, Fills, Format as InputFormat, FromField, LatencyUnit, LogFormat, RepeatedHour, Template,
};
use nines_engine::store::TableKind;

use super::values::{Auto, input_format, latency_unit, log_format, parameter, repeated_hour, seconds, table, template};

#[derive(Debug, clap::Args)]
pub(crate) struct Ingest {
    /// The table to fill: requests, events or gauges (counted per slice), incidents, exclusions, fees or annotations
    /// (kept row by row)
    #[arg(value_parser = table)]
    pub table: TableKind,

    /// The files, stored together or not at all; also folders, patterns such as 'logs/*.gz', and - for standard input
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    /// What the files are: auto, csv, jsonl (an object per line), json (objects over any number of lines, and arrays of them), ics
    /// (calendars), parquet or log (access logs, combined or common)
    #[arg(long, default_value = "auto", value_parser = input_format)]
    pub format: Auto<InputFormat>,

    /// A query over the table `input`, the file as it is, that yields the table's columns;
    /// of a log, `input` has the one column `line`; recipes for other programs are in docs/sources.md
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

    /// The files, whose rows carry no counts, are together complete from their first slice to their last: they replace what the
    /// source reported in between of the same business, service and name
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

    /// Fills the column `business` from the field of this name, where it says something: a column of a file, a field of a
    /// log's format or the path of one in JSON
    #[arg(long, value_name = "FIELD")]
    pub business_from: Option<String>,

    /// Fills the column `service` likewise; `host` is the host of a log's requests
    #[arg(long, value_name = "FIELD")]
    pub service_from: Option<String>,

    /// Fills the column `customer` likewise
    #[arg(long, value_name = "FIELD")]
    pub customer_from: Option<String>,

    /// Fills the column `cause` likewise; response flags of Envoy and termination states of HAProxy become causes
    #[arg(long, value_name = "FIELD")]
    pub cause_from: Option<String>,

    /// What a text of the field that fills `cause` is called; may be given several times
    #[arg(long, value_name = "TEXT=CAUSE", requires = "cause_from", value_parser = parameter)]
    pub cause: Vec<(String, String)>,

    /// Fills a label from a field; NAME alone is the field of that name. May be given several times
    #[arg(long, value_name = "NAME[=FIELD]")]
    pub label: Vec<String>,

    /// What endpoints of some paths are called: /users/{id}, /assets/**, or static=*.css,*.js. The first that matches
    /// counts; may be given several times
    #[arg(long, value_name = "[NAME=]PATH", value_parser = template)]
    pub endpoint: Vec<Template>,

    /// Keeps paths of access logs as they are logged; otherwise numbers, UUIDs and hashes in them are {id}
    #[arg(long)]
    pub endpoints_as_logged: bool,

    /// Of how many endpoints the names are kept; the others are called 'other' [default: 10000 in access logs, else all]
    #[arg(long, value_name = "NUMBER")]
    pub most_endpoints: Option<usize>,

    /// Reads and works out everything, shows what would be stored, and stores nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Stores the rest where lines or rows are refused, and writes each of them into this file with its place and the
    /// reason, as CSV
    #[arg(long, value_name = "FILE")]
    pub skip_bad: Option<PathBuf>,

    /// Goes on: what is written to the files is stored whenever a slice is over, through rotations, until Ctrl-C or SIGTERM.
    /// Files that are not there yet are waited for
    #[arg(long)]
    pub follow: bool,

    /// With --follow: how often what is new is stored, counted from midnight UTC [default: the slice width]
    #[arg(long, value_name = "WIDTH", requires = "follow", value_parser = seconds)]
    pub every: Option<i64>,

    /// With --follow: how long after the end of a slice, for writers that keep lines back [default: 0]
    #[arg(long, value_name = "WIDTH", requires = "follow", value_parser = seconds)]
    pub lag: Option<i64>,

    /// The slice width of a store that this command creates, as 15s [default: 60s]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub slice: Option<i64>,
}

impl Ingest {
    /// The fields that fill columns and labels.
    pub fn filling_fields(&self) -> Vec<FromField> {
        let columns = [
            ("business", &self.business_from),
            ("service", &self.service_from),
            ("customer", &self.customer_from),
            ("cause", &self.cause_from),
        ];
        let columns = columns.into_iter().filter_map(|(column, field)| {
            Some(FromField { fills: Fills::Column(column.to_string()), field: field.clone()? })
        });
        let label = |text: &String| {
            let (name, field) = text.split_once('=').unwrap_or((text, text));
            FromField { fills: Fills::Label(name.to_string()), field: field.to_string() }
        };
        columns.chain(self.label.iter().map(label)).collect()
    }

    /// What causes are called.
    pub fn cause_names(&self) -> CauseNames {
        CauseNames { given: self.cause.iter().cloned().collect() }
    }

    /// How endpoints are called.
    pub fn endpoint_names(&self) -> EndpointNames {
        EndpointNames {
            templates: self.endpoint.clone(),
            as_logged: self.endpoints_as_logged,
            most: self.most_endpoints,
        }
    }
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
