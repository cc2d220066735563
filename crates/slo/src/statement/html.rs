//! The page as HTML: one file, without scripts and without anything from elsewhere.

use std::fmt::Write;

use crate::statement::page::{DayCell, Page, Section, of_all};
use crate::statement::strip::State;
use crate::statement::{Statement, StatementError};

const STYLE: &str = include_str!("html/style.css");
const SYMBOLS: &str = include_str!("html/symbols.svg");

/// One page of HTML for a customer: all statements of a period. They must be about one customer and period.
pub fn html(statements: &[Statement]) -> Result<String, StatementError> {
    let page = Page::of(statements)?;
    let title = format!("Service levels of {} for {}", text(&page.period), text(&page.customer));
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta name=\"color-scheme\" content=\"light \
         dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n{SYMBOLS}<main>\n<h1>{title}</h1>\n"
    );
    summary(&mut out, &page);
    page.sections.iter().for_each(|section| write_section(&mut out, section));
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

fn put(out: &mut String, arguments: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = out.write_fmt(arguments);
}

fn named(section: &Section) -> String {
    let business = match section.business.is_empty() {
        true => String::new(),
        false => format!("<span class=\"business\">{}</span> ", text(&section.business)),
    };
    format!("{business}{}", text(&section.service))
}

fn kept(section: &Section) -> &'static str {
    if section.kept { "<span class=\"kept\">✓ kept</span>" } else { "<span class=\"missed\">✗ not kept</span>" }
}

fn summary(out: &mut String, page: &Page) {
    let rows = page.sections.iter().map(|section| {
        [
            named(section),
            text(&section.agreement),
            text(&section.availability),
            format!("{} {}", text(&section.commitment), kept(section)),
            text(&section.credit),
            text(&section.amount),
        ]
    });
    let head = ["Service", "Agreement", "Availability", "Commitment", "Credit", "Amount"].map(str::to_string);
    table(out, "summary", &head, rows);
    if !page.totals.is_empty() {
        put(out, format_args!("<p class=\"total\">Credited in all: <b>{}</b></p>\n", text(&page.totals.join(", "))));
    }
}

fn write_section(out: &mut String, section: &Section) {
    put(out, format_args!("<section>\n<h2>{}</h2>\n", named(section)));
    if let Some(incomplete) = &section.incomplete {
        put(out, format_args!("<p class=\"note\"><b>Provisional.</b> {}</p>\n", text(incomplete)));
    }
    figures(out, section);
    put(out, format_args!("<h3>The days <small>{}</small></h3>\n", text(&section.zone)));
    strip(out, &section.days);
    out.push_str("<h3>The worst slices</h3>\n");
    if section.worst.is_empty() {
        out.push_str("<p>No slice lowers the availability by its failures.</p>\n");
    } else {
        put(out, format_args!("<p>{}</p>\n", text(&of_all(section))));
        let head = [format!("Time ({})", text(&section.zone)), "Valid".into(), "Failed".into(), "Error rate".into()];
        table(out, "numbers", &head, section.worst.iter().map(|row| row.each_ref().map(|cell| text(cell))));
    }
    out.push_str("<h3>Exclusions</h3>\n");
    if section.exclusions.is_empty() {
        out.push_str("<p>None.</p>\n");
    } else {
        let head = ["Category", "Id", "From", "To", "Announced", "Effect"].map(str::to_string);
        table(out, "exclusions", &head, section.exclusions.iter().map(|row| row.each_ref().map(|cell| text(cell))));
    }
    out.push_str("<h3>The arithmetic</h3>\n<ol class=\"steps\">\n");
    for step in &section.steps {
        put(out, format_args!("<li><b>{}</b>\n<ul>\n", text(&step.title)));
        step.lines.iter().for_each(|line| put(out, format_args!("<li>{}</li>\n", text(line))));
        out.push_str("</ul></li>\n");
    }
    put(out, format_args!("</ol>\n<h3>What is agreed <small>{}</small></h3>\n", text(&section.agreement)));
    if let Some(description) = &section.description {
        put(out, format_args!("<p>{}</p>\n", text(description)));
    }
    out.push_str("<dl>\n");
    for clause in &section.clauses {
        put(out, format_args!("<dt>{}</dt><dd>{}</dd>\n", text(clause.name), text(&clause.text)));
    }
    put(out, format_args!("</dl>\n<h3>This statement</h3>\n<p>{}</p>\n", text(&section.revision)));
    if !section.changes.is_empty() {
        out.push_str("<ul>\n");
        section.changes.iter().for_each(|change| put(out, format_args!("<li>{}</li>\n", text(change))));
        out.push_str("</ul>\n");
    }
    let (hash, by) = (text(&section.sha256), text(&section.made_by));
    put(out, format_args!("<p class=\"hash\">SHA-256 <code>{hash}</code>, computed by {by}.</p>\n</section>\n"));
}

