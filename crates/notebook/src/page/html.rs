//! A page as one HTML file: style, charts and script inside, nothing to fetch. It reads without the script.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};
use pulldown_cmark::{CowStr, Event, Parser, Tag, TagEnd};

use super::{CellAnswer, Page, Parts, Shown};
use crate::cell::Cell;
use crate::chart::{Chart, Marks};
use crate::format::NULL;
use crate::svg;
use crate::table::Table;
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
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (shown_text(&page.title)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                (PreEscaped(HATCH))
                main {
                    (header(page))
                    @for block in &page.blocks {
                        @match block {
                            Shown::Text(markdown) => (PreEscaped(prose(markdown))),
                            Shown::Cell(cell, outcome) => (shown(page, cell, outcome)),
                        }
                        "\n"
                    }
                    @if let Some(made) = &page.made { footer { (made) } }
                }
                div #tip hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    page.into_string() + "\n"
}

/// A cell: its title, what it answered, and its SQL.
fn shown(page: &Page, cell: &Cell, outcome: &Result<CellAnswer, String>) -> Markup {
    markup! {
        section.cell {
            @if let Some(title) = &cell.title { h4 { (title) } }
            @match outcome {
                Err(error) => (failure("This cell failed", error)),
                Ok(answer) => (result(page.parts(cell, answer))),
            }
            @if !cell.hide { details { summary { "SQL" } pre { code { (shown_text(&cell.sql)) } } } }
        }
    }
}

fn header(page: &Page) -> Markup {
    if !page.heading && page.description.is_none() && page.parameters.is_empty() {
        return Markup::default();
    }
    markup! {
        header {
            @if page.heading { h1 { (unbroken(&shown_text(&page.title))) } }
            @if let Some(description) = &page.description { p.lead { (description) } }
            @if !page.parameters.is_empty() {
                dl {
                    @for (label, value) in &page.parameters {
                        div { dt { (label) } dd { @if value.is_empty() { "–" } @else { (value) } } }
                    }
                }
            }
        }
    }
}

/// Text without control characters, of which HTML knows none but line breaks and tabs.
fn shown_text(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && !matches!(c, '\n' | '\t') { ' ' } else { c }).collect()
}

/// A heading in which dates are not broken at their hyphens.
fn unbroken(text: &str) -> Markup {
    let is_date = |word: &str| word.contains('-') && word.contains(|c: char| c.is_ascii_digit());
    markup! {
        @for (at, word) in text.split(' ').enumerate() {
            @if at > 0 { " " }
            @if is_date(word) { span.nb { (word) } } @else { (word) }
        }
    }
}

fn failure(what: &str, error: &str) -> Markup {
    markup! { div.error role="alert" { b { (what) } pre { (error) } } }
}

fn result(parts: Parts) -> Markup {
    markup! {
        @if let Some(error) = &parts.error { (failure("This chart cannot be drawn", error)) }
        @if let Some(empty) = &parts.empty { p.empty { (empty) } }
        @if let Some(said) = &parts.said { (PreEscaped(prose(said))) }
        @if let Some(chart) = &parts.chart {
            @match svg::svg(chart) {
                Ok(drawn) => (figure(chart, &drawn)),
                Err(error) => (failure("This chart cannot be drawn", &error)),
            }
        }
        @if let Some(table) = &parts.table { (rows(table)) }
    }
}

fn figure(chart: &Chart, drawn: &str) -> Markup {
    let mut notes = Vec::new();
    match chart {
        Chart::Lines(lines) if lines.time => notes.push(format!("Times in {}.", lines.zone)),
        Chart::Strip(strip) => notes.push(format!(
            "{}, times in {}. An error is drawn two pixels wide however short it was.",
            crate::moment::range_text(strip.range, strip.zone),
            strip.zone
        )),
        Chart::Lines(_) | Chart::Bars(_) | Chart::Calendar(_) | Chart::Matrix(_) => {}
    }
    notes.extend(chart.left_out());
    if matches!(chart, Chart::Lines(lines) if lines.marks == Marks::Line && lines.series.len() > 8) {
        notes.push("Dashes tell lines of the same colour apart.".to_string());
    }
    markup! {
        figure {
            // The name of the only series says what is drawn; its colour says nothing.
            ul.keys { @for (class, text) in svg::legend(chart) { li { i class={ "k " (class) } {} (text) } } }
            (PreEscaped(drawn))
            @if !notes.is_empty() { figcaption { (notes.join(" ")) } }
        }
    }
}

fn rows(table: &Table) -> Markup {
    markup! {
        div.scroll tabindex="0" {
            table {
                thead {
                    tr { @for (name, right) in &table.columns { th.n[*right] { (name) } } }
                }
                tbody {
                    @for row in &table.rows {
                        tr { @for (text, (_, right)) in row.iter().zip(&table.columns) { td class=[class(text, *right)] { (text) } } }
                    }
                }
            }
        }
        @if let Some(rest) = table.rest() { p.rest { (rest) } }
    }
}

/// How a cell of a table looks. Long text may wrap, short values should not.
fn class(text: &str, right: bool) -> Option<&'static str> {
    match (right, text) {
        (true, _) => Some("n"),
        (false, NULL) => Some("nil"),
        (false, text) if text.starts_with(BAD) => Some("bad"),
        (false, text) if text.starts_with(GOOD) => Some("good"),
        (false, text) if text.chars().count() > 24 => Some("long"),
        (false, _) => None,
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
