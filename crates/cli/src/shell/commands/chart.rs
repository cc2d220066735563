//! `\chart`: the last result, drawn.

use datafusion::arrow::datatypes::{DataType, Schema};
use nines_functions::is_timeline;
use nines_notebook::chart::Chart;
use nines_notebook::term::{Look, terminal};
use nines_notebook::{Block, Cell, ChartKind, Notebook};

use crate::error::{CliError, Result};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::screen;
use crate::shell::state::ShellState;

pub(super) const CHART: Command = Command {
    name: "chart",
    arguments: "[KIND] [x=… y=…]",
    takes: Takes::OneOf(kinds),
    help: "draw the last result: line, bar, timeline, heatmap; options as in notebooks",
    does: Does::Now(run),
};

/// Columns of a chart that goes into a pipe.
const PIPED: usize = 100;

fn kinds() -> Vec<String> {
    ChartKind::ALL.iter().map(|kind| kind.name().to_string()).collect()
}

fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let Some(rows) = shell.results.last() else {
        return Err(CliError::Usage("there is no result to draw yet; run a query first".to_string()));
    };
    let (kind, options) = match argument.split_once(char::is_whitespace).unwrap_or((argument, "")) {
        (kind, options) if !kind.is_empty() && !kind.contains('=') => (kind, options),
        _ => (guess(&rows.schema).name(), argument),
    };
    let cell = read(kind, options)?;
    let Some(spec) = &cell.chart else { return Ok(()) };
    let zone = shell.session.time_zone().tz();
    let chart = Chart::new(spec, &cell.units, &rows.schema, &rows.batches, zone, None).map_err(CliError::Usage)?;
    if chart.is_empty() {
        return Err(CliError::Usage("there is nothing to draw: the last result holds no values".to_string()));
    }
    let text = terminal(&chart, look(shell));
    if let Some(drawn) = shell.cells.of_result(shell.results.count()) {
        (drawn.chart, drawn.units) = (cell.chart, cell.units);
    }
    shell.show_drawn(&format!("{text}\n"))
}

/// How charts and pages look where the session prints.
pub(super) fn look(shell: &ShellState) -> Look {
    match shell.interactive {
        true => Look { width: screen::size().1, colour: std::env::var_os("NO_COLOR").is_none_or(|set| set.is_empty()) },
        false => Look { width: PIPED, colour: false },
    }
}

/// Options as a notebook's cell takes them, read by the same reader.
fn read(kind: &str, options: &str) -> Result<Cell> {
    let text = format!("```sql chart={kind} {options}\nSELECT\n```\n");
    match Notebook::parse("\\chart", &text) {
        Ok(notebook) => match notebook.blocks.into_iter().next() {
            Some(Block::Cell(cell)) => Ok(*cell),
            _ => Err(CliError::Usage("expected \\chart KIND x=COLUMN y=COLUMN".to_string())),
        },
        Err(mistakes) => {
            let told = mistakes.iter().map(|mistake| match &mistake.hint {
                Some(hint) => format!("{}; {hint}", mistake.reason),
                None => mistake.reason.clone(),
            });
            Err(CliError::Usage(told.collect::<Vec<_>>().join("\n")))
        }
    }
}

/// What the columns look like: timelines, values over time, or values by name.
fn guess(schema: &Schema) -> ChartKind {
    let any = |is: &dyn Fn(&DataType) -> bool| schema.fields().iter().any(|field| is(field.data_type()));
    match () {
        () if any(&is_timeline) => ChartKind::Timeline,
        () if any(&|kind| matches!(kind, DataType::Timestamp(..) | DataType::Date32)) => ChartKind::Line,
        () => ChartKind::Bar,
    }
}
