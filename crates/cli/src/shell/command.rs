//! A command of the shell: what it is called, what it takes and what it does.

use futures::future::LocalBoxFuture;

use super::state::ShellState;
use crate::error::Result;

/// A command.
pub(super) struct Command {
    pub name: &'static str,
    /// What stands behind it, as help writes it; in brackets if it may be left out.
    pub arguments: &'static str,
    pub takes: Takes,
    pub help: &'static str,
    pub does: Does,
}

/// What a command's argument is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Takes {
    Nothing,
    Table,
    Function,
    Objective,
    Parameter,
    Sql,
    /// A file: refused where the session is safe.
    File,
    /// One too, or a notebook that comes with Nines.
    Notebook,
    OneOf(fn() -> Vec<String>),
}

/// What a command does with its argument.
pub(super) enum Does {
    /// Something that is done at once.
    Now(fn(&mut ShellState, &str) -> Result<()>),
    /// Something that is waited for.
    Later(for<'a> fn(&'a mut ShellState, &'a str) -> LocalBoxFuture<'a, Result<()>>),
    /// It ends the shell.
    Quit,
}

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Flow {
    On,
    Quit,
}
