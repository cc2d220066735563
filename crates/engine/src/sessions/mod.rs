//! Sessions as people have them: what they set, prepare, and ask in which time zone.

mod as_of;
mod prepared;
mod settings;
mod zones;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::util::pretty::pretty_format_batches;
use nines_ingest::Progress;
use nines_store::TableKind;

use crate::{Engine, EngineError, Load, Parameters, Settings};

async fn engine(store: &str, zone: &str) -> Engine {
    Engine::open(Settings { time_zone: zone.to_string(), ..Settings::new(store) }).await.unwrap()
}

/// The rows of the last statement.
async fn asked(engine: &Engine, sql: &str) -> Result<Vec<RecordBatch>, EngineError> {
    let mut rows = Vec::new();
    for statement in engine.parse(sql)? {
        let answer = engine.run(&statement, &Parameters::default()).await?;
        rows = datafusion::physical_plan::common::collect(answer.batches).await?;
    }
    Ok(rows)
}

/// The rows as text.
async fn shown(engine: &Engine, sql: &str) -> Result<String, EngineError> {
    Ok(pretty_format_batches(&asked(engine, sql).await?).map_err(|e| EngineError::Usage(e.to_string()))?.to_string())
}

/// The cells of the first row as text.
async fn cells(engine: &Engine, sql: &str) -> Result<Vec<String>, EngineError> {
    let text = shown(engine, sql).await?;
    let row = text.lines().nth(3).unwrap_or_default();
    Ok(row.trim_matches('|').split('|').map(|cell| cell.trim().to_string()).collect())
}

async fn said(engine: &Engine, sql: &str) -> String {
    match shown(engine, sql).await {
        Ok(rows) => rows,
        Err(error) => error.to_string(),
    }
}

async fn loaded(engine: &Engine, table: TableKind, text: &str, select: &str) -> Result<(), EngineError> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rows.csv");
    std::fs::write(&file, text).unwrap();
    let mut load = Load::new(table, vec![file]);
    load.select = Some(select.to_string());
    engine.load(&load, Arc::new(Progress::default())).await.map(|_| ())
}
