//! `\df`: what can be called.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use nines_engine::Parameter;

use crate::error::{CliError, Result};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::nearest::nearest;
use crate::shell::state::ShellState;
use crate::shell::vocabulary::column;

pub(super) const FUNCTIONS: Command = Command {
    name: "df",
    arguments: "[PATTERN]",
    takes: Takes::Function,
    help: "the functions of Nines, of all with \\df *; one with its description",
    does: Does::Later(|shell, argument| Box::pin(run(shell, argument))),
};

/// The functions that are not SQL's own, those that answer first.
const OWN: &str = "
    SELECT section, name, syntax FROM functions WHERE section IN ('Objectives', 'Agreements', 'Timelines', 'Histograms', 'Counts')
    ORDER BY array_position(['Objectives', 'Agreements', 'Timelines', 'Counts', 'Histograms'], section), name";

async fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let pattern = argument.trim_end_matches([';', '(', ')']);
    if pattern.is_empty() {
        list(shell, OWN, &[]).await?;
        return shell.show_text(
            "\\df NAME describes one; \\df * lists those of SQL too, \\df *time* what has time in its name\n",
        );
    }
    let name = Parameter::Text(pattern.to_lowercase());
    let sql = "SELECT name, kind, syntax, description, example FROM functions WHERE name = $name";
    let (_, rows) = shell.query(sql, &[("name", name)]).await?;
    if rows.iter().any(|batch| batch.num_rows() > 0) {
        let mut text = String::new();
        for batch in &rows {
            for row in 0..batch.num_rows() {
                text.push_str(&page(batch, row)?);
            }
        }
        return shell.show_text(&text);
    }
    let like = match pattern.contains('*') {
        true => pattern.to_lowercase().replace('_', "\\_").replace('*', "%"),
        false => format!("%{}%", pattern.to_lowercase().replace('_', "\\_")),
    };
    let sql = "SELECT section, name, syntax FROM functions WHERE name LIKE $like ORDER BY section, name";
    if list(shell, sql, &[("like", Parameter::Text(like))]).await? == 0 {
        let (_, rows) = shell.query("SELECT name FROM functions", &[]).await?;
        let names = column(&rows, 0)?;
        let near = nearest(pattern, names.iter().map(String::as_str));
        let meant = near.map_or_else(|| "\\df * lists them all".to_string(), |near| format!("did you mean {near}?"));
        return Err(CliError::Usage(format!("no function is called {pattern}; {meant}")));
    }
    Ok(())
}

/// Shows a list; how long it is.
async fn list(shell: &mut ShellState, sql: &str, parameters: &[(&str, Parameter)]) -> Result<usize> {
    let (schema, rows) = shell.query(sql, parameters).await?;
    let count = rows.iter().map(RecordBatch::num_rows).sum();
    if count > 0 {
        shell.show_table(&schema, &rows)?;
    }
    Ok(count)
}

/// One function: how it is called, what it does, an example.
fn page(batch: &RecordBatch, row: usize) -> Result<String> {
    let text = |at: usize| -> Result<String> {
        let column = cast(batch.column(at), &DataType::Utf8)?;
        let column = column.as_string::<i32>();
        Ok(if column.is_valid(row) { column.value(row).to_string() } else { String::new() })
    };
    let (name, kind, syntax, description, example) = (text(0)?, text(1)?, text(2)?, text(3)?, text(4)?);
    let call = if syntax.is_empty() { name } else { syntax };
    let mut page = format!("{call}    ({kind} function)\n");
    let (_, columns) = crate::shell::screen::size();
    for paragraph in description.lines() {
        page.push_str(&filled(paragraph, columns.clamp(40, 100)));
    }
    if !example.is_empty() {
        let example = example.lines().map(|line| format!("  {line}\n"));
        page.push_str(&format!("\nExample:\n{}", example.collect::<String>()));
    }
    page.push('\n');
    Ok(page)
}

/// A paragraph in lines of at most so many columns.
fn filled(paragraph: &str, columns: usize) -> String {
    let mut text = String::from(" ");
    let mut used = 1;
    for word in paragraph.split_whitespace() {
        let width = console::measure_text_width(word);
        if used + 1 + width > columns {
            text.push_str("\n ");
            used = 1;
        }
        text.push(' ');
        text.push_str(word);
        used += 1 + width;
    }
    text.push('\n');
    text
}
