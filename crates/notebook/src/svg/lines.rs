//! Lines, and bars along time.

use std::ops::Range as Span;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, ValueFormatter};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::ink::Ink;
use super::picture::{Picture, Room, drawn, hit};
use super::text::{text, width, wrap};
use crate::chart::lines::{bars, crowded, extent};
use crate::chart::scale::Scale;
use crate::chart::{Lines, Marks, ticks};
use crate::format;
use crate::unit::Unit;

/// Plotters counts in whole pixels; a quarter of one is what the eye tells apart.
const FINE: i32 = 4;

/// An axis whose ticks are known.
#[derive(Clone)]
struct Axis {
    range: Span<f64>,
    ticks: Vec<f64>,
}

impl Ranged for Axis {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, limit: (i32, i32)) -> i32 {
        let share = (value - self.range.start) / (self.range.end - self.range.start);
        limit.0 + (share * f64::from(limit.1 - limit.0)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, hint: Hint) -> Vec<f64> {
        if hint.weight().allow_light_points() { Vec::new() } else { self.ticks.clone() }
    }

    fn range(&self) -> Span<f64> {
        self.range.clone()
    }
}

impl ValueFormatter<f64> for Axis {}

pub(super) fn draw(lines: &Lines, room: Room) -> Result<Picture, String> {
    let page = room == Room::Page;
    let (wide, high) = (room.width(), if page { 280 } else { 220 });
    let (low, top) = lines.y_range();
    let scaled = |unit: &Unit| Scale::new(low, top, unit, if page { 6 } else { 4 });
    let needed = |y: &Scale| y.ticks.iter().map(|(_, text)| width(text)).fold(24.0, f64::max).ceil() as i32 + 12;
    let mut y = scaled(&lines.unit);
    // A long unit is written once, above the axis, rather than at every tick.
    let mut unit = None;
    if let Unit::Suffix(suffix) = &lines.unit
        && needed(&y) > wide / 5
    {
        y = scaled(&Unit::None);
        unit = wrap(suffix, f64::from(wide)).into_iter().next();
    }
    let left = needed(&y).min(wide / 3);
    let (above, right, below) = (if unit.is_some() { 28 } else { 10 }, 30, 26);
    let plot = (f64::from(wide - left - right), f64::from(high - above - below));
    let x_range = lines.x_range();
    let x_ticks = x_ticks(lines, x_range, (plot.0 / if page { 92.0 } else { 64.0 }) as usize);
    let written = |ticks: &[(f64, String)], at: f64| {
        ticks.iter().find(|(tick, _)| *tick == at).map(|(_, text)| text.clone()).unwrap_or_default()
    };
    let size = (wide * FINE, high * FINE);
    let scale = f64::from(FINE);
    let drawn = drawn(size, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_top(above * FINE)
            .margin_right(right * FINE)
            .set_label_area_size(LabelAreaPosition::Left, left * FINE)
            .set_label_area_size(LabelAreaPosition::Bottom, below * FINE)
            .build_cartesian_2d(
                Axis { range: x_range.0..x_range.1, ticks: x_ticks.iter().map(|tick| tick.0).collect() },
                Axis { range: y.low..y.high, ticks: y.ticks.iter().map(|tick| tick.0).collect() },
            )?;
        chart
            .configure_mesh()
            .disable_x_mesh()
            .bold_line_style(Ink::Grid.colour().stroke_width(FINE as u32))
            .axis_style(Ink::Axis.colour().stroke_width(FINE as u32))
            .set_tick_mark_size(LabelAreaPosition::Bottom, 4 * FINE)
            .set_tick_mark_size(LabelAreaPosition::Left, 5 * FINE)
            .y_label_offset(0)
            .x_label_style(text(Ink::Text, HPos::Center, VPos::Top, scale))
            .y_label_style(text(Ink::Text, HPos::Right, VPos::Center, scale))
            .x_label_formatter(&|at| written(&x_ticks, *at))
            .y_label_formatter(&|at| written(&y.ticks, *at))
            .x_labels(100)
            .y_labels(100)
            .draw()?;
        if lines.marks == Marks::Line || crowded(lines, x_range, plot.0) {
            for (n, series) in lines.series.iter().enumerate() {
                let style = Ink::Series(n).colour().stroke_width(7);
                for line in series.visible(x_range, plot.0 as usize) {
                    match line.as_slice() {
                        // A lone point is no line.
                        [point] => {
                            chart.draw_series([Circle::new(*point, 10, Ink::Series(n).colour().filled())])?;
                        }
                        _ => {
                            chart.draw_series(LineSeries::new(line, style))?;
                        }
                    }
                }
            }
        } else {
            for (n, from, to) in bars(lines, x_range, plot.0) {
                let style = Ink::Series(n).colour().filled();
                chart.draw_series([Rectangle::new([from, to], style)])?;
            }
        }
        if let Some(unit) = &unit {
            area.draw_text(unit, &text(Ink::Text, HPos::Left, VPos::Center, scale), (0, 8 * FINE))?;
        }
        if let Some(target) = lines.target {
            let rule = [(x_range.0, target), (x_range.1, target)];
            chart.draw_series(LineSeries::new(rule, Ink::Target.colour().stroke_width(6)))?;
        }
        Ok(())
    })?;
    let mut marks = String::from("<g class=\"hits\">");
    for (from, to, told) in bands(lines, x_range, if page { 120 } else { 40 }) {
        let at = |x: f64| (f64::from(left) + (x - x_range.0) / (x_range.1 - x_range.0) * plot.0) * scale;
        let top = f64::from(above) * scale;
        hit(&mut marks, (at(from), top), (at(to) - at(from), plot.1 * scale), &told);
    }
    marks += "</g>";
    Ok(Picture { size, drawn, marks })
}

