//! Text on a drawing: its style, how wide it is, and where its lines break.

use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};
use unicode_width::UnicodeWidthChar;

use super::ink::Ink;

/// Size of text, in pixels.
const TEXT: f64 = 12.5;

/// The style of a text, `scale` pixels of the drawing being one of the page.
pub(super) fn text(ink: Ink, horizontal: HPos, vertical: VPos, scale: f64) -> TextStyle<'static> {
    // Plotters' SVG divides sizes by 1.24.
    let font = ("sans-serif", TEXT * 1.24 * scale).into_font();
    let mut style = TextStyle::from(font).pos(Pos::new(horizontal, vertical));
    style.color = ink.colour().to_backend_color();
    style
}

/// About how wide a text is in the page's font, rather more than less.
pub(super) fn width(text: &str) -> f64 {
    let letter = |c: char| match c.width().unwrap_or(0) {
        0 => 0.0,
        2.. => 1.02,
        _ if c.is_uppercase() => 0.72,
        _ if matches!(c, 'i' | 'l' | 'j' | '.' | ',' | ':' | ' ' | '\'' | '|') => 0.36,
        _ if matches!(c, 'm' | 'w' | '%') => 0.9,
        _ => 0.61,
    };
    text.chars().map(letter).sum::<f64>() * TEXT
}

/// A text in lines no wider than this, broken where words end if they end soon enough.
pub(super) fn wrap(text: &str, most: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for c in text.chars() {
        line.push(c);
        if width(&line) <= most || line.chars().count() == 1 {
            continue;
        }
        line.pop();
        let end = line.rfind([' ', '/', '-', '_', ',', '.']).filter(|at| *at > line.len() / 2);
        let rest = end.map(|at| line.split_off(at + 1)).unwrap_or_default();
        lines.push(line.trim_end().to_string());
        line = rest;
        line.push(c);
    }
    lines.push(line);
    lines
}

pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out += "&amp;",
            '<' => out += "&lt;",
            '>' => out += "&gt;",
            '"' => out += "&quot;",
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_are_wrapped_but_never_cut() {
        let label = "payment-gateway/登录认证服务-业务高峰期成功率 of all regions";
        let lines = wrap(label, 120.0);
        assert!(lines.len() > 2 && lines.iter().all(|line| width(line) <= 120.0));
        assert_eq!(lines.concat().replace(' ', ""), label.replace(' ', ""));
        assert_eq!(wrap("login", 120.0), ["login"]);
    }
}
