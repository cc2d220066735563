//! `\o` and `\i`: results to files, statements from files.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::{CliError, Result, doing};
use crate::output::Format;
use crate::shell::command::{Command, Does, Flow, Takes};
use crate::shell::split::Lines;
use crate::shell::state::{ResultFile, ShellState};

pub(super) const OUTPUT: Command = Command {
    name: "o",
    arguments: "[FILE]",
    takes: Takes::File,
    help: "write results to a file; without one, to the screen again",
    does: Does::Now(output),
};

pub(super) const INCLUDE: Command = Command {
    name: "i",
    arguments: "FILE",
    takes: Takes::File,
    help: "run the statements and commands of a file",
    does: Does::Later(|shell, argument| Box::pin(include(shell, argument))),
};

/// Files within files; more is a circle.
const DEEPEST: usize = 16;

fn output(shell: &mut ShellState, argument: &str) -> Result<()> {
    if argument.is_empty() {
        shell.file = None;
        return Ok(());
    }
    let path = expanded(argument);
    if path.is_dir() {
        return Err(CliError::Usage(format!("{argument} is a folder; name a file in it")));
    }
    let folder = path.parent().filter(|folder| *folder != Path::new("")).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        return Err(CliError::Usage(format!("{} is no folder; make it first", folder.display())));
    }
    if shell.format.is_none() && Format::of_file(&path).is_err() {
        shell.told("its name says no format, so it gets tables as on the screen; \\format sets another")?;
    }
    shell.file = Some(ResultFile { path, results: 0 });
    Ok(())
}

/// Runs a file. The first error ends it, and says where it is.
async fn include(shell: &mut ShellState, argument: &str) -> Result<()> {
    let path = expanded(argument);
    let file = doing(path.display(), std::fs::File::open(&path))?;
    if shell.depth >= DEEPEST {
        return Err(CliError::Usage(format!("{argument} would run itself again and again")));
    }
    shell.depth += 1;
    let done = run_lines(shell, &path, BufReader::new(file)).await;
    shell.depth -= 1;
    done
}

async fn run_lines(shell: &mut ShellState, path: &Path, mut file: BufReader<std::fs::File>) -> Result<()> {
    let mut lines = Lines::default();
    let mut line = String::new();
    loop {
        line.clear();
        let at_end = doing(path.display(), file.read_line(&mut line))? == 0;
        let pieces = if at_end { lines.finish() } else { lines.push(&line) };
        let pieces = pieces.map_err(|error| error.at(format!("{}:{}", path.display(), lines.line())))?;
        for piece in pieces {
            let place = format!("{}:{}", path.display(), piece.line());
            if shell.piece(piece).await.map_err(|error| error.at(place))? == Flow::Quit {
                // The file is over, not the shell that reads it.
                return Ok(());
            }
        }
        if at_end {
            return Ok(());
        }
    }
}

/// The path that is meant: without quotes, `~` as the home folder.
pub(super) fn expanded(argument: &str) -> PathBuf {
    let quoted = ['\'', '"'].iter().find_map(|quote| argument.strip_prefix(*quote)?.strip_suffix(*quote));
    let argument = quoted.unwrap_or(argument);
    match (argument.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(argument),
    }
}
