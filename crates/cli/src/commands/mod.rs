//! One command per file.

mod apply;
mod backup;
mod bar;
mod check;
mod compact;
mod compared;
mod credits;
mod delete;
mod demo;
mod drafts;
mod exclude;
mod exported;
mod follow;
mod gc;
mod import;
mod incident;
mod ingest;
mod issuing;
mod joined;
mod log;
mod metrics;
mod moved;
mod outcome;
mod page;
mod record;
mod recurring;
mod refresh;
mod report;
mod restore;
mod retain;
mod run;
mod signatures;
mod slos;
mod sql;
mod statements;

use crate::args::{Args, Command, FromMetrics, Ingesting};
use crate::error::Result;

pub(crate) async fn run(args: Args) -> Result<()> {
    let opening = args.opening();
    match args.command {
        Command::Ingest(args) => match *args {
            Ingesting { metrics: Some(FromMetrics::Prometheus(args)), .. } => metrics::run(opening, *args).await,
            Ingesting { metrics: Some(FromMetrics::Otlp(args)), .. } => metrics::run_otlp(opening, args).await,
            Ingesting { metrics: Some(FromMetrics::Samples(args)), .. } => metrics::run_samples(opening, args).await,
            Ingesting { files: Some(args), .. } if args.follow => follow::of_files(opening, args).await,
            Ingesting { files: Some(args), .. } => ingest::run(opening, args).await,
            // The command line asks for one of them.
            Ingesting { files: None, metrics: None } => Ok(()),
        },
        Command::Follow(args) => follow::of_file(opening, args).await,
        Command::Sql(args) => sql::run(opening, args).await,
        Command::Exclude(args) => exclude::run(opening, args).await,
        Command::Incident(args) => incident::run(opening, args).await,
        Command::Shell(args) => crate::shell::run(opening, args).await,
        Command::Apply(args) => apply::run(opening, args).await,
        Command::Import(args) => import::run(&args),
        Command::Check(args) => check::run(opening, args).await,
        Command::Compact(args) => compact::run(opening, args).await,
        Command::Gc(args) => gc::run(opening, args).await,
        Command::Retain(args) => retain::run(opening, args).await,
        Command::Delete(args) => delete::run(opening, args).await,
        Command::Restore(args) => restore::run(opening, args).await,
        Command::Backup(args) => backup::run(opening, args).await,
        Command::Log(args) => log::run(opening, args).await,
        Command::Credits(args) => credits::run(opening, args).await,
        Command::Slos(args) => slos::run(opening, args).await,
        Command::Refresh(args) => refresh::run(opening, args).await,
        Command::Run(args) => run::run(opening, args).await,
        Command::Report(args) => report::run(opening, args).await,
        Command::Demo(args) => demo::run(opening, args).await,
    }
}
