//! Notebooks: Markdown with SQL cells and parameters, and their results as pages and charts.
//!
//! [`run()`] runs one in an engine. All else is pure: [`Notebook`] reads and writes the text, [`Moment`] times such as `last month`, [`Chart`] makes
//! the data of a chart from Arrow batches, [`Page`] what a reader gets as HTML, Markdown or text for a terminal.

mod cell;
pub mod chart;
mod columns;
pub mod format;
mod front;
mod markdown;
mod mistake;
mod notebook;
pub mod page;
mod parameter;
mod run;
mod svg;
mod table;
pub mod term;
mod text;
mod unit;
mod yaml;

pub use cell::Cell;
pub use chart::{Chart, ChartKind, ChartSpec};
pub use mistake::Mistake;
pub use nines_engine::slo::moment::{self, Moment, Range, range_text};
pub use notebook::{Block, Notebook};
pub use page::{CellAnswer, Page, Shown};
pub use parameter::{Choices, Parameter, ParameterKind, Value, Values};
pub use run::{Given, RunError, Watch, run};
pub use text::{escape as plain_text, substitute};
pub use unit::{Unit, Units};
