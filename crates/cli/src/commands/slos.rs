//! `nines slos`: what is promised.

use datafusion::arrow::array::AsArray;
use nines_engine::{Parameter, Parameters, Session};

use super::record;
use crate::args::Slos;
use crate::error::Result;
use crate::opened::{self, Opening};
use crate::output::{Format, Output, note};

const IN_FORCE: &str = "
    SELECT coalesce(business, '') AS business, service, objective, vela,
           coalesce(measures, 'not measured') AS measures, target, slice_target AS slice,
           budgeting, time_window AS window, owner, effective_from,
           round(100 * assumed_seconds / nullif(measured_seconds, 0), 1) AS assumed_percent,
           round(100 * lost_seconds / nullif(measured_seconds, 0), 1) AS lost_percent, last_data, approximation
    FROM slos
    WHERE (effective_from IS NULL OR effective_from <= $at) AND (effective_until IS NULL OR effective_until > $at)
      AND ($service IS NULL OR service = $service)
    ORDER BY business, service, objective";

const UNMATCHED: &str = "
    SELECT objective, unmatched FROM slos
    WHERE (effective_from IS NULL OR effective_from <= $at) AND (effective_until IS NULL OR effective_until > $at)
      AND ($service IS NULL OR service = $service) AND unmatched IS NOT NULL
    ORDER BY objective";

const NOT_MEASURED: &str = "
    SELECT objective, concat('not measured: ', not_measured) FROM slos
    WHERE not_measured IS NOT NULL AND (effective_from IS NULL OR effective_from <= $at)
      AND (effective_until IS NULL OR effective_until > $at) AND ($service IS NULL OR service = $service)
    ORDER BY objective";

pub(crate) async fn run(opening: Opening, args: Slos) -> Result<()> {
    let session = opened::open_as_of(opening, &args.as_of).await?;
    let at = match &args.at {
        Some(text) => record::time("--at", text, &session)?,
        None => session.now(),
    };
    let at = chrono::DateTime::from_timestamp_micros(at).unwrap_or_default().to_rfc3339();
    let service = args.service.clone().map_or(Parameter::Null, Parameter::Text);
    let parameters = [("at".to_string(), Parameter::Text(at)), ("service".to_string(), service)];
    let parameters: Parameters = parameters.into_iter().collect();
    for statement in session.parse(IN_FORCE)? {
        let answer = session.run(&statement, &parameters).await?;
        let sources = answer.sources();
        let output = Output { format: Format::Table, file: None, time_zone: session.settings().time_zone.name() };
        let rows = output.write(answer.schema, answer.batches).await?;
        if rows == 0 {
            note(sources.advice().unwrap_or(nothing_in_force(&session, args.service.as_deref()).await?));
        }
    }
    for statement in
        [UNMATCHED, NOT_MEASURED].iter().map(|sql| session.parse(sql)).collect::<Result<Vec<_>, _>>()?.concat()
    {
        let answer = session.run(&statement, &parameters).await?;
        for rows in datafusion::physical_plan::common::collect(answer.batches).await? {
            let texts = [0, 1].map(|column| rows.column(column).as_string_view_opt());
            let [Some(objectives), Some(said)] = texts else { continue };
            for (objective, said) in objectives.iter().zip(said) {
                note(format_args!("note: {}: {}", objective.unwrap_or_default(), said.unwrap_or_default()));
            }
        }
    }
    opened::tell_as_of(&session);
    Ok(())
}

/// What to look for instead, where objectives are defined, but none of them is meant.
async fn nothing_in_force(session: &Session, service: Option<&str>) -> Result<String> {
    let services = session.sql("SELECT DISTINCT service FROM slos ORDER BY service").await?;
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
