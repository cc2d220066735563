//! The command line.

use std::path::PathBuf;

use clap::builder::RangedU64ValueParser;
use clap::{Parser, Subcommand};
use nines_engine::Settings;
use nines_engine::ingest::{Format as InputFormat, LatencyUnit, RepeatedHour};
use nines_engine::store::TableKind;

use crate::output::Format;
pub(crate) use upkeep::{Backup, Delete, Gc, Restore, Retain};

mod upkeep;

/// Embedded time-series store and SQL engine for service-level history.
#[derive(Debug, Parser)]
#[command(name = "nines", version, about, max_term_width = 100)]
pub(crate) struct Args {
    /// Where the store is: a folder, or a file:// or memory:// URL
    #[arg(long, global = true, env = "NINES_STORE", default_value = "./nines", value_name = "URL")]
    pub store: String,

    /// Time zone in which zoneless times are read and times are shown, as Asia/Shanghai
    #[arg(long, global = true, default_value = "UTC", value_name = "NAME", value_parser = time_zone)]
    pub time_zone: String,

    /// Most memory that queries may hold, as 4GB; beyond it they spill to disk [default: half of the machine's]
    #[arg(long, global = true, value_name = "SIZE", value_parser = bytes)]
    pub memory_limit: Option<usize>,

    /// Leave the files of a table as a write made them, instead of merging small ones after it for up to 2 s
    #[arg(long, global = true, env = "NINES_NO_COMPACT", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_compact: bool,

    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    pub fn settings(&self) -> Settings {
        Settings {
            time_zone: self.time_zone.clone(),
            memory_limit: self.memory_limit,
            compact: !self.no_compact,
            ..Settings::new(self.store.as_str())
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store files: access logs, CSV, JSON lines, Parquet, or anything SQL can map
    Ingest(Ingest),
    /// Run SQL and print the result
    Sql(Sql),
    /// Ask and look around: SQL with history and completion, commands that begin with a backslash
    Shell(Shell),
    /// Run a notebook, Markdown with SQL cells, as a page: in the terminal, as HTML or as Markdown
    Run(Run),
    /// Run a notebook for one service, or for every owner of services, and hand the pages on
    Report(Report),
    /// Record definitions of objectives, all of them or none
    Apply(Apply),
    /// List the objectives that are in force
    Slos(Slos),
    /// Evaluate ahead of questions: fill in every day of every objective that is not kept yet
    Refresh(Refresh),
    /// Read every byte of a store, and say what is not as it was written
    Check(Check),
    /// Merge the files of tables: days that are over become few sorted files, compressed for good
    Compact(Compact),
    /// Give up old versions of tables, and remove the files that only they need
    Gc(Gc),
    /// Remove raw rows that are older than is kept, once every objective was evaluated for them: their figures stay
    Retain(Retain),
    /// Delete rows of a table of slices, by a version that says why
    Delete(Delete),
    /// Make an earlier version of a table the newest
    Restore(Restore),
    /// Copy a store beside its writers
    Backup(Backup),
    /// Show who changed what in which version of a table, and when
    Log(Log),
    /// What customers are owed for a period: show it, issue statements, verify them
    Credits(Credits),
    /// Record time that objectives and agreements do not count, withdraw it, or list it
    Exclude(Exclude),
    /// Record an incident, change what is known of it, withdraw it, or list all
    Incident(Incident),
    /// Make a store of 90 days of believable history and show what it says
    Demo(Demo),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Ingest {
    /// The table to fill: requests, events or gauges (counted per slice), incidents, exclusions or fees (kept row by
    /// row)
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

    /// The unit of a whole number at the end of an access log's lines: s, ms or us. Without it such a number is no
    /// latency; a number with a decimal point is one, in seconds
    #[arg(long, value_name = "UNIT", value_parser = latency_unit)]
    pub latency_unit: Option<LatencyUnit>,

    /// The slice width of a store that this command creates, as 15s [default: 60s]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub slice: Option<i64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Sql {
    /// The statements, separated by semicolons; without them and --file, standard input is read
    #[arg(conflicts_with = "file")]
    pub query: Option<String>,

    /// A file with the statements
    #[arg(short, long, value_name = "FILE")]
    pub file: Option<PathBuf>,

    #[command(flatten)]
    pub as_of: AsOf,

    /// A value for $name in the statements: null, true, false, a number, else text ('1' in quotes is text)
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// How to print; with --output told from the file's name [default: table]
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Write to a file, which appears only when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Of which time what is stored is read.
#[derive(Debug, clap::Args)]
pub(crate) struct AsOf {
    /// Read what was stored at an earlier time, and keep nothing: TIME is a time, a date or a word such as yesterday, and TABLE=VERSION
    /// are versions of `nines log`, all other tables being read as they are now. statement:ID is what an issued statement was
    /// worked out from, ID being (the beginning of) its SHA-256
    #[arg(long, value_name = "TIME|TABLE=VERSION,…|statement:ID")]
    pub as_of: Option<String>,
}

/// What a page is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PageFormat {
    Html,
    Md,
    Terminal,
}

/// What notebooks are run with.
#[derive(Debug, clap::Args)]
pub(crate) struct Running {
    /// A value for one of the notebook's parameters, such as period='last month' or service=login
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// What relative times such as 'last week' are told against [default: now, or the newest data where the notebook
    /// asks for it]
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Notebooks that come with Nines: company, business and feature are dashboards, weekly, review and incident \
                        reports.\nExit code 1 if a cell failed; the page is written all the same, and shows why."
)]
pub(crate) struct Run {
    /// A file, or the name of a notebook that comes with Nines, as feature
    pub notebook: String,

    /// For a notebook of somebody else's: its SQL reads the store and nothing else, and writes nothing (no COPY, no
    /// INSERT, no files)
    #[arg(long)]
    pub safe: bool,

    #[command(flatten)]
    pub running: Running,

    #[command(flatten)]
    pub as_of: AsOf,

    /// Write the page to a file, which appears only when it is complete; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What to write [default: told from the file's name; for standard output md; without --output terminal]
    #[arg(long, value_enum)]
    pub format: Option<PageFormat>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "The command of --exec finds the page's owner in NINES_OWNER, the services in NINES_SERVICE (one per line) and \
                        the report's name in NINES_REPORT, as in: --exec 'mail -s \"$NINES_REPORT\" sre@example.com -A'\n\
                        Exit code 1 if a cell or a command failed; all pages are written all the same."
)]
pub(crate) struct Report {
    /// The name of a notebook that comes with Nines, as weekly, or a file
    pub name: String,

