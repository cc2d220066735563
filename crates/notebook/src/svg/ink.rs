//! Colours of drawings. Pages are read in light and dark, so a drawing names what a colour is for and the page's style
//! says which it is. Plotters draws with numbers only: each purpose is drawn in a colour of its own that nobody would
//! choose, and becomes a class afterwards.

use plotters::style::RGBColor;

/// What a colour is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ink {
    /// A series, by its number.
    Series(usize),
    /// Text beside what is drawn.
    Text,
    /// Text that is read first.
    Strong,
    Grid,
    Axis,
    /// The rule of a target.
    Target,
    /// A cell of a heat map, from 0 to 5.
    Shade(usize),
    /// Text on a dark shade.
    OnDark,
    /// A cell without data.
    Hollow,
}

/// The red of all of them.
const RED: u8 = 1;

impl Ink {
    pub fn colour(self) -> RGBColor {
        let (green, blue) = match self {
            Ink::Series(n) => (0, (n % 16) as u8),
            Ink::Text => (1, 0),
            Ink::Strong => (1, 1),
            Ink::Grid => (1, 2),
            Ink::Axis => (1, 3),
            Ink::Target => (1, 4),
            Ink::OnDark => (1, 5),
            Ink::Hollow => (1, 6),
            Ink::Shade(n) => (2, n as u8),
        };
        RGBColor(RED, green, blue)
    }
}

/// The class of a colour, behind `f` for what is filled and `s` for what is drawn.
fn class(green: u8, blue: u8) -> Option<String> {
    Some(match (green, blue) {
        (0, n) => n.to_string(),
        (1, n) => ["-text", "-strong", "-grid", "-axis", "-target", "-on", "-hollow"].get(usize::from(n))?.to_string(),
        (2, n) => format!("-h{n}"),
        _ => return None,
    })
}

/// A drawing of plotters with classes instead of colours, and without what says nothing.
pub(super) fn finish(drawn: &str) -> String {
    let mut out = String::with_capacity(drawn.len());
    for line in drawn.lines().filter(|line| !line.starts_with("<svg") && *line != "</svg>") {
        let mut rest = line;
        while let Some(at) = rest.find("=\"#") {
            let (before, value) = rest.split_at(at);
            let hex = |range| value.get(range).and_then(|digits| u8::from_str_radix(digits, 16).ok());
            let named = (hex(3..5) == Some(RED)).then(|| class(hex(5..7)?, hex(7..9)?)).flatten();
            let attribute = ["fill", "stroke"].into_iter().find(|name| before.ends_with(name));
            let (Some(class), Some(name)) = (named, attribute) else {
                out += &rest[..at + 3];
                rest = &rest[at + 3..];
                continue;
            };
            out += &before[..before.len() - name.len()];
            out += &format!("class=\"{}{class}\"", &name[..1]);
            rest = &value[10..];
        }
        out += rest;
    }
    for noise in [" opacity=\"1\"", " stroke=\"none\"", " font-family=\"sans-serif\"", " stroke-width=\"1\""] {
        out = out.replace(noise, "");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_classes() {
        let drawn = "<svg width=\"1\">\n<rect opacity=\"1\" fill=\"#010003\" stroke=\"none\"/>\n<line stroke=\"#010102\"/>\n</svg>\n";
        assert_eq!(finish(drawn), "<rect class=\"f3\"/><line class=\"s-grid\"/>");
    }
}
