//! A page in a terminal.

use super::{Page, Parts, Shown};
use crate::format::printable;
use crate::term::{self, Look, table, text};

const RED: &str = "31";
const BOLD: &str = "1";
const DIM: &str = "2";

/// The page for a terminal of so many columns, with or without colours.
pub fn terminal(page: &Page, width: usize, colour: bool) -> String {
    let look = Look { width: width.max(30), colour };
    let mut parts = Vec::new();
    if page.heading {
        parts.push(look.paint(&page.title, BOLD));
    }
    parts.extend(page.description.clone());
    if !page.parameters.is_empty() {
        let told = page.parameters.iter().map(|(label, value)| format!("{}: {value}", look.paint(label, DIM)));
        parts.push(told.collect::<Vec<_>>().join("\n"));
    }
    for block in &page.blocks {
        match block {
            Shown::Text(markdown) => parts.push(text::draw(markdown, look)),
            Shown::Cell(cell, outcome) => {
                parts.extend(cell.title.as_ref().map(|title| look.paint(title, BOLD)));
                if !cell.hide {
                    let sql =
                        cell.sql.lines().map(|line| format!("  {}", printable(line))).collect::<Vec<_>>().join("\n");
                    parts.push(look.paint(&sql, DIM));
                }
                match outcome {
                    Err(error) => parts.push(failure("This cell failed", error, look)),
                    Ok(answer) => result(page.parts(cell, answer), look, &mut parts),
                }
            }
        }
    }
    parts.extend(page.made.as_ref().map(|made| look.paint(made, DIM)));
    parts.join("\n\n") + "\n"
}

fn failure(what: &str, error: &str, look: Look) -> String {
    let lines = error.lines().map(|line| format!("{} {line}", look.paint("│", RED)));
    let head = look.paint(&format!("│ {what}"), RED);
    [head].into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn result(shown: Parts, look: Look, parts: &mut Vec<String>) {
    parts.extend(shown.error.map(|error| failure("This chart cannot be drawn", &error, look)));
    parts.extend(shown.empty.map(|empty| look.paint(&empty, DIM)));
    parts.extend(shown.said.map(|said| text::draw(&said, look)));
    parts.extend(shown.chart.map(|chart| term::terminal(&chart, look)));
    parts.extend(shown.table.map(|found| table::draw(&found, look)));
}
