//! Which names the newest rows of the raw tables carry.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, StringViewArray};
use datafusion::arrow::datatypes::Int32Type;
use datafusion::common::ScalarValue;
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, col, lit};
use futures::StreamExt;
use nines_store::{Snapshot, TableKind, UTC};

use super::miss::{Look, Miss, Of, article, meant};
use crate::evaluate::{DAY, Evaluator, RAW, texts};

/// How many rows are looked through, by whole days.
const ROWS: u64 = 1_000_000;
/// How many different keys are held.
const KEYS: usize = 100_000;

/// What rows differ in besides time and counts; columns that a table has not are empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub business: String,
    pub service: String,
    pub endpoint: String,
    pub customer: String,
    pub cause: String,
    pub name: String,
    /// As stored, empty where there are none.
    pub labels: String,
    pub status: i32,
}

impl Key {
    /// A text column.
    pub fn text(&self, column: &str) -> &str {
        match column {
            "business" => &self.business,
            "service" => &self.service,
            "endpoint" => &self.endpoint,
            "customer" => &self.customer,
            "cause" => &self.cause,
            "name" => &self.name,
            _ => "",
        }
    }
}

const TEXTS: [&str; 7] = ["business", "service", "endpoint", "customer", "cause", "name", "labels"];

/// The keys of one table.
#[derive(Debug, Clone, Default)]
pub(crate) struct Keys {
    pub keys: Vec<Key>,
    /// ` since 2026-10-01` where older rows were not looked through, or not all keys of newer ones are held.
    pub since: String,
}

/// What is looked up while it is asked for: each table, and each condition on its rows, at most once.
pub(crate) struct Carried<'a> {
    pub evaluator: &'a Evaluator<'a>,
    known: HashMap<TableKind, Option<Arc<Keys>>>,
    /// Whether a table has a row that meets conditions.
    met: HashMap<(TableKind, Look), bool>,
}

impl<'a> Carried<'a> {
    pub fn new(evaluator: &'a Evaluator<'a>) -> Self {
        Carried { evaluator, known: HashMap::new(), met: HashMap::new() }
    }

    /// The tables that were asked for and hold nothing.
    pub fn empty(&self) -> Vec<&'static str> {
        let mut empty: Vec<&'static str> =
            self.known.iter().filter(|(_, keys)| keys.is_none()).map(|(kind, _)| kind.name()).collect();
        empty.sort_unstable();
        empty
    }

    /// The keys of a table; `None` if nothing is stored in it.
    pub async fn keys(&mut self, kind: TableKind) -> Result<Option<Arc<Keys>>> {
        if !self.known.contains_key(&kind) {
            let keys = read(self.evaluator, kind).await?;
            self.known.insert(kind, keys.map(Arc::new));
        }
        Ok(self.known.get(&kind).cloned().flatten())
    }

    /// Those of some misses that hold for all rows, too.
    pub async fn confirmed(&mut self, misses: Vec<Miss>, keys: &Keys) -> Result<Vec<Miss>> {
        let mut held = Vec::new();
        for miss in misses {
            let is_there = match &miss.look {
                Some(look) if !keys.since.is_empty() => self.exists(miss.table, look).await?,
                _ => false,
            };
            if !is_there {
                held.push(miss);
            }
        }
        Ok(held)
    }

    async fn exists(&mut self, kind: TableKind, look: &[(&'static str, String)]) -> Result<bool> {
        let asked = (kind, look.to_vec());
        if let Some(met) = self.met.get(&asked) {
            return Ok(*met);
        }
        let met = exists(self.evaluator, kind, look).await?;
        self.met.insert(asked, met);
        Ok(met)
    }

    /// Whether no table has a row of a service.
    pub async fn service(&mut self, name: &str) -> Result<Option<Miss>> {
        self.anywhere("service", name).await
    }

    /// Whether no table has a row with this name in a column; nothing is said where nothing is stored.
    pub async fn anywhere(&mut self, column: &'static str, name: &str) -> Result<Option<Miss>> {
        let mut known: BTreeSet<String> = BTreeSet::new();
        let mut any = None;
        for kind in RAW {
            let Some(keys) = self.keys(kind).await? else { continue };
            if kind == TableKind::Gauges && column == "customer" {
                continue;
            }
            known.extend(keys.keys.iter().map(|key| key.text(column).to_string()));
            let of = Of { rows: Vec::new(), said: "" };
            let miss = Miss::name(kind, (column, name), &of, &[]);
            if known.contains(name) || self.confirmed(vec![miss.clone()], &keys).await?.is_empty() {
                return Ok(None);
            }
            any = Some(miss);
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let text = format!("no stored row has {} '{name}'{}", article(column), meant(name, &known));
        Ok(any.map(|miss| Miss { text, ..miss }))
    }
}

/// Whether a table has a row that meets all of these conditions.
async fn exists(evaluator: &Evaluator<'_>, kind: TableKind, look: &[(&'static str, String)]) -> Result<bool> {
    let filters: Vec<Expr> = look.iter().map(|(column, name)| col(*column).eq(lit(name.as_str()))).collect();
    let Some(snapshot) = evaluator.snapshot(kind).await? else { return Ok(false) };
    let schema = snapshot.schema();
    let columns: Vec<usize> = look.iter().map(|(column, _)| schema.index_of(column)).collect::<Result<_, _>>()?;
    let Some(mut rows) = evaluator.stream(kind, Some(&columns), &filters).await? else { return Ok(false) };
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        // Filters choose files and pages; rows are looked at here.
        let columns = look.iter().map(|(column, name)| Ok((texts(&batch, column)?, name.as_str())));
        let columns: Vec<(&StringViewArray, &str)> = columns.collect::<Result<_>>()?;
        if (0..batch.num_rows()).any(|row| columns.iter().all(|(column, name)| column.value(row) == *name)) {
            return Ok(true);
        }
    }
    Ok(false)
}