    /// The service that it is about, or an owner of services: the notebook's parameter `service`
    #[arg(long, value_name = "NAME", conflicts_with = "all")]
    pub service: Option<String>,

    #[command(flatten)]
    pub running: Running,

    #[command(flatten)]
    pub as_of: AsOf,

    /// A page for every owner of services (a service without an owner is its own), and an index of them
    #[arg(long, requires = "output")]
    pub all: bool,

    /// Write the page to a file, with --all pages into this folder; - is standard output
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,

    /// What to write [default: told from the file's name, else html for files and terminal without --output]
    #[arg(long, value_enum)]
    pub format: Option<PageFormat>,

    /// Run this command for each page written, with the file as its last argument
    #[arg(long, value_name = "COMMAND", requires = "output")]
    pub exec: Option<String>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Statements end with ; or \\g; \\? lists the commands. Fed from a pipe or a file, the shell prints neither \
                        prompt nor colours, and ends at the first error with its exit code."
)]
pub(crate) struct Shell {
    /// Read and write nothing outside the store: no files in SQL, no \o, \i and the like, no history
    #[arg(long)]
    pub safe: bool,

    /// A value for $name in statements, as \set gives one
    #[arg(long = "param", value_name = "NAME=VALUE", value_parser = parameter)]
    pub parameters: Vec<(String, String)>,

