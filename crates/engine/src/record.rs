//! One row of a table of records, changed whole: an incident, an exclusion.
//!
//! A record is read at one version, edited, and written back with all its columns, since the store replaces rows and
//! never parts of them. For rows that come as they are, `INSERT` and loading are the shorter ways.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::common::ScalarValue;
use datafusion::common::utils::datafusion_strsim::levenshtein;
use datafusion::logical_expr::{col, lit};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use nines_store::{Commit, InvalidRow, Once, Provider, Snapshot, StoreErrorKind, TableKind, UTC, first_invalid_row};

use crate::{EngineError, Result, Session};

/// How often an edit is made again when somebody else edited the same record meanwhile.
const ATTEMPTS: u32 = 20;

/// A row of a table of records, every column of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    kind: TableKind,
    /// In the order of the table's columns.
    values: Vec<ScalarValue>,
}

impl Record {
    /// A record of this id in which nothing else stands yet.
    pub fn new(kind: TableKind, id: &str) -> Result<Record> {
        let schema = kind.stored_schema(nines_store::DEFAULT_SLICE_SECONDS);
        let values = schema.fields().iter().map(|field| match kind.default_of(field.name()) {
            Some(default) => Ok(default),
            None => ScalarValue::try_from(field.data_type()),
        });
        let mut record = Record { kind, values: values.collect::<datafusion::error::Result<_>>()? };
        record.set_text("id", id)?;
        Ok(record)
    }

    fn read(kind: TableKind, rows: &RecordBatch) -> Result<Record> {
        let values = rows.columns().iter().map(|column| ScalarValue::try_from_array(column, 0));
        Ok(Record { kind, values: values.collect::<datafusion::error::Result<_>>()? })
    }

    /// The columns and what stands in them, those that nothing fills yet included: what is written back loses nothing.
    pub fn columns(&self) -> impl Iterator<Item = (String, &ScalarValue)> {
        let schema = self.kind.stored_schema(nines_store::DEFAULT_SLICE_SECONDS);
        let names: Vec<String> = schema.fields().iter().map(|field| field.name().clone()).collect();
        names.into_iter().zip(&self.values)
    }

    /// What stands in a column; `None` if there is none of this name.
    pub fn get(&self, column: &str) -> Option<&ScalarValue> {
        self.columns().find(|(name, _)| name == column).map(|(_, value)| value)
    }

    /// Puts a text into a column.
    pub fn set_text(&mut self, column: &str, text: &str) -> Result<()> {
        self.set(column, ScalarValue::Utf8View(Some(text.to_string())))
    }

    /// The text of a column; `None` if it is NULL, or of another type.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.get(column).and_then(|value| value.try_as_str().flatten())
    }

    /// The instant of a column, in µs; `None` if it is NULL, or of another type.
    pub fn instant(&self, column: &str) -> Option<i64> {
        match self.get(column)? {
            ScalarValue::TimestampMicrosecond(at, _) => *at,
            _ => None,
        }
    }

    /// Whether a column holds true.
    pub fn is(&self, column: &str) -> bool {
        self.get(column) == Some(&ScalarValue::Boolean(Some(true)))
    }

    /// Puts an instant in µs, or none, into a column.
    pub fn set_instant(&mut self, column: &str, micros: Option<i64>) -> Result<()> {
        self.set(column, ScalarValue::TimestampMicrosecond(micros, Some(UTC.into())))
    }

    /// Puts a truth value into a column.
    pub fn set_flag(&mut self, column: &str, flag: bool) -> Result<()> {
        self.set(column, ScalarValue::Boolean(Some(flag)))
    }

    fn set(&mut self, column: &str, value: ScalarValue) -> Result<()> {
        let at = self.columns().position(|(name, _)| name == column);
        match at.and_then(|at| self.values.get_mut(at)) {
            Some(slot) if slot.data_type() == value.data_type() => *slot = value,
            Some(slot) => {
                return Err(EngineError::Usage(format!("{column} is a {}, not {value}", slot.data_type())));
            }
            None => return Err(EngineError::Usage(format!("{} have no {column}", self.kind.name()))),
        }
        Ok(())
    }

    /// What the table would refuse, and why. A missing column is not looked for.
    pub fn invalid(&self) -> Result<Option<InvalidRow>> {
        Ok(first_invalid_row(self.kind, &self.row()?))
    }

    fn row(&self) -> Result<RecordBatch> {
        let columns = self.columns().map(|(name, value)| Ok((name, value.to_array()?)));
        let columns = columns.collect::<datafusion::error::Result<Vec<(String, ArrayRef)>>>()?;
        RecordBatch::try_from_iter(columns).map_err(|error| EngineError::Sql(error.into()))
    }
}

