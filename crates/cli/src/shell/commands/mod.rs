//! What begins with a backslash.

mod chart;
mod describe;
mod explain;
mod files;
mod functions;
mod notebook;
mod options;
mod slo;

use super::state::ShellState;
use crate::error::{CliError, Result};
use crate::output::say;

/// A command as help and completion know it; [`run`] says what it does.
pub(super) struct Command {
    pub name: &'static str,
    pub arguments: &'static str,
    pub help: &'static str,
    pub takes: Takes,
}

/// What a command's argument is.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    OneOf(&'static [&'static str]),
}

const ON_OFF: Takes = Takes::OneOf(&["on", "off"]);

const fn command(name: &'static str, arguments: &'static str, takes: Takes, help: &'static str) -> Command {
    Command { name, arguments, help, takes }
}

/// All of them, as help lists them.
pub(super) const ALL: &[Command] = &[
    command("d", "[NAME]", Takes::Table, "the tables; the columns of a table or table function"),
    command("df", "[PATTERN]", Takes::Function, "the functions of Nines, of all with \\df *; one with its description"),
    command("slo", "[NAME]", Takes::Objective, "an objective at a glance; without a name, those in force"),
    command("set", "[NAME VALUE]", Takes::Parameter, "give $NAME a value; without one, list them"),
    command("unset", "NAME", Takes::Parameter, "take it away again"),
    command(
        "chart",
        "[KIND] [x=… y=…]",
        Takes::OneOf(&["line", "bar", "timeline", "heatmap"]),
        "draw the last result: line, bar, timeline, heatmap; options as in notebooks",
    ),
    command("explain", "[STATEMENT]", Takes::Sql, "the plan of a statement; without one, of the last"),
    command(
        "format",
        "[NAME]",
        Takes::OneOf(&["table", "csv", "json", "jsonl", "markdown", "parquet", "arrow"]),
        "print results as table, csv, json, jsonl or markdown; files can be parquet or arrow too",
    ),
    command("o", "[FILE]", Takes::File, "write results to a file; without one, to the screen again"),
    command("i", "FILE", Takes::File, "run the statements and commands of a file"),
    command("save", "FILE.md", Takes::File, "write the statements of this session as a notebook"),
    command(
        "run",
        "NOTEBOOK",
        Takes::Notebook,
        "run a notebook, a file or weekly and the like; what is \\set is its parameters",
    ),
    command("timing", "[on|off]", ON_OFF, "say how long statements take"),
    command("pager", "[on|off]", ON_OFF, "show what does not fit the screen with $PAGER, else less"),
    command("?", "", Takes::Nothing, "this list"),
    command("q", "", Takes::Nothing, "leave; so does Ctrl-D"),
];

/// Whether the shell goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Flow {
    On,
    Quit,
}

pub(super) fn named(name: &str) -> Option<&'static Command> {
    ALL.iter().find(|command| command.name == name)
}

/// Words that people type at any prompt, which would be no SQL.
pub(super) fn is_spoken(text: &str) -> bool {
    spoken(text).is_some()
}

/// The command that such a word means.
pub(super) fn spoken(text: &str) -> Option<&'static str> {
    match text {
        "quit" | "exit" => Some("\\q"),
        "help" => Some("\\?"),
        _ => None,
    }
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
        _ => false,
    };
    if reaches_out && shell.safe {
        return Err(CliError::Usage(format!("\\{name} is not allowed here: the session is safe")));
    }
    if argument.is_empty() && !known.arguments.is_empty() && !known.arguments.starts_with('[') {
        return Err(CliError::Usage(format!("expected \\{name} {}: {}", known.arguments, known.help)));
    }
    if known.takes == Takes::Nothing && !argument.is_empty() {
        return Err(CliError::Usage(format!("\\{name} takes nothing after it")));
    }
    match name {
        "d" => describe::run(shell, argument).await?,
        "df" => functions::run(shell, argument).await?,
        "slo" => slo::run(shell, argument).await?,
        "set" => options::set(shell, argument)?,
        "unset" => options::unset(shell, argument)?,
        "chart" => chart::run(shell, argument)?,
        "save" => notebook::save(shell, argument)?,
        "run" => notebook::run(shell, argument).await?,
        "explain" => explain::run(shell, argument).await?,
        "format" => options::format(shell, argument)?,
        "timing" => shell.timing = options::switch(shell, name, shell.timing, argument)?,
        "pager" => shell.pager = options::switch(shell, name, shell.pager, argument)?,
        "o" => files::output(shell, argument)?,
        "i" => return files::include(shell, argument).await,
        "?" => shell.show_text(&help())?,
        "q" => return Ok(Flow::Quit),
        _ => return Err(unknown(name)),
    }
    Ok(Flow::On)
}

fn help() -> String {
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

/// The name that was probably meant: one that begins so, else one that few letters set apart, or its beginning.
pub(super) fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let names: Vec<&str> = names.collect();
    // Of a single letter every other one is as near as any.
    word.chars().nth(1)?;
    let letters = |text: &str| text.to_lowercase().chars().collect::<Vec<_>>();
    let typed = letters(word);
    let begins = names.iter().find(|name| letters(name).starts_with(&typed));
    begins.copied().or_else(|| nines_engine::slo::nearest(word, &names)).or_else(|| {
        let beginning = |name: &&str| name.chars().take(typed.len() + 1).collect::<String>();
        let beginnings: Vec<String> = names.iter().map(beginning).collect();
        let known: Vec<&str> = beginnings.iter().map(String::as_str).collect();
        let near = nines_engine::slo::nearest(word, &known)?;
        known.iter().position(|beginning| *beginning == near).map(|at| names[at])
    })
}

/// Prints `on` or `off` and the like for whoever reads along.
fn told(shell: &ShellState, line: &str) -> Result<()> {
    if shell.interactive { say(&format!("{line}\n")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_guessed() {
        let names = || ALL.iter().map(|command| command.name);
        for (word, meant) in [("timin", "timing"), ("explian", "explain"), ("sett", "set"), ("fromat", "format")] {
            assert_eq!(nearest(word, names()), Some(meant), "{word}");
        }
        assert_eq!(nearest("logn", ["search", "login-success"].into_iter()), Some("login-success"));
        assert!(nearest("zzzzzz", names()).is_none() && nearest("x", names()).is_none());
    }

    #[test]
    fn each_is_listed_once_and_fits_a_line() {
        let text = help();
        for command in ALL {
            assert_eq!(text.matches(&format!("  \\{} ", command.name)).count(), 1, "{}", command.name);
        }
        assert!(text.lines().all(|line| line.len() <= 120), "{text}");
    }
}
