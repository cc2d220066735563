//! The names that can be typed: tables and their columns, functions, objectives, services, businesses, parameters.

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use nines_engine::Session;
use nines_notebook::format::printable;

use crate::error::Result;

/// Arguments with which a table function can be planned, to learn its columns.
const ARGUMENTS: [&str; 2] = ["'2026-01-01', '2026-02-01'", "'2026-01'"];

#[derive(Debug, Clone, Default)]
pub(super) struct Vocabulary {
    pub tables: Vec<Table>,
    /// Scalar, aggregate and window functions.
    pub functions: Vec<String>,
    pub objectives: Vec<String>,
    pub services: Vec<String>,
    pub businesses: Vec<String>,
    pub parameters: Vec<String>,
}

/// A table, or a function that stands where one stands.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub name: String,
    pub columns: Vec<String>,
    pub is_function: bool,
}

impl Vocabulary {
    /// Everything but the parameters.
    pub async fn read(session: &Session) -> Result<Vocabulary> {
        let mut vocabulary = Vocabulary::default();
        let functions = session.sql("SELECT DISTINCT name FROM functions WHERE kind <> 'table' ORDER BY name").await?;
        vocabulary.functions = column(&functions, 0)?;
        let functions = session.sql("SELECT name FROM functions WHERE kind = 'table' ORDER BY name").await?;
        for name in column(&functions, 0)? {
            let columns = columns(session, &name).await.map(|schema| names(&schema)).unwrap_or_default();
            vocabulary.tables.push(Table { name, columns, is_function: true });
        }
        vocabulary.refresh(session).await?;
        Ok(vocabulary)
    }

    /// What statements may have changed.
    pub async fn refresh(&mut self, session: &Session) -> Result<()> {
        self.tables.retain(|table| table.is_function);
        for name in table_names(session).await? {
            let columns = columns(session, &name).await.map(|schema| names(&schema)).unwrap_or_default();
            self.tables.push(Table { name, columns, is_function: false });
        }
        let slos = session.sql("SELECT DISTINCT objective, service, business FROM slos").await?;
        self.objectives = distinct(column(&slos, 0)?);
        self.services = distinct(column(&slos, 1)?);
        self.businesses = distinct(column(&slos, 2)?);
        Ok(())
    }

    /// The table, or the function that stands where one stands, of this name.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name.eq_ignore_ascii_case(name))
    }
}

/// The tables of the session, the stored ones first.
pub(super) async fn table_names(session: &Session) -> Result<Vec<String>> {
    let rows = session.sql("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'").await?;
    column(&rows, 0)
}

/// The columns of a table or of what a table function yields. Nothing is read for it.
pub(super) async fn columns(session: &Session, name: &str) -> Option<SchemaRef> {
    let quoted = format!("\"{}\"", name.replace('"', "\"\""));
    let mut attempts = vec![quoted];
    attempts.extend(ARGUMENTS.iter().map(|arguments| format!("{name}({arguments})")));
    for attempt in attempts {
        let parsed = session.parse(&format!("SELECT * FROM {attempt}"));
        let [statement] = parsed.ok()?.try_into().ok()?;
        if let Ok(described) = session.describe(&statement).await {
            return Some(described.schema);
        }
    }
    None
}

/// The texts of a column for a person, without NULLs.
pub(super) fn column(rows: &[RecordBatch], at: usize) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    for batch in rows {
        let column = cast(batch.column(at), &DataType::Utf8)?;
        texts.extend(column.as_string::<i32>().iter().flatten().map(printable));
    }
    Ok(texts)
}

fn names(schema: &SchemaRef) -> Vec<String> {
    schema.fields().iter().map(|field| field.name().clone()).collect()
}

fn distinct(mut names: Vec<String>) -> Vec<String> {
    names.retain(|name| !name.is_empty());
    names.sort_unstable();
    names.dedup();
    names
}
