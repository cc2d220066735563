//! Every function is documented, and the example in its documentation runs and prints what it says.

use datafusion::logical_expr::Documentation;

use crate::{session, shown};

fn documented() -> Vec<(String, Option<Documentation>)> {
    let aggregates = nines_functions::aggregates("UTC").into_iter();
    let scalars = nines_functions::scalars("UTC").into_iter();
    let windows = nines_functions::windows().into_iter();
    aggregates
        .map(|function| (function.name().to_string(), function.documentation().cloned()))
        .chain(scalars.map(|function| (function.name().to_string(), function.documentation().cloned())))
        .chain(windows.map(|function| (function.name().to_string(), function.documentation().cloned())))
        .collect()
}

#[test]
fn no_name_is_used_twice() {
    let mut names = documented().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    let all = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), all);
    assert_eq!(all, 33);
}

#[tokio::test]
async fn examples_print_what_they_say() {
    let context = session("UTC", 2);
    for (name, documentation) in documented() {
        let documentation = documentation.unwrap_or_else(|| panic!("{name} has no documentation"));
        assert!(documentation.syntax_example.starts_with(&format!("{name}(")), "{name}");
        let example = documentation.sql_example.unwrap_or_else(|| panic!("{name} has no example"));
        let example = example.trim().trim_start_matches("```sql").trim_end_matches("```").trim();
        let (sql, expected) = example.split_once(";\n").unwrap_or_else(|| panic!("{name}: no result"));
        let sql = sql.trim_start_matches("> ");
        assert_eq!(shown(&context, sql).await, expected, "{name}");
    }
}
