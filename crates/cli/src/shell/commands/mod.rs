//! What begins with a backslash: one command per file, or a few of a kind.

mod chart;
mod describe;
mod explain;
mod files;
mod functions;
mod notebook;
mod options;
mod slo;

use super::command::{Command, Does, Flow, Takes};
use super::nearest::nearest;
use super::state::ShellState;
use crate::error::{CliError, Result};

/// All of them, as help lists them.
pub(super) const ALL: &[Command] = &[
    describe::TABLES,
    functions::FUNCTIONS,
    slo::OBJECTIVE,
    options::SET,
    options::UNSET,
    chart::CHART,
    explain::EXPLAIN,
    options::FORMAT,
    files::OUTPUT,
    files::INCLUDE,
    notebook::SAVE,
    notebook::RUN,
    options::TIMING,
    options::PAGER,
    HELP,
    QUIT,
];

const HELP: Command =
    Command { name: "?", arguments: "", takes: Takes::Nothing, help: "this list", does: Does::Now(help) };

const QUIT: Command =
    Command { name: "q", arguments: "", takes: Takes::Nothing, help: "leave; so does Ctrl-D", does: Does::Quit };

pub(super) fn named(name: &str) -> Option<&'static Command> {
    ALL.iter().find(|command| command.name == name)
}

/// Runs a command's line.
pub(super) async fn run(shell: &mut ShellState, line: &str) -> Result<Flow> {
    let line = line.trim().trim_start_matches('\\');
    let (name, argument) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
    // Whoever is used to ending everything with a semicolon means nothing by it.
    let (name, argument) = (name.trim_end_matches(';'), argument.trim());
    let known = named(name).ok_or_else(|| unknown(name))?;
    let reaches_out = match known.takes {
        Takes::File => true,
        Takes::Notebook => crate::notebooks::text(argument).is_none(),
        Takes::Nothing
        | Takes::Table
        | Takes::Function
        | Takes::Objective
        | Takes::Parameter
        | Takes::Sql
        | Takes::OneOf(_) => false,
    };
    if reaches_out && shell.safe {
        return Err(CliError::Usage(format!("\\{name} is not allowed here: the session is safe")));
    }
    if argument.is_empty() && !known.arguments.is_empty() && !known.arguments.starts_with('[') {
        return Err(CliError::Usage(format!("expected \\{name} {}: {}", known.arguments, known.help)));
    }
    if matches!(known.takes, Takes::Nothing) && !argument.is_empty() {
        return Err(CliError::Usage(format!("\\{name} takes nothing after it")));
    }
    match known.does {
        Does::Now(does) => does(shell, argument)?,
        Does::Later(does) => does(shell, argument).await?,
        Does::Quit => return Ok(Flow::Quit),
    }
    Ok(Flow::On)
}

fn help(shell: &mut ShellState, _: &str) -> Result<()> {
    shell.show_text(&listed())
}

/// The commands in lines.
fn listed() -> String {
    let mut text = String::from(
        "Statements end with ; or \\g. Each result is a table: _ the last one, _1, _2 and so on. Tab completes, the up arrow\n\
         recalls, Ctrl-C cancels.\n\n",
    );
    for command in ALL {
        let usage = format!("\\{} {}", command.name, command.arguments);
        text.push_str(&format!("  {usage:24}{}\n", command.help));
    }
    text
}

fn unknown(name: &str) -> CliError {
    let near = nearest(name, ALL.iter().map(|command| command.name));
    let meant = near.map_or_else(String::new, |near| format!(" did you mean \\{near}?"));
    CliError::Usage(format!("\\{name} is no command;{meant} \\? lists all of them"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_listed_once_and_fits_a_line() {
        let text = listed();
        for command in ALL {
            assert_eq!(text.matches(&format!("  \\{} ", command.name)).count(), 1, "{}", command.name);
        }
        assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    }
}