    /// How to print results [default: table]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Times are RFC 3339, or without an offset in --time-zone as 2026-10-03 09:12, or a date alone for \
                        its midnight there.\n\
                        A scope that is not given is all; what is given must be an objective's own."
)]
pub(crate) struct Exclude {
    /// When it begins, or all of it: yesterday, 2026-10-03
    #[arg(required_unless_present_any = ["withdraw", "list"])]
    pub from: Option<String>,

    /// When it is over; left out where FROM is a whole range
    pub to: Option<String>,

    /// Why such time does not count: "Scheduled Maintenance", "Attack", "Customer", "Force Majeure", or any other
    /// name that the agreement uses
    #[arg(long, value_name = "NAME", required_unless_present_any = ["withdraw", "list"])]
    pub category: Option<String>,

    /// What happened
    #[arg(long, value_name = "TEXT", required_unless_present_any = ["withdraw", "list"])]
    pub reason: Option<String>,

    /// Only for this business
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub business: String,

    /// Only for this service
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub service: String,

    /// Only for this customer
    #[arg(long, value_name = "NAME", default_value = "", hide_default_value = true)]
    pub customer: String,

    /// When the customers were told
    #[arg(long, value_name = "TIME")]
    pub announced: Option<String>,

    /// The name under which it is kept [default: made of scope, category and times, so that recording the same time
    /// twice changes nothing, and once more with another reason corrects the reason]
    #[arg(long, value_name = "ID")]
    pub id: Option<String>,

    /// Let this one no longer count; what was recorded stays
    #[arg(long, value_name = "ID", conflicts_with_all = ["from", "to", "category", "reason", "business", "service",
          "customer", "announced", "id", "list"])]
    pub withdraw: Option<String>,

    /// Show those in force
    #[arg(long, conflicts_with_all = ["from", "to", "category", "reason", "business", "service", "customer",
          "announced", "id"])]
    pub list: bool,

    /// With --list: the withdrawn ones too
    #[arg(long, requires = "list")]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Times are RFC 3339, or without an offset in --time-zone as 2026-10-03 09:12, or a date alone for \
                        its midnight there.\n\
                        What is not given stays as it is; '' clears a text or a time."
)]
pub(crate) struct Incident {
    /// The incident, as INC-42. One that is not known yet is recorded, and needs --started
    #[arg(required_unless_present = "list")]
    pub id: Option<String>,

    /// The part of the company that it touches
    #[arg(long, value_name = "NAME")]
    pub business: Option<String>,

    /// The service that it touches
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    /// What it was, in a line
    #[arg(long, value_name = "TEXT")]
    pub title: Option<String>,

    /// How bad it is, in your own words
    #[arg(long, value_name = "TEXT")]
    pub severity: Option<String>,

    /// When it began
    #[arg(long, value_name = "TIME")]
    pub started: Option<String>,

    /// When it was noticed
    #[arg(long, value_name = "TIME")]
    pub detected: Option<String>,

    /// When its cause was known
    #[arg(long, value_name = "TIME")]
    pub located: Option<String>,

    /// When it was over
    #[arg(long, value_name = "TIME")]
    pub fixed: Option<String>,

    /// When that was confirmed
    #[arg(long, value_name = "TIME")]
    pub verified: Option<String>,

    /// Whether failures could not be counted from its beginning until it was fixed
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub telemetry_lost: Option<bool>,

    /// Where to read more
    #[arg(long, value_name = "URL")]
    pub link: Option<String>,

    /// Let it no longer count; what was recorded stays
    #[arg(long, conflicts_with = "restore")]
    pub withdraw: bool,

    /// Let it count again
    #[arg(long)]
    pub restore: bool,

    /// Show all but withdrawn ones
    #[arg(long, conflicts_with_all = ["id", "business", "service", "title", "severity", "started", "detected",
          "located", "fixed", "verified", "telemetry_lost", "link", "withdraw", "restore"])]
    pub list: bool,

    /// With --list: the withdrawn ones too
    #[arg(long, requires = "list")]
    pub all: bool,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Definitions are OpenSLO v1. Each is in force from its annotation nines/effective-from; without \
                        one a first version since ever, a later one from now on."
)]
pub(crate) struct Apply {
    /// Files, or folders of .yaml, .yml and .json files
    #[arg(required = true, value_name = "PATH")]
    pub paths: Vec<PathBuf>,