fn x_ticks(lines: &Lines, (low, high): (f64, f64), most: usize) -> Vec<(f64, String)> {
    if lines.time {
        let ticks = ticks::ticks((low as i64, high as i64), lines.zone, most);
        return ticks.into_iter().map(|(at, text)| (at as f64, text)).collect();
    }
    let scale = Scale::new(low, high, &crate::unit::Unit::None, most);
    scale.ticks.into_iter().filter(|(at, _)| (low..=high).contains(at)).collect()
}

/// Fields across the chart that tell the values below them; where points are many, the extremes of neighbours together.
fn bands(lines: &Lines, (low, high): (f64, f64), most: usize) -> Vec<(f64, f64, String)> {
    let mut xs: Vec<f64> = lines.series.iter().flat_map(|series| series.points.iter().map(|point| point.0)).collect();
    xs.sort_by(f64::total_cmp);
    xs.dedup();
    let lone = xs.len() <= most;
    // Of lone points each field reaches half way to its neighbours, a bar's over what the bar stands for.
    let (edges, begins): (Vec<f64>, bool) = match (lone, lines.marks) {
        (true, Marks::Line) => {
            let middle = xs.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
            ([low].into_iter().chain(middle).chain([high]).collect(), false)
        }
        (true, _) => (xs.iter().copied().chain([high]).collect(), true),
        (false, _) => ((0..=most).map(|n| low + (high - low) * n as f64 / most as f64).collect(), true),
    };
    let mut out = Vec::new();
    for (at, pair) in edges.windows(2).enumerate() {
        let (from, to) = (pair[0], pair[1]);
        let last = at + 2 == edges.len();
        let mut told = match lone {
            true => lines.x_text(xs[at]),
            false if lines.time => format::interval(from as i64, to as i64, lines.zone),
            false => format!("{} – {}", lines.x_text(from), lines.x_text(to)),
        };
        let mut any = false;
        for series in &lines.series {
            let start = series.points.partition_point(|point| point.0 < from);
            let points = series.points[start..].iter().take_while(|point| point.0 < to || last && point.0 <= to);
            let Some((least, greatest)) = extent(points.filter_map(|point| point.1)) else { continue };
            any = true;
            let number = |value| format::number(value, &lines.unit);
            told += &match least == greatest {
                true => format!("\n{}: {}", series.name, number(least)),
                false => format!("\n{}: {} – {}", series.name, number(least), number(greatest)),
            };
        }
        if any || begins && lone {
            out.push((from, to, told));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Series;

    #[test]
    fn a_long_unit_stands_above_the_axis() {
        let points = vec![(0.0, Some(10.0)), (1.0, Some(20.0))];
        let unit = Unit::Suffix("requests that were answered per second and customer".to_string());
        let series = vec![Series { name: "a".to_string(), points }];
        let zone = chrono_tz::Tz::UTC;
        let lines = Lines { series, marks: Marks::Line, time: false, target: None, unit, zone, left_out: 0 };
        for room in [Room::Page, Room::Phone] {
            let drawn = draw(&lines, room).unwrap().drawn;
            assert_eq!(drawn.matches("requests that were").count(), 1, "{drawn}");
            // From where the line begins to where it ends: most of the chart.
            let line = drawn.split("<polyline ").filter(|part| part.contains("s0\"")).last().unwrap();
            let points = line.split("points=\"").nth(1).unwrap().split('"').next().unwrap();
            let xs: Vec<i32> = points.split(' ').filter_map(|point| point.split(',').next()?.parse().ok()).collect();
            assert!(xs.last().unwrap() - xs[0] > room.width() * FINE / 2, "{points}");
        }
    }
}
