//! Heat maps: a calendar of weeks, or rows and columns. No data is a hollow cell, as against a pale one for zero.

use std::fmt::Write as _;

use chrono::{Datelike, NaiveDate, TimeDelta};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

use super::ink::Ink;
use super::picture::{Picture, Room, drawn, hit};
use super::text::{text, width, wrap};
use crate::chart::heat::{DARKEST, tone};
use crate::chart::{Calendar, Matrix};
use crate::format;
use crate::unit::Unit;

/// Weeks as columns, Mondays on top; as many blocks below each other as it takes.
pub(super) fn calendar(calendar: &Calendar, room: Room) -> Result<Picture, String> {
    let wide = room.width();
    let Some((first, last)) = calendar.days.keys().next().zip(calendar.days.keys().next_back()) else {
        return Err("there are no days".to_string());
    };
    let monday = *first - TimeDelta::days(first.weekday().num_days_from_monday().into());
    let weeks = ((*last - monday).num_days() / 7 + 1) as i32;
    let left = 38;
    let most = (wide - left) / if room == Room::Page { 14 } else { 11 };
    let blocks = (weeks + most - 1) / most;
    // Blocks of the same length, lest the last one be a lone week.
    let abreast = (weeks + blocks - 1) / blocks;
    let cell = ((wide - left) / abreast).min(26);
    let block = 22 + 7 * cell + 10;
    let size = (wide, blocks * block);
    let corner = |day: NaiveDate| {
        let week = ((day - monday).num_days() / 7) as i32;
        let row = day.weekday().num_days_from_monday() as i32;
        (left + week % abreast * cell, week / abreast * block + 22 + row * cell)
    };
    let drawn = drawn(size, |area| {
        for n in 0..blocks {
            for (row, name) in [(0, "Mon"), (2, "Wed"), (4, "Fri")] {
                let y = n * block + 22 + row * cell + cell / 2;
                area.draw_text(name, &text(Ink::Text, HPos::Left, VPos::Center, 1.0), (0, y))?;
            }
        }
        for n in 0..blocks {
            let week = |n: i32| monday + TimeDelta::weeks((n * abreast).into());
            let (begin, end) = (week(n).max(*first), week(n + 1).min(*last + TimeDelta::days(1)));
            let mut month = begin.with_day(1).unwrap_or(begin);
            let mut free = 0;
            while month < end {
                let (written, next) = (month.format("%Y-%m").to_string(), month + chrono::Months::new(1));
                let (x, needed) = (corner(month.max(begin)).0, width(&written) as i32);
                // The rest of a month gives way to the next one.
                let fits = month >= begin || next >= end || corner(next).0 >= x + needed;
                if fits && x >= free && x + needed <= wide {
                    let style = text(Ink::Text, HPos::Left, VPos::Center, 1.0);
                    area.draw_text(&written, &style, (x, n * block + 12))?;
                    free = x + needed + 8;
                }
                month = next;
            }
        }
        for (day, value) in &calendar.days {
            let (x, y) = corner(*day);
            let corners = [(x, y), (x + cell - 2, y + cell - 2)];
            match value {
                Some(value) => {
                    let ink = Ink::Shade(tone(*value, &calendar.steps));
                    area.draw(&Rectangle::new(corners, ink.colour().filled()))?;
                }
                None => area.draw(&Rectangle::new(corners, Ink::Hollow.colour()))?,
            }
        }
        Ok(())
    })?;
    let mut marks = String::from("<g class=\"hits\">");
    for (day, value) in &calendar.days {
        let (x, y) = corner(*day);
        let value = value.map_or_else(|| "no data".to_string(), |value| format::number(value, &calendar.unit));
        let told = format!("{}: {value}", day.format("%a %Y-%m-%d"));
        hit(&mut marks, (f64::from(x), f64::from(y)), (f64::from(cell), f64::from(cell)), &told);
    }
    marks += "</g>";
    Ok(Picture { size, drawn, marks })
}

/// A cell takes at least so many pixels.
const LEAST: f64 = 2.0;
/// Fields that tell about cells, at most, in a chart.
const HITS: usize = 1500;