async fn read(evaluator: &Evaluator<'_>, kind: TableKind) -> Result<Option<Keys>> {
    let Some(snapshot) = evaluator.snapshot(kind).await? else { return Ok(None) };
    let Some((first, last)) = snapshot.days() else { return Ok(None) };
    let day = newest(&snapshot, first, last);
    let schema = snapshot.schema();
    let wanted = TEXTS.iter().copied().chain(["status"]);
    let columns: Vec<usize> = wanted.filter_map(|name| schema.index_of(name).ok()).collect();
    let start = ScalarValue::TimestampMicrosecond(Some(i64::from(day) * DAY), Some(UTC.into()));
    let filters = [col("time").gt_eq(lit(start))];
    let Some(mut rows) = evaluator.stream(kind, Some(&columns), &filters).await? else { return Ok(None) };
    let (mut keys, mut whole) = (HashSet::new(), day <= first);
    while let Some(batch) = rows.next().await {
        take(&batch?, &mut keys)?;
        if keys.len() > KEYS {
            whole = false;
            break;
        }
    }
    let date = chrono::DateTime::from_timestamp_micros(i64::from(day) * DAY);
    let since = date.filter(|_| !whole).map_or_else(String::new, |at| format!(" since {}", at.format("%Y-%m-%d")));
    Ok(Some(Keys { keys: keys.into_iter().collect(), since }))
}

/// The day from which on there are as many rows as are looked through.
fn newest(snapshot: &Snapshot, first: i32, last: i32) -> i32 {
    let mut rows = 0;
    for day in snapshot.days_in(first..=last).rev() {
        rows += day.files().iter().filter_map(|file| file.rows()).sum::<u64>();
        if rows >= ROWS {
            return day.first_day().unwrap_or(first);
        }
    }
    first
}

fn take(batch: &RecordBatch, keys: &mut HashSet<Key>) -> Result<()> {
    let columns: Vec<Option<&StringViewArray>> = TEXTS.iter().map(|name| texts(batch, name).ok()).collect();
    let status = batch.column_by_name("status").and_then(|column| column.as_primitive_opt::<Int32Type>());
    let text = |at: usize, row: usize| {
        columns[at].filter(|column| column.is_valid(row)).map_or("", |column| column.value(row))
    };
    // Rows of one key lie side by side.
    let same = |a: usize, b: usize| {
        (0..TEXTS.len()).all(|at| text(at, a) == text(at, b)) && status.is_none_or(|s| s.value(a) == s.value(b))
    };
    for row in 0..batch.num_rows() {
        if row > 0 && same(row - 1, row) {
            continue;
        }
        let own = |at: usize| text(at, row).to_string();
        keys.insert(Key {
            business: own(0),
            service: own(1),
            endpoint: own(2),
            customer: own(3),
            cause: own(4),
            name: own(5),
            labels: own(6),
            status: status.map_or(0, |status| status.value(row)),
        });
    }
    Ok(())
}
