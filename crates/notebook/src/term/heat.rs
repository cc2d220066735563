//! Heat maps: the darker the letter, the more.

use chrono::{Datelike, Months, TimeDelta};
use unicode_width::UnicodeWidthStr;

use super::fit::{self, axis, fit, fit_right};
use super::look::{DIM, Look};
use crate::chart::heat::{DARKEST, tone};
use crate::chart::{Calendar, Matrix};
use crate::format;
use crate::unit::Unit;

/// Two letters wide, from zero to most.
const SHADES: [&str; 6] = ["· ", "░ ", "░░", "▒▒", "▓▓", "██"];
/// One letter wide: two shades share one.
const NARROW: [&str; 6] = ["·", "░", "░", "▒", "▓", "█"];
const COLOURS: [&str; 6] = ["2", "38;5;223", "38;5;216", "38;5;209", "38;5;203", "38;5;196"];

pub(super) fn calendar(calendar: &Calendar, look: Look) -> String {
    let Some((first, last)) = calendar.days.keys().next().zip(calendar.days.keys().next_back()) else {
        return String::new();
    };
    let monday = *first - TimeDelta::days(first.weekday().num_days_from_monday().into());
    let weeks = ((*last - monday).num_days() / 7 + 1) as usize;
    let blocks = weeks.div_ceil(((look.width - 4) / 2).max(1));
    // Blocks of the same length, lest the last one be a lone week.
    let abreast = weeks.div_ceil(blocks);
    let mut out = Vec::new();
    for block in (0..weeks).step_by(abreast) {
        let begin = monday + TimeDelta::weeks(block as i64);
        let shown = abreast.min(weeks - block);
        let mut months = Vec::new();
        let begin_shown = begin.max(*first);
        let mut month = begin_shown.with_day(1).unwrap_or(begin_shown);
        while month < begin + TimeDelta::weeks(shown as i64) && month <= *last {
            let written = month.format("%Y-%m").to_string();
            let week = ((month.max(begin_shown) - begin).num_days() / 7) as usize;
            months.push((week * 2 + written.len() / 2, written));
            month = month + Months::new(1);
        }
        out.push(look.paint(&format!("    {}", axis(&months, look.width - 4)), DIM));
        for (row, name) in ["Mon", "   ", "Wed", "   ", "Fri", "   ", "   "].iter().enumerate() {
            let mut line = format!("{name} ");
            for week in 0..shown {
                let day = begin + TimeDelta::days((week * 7 + row) as i64);
                line += &match calendar.days.get(&day).copied().flatten() {
                    Some(value) => {
                        let tone = tone(value, &calendar.steps);
                        look.paint(SHADES[tone], COLOURS[tone])
                    }
                    None => "  ".to_string(),
                };
            }
            out.push(line.trim_end().to_string());
        }
    }
    out.push(legend(&calendar.steps, &calendar.unit, &SHADES, look));
    out.join("\n")
}

pub(super) fn matrix(matrix: &Matrix, look: Look) -> String {
    let left = matrix.rows.iter().map(|row| row.width()).max().unwrap_or(0).min(look.width / 3);
    let room = look.width - left - 1;
    let count = matrix.columns.len().max(1);
    // Where columns are more than letters, a letter stands for the greatest value of several.
    let together = count.div_ceil(room);
    let shown = count.div_ceil(together);
    let cell = (room / shown).clamp(1, 10);
    let mut out = Vec::new();
    let titles: Vec<(usize, String)> = matrix
        .columns
        .iter()
        .enumerate()
        .step_by(together)
        .map(|(n, title)| {
            let title = if matrix.daily { title[5..].to_string() } else { title.clone() };
            (
                n / together * cell + cell / 2,
                if matrix.daily { title } else { fit(&title, (cell - 1).max(12)).trim_end().to_string() },
            )
        })
        .collect();
    out.push(look.paint(&format!("{} {}", " ".repeat(left), axis(&titles, room)), DIM));
    for (label, cells) in matrix.rows.iter().zip(&matrix.cells) {
        let mut line = fit(label, left) + " ";
        for part in cells.chunks(together) {
            let most = part.iter().flatten().copied().reduce(f64::max);
            line += &match most {
                Some(value) if cell >= 6 => {
                    let text = fit_right(&format::number(value, &matrix.unit), cell - 1) + " ";
                    look.paint(&text, COLOURS[tone(value, &matrix.steps)])
                }
                Some(value) => {
                    let tone = tone(value, &matrix.steps);
                    look.paint(&fit(&NARROW[tone].repeat(cell.min(2)), cell), COLOURS[tone])
                }
                None => " ".repeat(cell),
            };
        }
        out.push(line.trim_end().to_string());
    }
    if cell < 6 {
        out.push(legend(&matrix.steps, &matrix.unit, &NARROW, look));
    }
    out.join("\n")
}

fn legend(steps: &[f64], unit: &Unit, letters: &[&str; 6], look: Look) -> String {
    let number = |value: f64| format::number(value, unit);
    let first = DARKEST - steps.len();
    let mut keys =
        vec![format!("{} {}", letters[0].trim(), number(0.0)), format!("{} > {}", letters[first].trim(), number(0.0))];
    let shades = letters[first + 1..].iter().zip(steps);
    keys.extend(shades.map(|(letter, step)| format!("{} ≥ {}", letter.trim(), number(*step))));
    keys.push("(blank) no data".to_string());
    fit::keys(&keys, 4, look)
}
