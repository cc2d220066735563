//! The command line, and the file, of what is followed.

use std::path::{Path, PathBuf};

use clap::Parser;
use serde::Deserialize;
use toml::{Spanned, Table, Value};

use super::input::Ingest;
use super::values::seconds;
use crate::error::{CliError, Result};

#[derive(Debug, clap::Args)]
pub(crate) struct Follow {
    /// A file that says what is followed: a [[ingest]] for each, with table, files and the options of nines ingest
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// How often what is new is stored, counted from midnight UTC [default: the slice width]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub every: Option<i64>,

    /// How long after the end of a slice, for writers that keep lines back [default: 0]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub lag: Option<i64>,

    /// The slice width of a store that this command creates, as 15s [default: 60s]
    #[arg(long, value_name = "WIDTH", value_parser = seconds)]
    pub slice: Option<i64>,
}

/// The file.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Entries {
    ingest: Vec<Spanned<Table>>,
}

/// An entry, as it would stand on the command line.
#[derive(Parser)]
#[command(name = "ingest", disable_help_flag = true)]
struct Entry {
    #[command(flatten)]
    ingest: Ingest,
}

/// Options that are not those of an entry, and where they are said.
const ELSEWHERE: [&str; 5] = ["follow", "every", "lag", "slice", "help"];

impl Follow {
    /// What is followed, an entry after the other.
    pub fn entries(&self) -> Result<Vec<Ingest>> {
        let name = self.file.display();
        let text = std::fs::read_to_string(&self.file).map_err(|error| CliError::Io(name.to_string(), error))?;
        let entries: Entries = toml::from_str(&text)
            .map_err(|error| CliError::Usage(format!("{name}: {}", error.to_string().trim_end())))?;
        if entries.ingest.is_empty() {
            return Err(CliError::Usage(format!("{name}: it has no [[ingest]], so nothing is followed")));
        }
        entries.ingest.into_iter().map(|entry| of_entry(&self.file, &text, &entry)).collect()
    }
}

fn of_entry(file: &Path, text: &str, entry: &Spanned<Table>) -> Result<Ingest> {
    let line = text[..entry.span().start.min(text.len())].matches('\n').count() + 1;
    let refused = |problem: String| CliError::Usage(format!("{}:{line}: [[ingest]]: {problem}", file.display()));
    let mut options = vec!["ingest".to_string()];
    let mut places = Vec::new();
    for (key, value) in entry.get_ref() {
        let key = key.replace('_', "-");
        if ELSEWHERE.contains(&key.as_str()) {
            return Err(refused(format!("{key} is no option of an entry; give it to nines follow")));
        }
        let values = match value {
            Value::Array(values) => values.as_slice(),
            value => std::slice::from_ref(value),
        };
        for value in values {
            let text = match value {
                Value::String(text) => text.clone(),
                Value::Integer(number) => number.to_string(),
                Value::Float(number) => number.to_string(),
                Value::Boolean(true) => {
                    options.push(format!("--{key}"));
                    continue;
                }
                Value::Boolean(false) => continue,
                _ => {
                    return Err(refused(format!("{key}: expected a text, a number, true or false, or a list of them")));
                }
            };
            match key.as_str() {
                "table" => places.insert(0, text),
                "files" => places.push(text),
                _ => options.push(format!("--{key}={text}")),
            }
        }
    }
    for required in ["table", "files"] {
        if !entry.get_ref().contains_key(required) {
            return Err(refused(format!("{required} is missing")));
        }
    }
    options.push("--".to_string());
    options.extend(places);
    Entry::try_parse_from(options).map(|entry| entry.ingest).map_err(|error| {
        let said = error.to_string();
        let said = said.split("\n\nUsage:").next().unwrap_or_default().trim_start_matches("error: ");
        refused(said.trim_end().to_string())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Result<Vec<Ingest>, String> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("follow.toml");
        std::fs::write(&file, text).unwrap();
        let follow = Follow { file: file.clone(), every: None, lag: None, slice: None };
        follow.entries().map_err(|error| error.to_string().replace(&file.display().to_string(), "FILE"))
    }

    #[test]
    fn entries_are_command_lines() {
        let read = entries(
            "[[ingest]]\ntable = 'requests'\nfiles = ['a.log', '-b.log']\nservice = 'shop'\nlabel = ['zone', 'tier=t']\n\
             most_endpoints = 7\nendpoints-as-logged = true\nany-time = false\n[[ingest]]\nfiles = 'c.csv'\ntable = 'events'\n",
        )
        .unwrap();
        let [first, second] = &read[..] else { panic!("{read:?}") };
        assert_eq!(first.files, [PathBuf::from("a.log"), PathBuf::from("-b.log")]);
        assert_eq!((first.service.as_deref(), first.most_endpoints), (Some("shop"), Some(7)));
        assert_eq!(first.label, ["zone", "tier=t"]);
        assert!(first.endpoints_as_logged && !first.any_time);
        assert_eq!((second.table.name(), second.files.len()), ("events", 1));
    }

    #[test]
    fn what_is_wrong_has_its_place() {
        for (text, said) in [
            ("", "FILE: TOML parse error"),
            ("ingest = []", "FILE: it has no [[ingest]]"),
            ("[[ingest]]\ntable = 'requests'", "FILE:1: [[ingest]]: files is missing"),
            (
                "\n[[ingest]]\nfiles = 'a'\ntable = 'request'",
                "FILE:2: [[ingest]]: invalid value 'request' for '<TABLE>'",
            ),
            (
                "[[ingest]]\nfiles = 'a'\ntable = 'requests'\nservise = 'x'",
                "FILE:1: [[ingest]]: unexpected argument '--servise' found",
            ),
            (
                "[[ingest]]\nfiles = 'a'\ntable = 'requests'\nevery = '5m'",
                "FILE:1: [[ingest]]: every is no option of an entry",
            ),
            (
                "[[ingest]]\nfiles = 'a'\ntable = 'requests'\nservice = {}",
                "FILE:1: [[ingest]]: service: expected a text",
            ),
            ("[[ingest]\n", "FILE: TOML parse error at line 1"),
        ] {
            let told = entries(text).unwrap_err();
            assert!(told.starts_with(said), "{told}");
        }
    }
}