/// What became of a record.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Edited {
    /// As it was; `None` if it was not there.
    pub before: Option<Record>,
    /// As it is.
    pub after: Record,
    /// What was stored; nothing if nothing changed.
    pub commit: Commit,
}

impl Session {
    /// Reads a record at the newest version, lets `edit` make the new one of it, and stores that, if it is another.
    /// `None` if `edit` makes none. It is called again when somebody else edited the record meanwhile.
    pub async fn edit<E: From<EngineError>>(
        &self,
        kind: TableKind,
        id: &str,
        edit: impl Fn(Option<&Record>) -> Result<Option<Record>, E>,
    ) -> Result<Option<Edited>, E> {
        let mut attempt = 1;
        loop {
            let (before, read) = self.record(kind, id).await?;
            let Some(after) = edit(before.as_ref())? else { return Ok(None) };
            if before.as_ref() == Some(&after) {
                // Somebody else's edit may be seen before it is durable.
                if let Some(snapshot) = &read {
                    snapshot.table().settle().await.map_err(EngineError::from)?;
                }
                return Ok(Some(Edited { before, after, commit: Commit::default() }));
            }
            let row = after.row()?;
            let table = self.store_to_write().await?.table(kind);
            let rows = RecordBatchStreamAdapter::new(row.schema(), futures::stream::iter([Ok(row)]));
            // Of two people who change different fields at once, the second must not write back the first one's old one.
            let once = Once::since(read.as_ref().and_then(Snapshot::version).unwrap_or_default());
            match table.append(Box::pin(rows), once, self.task()).await {
                Ok(commit) => return Ok(Some(Edited { before, after, commit })),
                Err(error) if error.kind() == StoreErrorKind::Moved && attempt < ATTEMPTS => attempt += 1,
                Err(error) => return Err(EngineError::from(error).into()),
            }
        }
    }

    /// The record of this id and the version at which it was read.
    async fn record(&self, kind: TableKind, id: &str) -> Result<(Option<Record>, Option<Snapshot>)> {
        let Some(store) = self.store() else { return Ok((None, None)) };
        let snapshot = store.table(kind).snapshot().await?;
        let table = self.reading().await?.read_table(Arc::new(Provider::pinned(snapshot.clone())))?;
        let rows = table.filter(col("id").eq(lit(id)))?.collect().await?;
        let row = rows.iter().find(|batch| batch.num_rows() > 0);
        Ok((row.map(|row| Record::read(kind, row)).transpose()?, Some(snapshot)))
    }

    /// The record of this id as it is now; `None` if there is none.
    pub async fn known(&self, kind: TableKind, id: &str) -> Result<Option<Record>> {
        Ok(self.record(kind, id).await?.0)
    }

    /// All records of a table as they are now, by id.
    pub async fn records(&self, kind: TableKind) -> Result<Vec<Record>> {
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        let table = self.reading().await?.read_table(Arc::new(Provider::newest(store.table(kind))))?;
        let rows = table.sort(vec![col("id").sort(true, false)])?.collect().await?;
        let mut found = Vec::new();
        for batch in &rows {
            for row in 0..batch.num_rows() {
                found.push(Record::read(kind, &batch.slice(row, 1))?);
            }
        }
        Ok(found)
    }

    /// Ids that are like this one, the likeliest first, for a person who mistyped it.
    pub async fn similar_ids(&self, kind: TableKind, id: &str) -> Result<Vec<String>> {
        const SHOWN: usize = 5;
        let Some(store) = self.store() else { return Ok(Vec::new()) };
        let table = self.reading().await?.read_table(Arc::new(Provider::newest(store.table(kind))))?;
        let rows = table.select(vec![col("id")])?.collect().await?;
        let wanted = id.to_lowercase();
        let mut similar = Vec::new();
        for batch in &rows {
            for row in 0..batch.num_rows() {
                let known = ScalarValue::try_from_array(batch.column(0), row)?.to_string();
                let distance = levenshtein(&wanted, &known.to_lowercase());
                let part = !wanted.is_empty() && known.to_lowercase().contains(&wanted);
                if part || distance <= (wanted.chars().count() / 3).max(1) {
                    similar.push((distance, known));
                }
            }
        }
        similar.sort();
        similar.truncate(SHOWN);
        Ok(similar.into_iter().map(|(_, known)| known).collect())
    }
}
