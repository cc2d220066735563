//! SQL cells: a fence whose info line says how to show the result.
//!
//! | option | meaning |
//! |---|---|
//! | `chart=line`, `bar`, `timeline`, `heatmap` | draw it; see [`crate::chart`] for what each takes |
//! | `x=`, `y=a,b`, `series=` (or `color=`) | the chart's columns |
//! | `target=0.999` | a rule across the chart, in the values' own measure |
//! | `stack` | bars of several series on top of each other |
//! | `unit=%` | the measure of the columns of `y` (without it of all floats): `%` of a share of 1, `seconds`, `ms` and `minutes` as durations, anything else is written behind the number |
//! | `unit=slo:%,cost:EUR` | the same, column by column |
//! | `name=` | the result is a table of this name to later cells |
//! | `zoom` | a timeline covers what its rows cover, not the range that the page is about |
//! | `quiet` | show nothing of it, unless it fails: it only makes its table |
//! | `title="…"` | stands above the result |
//! | `empty="…"` | is said where there are no rows |
//! | `optional` | show nothing of it where there are no rows |
//! | `text` | each row is a sentence: the page says it, without a table |
//! | `table` | show the table besides the chart |
//! | `hide` | do not show the SQL |
//!
//! A value with spaces, commas or quotes stands in double quotes, `\"` and `\\` inside.

use crate::chart::{ChartKind, ChartSpec};
use crate::format::printable;
use crate::mistake::{self, Notes, Place};
use crate::parameter::is_name;
use crate::unit::{Unit, Units};

/// A SQL cell.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Cell {
    /// What it asks.
    pub sql: String,
    /// Under which name later cells can read the result.
    pub name: Option<String>,
    /// What stands above the result.
    pub title: Option<String>,
    /// What is said if there are no rows.
    pub empty: Option<String>,
    /// Whether nothing is shown of it if there are no rows.
    pub optional: bool,
    /// Whether rows are sentences.
    pub text: bool,
    /// Whether a timeline covers what its rows cover, not the page's range.
    pub zoom: bool,
    /// Whether nothing is shown of it unless it fails.
    pub quiet: bool,
    /// Whether the SQL is kept from the page.
    pub hide: bool,
    /// Whether the table stands besides the chart.
    pub table: bool,
    /// The chart.
    pub chart: Option<ChartSpec>,
    /// The measures of its columns.
    pub units: Units,
}

const OPTIONS: &[&str] = &[
    "chart", "x", "y", "series", "color", "target", "stack", "unit", "name", "title", "empty", "optional", "text",
    "zoom", "quiet", "table", "hide",
];

/// Reads the options of an info line, all that stands behind `sql`.
pub(crate) fn options(line: &str, place: Place, notes: &mut Notes<'_>) -> Cell {
    let mut cell = Cell::default();
    let mut spec = ChartSpec::default();
    let (mut kind, mut seen, mut first_of_chart) = (None, Vec::new(), None);
    for Word { at, key, value } in words(line, place, notes) {
        let known = OPTIONS.iter().find(|known| **known == key);
        let Some(known) = known else {
            notes.note(at, format!("a cell has no option '{key}'"), Some(mistake::hint(&key, OPTIONS)));
            continue;
        };
        let same = if *known == "color" { "series" } else { known };
        if seen.contains(&same) {
            notes.note(at, format!("the option '{key}' stands here again"), None);
            continue;
        }
        seen.push(same);
        let flag = matches!(*known, "stack" | "optional" | "text" | "zoom" | "quiet" | "table" | "hide");
        let value = match value {
            Some(value) if !flag && !value.is_empty() => value,
            None if flag => String::new(),
            _ if flag => {
                notes.note(at, format!("the option '{key}' takes no value"), None);
                continue;
            }
            _ => {
                notes.note(at, format!("the option '{key}' needs a value"), Some(format!("write {key}=…")));
                continue;
            }
        };
        if matches!(*known, "x" | "y" | "series" | "color" | "target" | "stack") {
            first_of_chart.get_or_insert((at, key.clone()));
        }
        match *known {
            "chart" => match ChartKind::ALL.iter().find(|kind| kind.name() == value) {
                Some(found) => kind = Some(*found),
                None => {
                    let names: Vec<&str> = ChartKind::ALL.iter().map(|kind| kind.name()).collect();
                    notes.note(at, format!("there is no chart '{value}'"), Some(mistake::hint(&value, &names)));
                    // What else is wrong has nothing to do with this.
                    kind = Some(ChartKind::Line);
                }
            },
            "x" => spec.x = Some(value),
            "y" => spec.y = value.split(',').map(|name| name.trim().to_string()).collect(),
            "series" | "color" => spec.series = Some(value),
            "target" => match value.parse::<f64>() {
                Ok(target) if target.is_finite() => spec.target = Some(target),
                _ => notes.note(at, format!("target must be a number, got '{value}'"), None),
            },
            "stack" => spec.stack = true,
            "unit" => cell.units = Units::read(&value),
            "name" if is_name(&value) => cell.name = Some(value),
            "name" => {
                let hint = "use letters, digits and _, beginning with a letter".to_string();
                notes.note(at, format!("'{value}' cannot be the name of a table"), Some(hint));
            }
            "title" => cell.title = Some(printable(&value)),
            "empty" => cell.empty = Some(printable(&value)),
            "optional" => cell.optional = true,
            "text" => cell.text = true,
            "zoom" => cell.zoom = true,
            "quiet" => cell.quiet = true,
            "table" => cell.table = true,
            _ => cell.hide = true,
        }
    }
    match (kind, first_of_chart) {
        (Some(kind), _) => cell.chart = Some(ChartSpec { kind, ..spec }),
        (None, Some((at, key))) => {
            notes.note(at, format!("'{key}' is an option of charts"), Some("add such as chart=line".to_string()));
        }
        (None, None) => {}
    }
    cell
}

