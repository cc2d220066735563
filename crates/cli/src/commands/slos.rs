//! `nines slos`: what is promised.

use datafusion::arrow::array::AsArray;
use futures::TryStreamExt;
use nines_engine::{Engine, Parameter, Parameters, Settings};

use super::record;
use crate::args::Slos;
use crate::error::Result;
use crate::opened;
use crate::output::{Format, Output, note, text};

const IN_FORCE: &str = "
    SELECT coalesce(business, '') AS business, service, objective, vela, measures, target, slice_target AS slice,
           budgeting, time_window AS window, owner, effective_from
    FROM slos
    WHERE (effective_from IS NULL OR effective_from <= $at) AND (effective_until IS NULL OR effective_until > $at)
      AND ($service IS NULL OR service = $service)
    ORDER BY business, service, objective";

const NOT_MEASURED: &str = "
    SELECT objective, not_measured FROM slos
    WHERE not_measured IS NOT NULL AND (effective_from IS NULL OR effective_from <= $at)
      AND (effective_until IS NULL OR effective_until > $at) AND ($service IS NULL OR service = $service)
    ORDER BY objective";

pub(crate) async fn run(settings: Settings, args: Slos) -> Result<()> {
    let engine = opened::open(settings).await?;
    let at = match &args.at {
        Some(text) => record::time("--at", text, &engine)?,
        None => nines_engine::ingest::clock::now(),
    };
    let at = chrono::DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339();
    let service = args.service.clone().map_or(Parameter::Null, Parameter::Text);
    let parameters = [("at".to_string(), Parameter::Text(at)), ("service".to_string(), service)];
    for statement in engine.parse(IN_FORCE)? {
        let answer = engine.run(&statement, &parameters.iter().cloned().collect::<Parameters>()).await?;
        let advice = answer.advice();
        let output = Output { format: Format::Table, file: None, time_zone: &engine.settings().time_zone };
        let rows = output.write(answer.schema, answer.batches).await?;
        if rows == 0 {
            note(advice.unwrap_or(nothing_in_force(&engine, args.service.as_deref()).await?));
        }
    }
    for statement in engine.parse(NOT_MEASURED)? {
        let mut answer = engine.run(&statement, &parameters.iter().cloned().collect::<Parameters>()).await?.batches;
        while let Some(rows) = answer.try_next().await? {
            for row in 0..rows.num_rows() {
                // As cells of a table, so that no terminal obeys a name.
                let cell = |at: usize| text(rows.column(at), row, &engine.settings().time_zone);
                note(format_args!("note: {} is not measured: {}", cell(0)?, cell(1)?));
            }
        }
    }
    Ok(())
}

/// What to look for instead, where objectives are defined, but none of them is meant.
async fn nothing_in_force(engine: &Engine, service: Option<&str>) -> Result<String> {
    let services = engine.sql("SELECT DISTINCT service FROM slos ORDER BY service").await?;
    let names = services.iter().flat_map(|rows| rows.column(0).as_string_view_opt()).flatten().flatten();
    let names: Vec<&str> = names.collect();
    Ok(match service {
        Some(service) if !names.contains(&service) => {
            format!("no objective is defined for {service}; there are some for: {}", names.join(", "))
        }
        _ => "nothing is in force at this time; the table slos holds every version: nines sql \"SELECT * FROM slos\""
            .to_string(),
    })
}
