//! What can go wrong in a session.

use std::fmt;

use datafusion::error::DataFusionError;
use nines_ingest::IngestError;
use nines_slo::Mistake;
use nines_store::{StoreError, StoreErrorKind};

/// A result whose error is an [`EngineError`].
pub type Result<T, E = EngineError> = std::result::Result<T, E>;

/// Why a statement or a load failed. `Display` is one message for a person, without the layers through which
/// the error came.
#[derive(Debug)]
#[non_exhaustive]
pub enum EngineError {
    /// The store refused or failed.
    Store(StoreError),
    /// An input was refused.
    Ingest(IngestError),
    /// Definitions were refused: every mistake, with its place.
    Definitions(Mistakes),
    /// Planning or running SQL failed.
    Sql(DataFusionError),
    /// A parameter or setting is wrong or missing.
    Usage(String),
    /// The parameter of this name, without the `$`, has no value.
    NoValue(String),
    /// What was asked for needs data that are not stored yet.
    Incomplete(String),
    /// The statement was ended by whoever runs it.
    Cancelled,
}

/// Every mistake in definitions, in the order of files and lines.
#[derive(Debug)]
pub struct Mistakes(pub Vec<Mistake>);

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, mistake) in self.0.iter().enumerate() {
            let line = if at == 0 { "" } else { "\n" };
            write!(f, "{line}{mistake}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Mistakes {}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::Store(error) => write!(f, "{error}"),
            EngineError::Ingest(error) => write!(f, "{error}"),
            EngineError::Definitions(mistakes) => write!(f, "{mistakes}"),
            EngineError::Sql(error) => f.write_str(&message(error)),
            EngineError::Usage(message) | EngineError::Incomplete(message) => f.write_str(message),
            EngineError::Cancelled => f.write_str("cancelled"),
            EngineError::NoValue(name) => {
                write!(f, "parameter ${name} has no value; give it with --param {name}=VALUE")
            }
        }
    }
}

impl std::error::Error for EngineError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            EngineError::Store(error) => Some(error),
            EngineError::Ingest(error) => Some(error),
            EngineError::Definitions(mistakes) => Some(mistakes),
            EngineError::Sql(error) => Some(error),
            EngineError::Usage(_) | EngineError::NoValue(_) | EngineError::Incomplete(_) | EngineError::Cancelled => {
                None
            }
        }
    }
}

/// DataFusion wraps an error once per layer, and says so each time; people want the innermost one.
pub(crate) fn message(error: &DataFusionError) -> String {
    if let Some(damaged) = StoreError::found_in(error).filter(|found| found.kind() == StoreErrorKind::Corrupt) {
        return damaged.to_string();
    }
    let text = match error {
        DataFusionError::External(error) => match error.downcast_ref::<DataFusionError>() {
            Some(inner) => return message(inner),
            None => error.to_string(),
        },
        DataFusionError::Context(_, inner) => return message(inner),
        DataFusionError::Diagnostic(_, inner) => return message(inner),
        DataFusionError::Shared(inner) => return message(inner),
        DataFusionError::Collection(all) => match all.first() {
            Some(first) => return message(first),
            None => error.to_string(),
        },
        DataFusionError::ArrowError(error, _) => error.to_string(),
        DataFusionError::ParquetError(error) => error.to_string(),
        // Who held how much follows on further lines, for those who tune.
        DataFusionError::ResourcesExhausted(consumers) => {
            return format!(
                "the statement needs more memory than its limit; raise it with --memory-limit\n{consumers}"
            );
        }
        DataFusionError::ObjectStore(error) => error.to_string(),
        DataFusionError::SQL(error, _) => error.to_string().trim_start_matches("sql parser error: ").to_string(),
        other => other.strip_backtrace(),
    };
    if let Some(said) = unfitting(&text) {
        return said;
    }
    // What a function says of its arguments comes wrapped in what DataFusion says of the function.
    let said = text.split_once("coercion failed with: ").and_then(|(_, said)| said.split_once(". No function matches"));
    let mut text = said.map_or(text.as_str(), |(said, _)| said);
    for layer in
        ["Error during planning: ", "Execution error: ", "Optimizer rule 'simplify_expressions' failed\ncaused by\n"]
    {
        text = text.strip_prefix(layer).unwrap_or(text);
    }
    text.to_string()
}

/// What is wrong with arguments that no signature of a function takes; DataFusion takes that for a bug of its own.
fn unfitting(text: &str) -> Option<String> {
    let (before, all) = text.split_once(" failed to match any signature, errors: ")?;
    if let Some((_, said)) = all.split_once("No function matches") {
        return Some(format!("no function matches{said}"));
    }
    let function = before.rsplit("Function ").next()?;
    let wanted =
        all.split("Error during planning: ").filter_map(|one| one.split_once(" (DataType").map(|(one, _)| one));
    let mut wanted: Vec<&str> =
        wanted.map(|one| one.split_once("requires ").map_or(one, |(_, wanted)| wanted)).collect();
    wanted.dedup();
    Some(format!("{function} does not take these arguments: it takes {}", wanted.join("; or ")))
}

impl From<StoreError> for EngineError {
    fn from(error: StoreError) -> Self {
        EngineError::Store(error)
    }
}

impl From<IngestError> for EngineError {
    fn from(error: IngestError) -> Self {
        EngineError::Ingest(error)
    }
}

impl From<DataFusionError> for EngineError {
    fn from(error: DataFusionError) -> Self {
        // What is damaged is told from what is wrong with a statement, through however many layers it came.
        match StoreError::found_in(&error) {
            Some(found) if found.kind() == StoreErrorKind::Corrupt => EngineError::Store(found),
            Some(_) | None => EngineError::Sql(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::message;

    #[tokio::test]
    async fn arguments_that_do_not_fit_are_no_bug() {
        let context = SessionContext::new();
        for (sql, expected) in [
            (
                "SELECT sum(x) FROM (VALUES ('a')) AS v(x)",
                "no function matches the given name and argument types 'sum(Utf8)'",
            ),
            ("SELECT avg(x) FROM (VALUES (INTERVAL '1 month')) AS v(x)", "no function matches the given name"),
            (
                "SELECT date_trunc(1, 'x')",
                "no function matches the given name and argument types 'date_trunc(Int64, Utf8)'",
            ),
        ] {
            let said = message(&context.sql(sql).await.unwrap_err());
            assert!(said.starts_with(expected) && !said.contains("bug"), "{sql}: {said}");
        }
    }
}
