//! The timeline strip: a row per objective, a letter per part of the time.

use nines_timeline::State;
use unicode_width::UnicodeWidthStr;

use super::fit::{self, axis, fit, fit_right};
use super::look::{DIM, Look, RED};
use crate::chart::strip::coarse;
use crate::chart::{Strip, StripRow, ticks};
use crate::format;

pub(super) fn draw(strip: &Strip, look: Look) -> String {
    let total = |row: &StripRow| match row.seconds_in(State::Error, strip.range) {
        0.0 => String::new(),
        seconds => format::duration(seconds),
    };
    let right = strip.rows.iter().map(|row| total(row).width()).max().unwrap_or(0).min(look.width / 3);
    let longest = strip.rows.iter().map(|row| row.label.width()).max().unwrap_or(0);
    let left = longest.min(look.width / 3).min(look.width - right - 12);
    let wide = look.width.saturating_sub(left + right + 4).max(8);
    let mut out = Vec::new();
    for row in &strip.rows {
        let cells = cells(row, strip, wide);
        let mut line = format!("{} │", fit(&row.label, left));
        for part in cells.chunk_by(|a, b| a == b) {
            let text: String = part.iter().collect();
            line += &match part[0] {
                '█' | '▄' => look.paint(&text, RED),
                '░' => look.paint(&text, "33"),
                '·' => look.paint(&text, "32"),
                _ => text,
            };
        }
        out.push(format!("{line}│ {}", fit_right(&total(row), right)).trim_end().to_string());
    }
    let ticks = ticks::ticks(strip.range, strip.zone, wide / 10);
    let x = |at: i64| ((at - strip.range.0) as f64 / (strip.range.1 - strip.range.0) as f64 * wide as f64) as usize;
    let mut ruler = vec!['─'; wide];
    ticks.iter().for_each(|(at, _)| ruler[x(*at).min(wide - 1)] = '┴');
    out.push(format!("{} └{}┘", " ".repeat(left), ruler.into_iter().collect::<String>()));
    let shown: Vec<(usize, String)> = ticks.into_iter().map(|(at, text)| (x(at), text)).collect();
    out.push(look.paint(&format!("{}{}", " ".repeat(left + 2), axis(&shown, wide)), DIM));
    let errors: &[&str] = match coarse(strip.range, wide as u32) {
        true => &["▄ error", "█ error most of the time"],
        false => &["█ error"],
    };
    let keys: Vec<String> =
        errors.iter().chain(&["· ok", "░ excluded", "(blank) no data"]).map(|key| (*key).to_string()).collect();
    out.push(fit::keys(&keys, left + 2, look));
    out.join("\n")
}

/// What each letter of a row shows: an error wherever there is one.
fn cells(row: &StripRow, strip: &Strip, wide: usize) -> Vec<char> {
    let shown = row.pixels(strip.range, wide as u32, 1);
    let error = if coarse(strip.range, wide as u32) { '▄' } else { '█' };
    let mut cells = vec![' '; wide];
    for (pixels, letter) in [(shown.measured, '·'), (shown.excluded, '░'), (shown.error, error), (shown.mostly, '█')]
    {
        for (from, to) in pixels {
            cells[from as usize..to as usize].fill(letter);
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chart::Runs;
    use nines_timeline::Run;

    #[test]
    fn states_are_told_apart_without_colour() {
        let day = 86_400_000_000;
        let run = |from: i64, to: i64, state| Run { start: from * day, end: to * day, state };
        let runs = vec![
            run(2, 4, State::NoData),
            run(6, 7, State::Excluded),
            Run { start: 8 * day, end: 8 * day + 60_000_000, state: State::Error },
        ];
        let rows = vec![
            StripRow { label: "登录".into(), spans: vec![Runs { from: 0, to: 10 * day, runs }] },
            StripRow { label: "upload".into(), spans: vec![Runs { from: 0, to: 10 * day, runs: vec![] }] },
        ];
        let strip = Strip { rows, range: (0, 10 * day), zone: chrono_tz::Tz::UTC, left_out: 0 };
        let drawn = draw(&strip, Look { width: 46, colour: false });
        assert!(drawn.lines().all(|line| line.width() <= 46), "{drawn}");
        let first = drawn.lines().next().unwrap();
        for letter in ['▄', '·', '░', ' '] {
            assert!(first.contains(letter), "{drawn}");
        }
        assert_eq!(first.matches('▄').count(), 1);
    }
}
