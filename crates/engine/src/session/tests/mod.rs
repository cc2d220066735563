//! Sessions as people have them: what they set, prepare, and ask in which time zone.

mod as_of;
mod many;
mod prepared;
mod settings;
mod sharing;
mod zones;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use nines_ingest::Progress;
use nines_store::TableKind;

use crate::{Engine, EngineError, Load, Parameters, Session, SessionSettings, Settings};

async fn session(store: &str, zone: &str) -> Session {
    let settings = SessionSettings { time_zone: zone.parse().unwrap(), ..SessionSettings::default() };
    Engine::open(Settings::new(store)).await.unwrap().session(settings).await.unwrap()
}

/// The rows of the last statement.
async fn asked(session: &Session, sql: &str) -> Result<Vec<RecordBatch>, EngineError> {
    let mut rows = Vec::new();
    for statement in session.parse(sql)? {
        let answer = session.run(&statement, &Parameters::default()).await?;
        rows = datafusion::physical_plan::common::collect(answer.batches).await?;
    }
    Ok(rows)
}

/// The rows as text.
async fn shown(session: &Session, sql: &str) -> Result<String, EngineError> {
    Ok(pretty_format_batches(&asked(session, sql).await?).map_err(|e| EngineError::Usage(e.to_string()))?.to_string())
}

/// The cells of the first row as text.
async fn cells(session: &Session, sql: &str) -> Result<Vec<String>, EngineError> {
    let text = shown(session, sql).await?;
    let row = text.lines().nth(3).unwrap_or_default();
    Ok(row.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect())
}

async fn said(session: &Session, sql: &str) -> String {
    match shown(session, sql).await {
        Ok(rows) => rows,
        Err(error) => error.to_string(),
    }
}

async fn loaded(session: &Session, table: TableKind, text: &str, select: &str) -> Result<(), EngineError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, text).unwrap();
    let mut load = Load::new(table, vec![file]);
    load.select = Some(select.to_string());
    session.load(&load, Arc::new(Progress::default())).await.map(|_| ())
}
