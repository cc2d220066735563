//! `label(labels, name)`, and `labels['name']`, which is the same.

use super::function::{Args, scalar_function};
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringViewBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{DFSchema, Result, ScalarValue, exec_datafusion_err};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawFieldAccessExpr};
use datafusion::logical_expr::{Expr, ExprSchemable, GetFieldAccess, ScalarUDF};
use datafusion_macros::user_doc;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, LazyLock};

use crate::types::is_text;

scalar_function! {
    #[user_doc(
        doc_section(label = "Labels"),
        description = "The value of a label; NULL where there is none of that name. `labels['region']` is the same.",
        syntax_example = "label(labels, name)",
        sql_example = r#"```sql
> SELECT label('{"region":"eu"}', 'region') AS region, label('{"region":"eu"}', 'zone') AS zone;
+--------+------+
| region | zone |
+--------+------+
| eu     |      |
+--------+------+
```"#,
        argument(name = "labels", description = "Labels, as stored in the column `labels`: a JSON object of texts."),
        argument(name = "name", description = "The name of the label.")
    )]
    Label, "label", 2, [("labels", Labels), ("name", Labels)], DataType::Utf8View
}

fn evaluate(args: &Args) -> Result<ArrayRef> {
    let (labels, names) = (args.columns[0].as_string_view(), args.columns[1].as_string_view());
    // Many rows carry the same labels: each text is read once.
    let mut known: HashMap<(&str, &str), Option<String>> = HashMap::new();
    let mut last: Option<((&str, &str), Option<String>)> = None;
    let mut values = StringViewBuilder::with_capacity(args.rows).with_deduplicate_strings();
    for row in 0..args.rows {
        if labels.is_null(row) || names.is_null(row) {
            values.append_null();
            continue;
        }
        let asked = (labels.value(row), names.value(row));
        if last.as_ref().is_none_or(|(before, _)| *before != asked) {
            let value = match known.get(&asked) {
                Some(value) => value.clone(),
                None => known.entry(asked).or_insert(value(asked)?).clone(),
            };
            last = Some((asked, value));
        }
        values.append_option(last.as_ref().and_then(|(_, value)| value.as_deref()));
    }
    Ok(Arc::new(values.finish()))
}

/// The value of a label.
fn value((labels, name): (&str, &str)) -> Result<Option<String>> {
    if labels.is_empty() {
        return Ok(None);
    }
    let read: Result<BTreeMap<String, String>, _> = serde_json::from_str(labels);
    let mut read =
        read.map_err(|_| exec_datafusion_err!("label: expected labels such as {{\"region\":\"eu\"}}, got {labels:?}"))?;
    Ok(read.remove(name))
}

/// Plans `labels['region']`, which is else for structs and maps. It must come before the planner of these.
#[derive(Debug, Default)]
pub struct LabelAccess;

impl ExprPlanner for LabelAccess {
    fn plan_field_access(
        &self,
        raw: RawFieldAccessExpr,
        schema: &DFSchema,
    ) -> Result<PlannerResult<RawFieldAccessExpr>> {
        static LABEL: LazyLock<Arc<ScalarUDF>> =
            LazyLock::new(|| Arc::new(ScalarUDF::new_from_impl(Label::new("UTC".into()))));
        let name = match &raw.field_access {
            GetFieldAccess::NamedStructField { name: ScalarValue::Utf8(Some(name)) } => name.clone(),
            _ => return Ok(PlannerResult::Original(raw)),
        };
        let is_labels = matches!(&raw.expr, Expr::Column(column) if column.name == "labels");
        if !is_labels || !raw.expr.get_type(schema).is_ok_and(|data_type| is_text(&data_type)) {
            return Ok(PlannerResult::Original(raw));
        }
        let args = vec![raw.expr, Expr::Literal(ScalarValue::Utf8View(Some(name)), None)];
        Ok(PlannerResult::Planned(LABEL.call(args)))
    }
}
