//! Lines and bars along time. A letter of braille is 2 by 4 dots; without colour several lines are drawn in a letter each.

use unicode_width::UnicodeWidthStr;

use super::fit::{self, axis, cut, fit_right};
use super::look::{DIM, LETTERS, Look, SERIES};
use crate::chart::lines::{bars, crowded, extent};
use crate::chart::scale::Scale;
use crate::chart::{Lines, Marks, ticks};
use crate::format;
use crate::unit::Unit;

const HIGH: usize = 12;

/// Dots, and in which series' name each letter is drawn.
struct Grid {
    wide: usize,
    dots: Vec<u8>,
    series: Vec<usize>,
}

impl Grid {
    fn set(&mut self, x: usize, y: usize, series: usize) {
        let (column, row) = (x / 2, y / 4);
        if column >= self.wide || row >= HIGH {
            return;
        }
        const BITS: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
        self.dots[row * self.wide + column] |= BITS[x % 2][y % 4];
        self.series[row * self.wide + column] = series;
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), series: usize) {
        let steps = (to.0 - from.0).abs().max((to.1 - from.1).abs()).ceil().max(1.0) as usize;
        for step in 0..=steps {
            let share = step as f64 / steps as f64;
            let at = |a: f64, b: f64| (a + (b - a) * share).round().max(0.0) as usize;
            self.set(at(from.0, to.0), at(from.1, to.1), series);
        }
    }
}

pub(super) fn draw(lines: &Lines, look: Look) -> String {
    let (low, high) = lines.y_range();
    let needed = |scale: &Scale| scale.ticks.iter().map(|(_, text)| text.width()).max().unwrap_or(0);
    let mut scale = Scale::new(low, high, &lines.unit, 4);
    let mut out = Vec::new();
    // A long unit is written once, above the axis, rather than at every tick.
    if let Unit::Suffix(suffix) = &lines.unit
        && needed(&scale) > look.width / 5
    {
        scale = Scale::new(low, high, &Unit::None, 4);
        out.push(look.paint(&cut(suffix, look.width), DIM));
    }
    let left = needed(&scale).min(look.width / 3);
    let wide = look.width - left - 2;
    let range = lines.x_range();
    let mut grid = Grid { wide, dots: vec![0; wide * HIGH], series: vec![0; wide * HIGH] };
    let (right, bottom) = ((wide * 2 - 1) as f64, (HIGH * 4 - 1) as f64);
    let x = |at: f64| (at - range.0) / (range.1 - range.0) * right;
    let y = |value: f64| (1.0 - scale.share(value)) * bottom;
    let letters = !look.colour && lines.series.len() > 1;
    if lines.marks == Marks::Line || crowded(lines, range, right) {
        for (n, series) in lines.series.iter().enumerate() {
            for line in series.visible(range, wide * 2) {
                let dots: Vec<(f64, f64)> = line.iter().map(|point| (x(point.0), y(point.1))).collect();
                grid.line(dots[0], dots[0], n);
                dots.windows(2).for_each(|pair| grid.line(pair[0], pair[1], n));
            }
        }
    } else {
        for (n, from, to) in bars(lines, range, right) {
            let (mut dot, end) = (x(from.0).round(), x(to.0).round().max(x(from.0).round() + 1.0));
            // A letter shows one series: bars share none.
            if letters || lines.series.len() > 1 {
                dot -= dot % 2.0;
            }
            let (top, base) = (y(to.1.max(from.1)).round(), y(to.1.min(from.1)).round());
            while dot < end && base > top {
                grid.line((dot, base), (dot, top), n);
                dot += 1.0;
            }
        }
    }
    let rule = lines.target.map(|target| (y(target) / 4.0) as usize);
    for row in 0..HIGH {
        let tick = scale.ticks.iter().find(|(value, _)| (y(*value) / 4.0) as usize == row);
        let label = fit_right(tick.map_or("", |(_, text)| text), left);
        let mut line = look.paint(&label, DIM) + if tick.is_some() { " ┤" } else { " │" };
        for column in 0..wide {
            let at = row * wide + column;
            let letter = match grid.dots[at] {
                0 if rule == Some(row) => look.paint("─", DIM),
                0 => " ".to_string(),
                _ if letters => LETTERS[grid.series[at] % LETTERS.len()].to_string(),
                dots => {
                    let braille = char::from_u32(0x2800 + u32::from(dots)).unwrap_or('?').to_string();
                    look.paint(&braille, SERIES[grid.series[at] % SERIES.len()])
                }
            };
            line += &letter;
        }
        out.push(line.trim_end().to_string());
    }
    out.push(format!("{} └{}", " ".repeat(left), "─".repeat(wide)));
    let shown = match lines.time {
        true => ticks::ticks((range.0 as i64, range.1 as i64), lines.zone, wide / 10)
            .into_iter()
            .map(|(at, text)| (at as f64, text))
            .collect(),
        false => Scale::new(range.0, range.1, &Unit::None, wide / 12).ticks,
    };
    let shown = shown.into_iter().filter(|(at, _)| *at >= range.0 && *at <= range.1);
    let shown: Vec<(usize, String)> = shown.map(|(at, text)| ((x(at) / 2.0) as usize, text)).collect();
    out.push(look.paint(&format!("{}{}", " ".repeat(left + 2), axis(&shown, wide)), DIM));
    for (n, series) in lines.series.iter().enumerate() {
        let key = match letters {
            true => LETTERS[n % LETTERS.len()].to_string(),
            false => look.paint("━━", SERIES[n % SERIES.len()]),
        };
        let values = extent(series.points.iter().filter_map(|point| point.1));
        let told = values.map_or_else(
            || "no data".to_string(),
            |(low, high)| format!("{} – {}", format::number(low, &lines.unit), format::number(high, &lines.unit)),
        );
        // The name gives way to its values.
        let told = cut(&told, wide.saturating_sub(14));
        let name = cut(&series.name, wide.saturating_sub(told.width() + 5));
        out.push(format!("{}{key} {name}  {}", " ".repeat(left + 2), look.paint(&told, DIM)));
    }
    if let Some(target) = lines.target {
        let told = format!("── target {}", format::number(target, &lines.unit));
        out.push(fit::keys(&[told], left + 2, look));
    }
    out.join("\n")
}
