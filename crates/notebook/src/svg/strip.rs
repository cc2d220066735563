//! The timeline strip. A state is told by its colour and by its shape: ok is a thin band, an error a full block, what is
//! excluded a hatched one of half the height, and no data a line of dots.
//!
//! Marks are one path per row and state, a few letters per run of pixels: a hundred objectives over a year stay small.

use std::fmt::Write as _;

use nines_timeline::State;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::ink::Ink;
use super::picture::{Picture, Room, drawn, hit};
use super::text::{escape, text, width, wrap};
use crate::chart::strip::touches;
use crate::chart::{Strip, StripRow, ticks};
use crate::format;
use crate::moment::Range;

/// An error takes at least so many pixels.
const LEAST: u32 = 2;
/// Fields that tell about single errors, at most, in a chart.
const HITS: usize = 1500;

struct Row<'s> {
    row: &'s StripRow,
    lines: Vec<String>,
    errors: Vec<Range>,
    /// Where its label begins and where its band does.
    label: i32,
    band: i32,
}

pub(super) fn draw(strip: &Strip, room: Room) -> Result<Picture, String> {
    let page = room == Room::Page;
    let wide = room.width();
    let total = |row: &StripRow| match row.seconds_in(State::Error, strip.range) {
        0.0 => String::new(),
        seconds => format::duration(seconds),
    };
    let longest = strip.rows.iter().map(|row| width(&row.label)).fold(0.0, f64::max);
    let totals = strip.rows.iter().map(|row| width(&total(row))).fold(20.0, f64::max) as i32;
    let (left, right) = if page { (longest.min(230.0) as i32 + 12, totals + 12) } else { (0, 0) };
    let high = if page { 16 } else { 14 };
    let mut at = 26;
    let rows: Vec<Row<'_>> = strip
        .rows
        .iter()
        .map(|row| {
            let lines = wrap(&row.label, if page { f64::from(left - 10) } else { f64::from(wide - totals - 10) });
            let text = lines.len() as i32 * 15;
            let (label, band) =
                if page { (at + (high - text).max(0) / 2, at + (text - high).max(0) / 2) } else { (at, at + text + 1) };
            at = if page { at + text.max(high) + 6 } else { band + high + 8 };
            Row { row, lines, errors: row.errors(strip.range), label, band }
        })
        .collect();
    let (bottom, height) = (at, at + 22);
    let plot = wide - left - right;
    let shown = ticks::ticks(strip.range, strip.zone, (f64::from(plot) / if page { 92.0 } else { 64.0 }) as usize);
    let x = |at: i64| {
        let share = (at - strip.range.0) as f64 / (strip.range.1 - strip.range.0) as f64;
        left + (share * f64::from(plot)).round() as i32
    };
    let size = (wide, height);
    let drawn = drawn(size, |area| {
        for (tick, written) in &shown {
            let at = x(*tick);
            area.draw(&PathElement::new([(at, 20), (at, bottom)], Ink::Grid.colour()))?;
            let half = (width(written) / 2.0).ceil() as i32;
            let middle = at.clamp(half, wide - half);
            for y in [12, bottom + 12] {
                area.draw_text(written, &text(Ink::Text, HPos::Center, VPos::Center, 1.0), (middle, y))?;
            }
        }
        for Row { row, lines, label, band, .. } in &rows {
            for (n, line) in lines.iter().enumerate() {
                let (anchor, at) = if page { (HPos::Right, left - 8) } else { (HPos::Left, 0) };
                let y = label + n as i32 * 15 + 8;
                area.draw_text(line, &text(Ink::Strong, anchor, VPos::Center, 1.0), (at, y))?;
            }
            let y = if page { band + high / 2 } else { label + 8 };
            area.draw_text(&total(row), &text(Ink::Text, HPos::Right, VPos::Center, 1.0), (wide, y))?;
        }
        Ok(())
    })?;
    let mut marks = String::new();
    for Row { row, band, .. } in &rows {
        let pixels = row.pixels(strip.range, plot.unsigned_abs(), LEAST);
        let told = row.told(strip.range);
        let _ = write!(marks, "<g><title>{}</title>", escape(&format!("{}\n{told}", row.label)));
        let _ = write!(marks, "<path class=\"t-none\" d=\"M{left} {}h{plot}\"/>", band + high / 2);
        let band_of = |inset: i32| (band + inset, high - 2 * inset);
        path(&mut marks, "t-ok", left, band_of(high / 2 - 3), &pixels.measured);
        // Nothing shines through what is excluded.
        path(&mut marks, "t-page", left, band_of(3), &pixels.excluded);
        path(&mut marks, "t-out", left, band_of(3), &pixels.excluded);
        path(&mut marks, "t-error", left, band_of(0), &pixels.error);
        path(&mut marks, "t-most", left, band_of(-1), &pixels.mostly);
        marks += "</g>";
    }
    if page {
        marks += "<g class=\"hits\">";
        let groups: Vec<Vec<(u32, u32)>> = groups(&rows, strip, plot.unsigned_abs());
        for (row, groups) in rows.iter().zip(groups) {
            for (from, to) in groups {
                let told = errors_told(row, strip, (from, to), plot);
                let (x, wide) = (f64::from(left) + f64::from(from) - 1.0, f64::from(to - from) + 2.0);
                hit(&mut marks, (x, f64::from(row.band)), (wide, f64::from(high)), &told);
            }
        }
        marks += "</g>";
    }
    Ok(Picture { size, drawn, marks })
}

