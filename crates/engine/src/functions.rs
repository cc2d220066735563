//! The table `functions`: what can be called, how, and an example of each.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, StringArray};
use datafusion::catalog::TableProvider;
use datafusion::datasource::MemTable;
use datafusion::error::Result;
use datafusion::execution::SessionState;
use datafusion::logical_expr::Documentation;

/// Its name in SQL.
pub(crate) const NAME: &str = "functions";

/// One row: name, kind, documentation.
type Row = (String, &'static str, Option<Documentation>);

/// `name, kind, section, syntax, description, example`, ordered by name.
pub(crate) fn table(state: &SessionState) -> Result<Arc<dyn TableProvider>> {
    let mut rows = Vec::<Row>::new();
    // What stands behind an operator is not called by its name.
    let is_called = |name: &str| name.starts_with(|letter: char| letter.is_alphabetic());
    for (name, function) in state.scalar_functions().iter().filter(|(name, _)| is_called(name)) {
        rows.push((name.clone(), "scalar", function.documentation().cloned()));
    }
    for (name, function) in state.aggregate_functions() {
        rows.push((name.clone(), "aggregate", function.documentation().cloned()));
    }
    for (name, function) in state.window_functions() {
        rows.push((name.clone(), "window", function.documentation().cloned()));
    }
    for name in state.table_functions().keys() {
        let own = crate::answers::documentation(name).or_else(|| crate::deferred_functions::documentation(name));
        rows.push((name.clone(), "table", own));
    }
    rows.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let column = |value: &dyn Fn(&Row) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(value).collect::<StringArray>())
    };
    let of = |part: fn(&Documentation) -> Option<String>| column(&move |row: &Row| row.2.as_ref().and_then(part));
    let batch = RecordBatch::try_from_iter([
        ("name", column(&|row| Some(row.0.clone()))),
        ("kind", column(&|row| Some(row.1.to_string()))),
        ("section", of(|doc| Some(doc.doc_section.label.to_string()))),
        ("syntax", of(|doc| Some(doc.syntax_example.clone()))),
        ("description", of(|doc| Some(doc.description.trim().to_string()))),
        ("example", of(|doc| doc.sql_example.as_deref().map(unfenced))),
    ])?;
    Ok(Arc::new(MemTable::try_new(batch.schema(), vec![vec![batch]])?))
}

/// An example without the Markdown fence around it.
fn unfenced(example: &str) -> String {
    example.trim().trim_start_matches("```sql").trim_end_matches("```").trim().to_string()
}
