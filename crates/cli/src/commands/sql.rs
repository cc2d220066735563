//! `nines sql`: statements in, results out.

use std::io::{IsTerminal, Read};

use datafusion::physical_plan::common::collect;
use nines_engine::{Parameter, Parameters};

use crate::args::Sql;
use crate::error::{CliError, Result, doing};
use crate::opened::{self, Opening};
use crate::output::{Format, Output, note, say, stored};

pub(crate) async fn run(opening: Opening, args: Sql) -> Result<()> {
    let text = statements(&args)?;
    let format = match (args.format, &args.output) {
        (Some(format), _) => format,
        (None, Some(file)) => Format::of_file(file)?,
        (None, None) => Format::Table,
    };
    let parameters = args.parameters.into_iter().map(|(name, value)| (name, Parameter::from_text(&value)));
    let parameters = parameters.collect::<Parameters>();
    let session = opened::open_as_of(opening, &args.as_of).await?;
    let parsed = session.parse(&text)?;
    if parsed.is_empty() {
        return Err(CliError::Usage("no statement given".to_string()));
    }
    if parsed.len() > 1 && (args.output.is_some() || format.is_binary()) {
        return Err(CliError::Usage(format!("a file takes the result of one statement, got {}", parsed.len())));
    }
    for statement in &parsed {
        let answer = session.run(statement, &parameters).await?;
        let sources = answer.sources();
        // For a person, what was stored is a line; for a program it is a row, as every result.
        let receipt = answer.receipt().filter(|_| format == Format::Table && args.output.is_none());
        if let Some(receipt) = receipt {
            collect(answer.batches).await?;
            if let Some((table, commit)) = receipt.get() {
                say(&stored(*table, commit))?;
            }
            continue;
        }
        let output = Output { format, file: args.output.as_deref(), time_zone: session.time_zone().name() };
        let rows = output.write(answer.schema, answer.batches).await?;
        if let Some(advice) = sources.advice().filter(|_| rows == 0) {
            note(advice);
        } else if let Some(no_store) = sources.no_store() {
            note(format_args!("note: {no_store}"));
        }
        if let Some(as_of) = sources.as_of() {
            note(as_of);
        }
    }
    Ok(())
}

fn statements(args: &Sql) -> Result<String> {
    match (&args.query, &args.file) {
        (Some(query), _) => Ok(query.clone()),
        (None, Some(file)) => doing(file.display(), std::fs::read_to_string(file)),
        (None, None) if std::io::stdin().is_terminal() => {
            Err(CliError::Usage("give a query, --file FILE, or statements on standard input".to_string()))
        }
        (None, None) => {
            let mut text = String::new();
            doing("reading standard input", std::io::stdin().read_to_string(&mut text))?;
            Ok(text)
        }
    }
}