/// Rectangles side by side as one path.
fn path(out: &mut String, class: &str, left: i32, (top, high): (i32, i32), pixels: &[(u32, u32)]) {
    if pixels.is_empty() {
        return;
    }
    let _ = write!(out, "<path class=\"{class}\" d=\"");
    for (from, to) in pixels {
        let (x, wide) = (left + *from as i32, to - from);
        let _ = write!(out, "M{x} {top}h{wide}v{high}h-{wide}z");
    }
    *out += "\"/>";
}

/// Where single errors are told about: what is less than so many pixels apart goes together, as few as keep the number of
/// fields bearable.
fn groups(rows: &[Row<'_>], strip: &Strip, plot: u32) -> Vec<Vec<(u32, u32)>> {
    let pixels: Vec<_> = rows.iter().map(|row| row.row.pixels(strip.range, plot, LEAST).error).collect();
    let mut apart = 1;
    loop {
        let together = |pixels: &Vec<(u32, u32)>| {
            let parts = pixels.chunk_by(|a, b| b.0 - a.1 < apart);
            parts.filter_map(|part| Some((part.first()?.0, part.last()?.1))).collect::<Vec<_>>()
        };
        let groups: Vec<Vec<(u32, u32)>> = pixels.iter().map(together).collect();
        if groups.iter().map(Vec::len).sum::<usize>() <= HITS || apart > plot {
            return groups;
        }
        apart *= 2;
    }
}

fn errors_told(row: &Row<'_>, strip: &Strip, (from, to): (u32, u32), plot: i32) -> String {
    let (begin, end) = strip.range;
    let at = |pixel: f64| begin + (pixel / f64::from(plot) * (end - begin) as f64) as i64;
    // A pixel may be drawn for what lies half a pixel beside it.
    let range = (at(f64::from(from) - 0.5), at(f64::from(to) + 0.5));
    let first = row.errors.partition_point(|error| error.1 < range.0);
    let errors = row.errors[first..].iter().take_while(|error| error.0 < range.1);
    let errors: Vec<&Range> = errors.filter(|error| touches(**error, range)).collect();
    let mut told = row.row.label.clone();
    for (start, end) in errors.iter().take(3) {
        told += &format!("\nerror {}", format::interval(*start, *end, strip.zone));
    }
    if errors.len() > 3 {
        let seconds: i64 = errors.iter().map(|(start, end)| end - start).sum();
        told += &format!("\n… {} in all, {}", errors.len(), format::duration(seconds as f64 / 1e6));
    }
    told
}

/// The states that the strip shows.
pub(super) fn legend(strip: &Strip) -> Vec<(String, String)> {
    let any = |state: State| strip.rows.iter().any(|row| row.seconds_in(state, strip.range) > 0.0);
    let all = |row: &StripRow| {
        row.spans.iter().map(|span| span.to.min(strip.range.1) - span.from.max(strip.range.0)).sum::<i64>()
            >= strip.range.1 - strip.range.0
    };
    let mut keys = vec![("k-ok".to_string(), "ok".to_string()), ("k-error".to_string(), "error".to_string())];
    let most = |row: &StripRow| !row.pixels(strip.range, Room::Page.width().unsigned_abs(), LEAST).mostly.is_empty();
    if strip.rows.iter().any(most) {
        keys.push(("k-most".to_string(), "error most of the time".to_string()));
    }
    if any(State::Excluded) {
        keys.push(("k-out".to_string(), "excluded".to_string()));
    }
    if any(State::NoData) || !strip.rows.iter().all(all) {
        keys.push(("k-none".to_string(), "no data".to_string()));
    }
    keys
}
