//! The page as Markdown.

use std::fmt::Write;

use crate::statement::months::{COLUMNS as MONTH_COLUMNS, SAID as MONTHS};
use crate::statement::outages::Outages;
use crate::statement::page::{DayCell, Page, Section, Standing};
use crate::statement::strip::State;
use crate::statement::{IssuedStatement, StatementError};

/// One page of Markdown for a customer: all statements of a period. They must be about one customer and period.
pub fn markdown(statements: &[IssuedStatement], standing: Standing) -> Result<String, StatementError> {
    let page = Page::of(statements, standing)?;
    let mut out = format!("# {}\n\n", text(&page.title));
    if let Some(draft) = page.draft {
        put(&mut out, format_args!("> **DRAFT.** {draft}\n\n"));
    }
    table(
        &mut out,
        &["Service", "Agreement", "Availability", "Commitment", "Credit", "Amount"],
        page.sections.iter().map(|section| {
            let kept = if section.kept { "kept" } else { "**not kept**" };
            [
                text(&named(section)),
                text(&section.agreement),
                section.availability.clone(),
                format!("{}, {kept}", section.commitment),
                section.credit.clone(),
                text(&section.amount),
            ]
        }),
    );
    if !page.totals.is_empty() {
        put(&mut out, format_args!("Credited in all: **{}**\n\n", text(&page.totals.join(", "))));
    }
    for section in &page.sections {
        write_section(&mut out, section);
    }
    Ok(out.trim_end().to_string() + "\n")
}

fn named(section: &Section) -> String {
    if section.business.is_empty() {
        section.service.clone()
    } else {
        format!("{} · {}", section.business, section.service)
    }
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(arguments);
}

fn write_section(out: &mut String, section: &Section) {
    put(out, format_args!("## {}\n\n", text(&named(section))));
    if let Some(incomplete) = &section.incomplete {
        put(out, format_args!("> **Provisional.** {}\n\n", text(incomplete)));
    }
    put(out, format_args!("{}\n\n", text(&section.issuer)));
    put(out, format_args!("### What is agreed: {}\n\n", text(&section.agreement)));
    if let Some(description) = &section.description {
        put(out, format_args!("{}\n\n", text(description)));
    }
    for clause in &section.clauses {
        put(out, format_args!("- **{}:** {}\n", clause.name, text(&clause.text)));
    }
    if let Some(beside) = &section.beside {
        put(out, format_args!("\n{}\n", text(beside)));
    }
    if !section.figures.is_empty() {
        put(out, format_args!("\n### The figures\n\n"));
        let rows = section.figures.iter().map(|row| row.each_ref().map(|cell| text(cell)));
        table(out, &["Of", "Availability", "Commitment", "Credit"], rows);
        out.pop();
    }
    let of = section.decides.as_ref().map_or_else(String::new, |decides| format!(" of {decides}"));
    put(out, format_args!("\n### The days{} ({})\n\n", text(&of), text(&section.zone)));
    strip(out, &section.days);
    if !section.months.is_empty() {
        put(out, format_args!("### The months ({})\n\n{MONTHS}\n\n", text(&section.zone)));
        let rows = section.months.iter().map(|row| row.each_ref().map(|cell| text(cell)));
        table(out, &MONTH_COLUMNS, rows);
    }
    if let Some(Outages { said, rows }) = &section.outages {
        put(out, format_args!("### Outages\n\n{said}\n\n"));
        if !rows.is_empty() {
            let rows = rows.iter().map(|row| row.each_ref().map(|cell| text(cell)));
            let [from, to] = ["From", "To"].map(|name| format!("{name} ({})", section.zone));
            table(out, &[&from, &to, "Downtime"], rows);
        }
    } else {
        put(out, format_args!("### The worst slices\n\n"));
        if section.worst.is_empty() {
            put(out, format_args!("No slice lowers the availability by its failures.\n\n"));
        } else {
            put(out, format_args!("{}\n\n", crate::statement::page::of_all(section)));
            let rows = section.worst.iter().map(|row| row.each_ref().map(|cell| text(cell)));
            table(out, &[&format!("Time ({})", section.zone), "Valid", "Failed", "Error rate"], rows);
        }
    }
    put(out, format_args!("### Exclusions\n\n"));
    if section.exclusions.is_empty() {
        put(out, format_args!("None.\n\n"));
    } else {
        let rows = section.exclusions.iter().map(|row| row.each_ref().map(|cell| text(cell)));
        let [from, to, announced] = ["From", "To", "Announced"].map(|name| format!("{name} ({})", section.zone));
        table(out, &["Category", "Id", &from, &to, &announced, "Effect"], rows);
    }
    put(out, format_args!("### The arithmetic\n\n"));
    for (i, step) in section.steps.iter().enumerate() {
        put(out, format_args!("{}. **{}**\n", i + 1, step.title));
        for line in &step.lines {
            put(out, format_args!("   - {}\n", text(line)));
        }
    }
    put(out, format_args!("\n### This statement\n\n{}\n\n", text(&section.revision)));
    for change in &section.changes {
        put(out, format_args!("- {}\n", text(change)));
    }
    if !section.changes.is_empty() {
        out.push('\n');
    }
    put(out, format_args!("SHA-256 `{}`, computed by {}.\n\n", section.sha256, text(&section.made_by)));
    if let Some((key, signature)) = &section.signature {
        put(out, format_args!("Signed by the Ed25519 key {}: `{signature}`\n\n", text(key)));
    }
}

