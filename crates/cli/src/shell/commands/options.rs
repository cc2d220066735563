//! `\set`, `\unset`, `\format`, and what is on or off.

use clap::ValueEnum;
use nines_engine::Parameter;

use super::{nearest, told};
use crate::error::{CliError, Result};
use crate::output::{Format, say};
use crate::shell::cells::Setting;
use crate::shell::state::ShellState;

pub(super) fn set(shell: &mut ShellState, argument: &str) -> Result<()> {
    if argument.is_empty() {
        let settings = shell.settings();
        let width = settings.iter().map(|set| set.name.chars().count()).max().unwrap_or_default();
        let lines: String = settings.iter().map(|set| format!("{}\n", line(set, width))).collect();
        return if lines.is_empty() { told(shell, "nothing is set; try \\set from 2026-10-01") } else { say(&lines) };
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
        Some(set) => told(shell, &line(set, 0)),
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

pub(super) fn unset(shell: &mut ShellState, argument: &str) -> Result<()> {
    let name = argument.trim_start_matches('$');
    match shell.parameters.remove(name) {
        Some(_) => Ok(()),
        None => Err(CliError::Usage(format!("${name} is not set"))),
    }
}

pub(super) fn format(shell: &mut ShellState, argument: &str) -> Result<()> {
    let names = || Format::value_variants().iter().filter_map(Format::to_possible_value);
    if argument.is_empty() {
        let names: Vec<String> = names().map(|known| known.get_name().to_string()).collect();
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
            let names: Vec<String> = names().map(|known| known.get_name().to_string()).collect();
            let near = nearest(argument, names.iter().map(String::as_str));
            let meant = near.map_or_else(
                || format!("expected one of {}", names.join(", ")),
                |near| format!("did you mean {near}?"),
            );
            Err(CliError::Usage(format!("{argument} is no format; {meant}")))
        }
    }
}

/// The new state of something that is on or off; without an argument, the other one.
pub(super) fn switch(shell: &ShellState, name: &str, now: bool, argument: &str) -> Result<bool> {
    let state = match argument {
        "" => !now,
        "on" => true,
        "off" => false,
        _ => return Err(CliError::Usage(format!("expected \\{name} on or \\{name} off"))),
    };
    // Piped, what is printed is results.
    told(shell, &format!("{name} is {}", if state { "on" } else { "off" }))?;
    Ok(state)
}
