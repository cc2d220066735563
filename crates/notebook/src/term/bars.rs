//! Bars, to an eighth of a letter.

use unicode_width::UnicodeWidthStr;

use super::{DIM, Look, SERIES, fit, fit_right};
use crate::chart::Bars;
use crate::format;

const EIGHTHS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];

pub(super) fn draw(bars: &Bars, look: Look) -> String {
    let number = |value: f64| format::number(value, &bars.unit);
    let label = |row: usize, n: usize| match (n, bars.series.len()) {
        (0, 1) => bars.labels[row].clone(),
        (0, _) => format!("{}  {}", bars.labels[row], bars.series[0].0),
        (n, _) => bars.series[n].0.clone(),
    };
    let texts = |row: usize| (0..bars.series.len()).map(move |n| label(row, n));
    let values = || bars.series.iter().flat_map(|(_, values)| values.iter().flatten());
    let right =
        values().map(|value| number(*value).width()).max().unwrap_or(0).max("no data".len()).min(look.width / 2);
    let longest = (0..bars.labels.len()).flat_map(texts).map(|text| text.width()).max().unwrap_or(0);
    let left = longest.min(look.width * 2 / 5).min(look.width - right - 6);
    let room = look.width.saturating_sub(left + right + 2).max(4);
    let greatest = values().fold(0.0f64, |most, value| most.max(value.abs()));
    let mut out = Vec::new();
    for row in 0..bars.labels.len() {
        for (n, (_, values)) in bars.series.iter().enumerate() {
            let name = label(row, n);
            let name = if n == 0 { fit(&name, left) } else { fit_right(&name, left) };
            let Some(value) = values[row] else {
                out.push(format!("{name} {}", look.paint("no data", DIM)));
                continue;
            };
            let size = if greatest > 0.0 { value.abs() / greatest * room as f64 } else { 0.0 };
            // What is not zero is seen.
            let eighths = ((size * 8.0).round() as usize).max(usize::from(value != 0.0));
            let bar = "█".repeat(eighths / 8) + EIGHTHS[eighths % 8];
            out.push(format!(
                "{name} {} {}",
                look.paint(&bar, SERIES[n % SERIES.len()]),
                super::cut(&number(value), right)
            ));
        }
    }
    if let Some(target) = bars.target {
        out.push(super::keys(&[format!("target {}", number(target))], left + 1, look));
    }
    out.join("\n")
}