/// A block of fixed width, a row per month, with what its symbols mean and the days that lost something.
fn strip(out: &mut String, days: &[DayCell]) {
    out.push_str("```text\n        ");
    (1..=31).for_each(|day| put(out, format_args!(" {day:>2}")));
    for month in days.chunk_by(|a, b| a.month == b.month) {
        put(out, format_args!("\n{} ", month[0].month));
        let mut column = 1;
        for cell in month {
            // A calendar may skip a day.
            let day = cell.day.parse().unwrap_or(column);
            put(out, format_args!("{:width$} ", "", width = 3 * usize::saturating_sub(day, column)));
            let mark = if cell.telemetry_lost { '?' } else { ' ' };
            put(out, format_args!("{mark}{}", cell.state.symbol()));
            column = day + 1;
        }
    }
    let tidy: Vec<&str> = out.lines().map(str::trim_end).collect();
    *out = tidy.join("\n");
    out.push_str("\n```\n\n");
    let mut legend: Vec<String> = Vec::new();
    for state in State::ALL.into_iter().filter(|state| *state != State::Outside) {
        legend.push(format!("`{}` {}", state.symbol(), state.meaning()));
    }
    put(out, format_args!("{}, `?` telemetry lost.\n\n", legend.join(", ")));
    let lost = days.iter().filter_map(|day| Some((day, day.lost.as_ref()?)));
    let lost: Vec<String> = lost.map(|(day, lost)| format!("{}-{:0>2}: {lost}", day.month, day.day)).collect();
    if !lost.is_empty() {
        put(out, format_args!("Lost: {}.\n\n", text(&lost.join(", "))));
    }
}

fn table<const N: usize>(out: &mut String, head: &[&str; N], rows: impl Iterator<Item = [String; N]>) {
    put(out, format_args!("| {} |\n|{}\n", head.map(text).join(" | "), "---|".repeat(N)));
    rows.for_each(|row| put(out, format_args!("| {} |\n", row.join(" | "))));
    out.push('\n');
}

/// Text that Markdown takes for nothing else, on one line.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '\n' | '\r' | '\t' => out.push(' '),
            '<' => out.push_str("&lt;"),
            '&' => out.push_str("&amp;"),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '#' => {
                out.push('\\');
                out.push(letter);
            }
            letter => out.push(letter),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_text() {
        assert_eq!(text("<b>&\"|客户_*"), "&lt;b>&amp;\"\\|客户\\_\\*");
        assert_eq!(text("a\nb"), "a b");
    }
}
