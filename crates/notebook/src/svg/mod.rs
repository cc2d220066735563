//! Charts as SVG, drawn by plotters; the marks of timelines and heat maps are our own.
//!
//! Each chart is drawn twice, for pages and for phones, and the page's style shows one of them: what is readable on the one
//! is not on the other. Colours are classes, fonts the page's own. Marks carry their values as `<title>`, so that they
//! are read and seen on hovering without any script.

mod bars;
mod heat;
mod ink;
mod lines;
mod strip;

use std::fmt::Write as _;

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use unicode_width::UnicodeWidthChar;

use crate::chart::{Chart, Marks};
use ink::Ink;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), DrawingAreaErrorKind<std::io::Error>>;

/// For what a chart is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    Page,
    Phone,
}

impl Room {
    fn width(self) -> i32 {
        if self == Room::Page { 960 } else { 358 }
    }

    fn class(self) -> &'static str {
        if self == Room::Page { "wide" } else { "narrow" }
    }
}

/// Size of text, in pixels.
const TEXT: f64 = 12.5;

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

/// A drawing: what plotters drew, and our own marks on top.
struct Picture {
    size: (i32, i32),
    drawn: String,
    marks: String,
}

/// Draws on an area of this size with plotters.
fn drawn(size: (i32, i32), draw: impl FnOnce(&Area<'_>) -> Drawn) -> Result<String, String> {
    let mut out = String::new();
    {
        let size = (size.0.unsigned_abs(), size.1.unsigned_abs());
        let area = SVGBackend::with_string(&mut out, size).into_drawing_area();
        draw(&area).and_then(|()| area.present()).map_err(|error| error.to_string())?;
    }
    Ok(ink::finish(&out))
}

/// The style of a text, `scale` pixels of the drawing being one of the page.
fn text(ink: Ink, horizontal: HPos, vertical: VPos, scale: f64) -> TextStyle<'static> {
    // Plotters' SVG divides sizes by 1.24.
    let font = ("sans-serif", TEXT * 1.24 * scale).into_font();
    let mut style = TextStyle::from(font).pos(Pos::new(horizontal, vertical));
    style.color = ink.colour().to_backend_color();
    style
}

/// About how wide a text is in the page's font, rather more than less.
fn width(text: &str) -> f64 {
    let letter = |c: char| match c.width().unwrap_or(0) {
        0 => 0.0,
        2.. => 1.02,
        _ if c.is_uppercase() => 0.72,
        _ if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '\'' | '|') => 0.36,
        _ if matches!(c, 'm' | 'w' | '%') => 0.9,
        _ => 0.61,
    };
    text.chars().map(letter).sum::<f64>() * TEXT
}

/// A text in lines no wider than this, broken where words end if they end soon enough.
fn wrap(text: &str, most: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if width(&line) <= most || line.chars().count() == 1 {
            continue;
        }
        line.pop();
        let end = line.rfind([' ', '/', '-', '_', ',', '.']).filter(|at| *at > line.len() / 2);
        let rest = end.map(|at| line.split_off(at + 1)).unwrap_or_default();
        lines.push(line.trim_end().to_string());
        line = rest;
        line.push(c);
    }
    lines.push(line);
    lines
}

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

/// A field that tells about what lies below it.
fn hit(out: &mut String, (x, y): (f64, f64), (wide, high): (f64, f64), told: &str) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_wrapped_but_never_cut() {
        let label = "payment-gateway/登录认证服务-业务高峰期成功率 of all regions";
        let lines = wrap(label, 120.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line) <= 120.0));
        assert_eq!(lines.concat().replace(' ', ""), label.replace(' ', ""));
        assert_eq!(wrap("login", 120.0), ["login"]);
    }
}
