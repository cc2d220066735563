//! `nines shell`: statements and commands, typed or piped.
//!
//! ```text
//! terminal ──editor──▶ text ─┐
//! pipe, file ──lines─────────┴─split──▶ statements ──session──▶ screen, pager, standard output or a file
//!                                  └──▶ commands            └─▶ _, _1, _2 …
//! ```
//!
//! On a terminal an error is told and the shell goes on; piped, the first error ends it, and its exit code is the shell's.

mod cells;
mod clause;
mod command;
mod commands;
mod complete;
mod editor;
mod highlight;
mod keywords;
mod nearest;
mod results;
mod screen;
mod split;
mod state;
mod vocabulary;
mod watch;

use std::collections::BTreeSet;
use std::io::{BufRead, IsTerminal};
use std::time::Duration;

use nines_engine::Role;

use crate::args::Shell;
use crate::error::{CliError, Result, doing};
use crate::interrupts;
use crate::opened::{self, Opening};
use crate::output::{note, note_over, say};
use cells::Cells;
use command::Flow;
use editor::{Editor, Input};
use results::Results;
use split::{Lines, Piece, spoken};
use state::ShellState;
use vocabulary::Vocabulary;

/// How long the prompt waits for names to complete.
const PATIENCE: Duration = Duration::from_secs(2);

pub(crate) async fn run(opening: Opening, args: Shell) -> Result<()> {
    let mut opening = opening;
    if args.safe {
        opening.session.role = Role::Writer;
    }
    let session = opened::open(opening).await?;
    let interactive = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let shell = ShellState {
        session,
        parameters: args.parameters.into_iter().collect(),
        format: args.format,
        file: None,
        timing: interactive,
        pager: interactive,
        safe: args.safe,
        interactive,
        depth: 0,
        last: None,
        results: Results::default(),
        cells: Cells::default(),
        saved: BTreeSet::new(),
        interrupts: doing("listening to Ctrl-C", interrupts::listen())?,
    };
    if interactive { typed(shell).await } else { piped(shell).await }
}

/// A person at a terminal.
async fn typed(mut shell: ShellState) -> Result<()> {
    let mut editor = Editor::new(shell.safe)?;
    let session = &shell.session;
    let zone = session.settings().time_zone;
    let safe = if shell.safe { ", safe" } else { "" };
    say(&format!("nines {}, store {}, times in {zone}{safe}\n", env!("CARGO_PKG_VERSION"), session.store_url()))?;
    say("End statements with ; and leave with \\q. \\? lists commands, \\d tables.\n")?;
    if shell.session.store().is_none() {
        say("There is no store here yet: every table is empty. Try `nines demo`, or --store.\n")?;
    }
    let patiently = tokio::time::timeout(PATIENCE, Vocabulary::read(&shell.session)).await;
    if let (Ok(Ok(known)), Some(vocabulary)) = (patiently, editor.vocabulary()) {
        *vocabulary = known;
    }
    loop {
        if let Some(vocabulary) = editor.vocabulary() {
            vocabulary.parameters = shell.parameters.keys().cloned().collect();
        }
        let text = match editor.read()? {
            Input::Text(text) => text,
            Input::Cleared => continue,
            Input::End => return Ok(()),
        };
        let done = match spoken(text.trim()) {
            Some(command) => commands::run(&mut shell, command).await,
            None => shell.text(&text).await,
        };
        match done {
            Ok(Flow::On) => {}
            Ok(Flow::Quit) => return Ok(()),
            // The line's beginning is over the ^C that the terminal has shown.
            Err(CliError::Interrupted(landed)) if landed.has_rows() => note_over(format_args!("cancelled; {landed}")),
            Err(CliError::Interrupted(_)) => note_over("cancelled"),
            Err(error) if error.is_broken_pipe() => return Ok(()),
            Err(error) => note(format_args!("error: {error}")),
        }
        if let Some(vocabulary) = editor.vocabulary() {
            // Completion lags behind for once where the store is slow or broken; the next statement says why.
            let _ = tokio::time::timeout(PATIENCE, vocabulary.refresh(&shell.session)).await;
        }
    }
}

/// Statements and commands from a pipe or a file, run as they come.
async fn piped(mut shell: ShellState) -> Result<()> {
    let mut lines = Lines::default();
    loop {
        let reading = tokio::task::spawn_blocking(|| {
            let mut line = String::new();
            std::io::stdin().lock().read_line(&mut line).map(|_| line)
        });
        // A blocking read cannot be interrupted, but needs not be waited for.
        let line = tokio::select! {
            _ = shell.interrupts.recv() => return Err(CliError::Interrupted(opened::landed().await)),
            line = reading => line.unwrap_or_else(|failed| Err(failed.into())),
        };
        let line = doing("reading standard input", line)?;
        let pieces = if line.is_empty() { lines.finish() } else { lines.push(&line) };
        for piece in pieces.map_err(|error| error.at(format!("line {}", lines.line())))? {
            let place = format!("line {}", piece.line());
            match shell.piece(piece).await {
                Ok(Flow::On) => {}
                Ok(Flow::Quit) => return Ok(()),
                Err(CliError::Interrupted(_)) => return Err(CliError::Interrupted(opened::landed().await)),
                Err(error) => return Err(error.at(place)),
            }
        }
        if line.is_empty() {
            return Ok(());
        }
    }
}

impl ShellState {
    /// Runs a text that was typed at once.
    async fn text(&mut self, text: &str) -> Result<Flow> {
        let mut lines = Lines::default();
        let mut pieces = lines.push(text)?;
        pieces.extend(lines.finish()?);
        for piece in pieces {
            if self.piece(piece).await? == Flow::Quit {
                return Ok(Flow::Quit);
            }
        }
        Ok(Flow::On)
    }

    /// Runs a statement or a command.
    async fn piece(&mut self, piece: Piece) -> Result<Flow> {
        match piece {
            Piece::Statement(_, sql) => self.run(&sql).await.map(|()| Flow::On),
            Piece::Command(_, line) => commands::run(self, &line).await,
        }
    }
}
