//! Charts as SVG, drawn by plotters; the marks of timelines and heat maps are our own.
//!
//! Each chart is drawn twice, for pages and for phones, and the page's style shows one of them: what is readable on the one
//! is not on the other. Colours are classes, fonts the page's own. Marks carry their values as `<title>`, so that they
//! are read and seen on hovering without any script.

mod bars;
mod heat;
mod ink;
mod lines;
mod picture;
mod strip;
mod text;

use std::fmt::Write as _;

pub(crate) use text::escape;

use crate::chart::{Chart, Marks};
use picture::Room;

/// A chart for both rooms.
pub(crate) fn svg(chart: &Chart) -> Result<String, String> {
    let mut out = String::new();
    for room in [Room::Page, Room::Phone] {
        let picture = match chart {
            Chart::Lines(lines) => lines::draw(lines, room),
            Chart::Bars(bars) => bars::draw(bars, room),
            Chart::Strip(strip) => strip::draw(strip, room),
            Chart::Calendar(calendar) => heat::calendar(calendar, room),
            Chart::Matrix(matrix) => heat::matrix(matrix, room),
        };
        let picture = picture.map_err(|error| format!("the chart could not be drawn: {error}"))?;
        let label = escape(&chart.summary());
        let (width, height) = picture.size;
        let _ = write!(
            out,
            "<svg class=\"{}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{label}\">{}{}</svg>",
            room.class(),
            picture.drawn,
            picture.marks
        );
    }
    Ok(out)
}

/// What the colours and shapes of a chart mean: the class of a key and its text.
pub(crate) fn legend(chart: &Chart) -> Vec<(String, String)> {
    let numbered = |names: Vec<&str>| -> Vec<(String, String)> {
        names.iter().enumerate().map(|(n, name)| (format!("k{}", n % 16), name.to_string())).collect()
    };
    let target = |target: Option<f64>, unit| {
        target.map(|target| ("k-target".to_string(), format!("target {}", crate::format::number(target, unit))))
    };
    match chart {
        Chart::Lines(lines) => {
            let mut keys = numbered(lines.series.iter().map(|series| series.name.as_str()).collect());
            if lines.marks != Marks::Line {
                keys.iter_mut().for_each(|(class, _)| class.push_str(" k-bar"));
            }
            keys.extend(target(lines.target, &lines.unit));
            keys
        }
        Chart::Bars(bars) => {
            let mut keys = numbered(bars.series.iter().map(|(name, _)| name.as_str()).collect());
            keys.iter_mut().for_each(|(class, _)| class.push_str(" k-bar"));
            keys.extend(target(bars.target, &bars.unit));
            keys
        }
        Chart::Strip(strip) => strip::legend(strip),
        Chart::Calendar(calendar) => heat::legend(&calendar.steps, &calendar.unit),
        Chart::Matrix(matrix) => heat::legend(&matrix.steps, &matrix.unit),
    }
}
