//! SQL files with the answers they must give: `tests/slt/*.slt`, over a store that holds `tests/slt/*.csv`.
//!
//! `NINES_BLESS=1 cargo test --test main slt` writes the answers anew, to be read as a diff.

use std::path::{Path, PathBuf};

use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use nines_engine::datafusion::physical_plan::common::collect;
use nines_engine::store::TableKind;
use nines_engine::{EngineError, Load, Parameters, Session, Settings};
use sqllogictest::{AsyncDB, DBOutput, DefaultColumnType, Runner};

struct Runs(Session);

#[async_trait::async_trait]
impl AsyncDB for Runs {
    type Error = EngineError;
    type ColumnType = DefaultColumnType;

    async fn run(&mut self, sql: &str) -> Result<DBOutput<DefaultColumnType>, EngineError> {
        let mut output = DBOutput::StatementComplete(0);
        for statement in self.0.parse(sql)? {
            let answer = self.0.run(&statement, &Parameters::default()).await?;
            let types = vec![DefaultColumnType::Any; answer.schema.fields().len()];
            let options = FormatOptions::default().with_null("NULL");
            let mut rows = Vec::new();
            for batch in collect(answer.batches).await.map_err(EngineError::from)? {
                let formatters =
                    batch.columns().iter().map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
                let formatters = formatters.collect::<Result<Vec<_>, _>>().unwrap();
                // The format has no way to write an empty cell.
                let cell = |text: String| if text.is_empty() { "(empty)".to_string() } else { text };
                let row = |row: usize| formatters.iter().map(|column| cell(column.value(row).to_string())).collect();
                rows.extend((0..batch.num_rows()).map(row));
            }
            output = if types.is_empty() { DBOutput::StatementComplete(0) } else { DBOutput::Rows { types, rows } };
        }
        Ok(output)
    }

    async fn shutdown(&mut self) {}

    fn engine_name(&self) -> &str {
        "nines"
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/slt")
}

/// A session over a store of its own, filled with the fixtures.
async fn session(name: &str) -> Result<Runs, EngineError> {
    let session = Session::open_or_create(Settings::new(format!("memory://slt-{name}")), None).await?;
    for kind in TableKind::INGESTED {
        let rows = folder().join(format!("{}.csv", kind.name()));
        if rows.exists() {
            session.load(&Load::new(*kind, vec![rows]), Default::default()).await?;
        }
    }
    Ok(Runs(session))
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_are_as_written() {
    let mut files = std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "slt"));
    files.sort();
    assert!(!files.is_empty());
    for file in files {
        let name = file.file_stem().unwrap().to_str().unwrap().to_string();
        let mut runner = Runner::new(|| session(&name));
        if std::env::var_os("NINES_BLESS").is_some() {
            let (normalizer, columns) = (sqllogictest::default_normalizer, sqllogictest::default_column_validator);
            let validator = sqllogictest::default_validator;
            runner.update_test_file(&file, "\t", validator, normalizer, columns).await.unwrap();
        } else {
            runner.run_file_async(&file).await.unwrap_or_else(|error| panic!("{}", error.display(true)));
        }
    }
}
