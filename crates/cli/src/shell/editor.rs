//! The line editor of a terminal: multi-line, coloured, completing, with a history in the user's state folder.

use std::borrow::Cow;
use std::path::PathBuf;

use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::{ValidationContext, ValidationResult, Validator};
use rustyline::{CompletionType, Config, Context, Editor as Rustyline, Helper};

use super::complete::complete;
use super::highlight::highlighted;
use super::split::is_finished;
use super::vocabulary::Vocabulary;
use crate::error::{CliError, Result};

/// Entries of the history.
const REMEMBERED: usize = 10_000;
/// Candidates that are listed without asking.
const LISTED: usize = 60;

pub(super) struct Editor {
    line: Rustyline<Typing, FileHistory>,
    history: Option<PathBuf>,
}

/// What a person typed.
pub(super) enum Input {
    Text(String),
    /// The line was given up.
    Cleared,
    End,
}

impl Editor {
    pub fn new(safe: bool) -> Result<Editor> {
        let config = Config::builder()
            .max_history_size(REMEMBERED)
            .and_then(|config| config.history_ignore_dups(true))
            .map_err(failed)?
            .history_ignore_space(true)
            .completion_type(CompletionType::List)
            .completion_prompt_limit(LISTED)
            .completion_show_all_if_ambiguous(true)
            .build();
        let mut line = Rustyline::with_config(config).map_err(failed)?;
        line.set_helper(Some(Typing { vocabulary: Vocabulary::default(), safe }));
        // A safe session leaves nothing behind, not even what was typed.
        let history = if safe { None } else { history_file() };
        if let Some(history) = &history {
            // There is none the first time.
            let _ = line.load_history(history);
        }
        Ok(Editor { line, history })
    }

    /// The names to complete from now on.
    pub fn vocabulary(&mut self) -> Option<&mut Vocabulary> {
        self.line.helper_mut().map(|typing| &mut typing.vocabulary)
    }

    /// Reads until nothing is open.
    pub fn read(&mut self) -> Result<Input> {
        match self.line.readline("nines> ") {
            Ok(text) => {
                self.remember(&text);
                Ok(Input::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Input::Cleared),
            Err(ReadlineError::Eof) => Ok(Input::End),
            Err(error) => Err(failed(error)),
        }
    }

    fn remember(&mut self, text: &str) {
        let text = text.trim_end();
        if text.is_empty() || !self.line.add_history_entry(text).unwrap_or(false) {
            return;
        }
        if let Some(history) = &self.history {
            // Written at once, and after what other shells wrote meanwhile. Without it the session goes on.
            let _ = self.line.append_history(history);
        }
    }
}

/// `$XDG_STATE_HOME/nines/history`, by default under `~/.local/state`. None where its folder cannot be made.
fn history_file() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let folder = state.or_else(|| Some(std::env::home_dir()?.join(".local/state")))?.join("nines");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("history"))
}

fn failed(error: ReadlineError) -> CliError {
    match error {
        ReadlineError::Io(error) => CliError::Io("reading the terminal".to_string(), error),
        error => CliError::Io("reading the terminal".to_string(), std::io::Error::other(error)),
    }
}

/// What helps while typing.
struct Typing {
    vocabulary: Vocabulary,
    safe: bool,
}

impl Helper for Typing {}

impl Hinter for Typing {
    type Hint = String;
}

impl Completer for Typing {
    type Candidate = Pair;

    fn complete(&self, line: &str, cursor: usize, _: &Context<'_>) -> rustyline::Result<(usize, Vec<Pair>)> {
        Ok(complete(&self.vocabulary, line, cursor, self.safe))
    }
}

impl Highlighter for Typing {
    fn highlight<'l>(&self, line: &'l str, _: usize) -> Cow<'l, str> {
        Cow::Owned(highlighted(line, &self.vocabulary))
    }

    fn highlight_char(&self, _: &str, _: usize, kind: CmdKind) -> bool {
        kind != CmdKind::MoveCursor
    }
}

impl Validator for Typing {
    fn validate(&self, typed: &mut ValidationContext<'_>) -> rustyline::Result<ValidationResult> {
        Ok(if is_finished(typed.input()) { ValidationResult::Valid(None) } else { ValidationResult::Incomplete })
    }
}