/// The info line of a cell, beginning with `sql`.
pub(crate) fn info(cell: &Cell) -> String {
    let mut words = vec!["sql".to_string()];
    let mut option = |key: &str, value: &str| words.push(format!("{key}={}", quote(value)));
    if let Some(chart) = &cell.chart {
        option("chart", chart.kind.name());
        for (key, value) in [("x", &chart.x), ("series", &chart.series)] {
            value.iter().for_each(|value| option(key, value));
        }
        if !chart.y.is_empty() {
            option("y", &chart.y.join(","));
        }
        if let Some(target) = chart.target {
            option("target", &target.to_string());
        }
    }
    match (&cell.units.all, cell.units.columns.as_slice()) {
        (Unit::Guess, []) => {}
        (unit, columns) => {
            let all = (*unit != Unit::Guess).then(|| unit.name().to_string());
            let each = columns.iter().map(|(column, unit)| format!("{column}:{}", unit.name()));
            option("unit", &all.into_iter().chain(each).collect::<Vec<_>>().join(","));
        }
    }
    for (key, value) in [("name", &cell.name), ("title", &cell.title), ("empty", &cell.empty)] {
        value.iter().for_each(|value| option(key, value));
    }
    let stack = cell.chart.as_ref().is_some_and(|chart| chart.stack);
    let flags = [
        (stack, "stack"),
        (cell.optional, "optional"),
        (cell.text, "text"),
        (cell.zoom, "zoom"),
        (cell.quiet, "quiet"),
        (cell.table, "table"),
        (cell.hide, "hide"),
    ];
    for (flag, name) in flags {
        words.extend(flag.then(|| name.to_string()));
    }
    words.join(" ")
}

fn quote(value: &str) -> String {
    if !value.is_empty() && !value.contains(|c: char| c.is_whitespace() || c == '"' || c == '\\') {
        return value.to_string();
    }
    // An info line ends with its line.
    let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace(['\n', '\r'], " ");
    format!("\"{value}\"")
}

struct Word {
    at: Place,
    key: String,
    value: Option<String>,
}

fn words(line: &str, place: Place, notes: &mut Notes<'_>) -> Vec<Word> {
    let mut words = Vec::new();
    let mut letters = line.chars().enumerate().peekable();
    while let Some(&(start, c)) = letters.peek() {
        if c.is_whitespace() {
            letters.next();
            continue;
        }
        let at = Place { column: place.column + start, ..place };
        let (mut key, mut value, mut quoted, mut closed) = (String::new(), None::<String>, false, true);
        while let Some((_, c)) = letters.next_if(|(_, c)| quoted || !c.is_whitespace()) {
            match (c, &mut value) {
                ('=', None) => value = Some(String::new()),
                ('"', Some(_)) => {
                    quoted = !quoted;
                    closed = !quoted;
                }
                ('\\', Some(value)) if quoted => {
                    let escaped = letters.next_if(|(_, c)| matches!(c, '"' | '\\'));
                    value.push(escaped.map_or('\\', |(_, c)| c));
                }
                (c, Some(value)) => value.push(c),
                (c, None) => key.push(c),
            }
        }
        if !closed {
            notes.note(at, "the quotes are not closed", None);
        }
        words.push(Word { at, key, value });
    }
    words
}
