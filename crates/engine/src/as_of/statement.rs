//! What a statement that was issued was worked out from.
//!
//! It says so itself: the version of each table that was read for it. No clock decides about those; all other tables are as they
//! were when it was issued, and `statements` as it was when the statement was in it first.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono_tz::Tz;
use datafusion::arrow::array::AsArray;
use datafusion::common::internal_datafusion_err;
use datafusion::functions::expr_fn::starts_with;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::prelude::SessionContext;
use nines_slo::IssuedStatement;
use nines_store::{Provider, Store, StoreErrorKind, Table, TableKind};

use super::past::Past;
use super::words::{shown, usage};
use crate::Result;

/// Digits of a SHA-256 that name a statement at least.
const LEAST_DIGITS: usize = 8;
/// All of them.
const DIGITS: usize = 64;
const LIST: &str =
    "list them with: nines sql \"SELECT sha256, agreement, customer, service, period, revision FROM statements\"";

/// The past in which the statement of this id was issued: its SHA-256, or the first digits of it.
pub(super) async fn past(id: &str, store: Option<&Store>) -> Result<Past> {
    let id = id.to_ascii_lowercase();
    if !(LEAST_DIGITS..=DIGITS).contains(&id.len()) || !id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(usage(format!(
            "statement:{id}: expected the SHA-256 of a statement, or at least {LEAST_DIGITS} of its first digits; {LIST}"
        )));
    }
    let none = || usage(format!("no statement begins with {id}; {LIST}"));
    let table = store.ok_or_else(none)?.table(TableKind::Statements);
    let newest = table.snapshot().await?;
    let last = newest.version().ok_or_else(none)?;
    let of_id = starts_with(col("sha256"), lit(id.as_str()));
    let found = rows(Provider::pinned(newest), &["sha256", "text"], of_id).await?;
    let [(_, text)] = found.as_slice() else {
        return Err(match found.len() {
            0 => none(),
            several => usage(format!("{several} statements begin with {id}; give more digits, or {LIST}")),
        });
    };
    let statement = IssuedStatement::from_json(text).map_err(|error| {
        usage(format!("statement:{id} cannot be read, so that nobody knows when it was issued: {error}"))
    })?;
    let mut versions: BTreeMap<TableKind, u64> = BTreeMap::new();
    for (name, version) in &statement.tables {
        if let (Some(kind), Ok(version)) = (TableKind::from_name(name), u64::try_from(*version)) {
            versions.insert(kind, version);
        }
    }
    versions.insert(TableKind::Statements, first_with(&table, &statement.sha256, last).await?);
    let (short, issued) = (&statement.sha256[..LEAST_DIGITS.min(statement.sha256.len())], statement.issued_at);
    let asked = format!("statement {short}, issued {}", shown(issued, Tz::UTC));
    Ok(Past::new(asked, versions, Some(issued)))
}

/// The first version in which a statement is that is in the last: what is in one stays in those after it.
async fn first_with(table: &Table, sha256: &str, last: u64) -> Result<u64> {
    let (mut without, mut with) = (None, last);
    while without.map_or(with > 0, |without| without + 1 < with) {
        let middle = without.map_or(0, |without| without + (with - without) / 2);
        let there = match table.snapshot_at(middle).await {
            Ok(snapshot) => !rows(Provider::pinned(snapshot), &["sha256", "period"], col("sha256").eq(lit(sha256)))
                .await?
                .is_empty(),
            // What is no longer retained is not looked for.
            Err(error) if error.kind() == StoreErrorKind::NotFound => false,
            Err(error) => return Err(error.into()),
        };
        match there {
            true => with = middle,
            false => without = Some(middle),
        }
    }
    Ok(with)
}

/// Two columns of the rows for which a condition holds.
async fn rows(provider: Provider, columns: &[&str; 2], condition: Expr) -> Result<Vec<(String, String)>> {
    let table = SessionContext::new().read_table(Arc::new(provider))?;
    let batches = table.filter(condition)?.select_columns(columns)?.collect().await?;
    let mut rows = Vec::new();
    for batch in &batches {
        let texts = |at: usize| batch.column(at).as_string_view_opt();
        let (Some(first), Some(second)) = (texts(0), texts(1)) else {
            return Err(internal_datafusion_err!("{columns:?} of statements are no texts").into());
        };
        rows.extend((0..batch.num_rows()).map(|row| (first.value(row).to_string(), second.value(row).to_string())));
    }
    Ok(rows)
}
