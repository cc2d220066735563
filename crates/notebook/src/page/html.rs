//! A page as one HTML file: style, charts and script inside, nothing to fetch. It reads without the script.

use std::fmt::Write as _;

use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd};

use super::{Page, Parts, Shown};
use crate::chart::{Chart, Marks};
use crate::svg::{self, escape};
use crate::table::{NULL, Table};
use crate::text;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");

/// The pattern of what is excluded: one for all charts, because what is defined in a hidden one is not found.
const HATCH: &str = "<svg class=\"defs\" aria-hidden=\"true\"><defs><pattern id=\"hatch\" width=\"5\" height=\"5\" \
                     patternUnits=\"userSpaceOnUse\" patternTransform=\"rotate(45)\"><rect class=\"f-out\" width=\"2.2\" \
                     height=\"5\"/></pattern></defs></svg>";

/// What begins with these marks is a verdict, and coloured as one.
const BAD: [char; 2] = ['✗', '▼'];
const GOOD: [char; 2] = ['✓', '▲'];

/// The page as one self-contained file.
pub fn html(page: &Page) -> String {
    let mut out = String::new();
    let title = escape(&page.title);
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{title}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n{HATCH}\n<main>\n"
    );
    header(page, &mut out);
    for block in &page.blocks {
        match block {
            Shown::Text(markdown) => out += &prose(markdown),
            Shown::Cell(cell, outcome) => {
                out += "<section class=\"cell\">\n";
                if let Some(title) = &cell.title {
                    let _ = writeln!(out, "<h4>{}</h4>", escape(title));
                }
                match outcome {
                    Err(error) => failure("This cell failed", error, &mut out),
                    Ok(answer) => result(page.parts(cell, answer), &mut out),
                }
                if !cell.hide {
                    let sql = escape(&cell.sql);
                    let _ = writeln!(out, "<details><summary>SQL</summary><pre><code>{sql}</code></pre></details>");
                }
                out += "</section>\n";
            }
        }
    }
    if let Some(made) = &page.made {
        let _ = writeln!(out, "<footer>{}</footer>", escape(made));
    }
    let _ = write!(out, "</main>\n<div id=\"tip\" hidden></div>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n");
    out
}

fn header(page: &Page, out: &mut String) {
    if !page.heading && page.description.is_none() && page.parameters.is_empty() {
        return;
    }
    *out += "<header>\n";
    if page.heading {
        let _ = writeln!(out, "<h1>{}</h1>", unbroken(&page.title));
    }
    if let Some(description) = &page.description {
        let _ = writeln!(out, "<p class=\"lead\">{}</p>", escape(description));
    }
    if !page.parameters.is_empty() {
        *out += "<dl>";
        for (label, value) in &page.parameters {
            let value = if value.is_empty() { "–" } else { value };
            let _ = write!(out, "<div><dt>{}</dt><dd>{}</dd></div>", escape(label), escape(value));
        }
        *out += "</dl>\n";
    }
    *out += "</header>\n";
}

