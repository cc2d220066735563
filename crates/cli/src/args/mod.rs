//! The command line.

mod ask;
mod follow;
mod import;
mod input;
mod metrics;
mod records;
mod upkeep;
mod values;

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use nines_engine::{SessionSettings, Settings, Zone};

pub(crate) use ask::{AsOf, PageFormat, Report, Run, Running, Shell, Sql};
pub(crate) use follow::Follow;
pub(crate) use import::Import;
pub(crate) use input::{Demo, Ingest};
pub(crate) use metrics::{AsRows, FromMetrics, Ingesting, Otlp, Prometheus, Samples};
pub(crate) use records::{Apply, Credits, Exclude, Incident, Rules, Slos};
pub(crate) use upkeep::{Backup, Check, Compact, Delete, Gc, Log, Refresh, Restore, Retain};
use values::{bytes, time_zone};

use crate::opened::Opening;

/// Embedded time-series store and SQL engine for service-level history.
#[derive(Debug, Parser)]
#[command(name = "nines", version, about, max_term_width = 100)]
pub(crate) struct Args {
    /// Where the store is: a folder, or a file:// or memory:// URL
    #[arg(long, global = true, env = "NINES_STORE", default_value = "./nines", value_name = "URL")]
    pub store: String,

    /// Time zone in which zoneless times are read and times are shown, as Asia/Shanghai
    #[arg(long, global = true, default_value = "UTC", value_name = "NAME", value_parser = time_zone)]
    pub time_zone: Zone,

    /// Most memory that queries may hold, as 4GB; beyond it they spill to disk [default: half of the machine's]
    #[arg(long, global = true, value_name = "SIZE", value_parser = bytes)]
    pub memory_limit: Option<usize>,

    /// Leave the files of a table as a write made them, instead of merging small ones after it for up to 2 s
    #[arg(long, global = true, env = "NINES_NO_COMPACT", value_parser = clap::builder::FalseyValueParser::new())]
    pub no_compact: bool,

    /// Say on stderr what is done: error, warn, info, debug or trace, or what of whom, as nines=debug,delta_kernel=warn
    #[arg(long, global = true, env = "NINES_LOG", value_name = "FILTER")]
    pub log: Option<String>,

    #[command(subcommand)]
    pub command: Command,
}

impl Args {
    /// Those of the process. What is wrong with them ends it.
    pub fn read() -> Args {
        let mut command = Args::command();
        let matches = command.get_matches_mut();
        let told = |name: &str| {
            let (_, of) = matches.subcommand()?;
            Some(of.value_source(name)? == ValueSource::CommandLine)
        };
        let args = Args::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
        if matches!(args.command, Command::Demo(_)) && told("store") == Some(true) {
            let why = "nines demo makes a store of its own; name its folder, as in: nines demo FOLDER";
            command.error(ErrorKind::ArgumentConflict, why).exit();
        }
        args
    }

    pub fn opening(&self) -> Opening {
        let engine = Settings {
            memory_limit: self.memory_limit,
            compact: !self.no_compact,
            ..Settings::new(self.store.as_str())
        };
        Opening { engine, session: SessionSettings { time_zone: self.time_zone, ..SessionSettings::default() } }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Store files: access logs, CSV, JSON, calendars, Parquet, or anything SQL can map
    Ingest(Box<Ingesting>),
    /// Store what is written to many files while it is written: logs of several services, each with its options
    Follow(Follow),
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
    /// Make objectives and a mapping of metrics of definitions that other programs use
    Import(Import),
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

impl Command {
    /// Whether the command says itself what Ctrl-C means.
    pub fn listens(&self) -> bool {
        match self {
            Command::Shell(_) | Command::Follow(_) => true,
            Command::Ingest(args) => args.files.as_ref().is_some_and(|args| args.follow),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }
}