    /// Check, and show what would be recorded, without recording it
    #[arg(long)]
    pub dry_run: bool,

    /// With --dry-run: show what the proposed definitions say of this range beside those in force. FROM alone may be a
    /// whole range: 'last month', 2026-10
    #[arg(long, num_args = 1..=2, value_names = ["FROM", "TO"], requires = "dry_run")]
    pub compare: Option<Vec<String>>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Slos {
    /// Those in force at this time [default: now]
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,

    /// Only those of this service
    #[arg(long, value_name = "NAME")]
    pub service: Option<String>,

    #[command(flatten)]
    pub as_of: AsOf,
}

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Exit codes: 0 done, 3 nothing to do (nothing is owed, all is issued already, nothing was issued), 4 a statement \
                        is no longer what is stored today, others are errors.\n\
                        A period that is longer than a month is named by any month of it."
)]
pub(crate) struct Credits {
    /// The period: a month such as 2026-10, or last-month
    pub period: String,

    /// Only under this agreement
    #[arg(long, value_name = "NAME")]
    pub agreement: Option<String>,

    /// Only of this customer
    #[arg(long, value_name = "NAME")]
    pub customer: Option<String>,

    #[command(flatten)]
    pub as_of: AsOf,

    /// Record a statement for each customer and service, with its evidence; a revision where later data say
    /// something else
    #[arg(long, conflicts_with = "verify")]
    pub issue: bool,

    /// With --issue: though not all of the period is stored yet
    #[arg(long, requires = "issue")]
    pub incomplete: bool,

    /// With --issue: by which rules what was issued is judged again: `current` revises what today's rules judge otherwise
    /// [default: the rules by which it was issued]
    #[arg(long, value_enum, requires = "issue")]
    pub rules: Option<Rules>,

    /// Verify what was issued: from its evidence, and from what is stored today, by the rules by which it was issued
    #[arg(long)]
    pub verify: bool,

    /// Write the statements that were issued as a page for each customer, Markdown and HTML, into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with = "verify")]
    pub pages: Option<PathBuf>,

    /// How to print figures [default: by the file's name, else table; with --issue none without a file]
    #[arg(long, value_enum, conflicts_with = "verify")]
    pub format: Option<Format>,

    /// Write figures to a file, which appears only when it is complete
    #[arg(short, long, value_name = "FILE", conflicts_with = "verify")]
    pub output: Option<PathBuf>,
}

