//! Results on a terminal: as they are where they fit, else wrapped where that stays readable, a few wide rows column by
//! column, all else through a pager.

use std::io::Write;
use std::process::{Command, Stdio};

use comfy_table::ContentArrangement;
use nines_notebook::format::printable_drawn;

use crate::error::Result;
use crate::output::{say, say_drawn};

/// Rows that are laid out at most; a person does not scroll through more, and all of them stand in the kept result.
pub(super) const MOST_ROWS: usize = 10_000;
/// And most bytes of them.
pub(super) const MOST_BYTES: usize = 32 << 20;

/// Lines that the prompt and what is said about the result need.
const BESIDE: usize = 3;
/// Columns to which a cell of text may shrink before its table is harder to read wrapped than scrolled.
const NARROW: u16 = 24;
/// Chopped lines that scroll sideways, colours, and the text stays on the screen afterwards.
const PAGER: [&str; 2] = ["less", "-SRX"];

pub(super) struct Screen {
    pub pager: bool,
    /// Whether what the pager shows must not become a way to run programs or read files.
    pub safe: bool,
}

impl Screen {
    /// Shows a table.
    pub fn table(&self, mut table: comfy_table::Table) -> Result<()> {
        let (lines, columns) = size();
        let plain = format!("{table}\n");
        if widest(&plain) <= columns {
            return self.text(&plain);
        }
        if !self.pager || stays_readable(&table, columns) {
            let width = u16::try_from(columns).unwrap_or(u16::MAX);
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
            let wrapped = format!("{table}\n");
            if !self.pager || wrapped.lines().count() + BESIDE <= lines {
                return say(&wrapped);
            }
        }
        let listed = listed(&table);
        if broken(&listed, columns) + BESIDE <= lines { say(&listed) } else { self.page(&plain) }
    }

    /// Shows text that is laid out already, perhaps in colours; the terminal breaks lines that are too long for it.
    pub fn text(&self, text: &str) -> Result<()> {
        let (lines, columns) = size();
        if broken(text, columns) + BESIDE <= lines || !self.pager { say_drawn(text) } else { self.page(text) }
    }

    /// Hands text to `$PAGER`, else to less, else prints it.
    fn page(&self, text: &str) -> Result<()> {
        let Ok(mut child) = self.pager().stdin(Stdio::piped()).env("LESSCHARSET", "utf-8").spawn() else {
            return say_drawn(text);
        };
        if let Some(mut into) = child.stdin.take() {
            // A reader who has seen enough closes the pager before the end.
            let _ = into.write_all(printable_drawn(text).as_bytes());
        }
        const NOT_FOUND: i32 = 127;
        match child.wait() {
            Ok(status) if status.code() == Some(NOT_FOUND) => say_drawn(text),
            _ => Ok(()),
        }
    }

    fn pager(&self) -> Command {
        if self.safe {
            // Neither a shell nor what the environment names; and less itself runs, opens and remembers nothing.
            let mut command = Command::new(PAGER[0]);
            command.arg(PAGER[1]).env("LESSSECURE", "1").env("LESSHISTFILE", "-");
            ["LESS", "LESSOPEN", "LESSCLOSE", "LESSKEY", "LESSKEYIN"].iter().for_each(|name| {
                command.env_remove(name);
            });
            return command;
        }
        let asked = std::env::var("PAGER").ok().filter(|pager| !pager.trim().is_empty());
        let mut command = Command::new("sh");
        command.args(["-c", &asked.unwrap_or_else(|| PAGER.join(" "))]);
        command
    }
}

/// Lines and columns of the terminal.
pub(super) fn size() -> (usize, usize) {
    let (lines, columns) = console::Term::stdout().size();
    (usize::from(lines), usize::from(columns))
}

fn widest(text: &str) -> usize {
    text.lines().map(console::measure_text_width).max().unwrap_or(0)
}

/// Lines that a text takes where the terminal breaks those that are too long.
fn broken(text: &str, columns: usize) -> usize {
    text.lines().map(|line| console::measure_text_width(line).div_ceil(columns.max(1)).max(1)).sum()
}

/// A line per column of each row, an empty line between rows.
fn listed(table: &comfy_table::Table) -> String {
    let names: Vec<String> =
        table.header().into_iter().flat_map(|header| header.cell_iter()).map(|c| c.content()).collect();
    let width = names.iter().map(|name| console::measure_text_width(name)).max().unwrap_or_default();
    let row = |row: &comfy_table::Row| {
        let lines = names.iter().zip(row.cell_iter()).map(|(name, cell)| {
            let name = console::pad_str(name, width, console::Alignment::Left, None);
            format!("{name}  {}\n", cell.content())
        });
        lines.collect::<String>()
    };
    table.row_iter().map(row).collect::<Vec<_>>().join("\n")
}

/// Whether the columns may become as narrow as the terminal without breaking names and numbers.
fn stays_readable(table: &comfy_table::Table, columns: usize) -> bool {
    let names = table.header().into_iter().flat_map(|header| header.cell_iter());
    let names = names.map(|name| u16::try_from(console::measure_text_width(&name.content())).unwrap_or(u16::MAX));
    let needed = table.column_max_content_widths().into_iter().zip(names);
    let needed: usize = needed.map(|(content, name)| usize::from(content.min(name.max(NARROW))) + 3).sum();
    needed < columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_wraps_and_many_columns_do_not() {
        let mut table = comfy_table::Table::new();
        table
            .set_header(["name", "description"])
            .add_row(["mtbf", "mean time between failures, in seconds, of a timeline"]);
        assert!(stays_readable(&table, 60));
        let mut table = comfy_table::Table::new();
        table.set_header((0..12).map(|n| format!("column_{n}"))).add_row((0..12).map(|_| "1234567890"));
        assert!(!stays_readable(&table, 80));
    }

    #[test]
    fn a_safe_pager_is_nobodys_choice() {
        let program = |safe| Screen { pager: true, safe }.pager().get_program().to_owned();
        assert_eq!((program(true).to_str(), program(false).to_str()), (Some("less"), Some("sh")));
        let pager = Screen { pager: true, safe: true }.pager();
        let set: Vec<_> =
            pager.get_envs().filter_map(|(name, value)| Some((name.to_str()?, value?.to_str()?))).collect();
        assert_eq!(set, [("LESSHISTFILE", "-"), ("LESSSECURE", "1")]);
    }

    #[test]
    fn wide_rows_are_listed() {
        let mut table = comfy_table::Table::new();
        table.set_header(["a", "业务"]).add_row(["1", "x"]).add_row(["2", "y"]);
        assert_eq!(listed(&table), "a     1\n业务  x\n\na     2\n业务  y\n");
        assert_eq!(broken("12345\n\n123", 3), 4);
    }
}
