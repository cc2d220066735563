//! Bars, to an eighth of a letter; negative ones to the left of zero, stacked ones behind each other.

use unicode_width::UnicodeWidthStr;

use super::fit::{self, cut, fit, fit_right};
use super::look::{DIM, LETTERS, Look, SERIES};
use crate::chart::Bars;
use crate::format;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

/// The columns that bars have: as many as it takes before zero, the rest behind it.
struct Room {
    before: usize,
    each: f64,
    /// How many there are, with those that stacks need besides.
    most: usize,
}

impl Room {
    fn new((low, high): (f64, f64), wide: usize, spare: usize) -> Self {
        let span = if high > low { high - low } else { 1.0 };
        let before = match low < 0.0 {
            true => ((-low / span * wide as f64).ceil() as usize).clamp(1, wide - usize::from(high > 0.0)),
            false => 0,
        };
        // The side that has the least room for its values says how long a bar is.
        let each = |value: f64, room: usize| if value > 0.0 { room as f64 / value } else { f64::INFINITY };
        let each = each(-low, before).min(each(high, wide - before));
        Room { before, each: if each.is_finite() { each } else { 0.0 }, most: wide + spare }
    }

    /// A bar with the space before it, and how many columns both take.
    fn bar(&self, value: f64) -> (String, String) {
        // What is not zero is seen.
        let eighths = ((value.abs() * self.each * 8.0).round() as usize).max(usize::from(value != 0.0));
        if value < 0.0 {
            // There are no letters that are filled from the right but the half.
            let bar = if eighths % 8 > 0 { "▐" } else { "" }.to_string() + &"█".repeat(eighths / 8);
            return (" ".repeat(self.before.saturating_sub(bar.width())), bar);
        }
        (" ".repeat(self.before), "█".repeat(eighths / 8) + EIGHTHS[eighths % 8])
    }

    /// How many columns each value takes: one at least, as long as there are so many.
    fn stack(&self, values: &[(usize, f64)], mut most: usize) -> Vec<(usize, usize)> {
        let mut sum = 0.0;
        let mut parts: Vec<(usize, usize)> = Vec::new();
        for (series, value) in values {
            let begin = (sum * self.each).round();
            sum += value.abs();
            parts.push((*series, ((sum * self.each).round() - begin) as usize));
        }
        while let Some(none) = parts.iter().position(|part| part.1 == 0) {
            parts[none].1 = 1;
            if let Some(widest) = parts.iter_mut().max_by_key(|part| part.1).filter(|part| part.1 > 1) {
                widest.1 -= 1;
            }
        }
        for part in &mut parts {
            part.1 = part.1.min(most);
            most -= part.1;
        }
        parts
    }
}

pub(super) fn draw(bars: &Bars, look: Look) -> String {
    let number = |value: f64| format::number(value, &bars.unit);
    let abreast = if bars.stack { 1 } else { bars.series.len() };
    let label = |row: usize, n: usize| match (n, abreast) {
        (0, 1) => bars.labels[row].clone(),
        (0, _) => format!("{}  {}", bars.labels[row], bars.series[0].0),
        (n, _) => bars.series[n].0.clone(),
    };
    let texts = |row: usize| (0..abreast).map(move |n| label(row, n));
    let sum = |row: usize| bars.series.iter().filter_map(|(_, values)| values[row]).reduce(|a, b| a + b);
    let values: Vec<f64> = match bars.stack {
        true => (0..bars.labels.len()).filter_map(sum).collect(),
        false => bars.series.iter().flat_map(|(_, values)| values.iter().flatten().copied()).collect(),
    };
    let right = values.iter().map(|value| number(*value).width()).max().unwrap_or(0);
    let right = right.max("no data".len()).min(look.width / 2);
    // Values that are too small for a letter get one all the same.
    let spare = if bars.stack { bars.series.len().min(look.width / 8) } else { 0 };
    let longest = (0..bars.labels.len()).flat_map(texts).map(|text| text.width()).max().unwrap_or(0);
    let left = longest.min(look.width * 2 / 5).min(look.width - right - 6 - spare);
    let room = Room::new(bars.extent(), look.width.saturating_sub(left + right + 2 + spare).max(4), spare);
    let mut out = Vec::new();
    for row in 0..bars.labels.len() {
        if bars.stack {
            let name = fit(&label(row, 0), left);
            out.push(match sum(row) {
                Some(sum) => {
                    format!("{name} {} {}", stacked(bars, row, &room, look), cut(&number(sum), right))
                }
                None => format!("{name} {}", look.paint("no data", DIM)),
            });
            continue;
        }
        for (n, (_, values)) in bars.series.iter().enumerate() {
            let name = label(row, n);
            let name = if n == 0 { fit(&name, left) } else { fit_right(&name, left) };
            let Some(value) = values[row] else {
                out.push(format!("{name} {}", look.paint("no data", DIM)));
                continue;
            };
            let (space, bar) = room.bar(value);
            let bar = look.paint(&bar, SERIES[n % SERIES.len()]);
            out.push(format!("{name} {space}{bar} {}", cut(&number(value), right)));
        }
    }
    let mut keys = Vec::new();
    if bars.stack {
        keys.extend(bars.series.iter().enumerate().map(|(n, (name, _))| format!("{} {name}", mark(n, look))));
    }
    keys.extend(bars.target.map(|target| format!("target {}", number(target))));
    if !keys.is_empty() {
        out.push(fit::keys(&keys, left + 1, look));
    }
    out.join("\n")
}