/// The rules of a credit's arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Rules {
    /// Those of this version
    Current,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Refresh {
    /// From when on [default: the first day with rows]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,

    /// Until when [default: the last day with rows]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// The table [default: all]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// Compare every kept day of every objective with what rows say now, not only some days
    #[arg(long)]
    pub all: bool,

    /// Let go of what is damaged in slo_days and slo_facts, and keep anew what is not what rows say now
    #[arg(long)]
    pub repair_caches: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Log {
    /// The table [default: all but slo_days and slo_facts, which hold what can be computed again]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// How many versions, the newest first
    #[arg(long, value_name = "N", default_value_t = 20, conflicts_with = "all", value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    pub last: usize,

    /// All versions whose entries are still there
    #[arg(long)]
    pub all: bool,

    /// How to print; with --output told from the file's name [default: table]
    #[arg(long, value_enum)]
    pub format: Option<Format>,

    /// Write to a file, which appears only when it is complete
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Compact {
    /// The table [default: all]
    #[arg(value_name = "TABLE", value_parser = any_table)]
    pub table: Option<TableKind>,

    /// Say what would be merged, and change nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Write files of an older format anew as well: reading them is quicker then
    #[arg(long)]
    pub upgrade: bool,

    /// Write files of other Delta writers anew, too: their rows are vouched for from then on
    #[arg(long)]
    pub adopt: bool,
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

/// A choice, or leave it to the program. (clap treats an `Option` as "may be left out".)
#[derive(Debug, Clone)]
pub(crate) struct Auto<T>(pub Option<T>);

fn table(name: &str) -> Result<TableKind, String> {
    let names = TableKind::INGESTED.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let kind = TableKind::from_name(name).ok_or_else(|| format!("expected one of {names}"))?;
    match kind.kept_by_nines() {
        Some(instead) => Err(format!("{name} is not loaded from files; {instead}")),
        None => Ok(kind),
    }
}

/// A table of the store, whoever fills it.
fn any_table(name: &str) -> Result<TableKind, String> {
    let names = || TableKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    TableKind::from_name(name).ok_or_else(|| format!("expected one of {}", names()))
}

fn repeated_hour(text: &str) -> Result<RepeatedHour, String> {
    match text {
        "first" => Ok(RepeatedHour::First),
        "second" => Ok(RepeatedHour::Second),
        _ => Err("expected first or second".to_string()),
    }
}

fn input_format(name: &str) -> Result<Auto<InputFormat>, String> {
    if name == "auto" {
        return Ok(Auto(None));
    }
    let found = InputFormat::ALL.iter().copied().find(|format| format.name() == name);
    let names = InputFormat::ALL.iter().map(|format| format.name()).collect::<Vec<_>>().join(", ");
    found.map(|format| Auto(Some(format))).ok_or_else(|| format!("expected auto, {names}"))
}

fn latency_unit(name: &str) -> Result<LatencyUnit, String> {
    LatencyUnit::ALL.into_iter().find(|unit| unit.name() == name).ok_or_else(|| "expected s, ms or us".to_string())
}

fn time_zone(name: &str) -> Result<String, String> {
    match name.parse::<chrono_tz::Tz>() {
        Ok(zone) => Ok(zone.name().to_string()),
        Err(_) => Err("expected the name of a time zone, such as UTC or Asia/Shanghai".to_string()),
    }
}

fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.trim_start_matches('$').to_string(), value.to_string())),
        _ => Err("expected NAME=VALUE".to_string()),
    }
}

/// A number and a unit.
fn quantity(text: &str) -> Option<(f64, &str)> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    Some((number.parse().ok()?, unit.trim()))
}

/// `15s`, `1m`, `60`.
fn seconds(text: &str) -> Result<i64, String> {
    let width = quantity(text).and_then(|(number, unit)| {
        let unit = match unit {
            "" | "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        Some(number * unit)
    });
    match width {
        Some(width) if width >= 1.0 && width.fract() == 0.0 => Ok(width as i64),
        _ => Err("expected whole seconds, such as 60s, 15s or 1m".to_string()),
    }
}

/// `512MB`, `4GiB`, `4G`.
fn bytes(text: &str) -> Result<usize, String> {
    let size = quantity(text).and_then(|(number, unit)| {
        let unit = match unit.to_ascii_lowercase().as_str() {
            "" | "b" => 1.0,
            "k" | "kb" => 1e3,
            "m" | "mb" => 1e6,
            "g" | "gb" => 1e9,
            "kib" => 1024.0,
            "mib" => 1024.0 * 1024.0,
            "gib" => 1024.0 * 1024.0 * 1024.0,
            _ => return None,
        };
        Some(number * unit)
    });
    match size {
        Some(size) if size >= 1e6 => Ok(size as usize),
        Some(_) => Err("expected at least 1MB".to_string()),
        None => Err("expected a size, such as 512MB or 4GiB".to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn widths_and_sizes() {
        assert_eq!(seconds("15s"), Ok(15));
        assert_eq!(seconds("1m"), Ok(60));
        assert!(seconds("0.5s").is_err() && seconds("1d").is_err() && seconds("").is_err());
        assert_eq!(bytes("4GiB"), Ok(4 << 30));
        assert!(bytes("12").is_err() && bytes("lots").is_err());
    }
}
