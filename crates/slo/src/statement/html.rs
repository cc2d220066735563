//! The page as HTML: one file, without scripts and without anything from elsewhere.

use maud::{DOCTYPE, Markup, PreEscaped, html as markup};

use crate::statement::months::{COLUMNS as MONTH_COLUMNS, SAID as MONTHS};
use crate::statement::outages::Outages;
use crate::statement::page::{DayCell, Page, Section, Standing, of_all};
use crate::statement::strip::State;
use crate::statement::{IssuedStatement, StatementError};

const STYLE: &str = include_str!("html/style.css");
const SYMBOLS: &str = include_str!("html/symbols.svg");

/// One page of HTML for a customer: all statements of a period. They must be about one customer and period.
pub fn html(statements: &[IssuedStatement], standing: Standing) -> Result<String, StatementError> {
    let page = Page::of(statements, standing)?;
    let page = markup! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body class=[page.draft.map(|_| "draft")] {
                (PreEscaped(SYMBOLS))
                main {
                    h1 { (page.title) }
                    @if let Some(draft) = page.draft { p.draft { b { "DRAFT." } " " (draft) } }
                    (summary(&page))
                    @for of in &page.sections { (section(of)) }
                }
            }
        }
    };
    Ok(page.into_string() + "\n")
}

fn named(section: &Section) -> Markup {
    markup! {
        @if !section.business.is_empty() { span.business { (section.business) } " " }
        (section.service)
    }
}

fn kept(section: &Section) -> Markup {
    match section.kept {
        true => markup! { span.kept { "✓ kept" } },
        false => markup! { span.missed { "✗ not kept" } },
    }
}

fn summary(page: &Page) -> Markup {
    let rows = page.sections.iter().map(|section| {
        [
            named(section),
            text(&section.agreement),
            text(&section.availability),
            markup! { (section.commitment) " " (kept(section)) },
            text(&section.credit),
            text(&section.amount),
        ]
    });
    markup! {
        (table("summary", &["Service", "Agreement", "Availability", "Commitment", "Credit", "Amount"], rows))
        @if !page.totals.is_empty() {
            p.total { "Credited in all: " b { (page.totals.join(", ")) } }
        }
    }
}

fn section(section: &Section) -> Markup {
    let cells = |row: &[String]| row.iter().map(|cell| text(cell)).collect::<Vec<_>>();
    markup! {
        section {
            h2 { (named(section)) }
            @if let Some(incomplete) = &section.incomplete {
                p.note { b { "Provisional." } " " (incomplete) }
            }
            p { (section.issuer) }
            (figures(section))
            @if !section.figures.is_empty() {
                h3 { "The figures" }
                @let head = ["Of", "Availability", "Commitment", "Credit"];
                (table("numbers", &head, section.figures.iter().map(|row| cells(row))))
            }
            h3 {
                "The days "
                @if let Some(decides) = &section.decides { "of " (decides) " " }
                small { (section.zone) }
            }
            (strip(&section.days))
            @if !section.months.is_empty() {
                h3 { "The months " small { (section.zone) } }
                p { (MONTHS) }
                (table("numbers", &MONTH_COLUMNS, section.months.iter().map(|row| cells(row))))
            }
            @if let Some(Outages { said, rows }) = &section.outages {
                h3 { "Outages" }
                p { (said) }
                @if !rows.is_empty() {
                    @let from = format!("From ({})", section.zone);
                    @let to = format!("To ({})", section.zone);
                    (table("numbers", &[&from, &to, "Downtime"], rows.iter().map(|row| cells(row))))
                }
            } @else {
                h3 { "The worst slices" }
                @if section.worst.is_empty() {
                    p { "No slice lowers the availability by its failures." }
                } @else {
                    p { (of_all(section)) }
                    @let time = format!("Time ({})", section.zone);
                    (table("numbers", &[&time, "Valid", "Failed", "Error rate"], section.worst.iter().map(|row| cells(row))))
                }
            }
            h3 { "Exclusions" }
            @if section.exclusions.is_empty() {
                p { "None." }
            } @else {
                @let from = format!("From ({})", section.zone);
                @let to = format!("To ({})", section.zone);
                @let announced = format!("Announced ({})", section.zone);
                @let head = ["Category", "Id", &from, &to, &announced, "Effect"];
                (table("exclusions", &head, section.exclusions.iter().map(|row| cells(row))))
            }
            h3 { "The arithmetic" }
            ol.steps {
                @for step in &section.steps {
                    li { b { (step.title) } ul { @for line in &step.lines { li { (line) } } } }
                }
            }
            h3 { "What is agreed " small { (section.agreement) } }
            @if let Some(description) = &section.description { p { (description) } }
            dl {
                @for clause in &section.clauses { dt { (clause.name) } dd { (clause.text) } }
            }
            @if let Some(beside) = &section.beside { p { (beside) } }
            h3 { "This statement" }
            p { (section.revision) }
            @if !section.changes.is_empty() {
                ul { @for change in &section.changes { li { (change) } } }
            }
            p.hash { "SHA-256 " code { (section.sha256) } ", computed by " (section.made_by) "." }
            @if let Some((key, signature)) = &section.signature {
                p.hash { "Signed by the Ed25519 key " (key) ": " code { (signature) } }
            }
        }
    }
}

