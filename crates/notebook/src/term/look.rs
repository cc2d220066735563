//! How wide a terminal is, and what colours are in it.

/// How text is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns of the terminal.
    pub width: usize,
    /// Whether it shows colours.
    pub colour: bool,
}

/// Colours of series, as SGR codes.
pub(super) const SERIES: [&str; 6] = ["34", "33", "36", "35", "32", "31"];
/// What series are drawn in where colours do not tell them apart.
pub(super) const LETTERS: [char; 8] = ['*', '+', 'x', 'o', '#', '@', '%', '&'];
pub(super) const RED: &str = "31";
pub(super) const DIM: &str = "2";
pub(super) const BOLD: &str = "1";

impl Look {
    /// A text in a colour, if there are any.
    pub fn paint(self, text: &str, code: &str) -> String {
        if self.colour && !text.is_empty() { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_string() }
    }
}