pub(super) fn matrix(matrix: &Matrix, room: Room) -> Result<Picture, String> {
    let page = room == Room::Page;
    let wide = room.width();
    let longest = matrix.rows.iter().map(|row| width(row)).fold(0.0, f64::max);
    let left = if page { longest.min(280.0) as i32 + 12 } else { 0 };
    let count = matrix.columns.len().max(1);
    let cell = (f64::from(wide - left) / count as f64).min(120.0);
    let titles = column_titles(matrix, cell, page);
    let above =
        if titles.upright { titles.shown.iter().map(|(_, t)| width(t)).fold(0.0, f64::max) as i32 + 12 } else { 24 };
    let high = 20;
    let mut at = above;
    let rows: Vec<(Vec<String>, i32, i32)> = matrix
        .rows
        .iter()
        .map(|label| {
            let lines = wrap(label, if page { f64::from(left - 10) } else { f64::from(wide) });
            let text = lines.len() as i32 * 15;
            let (label, band) =
                if page { (at + (high - text).max(0) / 2, at + (text - high).max(0) / 2) } else { (at, at + text + 1) };
            at = if page { at + text.max(high) + 2 } else { band + high + 4 };
            (lines, label, band)
        })
        .collect();
    let size = (wide, at + 4);
    let x = |column: usize| left + (column as f64 * cell).round() as i32;
    // Between narrow cells there is no room for a gap.
    let gap = if cell >= 8.0 { 2 } else { 0 };
    let written = |value: f64| format::number(value, &matrix.unit);
    let mut values = matrix.cells.iter().flatten().flatten();
    let fit = values.all(|value| width(&written(*value)) + 2.0 <= cell);
    let drawn = drawn(size, |area| {
        for (column, title) in &titles.shown {
            let middle = x(*column) + (cell / 2.0) as i32;
            if titles.upright {
                let style = text(Ink::Text, HPos::Left, VPos::Center, 1.0).transform(FontTransform::Rotate270);
                area.draw_text(title, &style, (middle, above - 6))?;
            } else {
                let half = (width(title) / 2.0).ceil() as i32;
                let middle = middle.clamp(half, (wide - half).max(half));
                area.draw_text(title, &text(Ink::Text, HPos::Center, VPos::Center, 1.0), (middle, above - 12))?;
            }
        }
        for (row, (lines, label, band)) in rows.iter().enumerate() {
            for (n, line) in lines.iter().enumerate() {
                let (anchor, at) = if page { (HPos::Right, left - 8) } else { (HPos::Left, 0) };
                area.draw_text(line, &text(Ink::Strong, anchor, VPos::Center, 1.0), (at, label + n as i32 * 15 + 8))?;
            }
            for (column, value) in matrix.cells[row].iter().enumerate() {
                let Some(value) = value.filter(|_| fit) else { continue };
                let dark = tone(value, &matrix.steps) >= 3;
                let style = text(if dark { Ink::OnDark } else { Ink::Strong }, HPos::Center, VPos::Center, 1.0);
                area.draw_text(&written(value), &style, (x(column) + (cell / 2.0) as i32, band + high / 2))?;
            }
        }
        Ok(())
    })?;
    let mut fields = String::new();
    // Where columns are too narrow to be seen, the greatest value of neighbours is shown.
    let together = (LEAST / cell).ceil().max(1.0) as usize;
    for (row, (_, _, band)) in rows.iter().enumerate() {
        let greatest = |part: &[Option<f64>]| part.iter().flatten().copied().reduce(f64::max);
        let cells: Vec<Option<f64>> = matrix.cells[row].chunks(together).map(greatest).collect();
        // Neighbours of a shade are one field.
        let shade = |value: Option<f64>| value.map(|value| tone(value, &matrix.steps));
        let mut column = 0;
        for part in cells.chunk_by(|a, b| gap == 0 && shade(*a) == shade(*b)) {
            let next = (column + part.len() * together).min(count);
            let (from, to) = (x(column), x(next) - gap);
            // The last ones may be few.
            let from = from.min(to - LEAST as i32);
            column = next;
            let class = shade(part[0]).map_or_else(|| "s-hollow".to_string(), |shade| format!("f-h{shade}"));
            let (inset, size) = if part[0].is_none() { (1, high - 2) } else { (0, high) };
            let wide = (to - from - inset).max(1);
            let _ = write!(fields, "<path class=\"{class}\" d=\"M{from} {}h{wide}v{size}h-{wide}z\"/>", band + inset);
        }
    }
    let mut marks = String::from("<g class=\"hits\">");
    let mut told: Vec<(usize, usize, f64)> = Vec::new();
    for (row, cells) in matrix.cells.iter().enumerate() {
        told.extend(cells.iter().enumerate().filter_map(|(column, value)| Some((row, column, (*value)?))));
    }
    if told.len() > HITS {
        told.retain(|cell| cell.2 != 0.0);
        told.sort_by(|a, b| b.2.abs().total_cmp(&a.2.abs()));
        told.truncate(HITS);
    }
    for (row, column, value) in told.into_iter().filter(|_| page || matrix.columns.len() < 40) {
        let told = format!("{}, {}: {}", matrix.rows[row], matrix.columns[column], written(value));
        hit(&mut marks, (f64::from(x(column)), f64::from(rows[row].2)), (cell.max(2.0), f64::from(high)), &told);
    }
    marks += "</g>";
    // Text lies on top of the cells.
    Ok(Picture { size, drawn: fields + &drawn, marks })
}

