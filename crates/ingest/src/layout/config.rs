//! Formats of logs as the configuration of nginx or Apache defines them.

use std::path::Path;

use super::field::refused;
use super::log_format::{Layout, LogFormat};
use super::{apache, nginx};
use crate::{IngestError, Result};

/// A format that a file defines.
struct Defined {
    name: String,
    text: String,
    by: By,
}

#[derive(Clone, Copy, PartialEq)]
enum By {
    Nginx,
    Apache,
}

/// The format of this name that a file defines; without a name the one that it defines.
pub(super) fn read(path: &Path, name: Option<&str>) -> Result<LogFormat> {
    let file = path.display().to_string();
    let bytes = std::fs::read(path).map_err(|error| IngestError::io(&file, error))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut all = of_nginx(&text);
    all.extend(of_apache(&text));
    let names = || all.iter().map(|defined| defined.name.as_str()).collect::<Vec<_>>().join(", ");
    let chosen = match name {
        // What stands last counts, as in the configuration.
        Some(name) => all.iter().rfind(|defined| defined.name == name),
        None => all.first().filter(|first| all.iter().all(|other| other.name == first.name)),
    };
    let Some(Defined { name, text, by }) = chosen else {
        return Err(match (all.is_empty(), name) {
            (true, _) => {
                refused(format!("{file} defines no format")).expected("a log_format of nginx or a LogFormat of Apache")
            }
            (_, Some(name)) => refused(format!("{file} defines no format {name:?}")).expected(names()),
            (_, None) => refused(format!("{file} defines several formats"))
                .expected(format!("one of them, as {file}#NAME: {}", names())),
        });
    };
    let (kind, layout) = match by {
        By::Nginx => ("log_format", nginx::read(text)),
        By::Apache => ("LogFormat", apache::read(text)),
    };
    let layout = Layout::Text(layout.map_err(|error| error.in_file(&file))?);
    Ok(LogFormat::new(format!("{kind} {name} of {file}"), text, layout))
}

/// `log_format NAME [escape=…] 'text' 'more text';`
fn of_nginx(text: &str) -> Vec<Defined> {
    let mut found = Vec::new();
    let mut words = NginxWords { rest: text };
    while let Some(word) = words.next() {
        if word.as_deref() != Some("log_format") {
            continue;
        }
        let mut parts = Vec::new();
        while let Some(Some(part)) = words.next() {
            parts.push(part);
        }
        if let [name, texts @ ..] = parts.as_slice()
            && !texts.is_empty()
        {
            let texts = texts.iter().filter(|text| !text.starts_with("escape="));
            found.push(Defined { name: name.clone(), text: texts.map(String::as_str).collect(), by: By::Nginx });
        }
    }
    found
}

/// Words of nginx's configuration; `None` for what ends a statement.
struct NginxWords<'a> {
    rest: &'a str,
}

impl Iterator for NginxWords<'_> {
    type Item = Option<String>;

    fn next(&mut self) -> Option<Option<String>> {
        loop {
            self.rest = self.rest.trim_start();
            match self.rest.strip_prefix('#') {
                Some(comment) => self.rest = comment.split_once('\n').map_or("", |(_, rest)| rest),
                None => break,
            }
        }
        let first = self.rest.chars().next()?;
        if matches!(first, ';' | '{' | '}') {
            self.rest = &self.rest[1..];
            return Some(None);
        }
        let quote = matches!(first, '\'' | '"').then_some(first);
        let mut word = String::new();
        let mut end = self.rest.len();
        let mut letters = self.rest.char_indices().skip(usize::from(quote.is_some()));
        while let Some((at, letter)) = letters.next() {
            match (letter, quote) {
                // What follows ends nothing.
                ('\\', _) => {
                    word.extend([Some('\\'), letters.next().map(|(_, escaped)| escaped)].into_iter().flatten())
                }
                (letter, Some(quote)) if letter == quote => {
                    end = at + 1;
                    break;
                }
                (letter, None) if letter.is_whitespace() || matches!(letter, ';' | '{') => {
                    end = at;
                    break;
                }
                (letter, _) => word.push(letter),
            }
        }
        self.rest = &self.rest[end..];
        Some(Some(nginx::unescaped(&word)))
    }
}

/// `LogFormat "text" name`, a line each; a backslash at the end joins the next.
fn of_apache(text: &str) -> Vec<Defined> {
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    let lines = joined.lines().filter_map(|line| {
        let line = line.trim();
        let rest =
            line.get(..10).filter(|word| word.eq_ignore_ascii_case("LogFormat ")).map(|_| line[10..].trim_start())?;
        let quoted = rest.strip_prefix('"')?;
        let mut escaped = false;
        let end = quoted.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        let name = quoted[end + 1..].split_whitespace().next().unwrap_or_default();
        Some(Defined { name: name.to_string(), text: quoted[..end].to_string(), by: By::Apache })
    });
    lines.collect()
}
