//! Bars lying on their side, so that labels of any length can be read.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::ink::Ink;
use super::picture::{Picture, Room, drawn, hit};
use super::text::{text, width, wrap};
use crate::chart::Bars;
use crate::chart::scale::Scale;
use crate::format;

/// A group of bars.
struct Group {
    lines: Vec<String>,
    /// Where its label and its bars begin, and where it ends.
    label: i32,
    bars: i32,
    end: i32,
}

pub(super) fn draw(bars: &Bars, room: Room) -> Result<Picture, String> {
    let page = room == Room::Page;
    let wide = room.width();
    let (low, high) = bars.range();
    let scale = Scale::new(low, high, &bars.unit, if page { 7 } else { 3 });
    let number = |value: f64| format::number(value, &bars.unit);
    let all = || bars.series.iter().flat_map(|(_, values)| values.iter().flatten());
    let mut right = all().map(|value| width(&number(*value))).fold(20.0, f64::max) as i32 + 10;
    if let Some((_, last)) = scale.ticks.last() {
        right = right.max((width(last) / 2.0) as i32 + 4);
    }
    let right = right.min(wide / 3);
    // Beside the bars there is room for labels on a page, above them on a phone.
    let longest = bars.labels.iter().map(|label| width(label)).fold(30.0, f64::max);
    let first = scale.ticks.first().map_or(0, |(_, first)| (width(first) / 2.0) as i32 + 4);
    let left = first.min(wide / 3).max(if page { longest.min(280.0) as i32 + 12 } else { 8 });
    let room_for_label = if page { f64::from(left - 10) } else { f64::from(wide) };
    let abreast = if bars.stack { 1 } else { bars.series.len().max(1) as i32 };
    let thick = if abreast == 1 { 16 } else { 11 };
    let mut at = 4;
    let groups: Vec<Group> = bars
        .labels
        .iter()
        .map(|label| {
            let lines = wrap(label, room_for_label);
            let (text, bar) = (lines.len() as i32 * 16, abreast * thick);
            let begin = at;
            let (first, end) = if page {
                (begin + (text - bar).max(0) / 2, begin + text.max(bar))
            } else {
                (begin + text + 2, begin + text + 2 + bar)
            };
            at = end + if page { 8 } else { 10 };
            Group { lines, label: if page { begin + (bar - text).max(0) / 2 } else { begin }, bars: first, end }
        })
        .collect();
    let (bottom, height) = (at, at + 26);
    let plot = f64::from(wide - left - right);
    let x = |value: f64| left + (scale.share(value) * plot).round() as i32;
    let size = (wide, height);
    let drawn = drawn(size, |area| {
        for (value, written) in &scale.ticks {
            let style = if *value == 0.0 { Ink::Axis } else { Ink::Grid }.colour();
            // On a phone a line must not run through labels.
            let spans = if page { vec![(0, bottom)] } else { groups.iter().map(|g| (g.bars - 2, g.end + 2)).collect() };
            for (top, end) in spans {
                area.draw(&PathElement::new([(x(*value), top), (x(*value), end)], style))?;
            }
            area.draw_text(written, &text(Ink::Text, HPos::Center, VPos::Top, 1.0), (x(*value), bottom + 6))?;
        }
        for (row, group) in groups.iter().enumerate() {
            for (n, line) in group.lines.iter().enumerate() {
                let y = group.label + n as i32 * 16 + 8;
                let (anchor, x) = if page { (HPos::Right, left - 8) } else { (HPos::Left, 0) };
                area.draw_text(line, &text(Ink::Strong, anchor, VPos::Center, 1.0), (x, y))?;
            }
            let (mut above, mut below) = (0.0, 0.0);
            for (n, (_, values)) in bars.series.iter().enumerate() {
                let Some(value) = values[row] else { continue };
                let sum = if value < 0.0 { &mut below } else { &mut above };
                let base = if bars.stack { *sum } else { 0.0 };
                *sum += value;
                let y = group.bars + if bars.stack { 0 } else { n as i32 * thick };
                let (from, to) = (x(base).min(x(base + value)), x(base).max(x(base + value)));
                // What is not zero is seen.
                let to = if value != 0.0 { to.max(from + 1) } else { to };
                let style = Ink::Series(n).colour().filled();
                area.draw(&Rectangle::new([(from, y), (to, y + thick - 2)], style))?;
                if !bars.stack {
                    let style = text(Ink::Text, HPos::Left, VPos::Center, 1.0);
                    area.draw_text(&number(value), &style, (to.max(x(0.0)) + 5, y + thick / 2))?;
                }
            }
            if bars.stack {
                let style = text(Ink::Text, HPos::Left, VPos::Center, 1.0);
                area.draw_text(&number(above + below), &style, (x(above) + 5, group.bars + thick / 2))?;
            }
        }
        if let Some(target) = bars.target {
            let style = Ink::Target.colour().stroke_width(2);
            area.draw(&PathElement::new([(x(target), 0), (x(target), bottom)], style))?;
        }
        Ok(())
    })?;
    let mut marks = String::from("<g class=\"hits\">");
    for (row, group) in groups.iter().enumerate() {
        let mut told = bars.labels[row].clone();
        for (name, values) in &bars.series {
            let value = values[row].map_or_else(|| "no data".to_string(), number);
            told += &format!("\n{name}: {value}");
        }
        let top = f64::from(group.label.min(group.bars));
        hit(&mut marks, (0.0, top), (f64::from(wide), f64::from(group.end) - top), &told);
    }
    marks += "</g>";
    Ok(Picture { size, drawn, marks })
}
