//! The `nines` program: arguments, commands, output.
//!
//! `main` parses, runs and maps the error to an exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing to do, 4 issued
//! statements are no longer what is stored, 130 interrupted.
//! A reader that closes the pipe has seen enough: that is success.

mod args;
mod commands;
pub mod demo;
mod error;
mod notebooks;
mod output;
mod shell;

use std::process::ExitCode;

use clap::Parser;

use crate::error::CliError;

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let args = args::Args::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CliError::Io("starting threads".to_string(), error)),
    };
    let done = runtime.block_on(async {
        // The shell says itself what Ctrl-C means.
        if matches!(args.command, args::Command::Shell(_)) {
            return commands::run(args).await;
        }
        tokio::select! {
            done = commands::run(args) => done,
            Ok(()) = tokio::signal::ctrl_c() => Err(CliError::Interrupted),
        }
    });
    // A blocking read may still wait for its file; nothing is lost by not waiting for it.
    runtime.shutdown_background();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &CliError) -> ExitCode {
    match error {
        _ if error.is_broken_pipe() => {}
        CliError::Nothing(message) => eprintln!("{}", nines_notebook::format::printable(message)),
        error => eprintln!("error: {}", nines_notebook::format::printable(&error.to_string())),
    }
    ExitCode::from(error.exit_code())
}
