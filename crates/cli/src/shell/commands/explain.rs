//! `\explain`: how a statement would be run.

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use nines_engine::EngineError;

use crate::error::{CliError, Result};
use crate::shell::command::{Command, Does, Takes};
use crate::shell::state::{ShellState, no_value};

pub(super) const EXPLAIN: Command = Command {
    name: "explain",
    arguments: "[STATEMENT]",
    takes: Takes::Sql,
    help: "the plan of a statement; without one, of the last",
    does: Does::Later(|shell, argument| Box::pin(run(shell, argument))),
};

async fn run(shell: &mut ShellState, argument: &str) -> Result<()> {
    let given = argument.trim_end_matches(';').trim_end().trim_end_matches("\\g");
    let statement = match (given, &shell.last) {
        ("", Some(last)) => last.clone(),
        ("", None) => {
            return Err(CliError::Usage("nothing was run yet; give a statement: \\explain SELECT …".to_string()));
        }
        (given, _) => given.to_string(),
    };
    let settings = shell.settings();
    let parameters: Vec<_> = settings.iter().map(|set| (set.name.as_str(), set.value.clone())).collect();
    let explained = shell.query(&format!("EXPLAIN FORMAT TREE {statement}"), &parameters).await;
    let (_, rows) = explained.map_err(|error| match error {
        CliError::Engine(EngineError::NoValue(name)) => no_value(&name),
        error => error,
    })?;
    let mut text = String::new();
    for batch in &rows {
        let plans = cast(batch.column(1), &DataType::Utf8)?;
        text.extend(plans.as_string::<i32>().iter().flatten().map(|plan| format!("{}\n", plan.trim_end())));
    }
    shell.show_text(&text)
}
