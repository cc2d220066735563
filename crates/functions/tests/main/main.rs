//! The functions through SQL.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod arithmetic;
mod behaviour;
mod contract;
mod documentation;
mod vectors;

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::prelude::{SessionConfig, SessionContext};

/// A session with the functions, in this time zone.
fn session(time_zone: &str, partitions: usize) -> SessionContext {
    // A dialect without trailing commas, in which `exclude` needs no quotes.
    let config = SessionConfig::new().with_target_partitions(partitions).with_batch_size(64);
    let config = config.set_str("datafusion.sql_parser.dialect", "PostgreSQL");
    let mut context = SessionContext::new_with_config(config);
    nines_functions::register_all(&mut context, time_zone).unwrap();
    context.add_analyzer_rule(Arc::new(nines_functions::CheckedArithmetic));
    context
}

async fn query(context: &SessionContext, sql: &str) -> datafusion::common::Result<Vec<RecordBatch>> {
    context.sql(sql).await?.collect().await
}

/// The result as a table of text, or the error.
async fn shown(context: &SessionContext, sql: &str) -> String {
    match query(context, sql).await {
        Ok(batches) => pretty_format_batches(&batches).unwrap().to_string(),
        Err(error) => error.strip_backtrace(),
    }
}

/// Registers rows as a table of several partitions, in the order given.
fn register(context: &SessionContext, name: &str, batches: Vec<RecordBatch>, partitions: usize) {
    let schema = batches.first().map_or(Arc::new(Schema::empty()), |batch| batch.schema());
    let mut parts = vec![Vec::new(); partitions];
    for (i, batch) in batches.into_iter().enumerate() {
        parts[i % partitions].push(batch);
    }
    let table = datafusion::datasource::MemTable::try_new(schema, parts).unwrap();
    context.register_table(name, Arc::new(table)).unwrap();
}