/// The values of a label behind each other, those below zero before it.
fn stacked(bars: &Bars, row: usize, room: &Room, look: Look) -> String {
    let of = |above: bool| -> Vec<(usize, f64)> {
        let values = bars.series.iter().enumerate().filter_map(|(n, (_, values))| Some((n, values[row]?)));
        values.filter(|(_, value)| if above { *value > 0.0 } else { *value < 0.0 }).collect()
    };
    let drawn = |parts: &[(usize, usize)]| -> String {
        let part = |(n, wide): &(usize, usize)| {
            look.paint(&mark(*n, look).to_string().repeat(*wide), SERIES[n % SERIES.len()])
        };
        parts.iter().map(part).collect()
    };
    let mut below = room.stack(&of(false), room.most);
    below.reverse();
    let used: usize = below.iter().map(|part| part.1).sum();
    let above = room.stack(&of(true), room.most - used.max(room.before));
    format!("{}{}{}", " ".repeat(room.before.saturating_sub(used)), drawn(&below), drawn(&above))
}

/// What a series of a stack is drawn in: with more series than colours, letters tell them apart.
fn mark(series: usize, look: Look) -> char {
    match look.colour && series < SERIES.len() {
        true => '█',
        false => LETTERS[series % LETTERS.len()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::unit::Unit;

    fn bars(stack: bool, series: &[(&str, &[Option<f64>])]) -> Bars {
        let series: Vec<_> = series.iter().map(|(name, values)| (name.to_string(), values.to_vec())).collect();
        let labels = (0..series[0].1.len()).map(|n| format!("l{n}")).collect();
        Bars { labels, series, target: None, stack, unit: Unit::None, left_out: 0, series_left_out: 0 }
    }

    #[test]
    fn less_than_zero_lies_before_it() {
        let bars = bars(false, &[("a", &[Some(10.0), Some(-10.0), Some(-0.001), Some(0.0), None])]);
        let drawn = draw(&bars, Look { width: 31, colour: false });
        let expected = "\
l0           ██████████ 10
l1 ██████████ -10
l2          ▐ -0.001
l3            0
l4 no data";
        assert_eq!(drawn.lines().collect::<Vec<_>>(), expected.lines().collect::<Vec<_>>(), "\n{drawn}");
    }

    #[test]
    fn a_stack_is_one_bar_in_which_all_are_seen() {
        let (a, b): (&[_], &[_]) = (&[Some(6.0), Some(100.0), None], &[Some(4.0), Some(0.1), None]);
        let drawn = draw(&bars(true, &[("good", a), ("bad", b)]), Look { width: 40, colour: false });
        let lines: Vec<&str> = drawn.lines().collect();
        assert_eq!(lines.len(), 4, "{drawn}");
        assert!(lines[0].starts_with("l0 *") && lines[0].contains('+') && lines[0].ends_with(" 10"), "{drawn}");
        assert_eq!(lines[1].matches('+').count(), 1, "{drawn}");
        assert!(lines[1].ends_with(" 100.1") && lines[2].ends_with("no data"), "{drawn}");
        assert!(lines[3].contains("* good") && lines[3].contains("+ bad"), "{drawn}");
        assert!(lines.iter().all(|line| line.width() <= 40), "{drawn}");
        let many: Vec<(&str, &[_])> = vec![("a", &[Some(1.0), Some(-1.0)]); 16];
        let drawn = draw(&bars(true, &many), Look { width: 30, colour: false });
        assert!(drawn.lines().all(|line| line.width() <= 30), "{drawn}");
    }
}
