//! The `nines` program: arguments, commands, output.
//!
//! `main` parses, runs and maps the error to an exit code: 0 done, 1 failed, 2 wrong usage, 3 nothing to do, 4 issued
//! statements are no longer what is stored, 130 interrupted.
//! A reader that closes the pipe has seen enough: that is success.

#![cfg_attr(not(test), warn(clippy::print_stderr, clippy::print_stdout))]

mod args;
mod commands;
pub mod demo;
mod error;
mod interrupts;
mod landed;
mod log;
mod notebooks;
mod opened;
mod output;
mod shell;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::watch;

use crate::error::CliError;
use crate::output::note;

pub use nines_engine::watch_memory;

/// Stack of the threads on which statements are planned and run: expressions may nest some hundred levels deep.
const STACK: usize = 8 << 20;

/// How the system's errors 11 and 12, no thread and no memory, are written.
const NOTHING_LEFT: [&str; 4] = ["os error 11)", "os error 12)", "code: 11,", "code: 12,"];

/// A library that gets no memory panics. That becomes an error, which says it better. If not even a thread is to be had, nothing goes on
/// as it should, and the program ends.
fn say_less_of_memory() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let text = panic.payload_as_str().unwrap_or_default();
        if NOTHING_LEFT.iter().any(|nothing| text.contains(nothing)) {
            note(format_args!(
                "error: the system gives this process no more threads or memory (`ulimit -u`, `ulimit -v`): {text}. The program \
                 ended; run what it was doing again, what is stored already is not stored twice"
            ));
            std::process::exit(1);
        }
        if !text.contains(nines_engine::store::NO_MEMORY) {
            usual(panic);
        }
    }));
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let args = args::Args::read();
    say_less_of_memory();
    if let Err(error) = log::begin(args.log.as_deref()) {
        return fail(&error).into();
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().thread_stack_size(STACK).build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&CliError::Io("starting threads".to_string(), error)).into(),
    };
    let done = runtime.block_on(async {
        interrupts::outlive_file_limits();
        if args.command.listens() {
            let done = commands::run(args).await;
            opened::tidy().await;
            return done;
        }
        let interrupt = Interrupt::listen();
        let mut work = Box::pin(async {
            commands::run(args).await?;
            opened::tidy().await;
            Ok::<(), CliError>(())
        });
        let done = tokio::select! {
            done = &mut work => Some(done),
            () = interrupt.came() => None,
        };
        // Dropped, it begins no further commit.
        drop(work);
        let has_come = interrupt.over();
        match done {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) if !has_come => Err(error.after(opened::landed().await)),
            Some(Err(_)) | None => Err(CliError::Interrupted(opened::landed().await)),
        }
    });
    // A blocking read may still wait for its file; nothing is lost by not waiting for it.
    runtime.shutdown_background();
    opened::tell_notices();
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error).into(),
    }
}

/// How long a command may take to come to its end after Ctrl-C.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Ctrl-C while a command runs.
struct Interrupt {
    came: watch::Receiver<bool>,
    over: Arc<AtomicBool>,
}

impl Interrupt {
    /// What a command does not end by itself, this ends, on a thread of its own: the command may compute on all others.
    fn listen() -> Interrupt {
        let (comes, came) = watch::channel(false);
        let over = Arc::new(AtomicBool::new(false));
        let is_over = Arc::clone(&over);
        if let Ok(mut interrupts) = interrupts::listen() {
            std::thread::spawn(move || {
                if interrupts.blocking_recv().is_none() {
                    return;
                }
                let _ = comes.send(true);
                opened::cancel();
                std::thread::sleep(PATIENCE);
                if is_over.load(Ordering::Acquire) {
                    return;
                }
                // What still computes is let go, because the process ends here.
                let landed =
                    Builder::new_current_thread().enable_all().build().map(|here| here.block_on(opened::landed()));
                let code = fail(&CliError::Interrupted(landed.unwrap_or_default()));
                std::process::exit(code.into());
            });
        }
        Interrupt { came, over }
    }

    async fn came(&self) {
        let mut came = self.came.clone();
        if came.wait_for(|came| *came).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// The command is over; whether Ctrl-C came before.
    fn over(self) -> bool {
        self.over.store(true, Ordering::Release);
        *self.came.borrow()
    }
}

/// Says what went wrong; the exit code.
fn fail(error: &CliError) -> u8 {
    match error {
        _ if error.is_broken_pipe() => {}
        CliError::Nothing(message) => note(message),
        error => note(format_args!("error: {error}")),
    }
    error.exit_code()
}