fn figures(section: &Section) -> Markup {
    let commitment = markup! { "commitment " (section.commitment) " " (kept(section)) };
    let claim = match section.claim_by.is_empty() {
        true => "no time to claim is set".to_string(),
        false => format!("claim before {}", section.claim_by),
    };
    let credit = text(&format!("{} of the fee base; {claim}", section.credit));
    let all = [("Availability", &section.availability, commitment), ("Credit", &section.amount, credit)];
    markup! {
        div.figures {
            @for (name, value, note) in all {
                div { span { (name) } b { (value) } small { (note) } }
            }
        }
    }
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

fn symbol(name: &str) -> Markup {
    markup! { svg class=(name) viewBox="0 0 24 24" aria-hidden="true" { use href={ "#" (name) } {} } }
}

fn strip(days: &[DayCell]) -> Markup {
    markup! {
        @for month in days.chunk_by(|a, b| a.month == b.month) {
            ol.days aria-label=(month[0].month) {
                @for cell in month { (day(cell)) }
            }
        }
        p.legend {
            @for state in State::ALL.into_iter().filter(|state| *state != State::Outside) {
                span { (symbol(class(state))) " " (state.meaning()) }
                " "
            }
            span { (symbol("lost")) " telemetry lost" }
        }
    }
}

fn day(cell: &DayCell) -> Markup {
    let lost = cell.lost.as_deref().unwrap_or_default();
    let also = if cell.telemetry_lost { ", telemetry lost" } else { "" };
    let name = format!("{}-{:0>2}: {}{also} {lost}", cell.month, cell.day, cell.state.meaning());
    markup! {
        li title=(name.trim_end()) {
            span { (cell.day) }
            i {
                (symbol(class(cell.state)))
                @if cell.telemetry_lost { (symbol("lost")) }
            }
            small { (short(lost)) }
        }
    }
}

/// Without the unit's second word: a cell is narrow.
fn short(lost: &str) -> String {
    lost.replace(" min", "m").replace(" failed", "").replace("< ", "<").replace("estimated", "?")
}

fn table(class: &str, head: &[&str], rows: impl Iterator<Item = impl IntoIterator<Item = Markup>>) -> Markup {
    markup! {
        div.wide {
            table class=(class) {
                thead { tr { @for name in head { th { (name) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (name, cell) in head.iter().zip(row) { td data-name=(name) { span { (cell) } } } }
                    }
                }
            }
        }
    }
}

/// Text that HTML takes for nothing else.
fn text(text: &str) -> Markup {
    markup! { (text) }
}