struct Titles {
    shown: Vec<(usize, String)>,
    upright: bool,
}

/// Which columns are named, and whether their names stand upright.
fn column_titles(matrix: &Matrix, cell: f64, page: bool) -> Titles {
    if matrix.daily {
        let apart = if page { 92.0 } else { 78.0 };
        let every = (apart / cell).ceil().max(1.0) as usize;
        let months = matrix.columns.len() > 62;
        let first = |day: &String| if months { day.ends_with("-01") } else { true };
        let mut shown: Vec<(usize, String)> = Vec::new();
        for (column, day) in matrix.columns.iter().enumerate().filter(|(_, day)| first(day)) {
            if shown.last().is_none_or(|(last, _)| column - last >= every) {
                let text = if months { day[..day.len() - 3].to_string() } else { day[day.len() - 5..].to_string() };
                shown.push((column, text));
            }
        }
        return Titles { shown, upright: false };
    }
    let cut = |title: &String| {
        let mut lines = wrap(title, 150.0);
        let more = lines.len() > 1;
        let first = lines.swap_remove(0);
        if more { first + "…" } else { first }
    };
    let upright = matrix.columns.iter().any(|title| width(title) + 8.0 > cell);
    let every = if upright { (16.0 / cell).ceil().max(1.0) as usize } else { 1 };
    let shown = matrix.columns.iter().enumerate().step_by(every).map(|(column, title)| (column, cut(title))).collect();
    Titles { shown, upright }
}

/// From which value on a shade is used.
pub(super) fn legend(steps: &[f64], unit: &Unit) -> Vec<(String, String)> {
    let number = |value: f64| format::number(value, unit);
    let first = DARKEST - steps.len();
    let mut keys = vec![("k-h0".to_string(), number(0.0)), (format!("k-h{first}"), format!("> {}", number(0.0)))];
    let from = steps.iter().enumerate();
    keys.extend(from.map(|(n, step)| (format!("k-h{}", first + n + 1), format!("≥ {}", number(*step)))));
    keys.push(("k-hollow".to_string(), "no data".to_string()));
    keys
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_day_of_years_is_seen() {
        let columns: Vec<String> = (0..3000).map(|day| format!("2026-01-{day}")).collect();
        for bad in [0, 1, 1499, 2998, 2999] {
            let mut cells = vec![Some(0.0); 3000];
            cells[bad] = Some(60.0);
            let (rows, columns) = (vec!["login".to_string()], columns.clone());
            let matrix = Matrix {
                rows,
                columns,
                daily: true,
                cells: vec![cells],
                steps: vec![10.0],
                unit: Unit::None,
                left_out: (0, 0),
            };
            for room in [Room::Page, Room::Phone] {
                let drawn = super::matrix(&matrix, room).unwrap().drawn;
                let field = drawn.split("<path class=\"f-h5\" d=\"M").nth(1).unwrap();
                let (from, rest) = field.split_once(' ').unwrap();
                let wide: i32 = rest.split('h').nth(1).unwrap().split('v').next().unwrap().parse().unwrap();
                assert!(f64::from(wide) >= LEAST, "{field}");
                // Nothing is drawn over it.
                let others = drawn.split("<path class=\"f-h0\" d=\"M").skip(1);
                let starts: Vec<i32> = others.map(|other| other.split(' ').next().unwrap().parse().unwrap()).collect();
                let from: i32 = from.parse().unwrap();
                assert!(starts.iter().all(|start| *start < from || *start >= from + wide), "{drawn}");
            }
        }
    }
}
