//! Charts in a terminal, so many columns wide. Without colour everything is still told apart, by its shape.

mod bars;
mod fit;
mod heat;
mod lines;
mod look;
mod strip;
pub(crate) mod table;
pub(crate) mod text;

pub use look::Look;

use crate::chart::Chart;
use look::DIM;

/// A chart as lines of text, without a line break at the end.
pub fn terminal(chart: &Chart, look: Look) -> String {
    let look = Look { width: look.width.max(30), ..look };
    let mut drawn = match chart {
        Chart::Lines(lines) => lines::draw(lines, look),
        Chart::Bars(bars) => bars::draw(bars, look),
        Chart::Strip(strip) => strip::draw(strip, look),
        Chart::Calendar(calendar) => heat::calendar(calendar, look),
        Chart::Matrix(matrix) => heat::matrix(matrix, look),
    };
    if let Some(left_out) = chart.left_out() {
        drawn += &format!("\n{}", look.paint(&left_out, DIM));
    }
    drawn
}
