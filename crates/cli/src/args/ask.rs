//! The command line of what asks: statements, the shell, pages.

use std::path::PathBuf;

use super::values::parameter;
use crate::output::Format;

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
