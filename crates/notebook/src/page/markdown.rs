//! A page as Markdown that GitHub and its like show: results as tables, charts as text in a fence.

use super::{Page, Parts, Shown};
use crate::table::Table;
use crate::term::{self, Look};
use crate::text::escape;

/// Columns of charts.
const WIDE: usize = 96;

/// The page as Markdown.
pub fn markdown(page: &Page) -> String {
    let mut parts = Vec::new();
    if page.heading {
        parts.push(format!("# {}", escape(&page.title)));
    }
    parts.extend(page.description.as_deref().map(escape));
    if !page.parameters.is_empty() {
        let told = page.parameters.iter().map(|(label, value)| format!("- {}: {}", escape(label), escape(value)));
        parts.push(told.collect::<Vec<_>>().join("\n"));
    }
    for block in &page.blocks {
        match block {
            Shown::Text(text) => parts.push(text.clone()),
            Shown::Cell(cell, outcome) => {
                parts.extend(cell.title.as_deref().map(|title| format!("**{}**", escape(title))));
                if !cell.hide {
                    parts.push(fenced("sql", &cell.sql));
                }
                match outcome {
                    Err(error) => parts.push(format!("This cell failed:\n\n{}", fenced("text", error))),
                    Ok(answer) => result(page.parts(cell, answer), &mut parts),
                }
            }
        }
    }
    parts.extend(page.made.as_deref().map(|made| format!("---\n\n{}", escape(made))));
    parts.join("\n\n") + "\n"
}

fn result(shown: Parts, parts: &mut Vec<String>) {
    if let Some(error) = shown.error {
        parts.push(format!("This chart cannot be drawn:\n\n{}", fenced("text", &error)));
    }
    parts.extend(shown.empty.map(|empty| format!("*{}*", escape(&empty))));
    parts.extend(shown.said);
    if let Some(chart) = shown.chart {
        parts.push(fenced("text", &term::terminal(&chart, Look { width: WIDE, colour: false })));
    }
    parts.extend(shown.table.map(|table| rows(&table)));
}

/// A fence longer than any inside.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

fn rows(table: &Table) -> String {
    let line = |texts: &mut dyn Iterator<Item = &String>| {
        format!("| {} |", texts.map(|text| escape(text)).collect::<Vec<_>>().join(" | "))
    };
    let mut out = vec![line(&mut table.columns.iter().map(|(name, _)| name))];
    let rules = table.columns.iter().map(|(_, right)| if *right { "---:" } else { "---" });
    out.push(format!("| {} |", rules.collect::<Vec<_>>().join(" | ")));
    out.extend(table.rows.iter().map(|row| line(&mut row.iter())));
    let mut out = out.join("\n");
    if let Some(rest) = table.rest() {
        out += &format!("\n\n{rest}");
    }
    out
}
