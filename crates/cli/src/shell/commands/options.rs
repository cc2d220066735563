//! `\set`, `\unset`, `\format`, and what is on or off.

use clap::ValueEnum;
use nines_engine::Parameter;

use crate::error::{CliError, Result};
use crate::output::{Format, say};
use crate::shell::cells::Setting;
use crate::shell::command::{Command, Does, Takes};
use crate::shell::nearest::nearest;
use crate::shell::state::ShellState;

pub(super) const SET: Command = Command {
    name: "set",
    arguments: "[NAME VALUE]",
    takes: Takes::Parameter,
    help: "give $NAME a value; without one, list them",
    does: Does::Now(set),
};

pub(super) const UNSET: Command = Command {
    name: "unset",
    arguments: "NAME",
    takes: Takes::Parameter,
    help: "take it away again",
    does: Does::Now(unset),
};

pub(super) const FORMAT: Command = Command {
    name: "format",
    arguments: "[NAME]",
    takes: Takes::OneOf(formats),
    help: "print results as table, csv, json, jsonl or markdown; files can be parquet or arrow too",
    does: Does::Now(format),
};

pub(super) const TIMING: Command = Command {
    name: "timing",
    arguments: "[on|off]",
    takes: Takes::OneOf(on_and_off),
    help: "say how long statements take",
    does: Does::Now(timing),
};

pub(super) const PAGER: Command = Command {
    name: "pager",
    arguments: "[on|off]",
    takes: Takes::OneOf(on_and_off),
    help: "show what does not fit the screen with $PAGER, else less",
    does: Does::Now(pager),
};

fn set(shell: &mut ShellState, argument: &str) -> Result<()> {
    if argument.is_empty() {
        let settings = shell.settings();
        let width = settings.iter().map(|set| set.name.chars().count()).max().unwrap_or_default();
        let lines: String = settings.iter().map(|set| format!("{}\n", line(set, width))).collect();
        return if lines.is_empty() { shell.told("nothing is set; try \\set from 2026-10-01") } else { say(&lines) };
    }
    let (name, value) = argument.split_once(|c: char| c.is_whitespace() || c == '=').unwrap_or((argument, ""));
    let name = name.trim_start_matches('$');
    let value = value.trim_start().trim_start_matches('=').trim_start();
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_alphanumeric() || c == '_');
    if !is_name {
        return Err(CliError::Usage(format!("{name:?} is no name; expected \\set NAME VALUE, to be used as $NAME")));
    }
    if value.is_empty() {
        return match shell.settings().iter().find(|set| set.name == name) {
            Some(set) => say(&format!("{}\n", line(set, 0))),
            None => Err(CliError::Usage(format!("${name} has no value; give it one with \\set {name} VALUE"))),
        };
    }
    shell.parameters.insert(name.to_string(), value.to_string());
    // Whether 7 is a number or last week a time is worth a look.
    match shell.settings().iter().find(|set| set.name == name) {
        Some(set) => shell.told(&line(set, 0)),
        None => Ok(()),
    }
}

/// A name with its value, and what that was taken for.
fn line(set: &Setting, width: usize) -> String {
    let taken = match &set.value {
        Parameter::Text(text) if *text != set.typed && !set.typed.starts_with('\'') => text,
        Parameter::Text(_) => "text",
        Parameter::Number(_) => "number",
        Parameter::Bool(_) => "truth value",
        _ => "nothing",
    };
    format!("${:width$} = {} ({taken})", set.name, set.typed)
}

fn unset(shell: &mut ShellState, argument: &str) -> Result<()> {
    let name = argument.trim_start_matches('$');
    match shell.parameters.remove(name) {
        Some(_) => Ok(()),
        None => Err(CliError::Usage(format!("${name} is not set"))),
    }
}

/// The names of all formats.
fn formats() -> Vec<String> {
    let names = Format::value_variants().iter().filter_map(Format::to_possible_value);
    names.map(|known| known.get_name().to_string()).collect()
}

fn format(shell: &mut ShellState, argument: &str) -> Result<()> {
    let names = formats();
    if argument.is_empty() {
        let now = shell.format.and_then(|format| format.to_possible_value());
        let now = now.map_or_else(|| "table".to_string(), |format| format.get_name().to_string());
        return say(&format!("{now} (of {})\n", names.join(", ")));
    }
    match Format::from_str(argument, true) {
        Ok(format) => {
            shell.format = Some(format);
            Ok(())
        }
        Err(_) => {
            let near = nearest(argument, names.iter().map(String::as_str));
            let meant = near.map_or_else(
                || format!("expected one of {}", names.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            Err(CliError::Usage(format!("{argument} is no format; {meant}")))
        }
    }
}

fn on_and_off() -> Vec<String> {
    ["on", "off"].map(str::to_string).to_vec()
}

fn timing(shell: &mut ShellState, argument: &str) -> Result<()> {
    shell.timing = switch(shell, "timing", shell.timing, argument)?;
    Ok(())
}

fn pager(shell: &mut ShellState, argument: &str) -> Result<()> {
    shell.pager = switch(shell, "pager", shell.pager, argument)?;
    Ok(())
}

/// The new state of something that is on or off; without an argument, the other one.
fn switch(shell: &ShellState, name: &str, now: bool, argument: &str) -> Result<bool> {
    let state = match argument {
        "" => !now,
        "on" => true,
        "off" => false,
        _ => return Err(CliError::Usage(format!("expected \\{name} on or \\{name} off"))),
    };
    // Piped, what is printed is results.
    shell.told(&format!("{name} is {}", if state { "on" } else { "off" }))?;
    Ok(state)
}