/// A heading in which dates are not broken at their hyphens.
fn unbroken(text: &str) -> String {
    let is_date = |word: &str| word.contains('-') && word.contains(|c: char| c.is_ascii_digit());
    let word = |word: &str| match is_date(word) {
        true => format!("<span class=\"nb\">{}</span>", escape(word)),
        false => escape(word),
    };
    text.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

fn failure(what: &str, error: &str, out: &mut String) {
    let _ = writeln!(out, "<div class=\"error\" role=\"alert\"><b>{what}</b><pre>{}</pre></div>", escape(error));
}

fn result(parts: Parts, out: &mut String) {
    if let Some(error) = &parts.error {
        failure("This chart cannot be drawn", error, out);
    }
    if let Some(empty) = &parts.empty {
        let _ = writeln!(out, "<p class=\"empty\">{}</p>", escape(empty));
    }
    if let Some(said) = &parts.said {
        *out += &prose(said);
    }
    if let Some(chart) = &parts.chart {
        match svg::svg(chart) {
            Ok(drawn) => figure(chart, &drawn, out),
            Err(error) => failure("This chart cannot be drawn", &error, out),
        }
    }
    if let Some(table) = &parts.table {
        rows(table, out);
    }
}

fn figure(chart: &Chart, drawn: &str, out: &mut String) {
    *out += "<figure>\n";
    let keys = svg::legend(chart);
    // The name of the only series says what is drawn; its colour says nothing.
    *out += "<ul class=\"keys\">";
    for (class, text) in keys {
        let _ = write!(out, "<li><i class=\"k {class}\"></i>{}</li>", escape(&text));
    }
    *out += "</ul>\n";
    *out += drawn;
    let mut notes = Vec::new();
    match chart {
        Chart::Lines(lines) if lines.time => notes.push(format!("Times in {}.", lines.zone)),
        Chart::Strip(strip) => notes.push(format!(
            "{}, times in {}. An error is drawn two pixels wide however short it was.",
            crate::moment::range_text(strip.range, strip.zone),
            strip.zone
        )),
        _ => {}
    }
    notes.extend(chart.left_out());
    if matches!(chart, Chart::Lines(lines) if lines.marks == Marks::Line && lines.series.len() > 8) {
        notes.push("Dashes tell lines of the same colour apart.".to_string());
    }
    if !notes.is_empty() {
        let _ = write!(out, "<figcaption>{}</figcaption>", escape(&notes.join(" ")));
    }
    *out += "</figure>\n";
}

fn rows(table: &Table, out: &mut String) {
    *out += "<div class=\"scroll\" tabindex=\"0\"><table>\n<thead><tr>";
    let class = |right: bool| if right { " class=\"n\"" } else { "" };
    for (name, right) in &table.columns {
        let _ = write!(out, "<th{}>{}</th>", class(*right), escape(name));
    }
    *out += "</tr></thead>\n<tbody>\n";
    for row in &table.rows {
        *out += "<tr>";
        for (text, (_, right)) in row.iter().zip(&table.columns) {
            // Long text may wrap, short values should not.
            let class = match (right, text.as_str()) {
                (true, _) => " class=\"n\"",
                (false, NULL) => " class=\"nil\"",
                (false, text) if text.starts_with(BAD) => " class=\"bad\"",
                (false, text) if text.starts_with(GOOD) => " class=\"good\"",
                (false, text) if text.chars().count() > 24 => " class=\"long\"",
                _ => "",
            };
            let _ = write!(out, "<td{class}>{}</td>", escape(text));
        }
        *out += "</tr>\n";
    }
    *out += "</tbody></table></div>\n";
    if let Some(rest) = table.rest() {
        let _ = writeln!(out, "<p class=\"rest\">{rest}</p>");
    }
}

/// Markdown as HTML. HTML in it is shown, not obeyed; pictures from elsewhere become links, for the page is one file.
fn prose(markdown: &str) -> String {
    let mut pictures = Vec::new();
    let events = Parser::new_ext(markdown, text::options()).map(move |event| match event {
        Event::Html(text) | Event::InlineHtml(text) => Event::Text(text),
        Event::Start(Tag::Link { link_type, dest_url, title, id }) => {
            Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id })
        }
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let inside = dest_url.starts_with("data:image/");
            pictures.push(inside);
            match inside {
                true => Event::Start(Tag::Image { link_type, dest_url, title, id }),
                false => Event::Start(Tag::Link { link_type, dest_url: harmless(dest_url), title, id }),
            }
        }
        Event::End(TagEnd::Image) => match pictures.pop() {
            Some(false) => Event::End(TagEnd::Link),
            _ => Event::End(TagEnd::Image),
        },
        event => event,
    });
    let mut out = String::new();
    pulldown_cmark::html::push_html(&mut out, events);
    out.replace("<table>", "<div class=\"scroll\" tabindex=\"0\"><table>").replace("</table>", "</table></div>")
}

/// An address that runs nothing.
fn harmless(address: CowStr<'_>) -> CowStr<'_> {
    let scheme = address.split_once(':').map(|(scheme, _)| scheme.trim().to_ascii_lowercase());
    match scheme.as_deref() {
        None | Some("http" | "https" | "mailto") => address,
        // A colon may stand in what is no scheme.
        Some(other) if other.contains(['/', '?', '#']) => address,
        Some(_) => CowStr::Borrowed("#"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_runs_nothing() {
        let html = prose(
            "<script>alert(1)</script>\n\na <b onclick=x>b</b> [c](javascript:alert(1)) [d](JAVASCRIPT&#58;x) ![e](https://a/b.png) [f](x?a:b)",
        );
        assert!(!html.contains("<script") && !html.contains("<b ") && !html.contains("<img"), "{html}");
        assert!(!html.to_lowercase().contains("javascript"), "{html}");
        assert!(html.contains("<a href=\"https://a/b.png\">e</a>") && html.contains("<a href=\"x?a:b\">"), "{html}");
    }
}
