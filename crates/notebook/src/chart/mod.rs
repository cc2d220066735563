//! Charts: what is asked for, and the rows of a result as the data of one.
//!
//! | chart | x | y | series |
//! |---|---|---|---|
//! | `line` | times or numbers; the first such column | numbers, one line per column; all that are left | text: one line per value |
//! | `bar` | times: bars along time; anything else: one bar or group of bars per row | as above | as above |
//! | `timeline` | a row's label; the first text column | a column of timelines; without one the rows are intervals with `started`, `ended` and perhaps `state` | – |
//! | `heatmap` | times: one cell per day; else the columns of a matrix | numbers, or timelines for their minutes in error | one row of cells per value; without it a calendar |
//!
//! NULL is a gap in a line, no bar, and no data in a heat map. A timeline without an end lasts to the end of the chart; rows
//! without a `state` are errors, and what they leave free is ok. Rows with a `state` leave "no data" free.

mod bars;
pub(crate) mod heat;
pub(crate) mod lines;
mod rows;
pub(crate) mod scale;
mod spec;
pub(crate) mod strip;
pub(crate) mod ticks;

use chrono_tz::Tz;
use nines_engine::datafusion::arrow::array::RecordBatch;
use nines_engine::datafusion::arrow::datatypes::Schema;

pub use bars::Bars;
pub use heat::{Calendar, Matrix};
pub use lines::{Lines, Marks, Series};
pub use spec::{ChartKind, ChartSpec};
pub use strip::{Strip, StripRow};

pub use crate::columns::Runs;

use crate::moment::Range;
use crate::unit::Units;
use heat::Heat;
use rows::Rows;

/// The data of a chart.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// Lines, or bars along time.
    Lines(Lines),
    /// Bars, one group per label.
    Bars(Bars),
    /// States over time.
    Strip(Strip),
    /// A cell per day, week by week.
    Calendar(Calendar),
    /// A cell per row and column.
    Matrix(Matrix),
}

impl Chart {
    /// Makes the chart of a result. `about` is the range of time that the page is about: timelines are shown over all of it.
    ///
    /// Errors say which column is wrong, and which there are.
    pub fn new(
        spec: &ChartSpec,
        units: &Units,
        schema: &Schema,
        batches: &[RecordBatch],
        zone: Tz,
        about: Option<Range>,
    ) -> Result<Chart, String> {
        let rows = Rows { schema, batches, zone };
        match spec.kind {
            ChartKind::Line => lines::read(spec, units, rows, Marks::Line).map(Chart::Lines),
            ChartKind::Bar if bars::along_time(spec, rows)? => {
                let marks = if spec.stack { Marks::Stack } else { Marks::Bars };
                lines::read(spec, units, rows, marks).map(Chart::Lines)
            }
            ChartKind::Bar => bars::read(spec, units, rows).map(Chart::Bars),
            ChartKind::Timeline => strip::read(spec, rows, about).map(Chart::Strip),
            ChartKind::Heatmap => heat::read(spec, units, rows).map(|heat| match heat {
                Heat::Calendar(calendar) => Chart::Calendar(calendar),
                Heat::Matrix(matrix) => Chart::Matrix(matrix),
            }),
        }
    }

    /// Whether there is nothing to draw.
    pub fn is_empty(&self) -> bool {
        match self {
            Chart::Lines(lines) => {
                lines.series.iter().all(|series| series.points.iter().all(|point| point.1.is_none()))
            }
            Chart::Bars(bars) => bars.labels.is_empty(),
            Chart::Strip(strip) => strip.rows.is_empty(),
            Chart::Calendar(calendar) => calendar.days.is_empty(),
            Chart::Matrix(matrix) => matrix.rows.is_empty(),
        }
    }

    /// What is there and is not drawn, as a sentence.
    pub fn left_out(&self) -> Option<String> {
        let parts: &[(usize, &str)] = &match self {
            Chart::Lines(lines) => [(lines.left_out, "series"), (0, "")],
            Chart::Bars(bars) => [(bars.left_out, "rows"), (bars.series_left_out, "series")],
            Chart::Strip(strip) => [(strip.left_out, "rows"), (0, "")],
            Chart::Calendar(_) => [(0, ""), (0, "")],
            Chart::Matrix(matrix) => [(matrix.left_out.0, "rows"), (matrix.left_out.1, "columns")],
        };
        let told = parts.iter().filter(|(count, _)| *count > 0);
        let told: Vec<String> =
            told.map(|(count, what)| format!("{} more {what}", crate::format::grouped_always(*count))).collect();
        (!told.is_empty()).then(|| format!("{} are not drawn.", told.join(" and ")))
    }

    /// What a reader who does not see it is told.
    pub fn summary(&self) -> String {
        match self {
            Chart::Lines(lines) => lines.summary(),
            Chart::Bars(bars) => bars.summary(),
            Chart::Strip(strip) => strip.summary(),
            Chart::Calendar(calendar) => calendar.summary(),
            Chart::Matrix(matrix) => matrix.summary(),
        }
    }
}
