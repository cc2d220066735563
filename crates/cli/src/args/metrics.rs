//! The command line of `nines ingest prometheus`, `nines ingest otlp` and `nines ingest samples`.

use std::path::PathBuf;
use std::time::Duration;

use nines_engine::ingest::{Format, RepeatedHour};

use super::input::Ingest;
use super::values::{Auto, input_format, repeated_hour, seconds};

/// What to store: files as rows of a table, or samples of metrics.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(crate) struct Ingesting {
    #[command(subcommand)]
    pub metrics: Option<FromMetrics>,

    #[command(flatten)]
    pub files: Option<Ingest>,
}

#[derive(Debug, clap::Subcommand)]
pub(crate) enum FromMetrics {
    /// Store counters, histograms and gauges by a mapping: from files of samples, or pulled from a server
    Prometheus(Box<Prometheus>),
    /// Store counters and gauges by a mapping: from tables whose rows are samples, in any format, by a query if need be
    Samples(Samples),
    /// Store metrics of OpenTelemetry by a mapping: files of the collector's file exporter, or messages of OTLP
    Otlp(Otlp),
}

/// What samples become, whoever wrote them.
#[derive(Debug, clap::Args)]
pub(crate) struct AsRows {
    /// The file that says which metrics become rows of which table
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,

    /// Take samples of any time, also before 1990 and more than a day ahead
    #[arg(long)]
    pub any_time: bool,

    /// The slice width of a store that this command creates, as 15s [default: 60s]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub slice: Option<i64>,

    /// Read and work out everything, show what would be stored, and store nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Store the rest where lines, messages, rows or samples are refused, and write each of them into this file with its place
    /// and the reason, as CSV
    #[arg(long, value_name = "FILE")]
    pub skip_bad: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Otlp {
    /// Files of OTLP metrics: JSON, a message per line; protobuf, messages behind their lengths or a single one; packed by zstd or not
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub rows: AsRows,

    /// Who reports: the column `source`
    #[arg(long, value_name = "NAME", default_value = "otlp")]
    pub source: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Samples {
    /// Files of rows: CSV, JSON, Parquet. Columns metric, time and value, and a label in each other one; labels an object of several
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub rows: AsRows,

    /// The format of all files
    #[arg(long, default_value = "auto", value_parser = input_format)]
    pub format: Auto<Format>,

    /// A query that gives such rows, over the table input, which are the files
    #[arg(long, value_name = "SQL")]
    pub select: Option<String>,

    /// Which of two a local time is that clocks show twice [default: told by the order of the rows of its series]
    #[arg(long, value_name = "first|second", value_parser = repeated_hour)]
    pub repeated_hour: Option<RepeatedHour>,

    /// Who reports: the column `source`
    #[arg(long, value_name = "NAME", default_value = "samples")]
    pub source: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Prometheus {
    /// Files of samples: the text format with times, what promtool tsdb dump prints, answers of query_range, lines of
    /// VictoriaMetrics' /api/v1/export. For metrics of OpenTelemetry: nines ingest otlp
    #[arg(required_unless_present = "url", conflicts_with = "url", value_name = "FILE")]
    pub files: Vec<PathBuf>,

    #[command(flatten)]
    pub rows: AsRows,

    /// A server to pull samples from: Prometheus, VictoriaMetrics, Mimir or Thanos, with the prefix of its API
    #[arg(long, value_name = "URL", conflicts_with_all = ["dry_run", "skip_bad"])]
    pub url: Option<String>,

    /// With --url: from when [default: from where the last pull ended]
    #[arg(long, value_name = "TIME", requires = "url")]
    pub from: Option<String>,

    /// With --url: until when [default: --safety before now]
    #[arg(long, value_name = "TIME", requires = "url")]
    pub to: Option<String>,

    /// With --url: how far samples may be behind, so that slices that are not complete yet wait for the next pull
    #[arg(long, value_name = "WIDTH", default_value = "2m", value_parser = seconds)]
    pub safety: i64,

    /// With --url: how far before its beginning is looked for the last sample of each series, from which it goes on
    #[arg(long, value_name = "WIDTH", default_value = "1h", value_parser = seconds)]
    pub lookback: i64,

    /// Who reports: the column `source`. What is pulled replaces what its source said of the same slices
    #[arg(long, value_name = "NAME", default_value = "prometheus")]
    pub source: String,

    /// A file with the token of `Authorization: Bearer`
    #[arg(long, value_name = "FILE", conflicts_with = "user")]
    pub bearer_token_file: Option<PathBuf>,

    /// The token itself, for the environment
    #[arg(long, env = "NINES_BEARER_TOKEN", hide_env_values = true, value_name = "TOKEN", hide = true)]
    pub bearer_token: Option<String>,

    /// A name for basic authentication; its password is read from --password-file or NINES_PASSWORD
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,

    /// A file with the password of --user
    #[arg(long, value_name = "FILE", requires = "user")]
    pub password_file: Option<PathBuf>,

    /// The password itself, for the environment
    #[arg(long, env = "NINES_PASSWORD", hide_env_values = true, value_name = "PASSWORD", hide = true)]
    pub password: Option<String>,

    /// A header of every request, as 'X-Scope-OrgID: team'; several times for several
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub headers: Vec<(String, String)>,

    /// A file of certificates in PEM that are trusted beside those of the system
    #[arg(long, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,

    /// A file with the certificate of this client, in PEM
    #[arg(long, value_name = "FILE", requires = "key_file")]
    pub cert_file: Option<PathBuf>,

    /// A file with its key, in PEM
    #[arg(long, value_name = "FILE", requires = "cert_file")]
    pub key_file: Option<PathBuf>,

    /// Trust any certificate, of anybody who answers
    #[arg(long)]
    pub insecure: bool,

    /// How long one answer may take
    #[arg(long, value_name = "WIDTH", default_value = "2m", value_parser = duration)]
    pub timeout: Duration,
}

fn header(text: &str) -> Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_string(), value.trim().to_string())),
        _ => Err("expected NAME: VALUE".to_string()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    seconds(text).map(|seconds| Duration::from_secs(seconds.unsigned_abs()))
}