fn figures(out: &mut String, section: &Section) {
    out.push_str("<div class=\"figures\">\n");
    let commitment = format!("commitment {} {}", text(&section.commitment), kept(section));
    let claim = match section.claim_by.is_empty() {
        true => "no time to claim is set".to_string(),
        false => format!("claim before {}", text(&section.claim_by)),
    };
    let base = format!("{} of the fee base", text(&section.credit));
    for (name, value, note) in [
        ("Availability", text(&section.availability), commitment),
        ("Credit", text(&section.amount), format!("{base}; {claim}")),
    ] {
        put(out, format_args!("<div><span>{name}</span><b>{value}</b><small>{note}</small></div>\n"));
    }
    out.push_str("</div>\n");
}

fn class(state: State) -> &'static str {
    match state {
        State::Over => "over",
        State::Error => "error",
        State::Tolerated => "tolerated",
        State::Excluded => "excluded",
        State::Clean => "clean",
        State::Outside => "outside",
    }
}

fn symbol(name: &str) -> String {
    format!("<svg class=\"{name}\" viewBox=\"0 0 24 24\" aria-hidden=\"true\"><use href=\"#{name}\"/></svg>")
}

fn strip(out: &mut String, days: &[DayCell]) {
    for month in days.chunk_by(|a, b| a.month == b.month) {
        put(out, format_args!("<ol class=\"days\" aria-label=\"{}\">\n", text(&month[0].month)));
        for cell in month {
            let lost = cell.lost.as_deref().unwrap_or_default();
            let telemetry = if cell.telemetry_lost { symbol("lost") } else { String::new() };
            let also = if cell.telemetry_lost { ", telemetry lost" } else { "" };
            let name = format!("{}-{:0>2}: {}{also} {lost}", cell.month, cell.day, cell.state.meaning());
            put(
                out,
                format_args!(
                    "<li title=\"{title}\"><span>{day}</span><i>{symbol}{telemetry}</i><small>{lost}</small></li>\n",
                    title = text(name.trim_end()),
                    day = text(&cell.day),
                    symbol = symbol(class(cell.state)),
                    lost = text(&short(lost)),
                ),
            );
        }
        out.push_str("</ol>\n");
    }
    out.push_str("<p class=\"legend\">");
    for state in State::ALL.into_iter().filter(|state| *state != State::Outside) {
        put(out, format_args!("<span>{} {}</span>\n", symbol(class(state)), text(state.meaning())));
    }
    put(out, format_args!("<span>{} telemetry lost</span></p>\n", symbol("lost")));
}

/// Without the unit's second word: a cell is narrow.
fn short(lost: &str) -> String {
    lost.replace(" min", "m").replace(" failed", "").replace("< ", "<").replace("estimated", "?")
}

fn table<const N: usize>(out: &mut String, class: &str, head: &[String; N], rows: impl Iterator<Item = [String; N]>) {
    put(out, format_args!("<div class=\"wide\"><table class=\"{class}\">\n<thead><tr>"));
    head.iter().for_each(|name| put(out, format_args!("<th>{name}</th>")));
    out.push_str("</tr></thead>\n<tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for (name, cell) in head.iter().zip(row) {
            put(out, format_args!("<td data-name=\"{name}\"><span>{cell}</span></td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// Text that HTML takes for nothing else, in content and in quoted attributes.
fn text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            letter => out.push(letter),
        }
    }
    out
}
