//! Pages: a notebook with its results, for a reader. The same page as HTML, as Markdown and for a terminal.
//!
//! Whoever runs a notebook begins a page with [`Page::new`] and adds its blocks in order, results or errors. No form reads
//! a clock or a store: the same page is the same text.

mod html;
mod markdown;
mod terminal;

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::{Array, RecordBatch};
use nines_engine::datafusion::arrow::datatypes::SchemaRef;

pub use html::html;
pub use markdown::markdown;
pub use terminal::terminal;

use crate::cell::Cell;
use crate::chart::Chart;
use crate::format;
use crate::moment::Range;
use crate::notebook::Notebook;
use crate::parameter::Values;
use crate::table::Table;
use crate::text;
use crate::unit::Unit;

/// A notebook with its results.
#[derive(Debug, Clone)]
pub struct Page {
    /// What it is called.
    pub title: String,
    /// Whether the title stands above the text: not if the text begins with it.
    pub heading: bool,
    /// What it is about.
    pub description: Option<String>,
    /// What a reader has set: labels and values.
    pub parameters: Vec<(String, String)>,
    /// When and with what it was made, if that shall be told.
    pub made: Option<String>,
    /// Where days begin.
    pub zone: Tz,
    /// The range of time that it is about: timelines show all of it.
    pub about: Option<Range>,
    /// How many rows of a table are shown.
    pub rows: usize,
    /// Its text and results.
    pub blocks: Vec<Shown>,
}

/// A part of a page.
#[derive(Debug, Clone)]
pub enum Shown {
    /// Markdown in which parameters have their values.
    Text(String),
    /// A cell and what came of it: the result, or what went wrong.
    Cell(Box<Cell>, Result<CellAnswer, String>),
}

/// The result of a cell.
#[derive(Debug, Clone)]
pub struct CellAnswer {
    /// Its columns.
    pub schema: SchemaRef,
    /// Its rows.
    pub batches: Vec<RecordBatch>,
    /// What to do next if it is empty for want of something.
    pub advice: Option<String>,
}

impl Page {
    /// A page without blocks; `name` is what it is called if the notebook does not say so.
    pub fn new(notebook: &Notebook, values: &Values, name: &str) -> Self {
        let fill = |text: &String| text::fill(text, values);
        let parameters = notebook.parameters.iter().filter_map(|parameter| {
            let label = parameter.label.clone().unwrap_or_else(|| parameter.name.clone());
            Some((label, values.shown(&parameter.name)?))
        });
        Page {
            title: notebook.heading().as_ref().map_or_else(|| name.to_string(), fill),
            heading: notebook.title.is_some(),
            description: notebook.description.as_ref().map(fill),
            parameters: parameters.collect(),
            made: None,
            zone: values.zone(),
            about: values.range(),
            rows: 50,
            blocks: Vec::new(),
        }
    }

    /// A page of Markdown that no notebook made.
    pub fn of_text(title: String, zone: Tz, markdown: String) -> Self {
        Page {
            title,
            heading: true,
            description: None,
            parameters: Vec::new(),
            made: None,
            zone,
            about: None,
            rows: 50,
            blocks: vec![Shown::Text(markdown)],
        }
    }

    /// Adds text of the notebook.
    pub fn text(&mut self, markdown: &str, values: &Values) {
        self.blocks.push(Shown::Text(text::substitute(markdown, values)));
    }

    /// Adds a cell and what came of it, unless it went well and is quiet, or optional and empty.
    pub fn cell(&mut self, cell: &Cell, outcome: Result<CellAnswer, String>) {
        if let Ok(answer) = &outcome {
            // A chart whose columns are wrong is told of, with rows or without.
            let left_out = |parts: Parts| parts.error.is_none() && parts.empty.is_some();
            if cell.quiet || cell.optional && left_out(self.parts(cell, answer)) {
                return;
            }
        }
        self.blocks.push(Shown::Cell(Box::new(cell.clone()), outcome));
    }

    /// Whether a cell failed, or its chart could not be made.
    pub fn failed(&self) -> bool {
        self.failures() > 0
    }

    /// How many cells failed, or have a chart that could not be made.
    pub fn failures(&self) -> usize {
        let failed = |block: &&Shown| match block {
            Shown::Text(_) => false,
            Shown::Cell(_, Err(_)) => true,
            Shown::Cell(cell, Ok(answer)) => self.parts(cell, answer).error.is_some(),
        };
        self.blocks.iter().filter(failed).count()
    }

    /// What is shown of a result.
    fn parts(&self, cell: &Cell, answer: &CellAnswer) -> Parts {
        let mut parts = Parts::default();
        if answer.batches.iter().all(|batch| batch.num_rows() == 0) {
            let advice = || answer.advice.clone().unwrap_or_else(|| "No rows.".to_string());
            parts.empty = Some(cell.empty.clone().unwrap_or_else(advice));
        }
        let about = self.about.filter(|_| !cell.zoom);
        let chart = cell
            .chart
            .as_ref()
            .map(|spec| Chart::new(spec, &cell.units, &answer.schema, &answer.batches, self.zone, about));
        match chart {
            Some(Ok(chart)) if parts.empty.is_none() && chart.is_empty() => {
                parts.empty = Some("Nothing to draw: all values are empty.".to_string());
            }
            Some(Ok(chart)) if parts.empty.is_none() => parts.chart = Some(chart),
            Some(Err(error)) => parts.error = Some(error),
            _ => {}
        }
        if parts.empty.is_none() && cell.text {
            parts.said = Some(said(&answer.batches, self.zone));
        }
        if parts.empty.is_none() && (cell.table || parts.chart.is_none() && parts.said.is_none()) {
            parts.table = Some(Table::new(cell, &answer.schema, &answer.batches, self.zone, self.rows));
        }
        parts
    }
}

/// What is shown of a result.
#[derive(Default)]
struct Parts {
    error: Option<String>,
    empty: Option<String>,
    /// Markdown.
    said: Option<String>,
    chart: Option<Chart>,
    table: Option<Table>,
}

/// The first column's rows as a paragraph, or as a list if there are several.
fn said(batches: &[RecordBatch], zone: Tz) -> String {
    let columns = batches.iter().filter_map(|batch| batch.columns().first());
    let rows: Vec<String> = columns
        .flat_map(|column| (0..column.len()).filter_map(|row| format::value(column, row, &Unit::Guess, zone)))
        .map(|sentence| text::escape(&sentence))
        .collect();
    match rows.as_slice() {
        [one] => one.clone(),
        rows => rows.iter().map(|row| format!("- {row}")).collect::<Vec<_>>().join("\n"),
    }
}
