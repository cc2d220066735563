//! `nines incident`: recorded, told more of, withdrawn, listed.

use nines_engine::store::TableKind;
use nines_engine::{Record, Session};

use super::record;
use crate::args::Incident;
use crate::error::{CliError, Result};
use crate::opened::{self, Opening};

const TABLE: TableKind = TableKind::Incidents;

pub(crate) async fn run(opening: Opening, args: Incident) -> Result<()> {
    let session = opened::open(opening).await?;
    if args.list {
        let (more, rows) = if args.all { (", withdrawn", "") } else { ("", "WHERE NOT withdrawn") };
        let columns =
            "id, severity, business, service, title, started, detected, located, fixed, verified, telemetry_lost";
        let sql = format!("SELECT {columns}{more} FROM incidents {rows} ORDER BY started, id");
        return record::list(&session, &sql, "nines incident ID --started TIME").await;
    }
    let id = args.id.clone().unwrap_or_default();
    let phases = phases(&args, &session)?;
    let edited = session.edit::<CliError>(TABLE, &id, |known| {
        // Only with its beginning is an incident one.
        if known.is_none() && args.started.is_none() {
            return Ok(None);
        }
        let mut incident = known.map_or_else(|| Record::new(TABLE, &id), |known| Ok(known.clone()))?;
        for (column, text) in texts(&args) {
            incident.set_text(column, text)?;
        }
        for (column, instant) in &phases {
            incident.set_instant(column, *instant)?;
        }
        if let Some(lost) = args.telemetry_lost {
            incident.set_flag("telemetry_lost", lost)?;
        }
        if args.withdraw || args.restore {
            incident.set_flag("withdrawn", args.withdraw)?;
        }
        record::check(&incident, |column| if column == "id" { "ID".to_string() } else { format!("--{column}") })?;
        Ok(Some(incident))
    });
    let edited = edited.await?;
    if edited.is_some() && !args.withdraw {
        let given = |name: &'_ Option<String>| name.clone().unwrap_or_default();
        let (business, service) = (given(&args.business), given(&args.service));
        record::note_unmatched(&session, [&business, &service, ""]).await?;
    }
    match edited {
        Some(edited) => record::show(TABLE, &edited, &session),
        None => Err(record::unknown(&session, TABLE, &id, " To record it, give --started TIME").await?),
    }
}

fn texts(args: &Incident) -> impl Iterator<Item = (&'static str, &str)> {
    let texts = [
        ("business", &args.business),
        ("service", &args.service),
        ("title", &args.title),
        ("severity", &args.severity),
        ("link", &args.link),
    ];
    texts.into_iter().filter_map(|(column, text)| Some((column, text.as_deref()?)))
}

/// The phases that are given; `None` inside clears one.
fn phases(args: &Incident, session: &Session) -> Result<Vec<(&'static str, Option<i64>)>> {
    let phases = [
        ("started", &args.started),
        ("detected", &args.detected),
        ("located", &args.located),
        ("fixed", &args.fixed),
        ("verified", &args.verified),
    ];
    let given = phases.into_iter().filter_map(|(column, text)| Some((column, text.as_deref()?)));
    let phase = |(column, text): (&'static str, &str)| match text {
        "" if column == "started" => Err(CliError::Usage("--started: an incident began at some time".to_string())),
        "" => Ok((column, None)),
        text => Ok((column, Some(record::time(&format!("--{column}"), text, session)?))),
    };
    given.map(phase).collect()
}
