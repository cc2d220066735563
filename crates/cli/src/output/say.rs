//! What is said to a person: text that is no result, notes, counts.

use std::io::Write;

use nines_notebook::format::{printable, printable_drawn};

use crate::error::{Result, doing};

/// Prints text that is not a result. A terminal obeys nothing that stands in it.
pub(crate) fn say(text: &str) -> Result<()> {
    doing("writing to the terminal", std::io::stdout().write_all(printable(text).as_bytes()))
}

/// As [`say`], for what was drawn in colours.
pub(crate) fn say_drawn(text: &str) -> Result<()> {
    doing("writing to the terminal", std::io::stdout().write_all(printable_drawn(text).as_bytes()))
}

/// `1 entry` or `1,200 entries`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", indicatif::HumanCount(number), if number == 1 { one } else { many })
}

/// Tells a person something beside the results, in a line of its own.
#[expect(clippy::print_stderr, reason = "the one place that does; nothing is to be done where there is nobody to tell")]
pub(crate) fn note(text: impl std::fmt::Display) {
    eprintln!("{}", printable(&text.to_string()));
}

/// A note at the beginning of the line, over the ^C that the terminal has shown there.
#[expect(clippy::print_stderr, reason = "as in note")]
pub(crate) fn note_over(text: impl std::fmt::Display) {
    eprintln!("\r{}", printable(&text.to_string()));
}
