//! Text in so many columns: cut, filled up, and set below a chart.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::look::{DIM, Look};

/// A text in exactly so many columns, cut if need be.
pub(super) fn fit(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    let pad = columns - cut.width().min(columns);
    cut + &" ".repeat(pad)
}

/// The same at the right.
pub(super) fn fit_right(text: &str, columns: usize) -> String {
    let cut = cut(text, columns);
    " ".repeat(columns - cut.width().min(columns)) + &cut
}

pub(super) fn cut(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_string();
    }
    let (mut out, mut used) = (String::new(), 0);
    for c in text.chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide + 1 > columns {
            break;
        }
        used += wide;
        out.push(c);
    }
    if columns > 0 { out + "…" } else { String::new() }
}

/// What signs mean, set in below a chart, in as many lines as it takes.
pub(super) fn keys(keys: &[String], inset: usize, look: Look) -> String {
    let mut lines: Vec<String> = Vec::new();
    for key in keys {
        match lines.last_mut() {
            Some(line) if inset + line.width() + 2 + key.width() <= look.width => {
                line.push_str("  ");
                line.push_str(key);
            }
            _ => lines.push(key.clone()),
        }
    }
    let lines = lines.iter().map(|line| " ".repeat(inset) + &look.paint(&cut(line, look.width - inset), DIM));
    lines.collect::<Vec<_>>().join("\n")
}

/// Ticks below a chart: their texts where they are, as far as they do not meet.
pub(super) fn axis(ticks: &[(usize, String)], columns: usize) -> String {
    let mut line = String::new();
    for (at, text) in ticks {
        let wide = text.width();
        let begin = at.saturating_sub(wide / 2).min(columns.saturating_sub(wide));
        let used = line.width();
        if begin >= used + usize::from(used > 0) * 2 && begin + wide <= columns {
            line += &" ".repeat(begin - used);
            line += text;
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn double_width_letters_take_two_columns() {
        assert_eq!(fit("业务a", 6), "业务a ");
        assert_eq!(fit("业务高峰", 6), "业务… ");
        assert_eq!(fit_right("业", 4), "  业");
        for columns in 0..12 {
            assert_eq!(fit("登录login业务", columns).width(), columns);
        }
    }
}
