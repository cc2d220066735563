//! One command per file.

mod apply;
mod backup;
mod check;
mod compact;
mod credits;
mod delete;
mod demo;
mod exclude;
mod gc;
mod incident;
mod ingest;
mod log;
mod page;
mod record;
mod refresh;
mod report;
mod restore;
mod retain;
mod run;
mod slos;
mod sql;

use crate::args::{Args, Command};
use crate::error::Result;

pub(crate) async fn run(args: Args) -> Result<()> {
    let settings = args.settings();
    match args.command {
        Command::Ingest(args) => ingest::run(settings, args).await,
        Command::Sql(args) => sql::run(settings, args).await,
        Command::Exclude(args) => exclude::run(settings, args).await,
        Command::Incident(args) => incident::run(settings, args).await,
        Command::Shell(args) => crate::shell::run(settings, args).await,
        Command::Apply(args) => apply::run(settings, args).await,
        Command::Check(args) => check::run(settings, args).await,
        Command::Compact(args) => compact::run(settings, args).await,
        Command::Gc(args) => gc::run(settings, args).await,
        Command::Retain(args) => retain::run(settings, args).await,
        Command::Delete(args) => delete::run(settings, args).await,
        Command::Restore(args) => restore::run(settings, args).await,
        Command::Backup(args) => backup::run(settings, args).await,
        Command::Log(args) => log::run(settings, args).await,
        Command::Credits(args) => credits::run(settings, args).await,
        Command::Slos(args) => slos::run(settings, args).await,
        Command::Refresh(args) => refresh::run(settings, args).await,
        Command::Run(args) => run::run(settings, args).await,
        Command::Report(args) => report::run(settings, args).await,
        Command::Demo(args) => demo::run(settings, args).await,
    }
}
