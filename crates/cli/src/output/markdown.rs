//! A Markdown table (GitHub flavoured).

use std::io::Write;

use comfy_table::presets;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;

use nines_notebook::format::printable;

use super::sink::Sink;
use super::{cell, table};
use crate::error::{Result, doing};

pub(super) struct Markdown<W> {
    writer: W,
    table: comfy_table::Table,
    time_zone: String,
}

impl<W> Markdown<W> {
    pub fn new(writer: W, schema: SchemaRef, time_zone: &str) -> Self {
        let mut table = table::with_header(&schema, presets::ASCII_MARKDOWN);
        table.set_header(schema.fields().iter().map(|field| escaped(&printable(field.name()))));
        Markdown { writer, table, time_zone: time_zone.to_string() }
    }
}

impl<W: Write> Sink for Markdown<W> {
    fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().map(|column| cell::texts(column, &self.time_zone));
        let columns = columns.collect::<datafusion::common::Result<Vec<_>>>()?;
        for row in 0..batch.num_rows() {
            self.table.add_row(columns.iter().map(|column| escaped(&column[row])));
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        let text = format!("{}\n", self.table);
        doing("writing the result", self.writer.write_all(text.as_bytes()).and_then(|()| self.writer.flush()))
    }
}

/// Text as Markdown that means just this text: neither Markdown nor the HTML made of it acts on anything in it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = None;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        let inside = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A line break would end the row.
            '\n' => out.push_str("<br>"),
            // Within a word an underscore is one.
            '_' if inside(before) && inside(letters.peek().copied()) => out.push('_'),
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '!' | '$' | '#' => out.extend(['\\', c]),
            c => out.push(c),
        }
        before = Some(c);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_cell_is_acted_on() {
        for (text, expected) in [
            ("a|b\nc", "a\\|b<br>c"),
            ("<script>alert(1)</script> & co", "&lt;script&gt;alert(1)&lt;/script&gt; &amp; co"),
            ("*bold* _it_ `x` ~~y~~ \\|", "\\*bold\\* \\_it\\_ \\`x\\` \\~\\~y\\~\\~ \\\\\\|"),
            ("[x](javascript:y) ![z](w)", "\\[x\\](javascript:y) \\!\\[z\\](w)"),
            ("slo_error_time", "slo_error_time"),
            ("__init__", "\\_\\_init\\_\\_"),
            ("业务 99.95 %", "业务 99.95 %"),
        ] {
            assert_eq!(escaped(text), expected, "{text}");
        }
    }
}
