//! A drawing of a chart, and what it is drawn on.

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::prelude::*;

use super::ink;
use super::text::escape;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// For what a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    Page,
    Phone,
}

impl Room {
    pub fn width(self) -> i32 {
        if self == Room::Page { 960 } else { 358 }
    }

    pub fn class(self) -> &'static str {
        if self == Room::Page { "wide" } else { "narrow" }
    }
}

/// A drawing: what plotters drew, and our own marks on top.
pub(super) struct Picture {
    pub size: (i32, i32),
    pub drawn: String,
    pub marks: String,
}

/// Draws on an area of this size with plotters.
pub(super) fn drawn(size: (i32, i32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, String> {
    let mut out = String::new();
    {
        let size = (size.0.unsigned_abs(), size.1.unsigned_abs());
        let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).map_err(|error| error.to_string())?;
    }
    Ok(ink::finish(&out))
}

/// A field that tells about what lies below it.
pub(super) fn hit(out: &mut String, (x, y): (f64, f64), (wide, high): (f64, f64), told: &str) {
    let _ = write!(
        out,
        "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"><title>{}</title></rect>",
        short(x),
        short(y),
        short(wide),
        short(high),
        escape(told)
    );
}

/// A tenth of a pixel is enough.
fn short(value: f64) -> String {
    let text = format!("{value:.1}");
    text.strip_suffix(".0").map(str::to_string).unwrap_or(text)
}
