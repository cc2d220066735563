//! What DataFusion says, in the words of who asks: shorter, and with what to do.
//!
//! DataFusion's errors are texts. What is not known here passes as it is.

use datafusion::error::DataFusionError;
use nines_slo::nearest;
use nines_store::{StoreError, StoreErrorKind};

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
        // What no signature takes is told as if it were a mistake of the program.
        DataFusionError::Internal(text) => return unfitting(text).unwrap_or_else(|| internal(text)),
        other => other.strip_backtrace(),
    };
    if let Some(said) = unfitting(&text).or_else(|| of_times(&text)).or_else(|| column(&text)) {
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

/// A mistake of the program, not of the statement.
fn internal(text: &str) -> String {
    let text =
        text.split("\nThis issue was likely caused by a bug").next().unwrap_or(text).trim_end().trim_end_matches('.');
    format!("{text}. This is a mistake in nines, not in the statement; please report it, with the statement")
}

/// What does not go with times and with what lies between two of them.
fn of_times(text: &str) -> Option<String> {
    if let Some((_, rest)) = text.split_once("Error parsing timestamp from '")
        && !rest.contains("using format")
    {
        let given = rest.rsplit_once("': ").map_or(rest, |(given, _)| given);
        return Some(format!(
            "'{given}' is no time; write it as '2026-10-01', '2026-10-01 12:30:00' or '2026-10-01T12:30:00Z'"
        ));
    }
    let starts = ["coerce arithmetic expression ", "comparison operation ", "temporal operation "];
    let operands = starts.iter().find_map(|start| Some(text.split_once(start)?.1));
    // Both sides of an operator, by their types.
    let is = |kind: &str| operands.is_some_and(|of| of.starts_with(kind) || of.contains(&format!(" {kind}")));
    if is("Duration(") || (text.contains("'round(Duration(") && text.contains("o function matches")) {
        return Some(
            "between two times lies a duration, with which no number goes; compute with its seconds, as in extract(epoch FROM fixed - \
             started), or compare with another duration, as in INTERVAL '5 minutes'"
                .to_string(),
        );
    }
    if is("Interval(") && operands.is_some_and(|of| of.contains(" * ") || of.contains(" / ")) {
        return Some("a duration is not multiplied; write the one that is meant, as in INTERVAL '45 days'".to_string());
    }
    if is("Interval(") {
        return Some(
            "a duration goes with a time or another duration alone; a number of seconds is compared with a number"
                .to_string(),
        );
    }
    if is("Timestamp(") {
        return Some(
            "a time goes with a time or a duration alone; write a time as TIMESTAMP '2026-10-01 12:30', and a duration as INTERVAL '5 \
             minutes'"
                .to_string(),
        );
    }
    None
}

/// A column that is not there.
fn column(text: &str) -> Option<String> {
    let (_, said) = text.split_once("No field named ")?;
    let (said, valid) = match said.split_once("\nValid fields are ") {
        Some((said, valid)) => (said, Some(valid)),
        None => (said, None),
    };
    let (said, cased) = match said.split_once("\nColumn names are case sensitive") {
        Some((said, _)) => (said, true),
        None => (said, false),
    };
    let (name, near) = match said.split_once(". Did you mean '") {
        Some((name, near)) => (name, Some(near.trim_end_matches("'?").trim_end_matches("'."))),
        None => (said.trim_end_matches('.'), None),
    };
    let plain = |field: &str| field.trim_end_matches('.').to_string();
    let mut columns: Vec<String> = Vec::new();
    for column in valid.into_iter().flat_map(|valid| valid.split(", ")).map(plain) {
        // ORDER BY sees those of the query and those of its table, most of them twice.
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    // Where all are of one table, its name says nothing.
    let table = columns.first().and_then(|first| first.split_once('.')).map(|(table, _)| format!("{table}."));
    let table = table.filter(|table| columns.iter().all(|column| column.starts_with(table.as_str())));
    let short = |column: &str| match &table {
        Some(table) if !name.contains('.') => column.strip_prefix(table.as_str()).unwrap_or(column).to_string(),
        _ => column.to_string(),
    };
    let bare = |name: &str| name.rsplit('.').next().unwrap_or(name).trim_matches('"').to_string();
    let near = near.filter(|near| nearest(&bare(name), &[&bare(near)]).is_some());
    let hint = match near {
        Some(near) if cased => format!("; names with capital letters stand in double quotes: {}", short(near)),
        Some(near) => format!("; did you mean {}?", short(near)),
        None if name.contains(['.', '(']) => String::new(),
        None => format!("; a text stands in single quotes: '{}'", name.trim_matches('"')),
    };
    let columns: Vec<String> = columns.iter().map(|column| short(column)).collect();
    let columns = if columns.is_empty() { String::new() } else { format!("\ncolumns: {}", columns.join(", ")) };
    Some(format!("there is no column {name}{hint}{columns}"))
}

/// What a session knows by name.
#[derive(Debug, Default)]
pub(crate) struct Names {
    pub tables: Vec<String>,
    pub functions: Vec<String>,
    /// Functions that need a window.
    pub windows: Vec<String>,
    /// Functions that stand where a table stands.
    pub table_functions: Vec<String>,
}

/// The error with a name that was probably meant, where it is about one that is not there.
pub(crate) fn named(error: DataFusionError, names: impl FnOnce() -> Names) -> DataFusionError {
    let text = message(&error);
    let near = |name: &str, known: &[String]| {
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        nearest(name, &known).map(|near| format!("; did you mean {near}?"))
    };
    let quoted = |start: &str| text.strip_prefix(start).and_then(|rest| rest.split_once('\'')).map(|(name, _)| name);
    let said = if let Some(name) = quoted("table function '") {
        let known = names().table_functions;
        let hint = near(name, &known).unwrap_or_else(|| {
            format!("; there are {}", nines_slo::nearest::list(&known.iter().map(String::as_str).collect::<Vec<_>>()))
        });
        format!("there is no table function {name}{hint}")
    } else if let Some(name) = quoted("table '").filter(|_| text.ends_with("not found")) {
        let name = name.strip_prefix("nines.public.").unwrap_or(name);
        let hint =
            near(name, &names().tables).unwrap_or_else(|| "; SHOW TABLES lists those that there are".to_string());
        format!("there is no table {name}{hint}")
    } else if let Some(name) = quoted("Invalid function '") {
        let names = names();
        if names.windows.iter().any(|window| window == name) {
            return DataFusionError::Plan(format!(
                "{name} is a function of a window: {name}(…) OVER (PARTITION BY … ORDER BY time)"
            ));
        }
        let hint = quantile(name).or_else(|| near(name, &names.functions));
        let hint = hint.unwrap_or_else(|| "; the table functions lists those that there are".to_string());
        format!("there is no function {name}{hint}")
    } else {
        return error;
    };
    DataFusionError::Plan(said)
}

/// What to write for the names that other systems have for a quantile of latencies.
fn quantile(name: &str) -> Option<String> {
    let name = name.to_ascii_lowercase();
    let share = match name.strip_prefix('p').filter(|digits| matches!(digits.len(), 1..=4)) {
        Some("100") => "1".to_string(),
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => {
            // p5 is 5 %, p50 is 50 %, p999 is 99.9 %.
            let digits = format!("{digits:0>2}");
            format!("0.{}", digits.trim_end_matches('0'))
        }
        _ if matches!(name.as_str(), "quantile" | "percentile" | "approx_percentile" | "quantile_cont") => {
            "0.99".to_string()
        }
        _ => return None,
    };
    Some(format!("; of latencies it is histogram_quantile(histogram_merge(latency), {share})"))
}

#[cfg(test)]
mod tests {
    use datafusion::prelude::SessionContext;

    use super::*;

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

    #[test]
    fn what_is_wrong_is_said_with_what_to_do() {
        let said = |text: &str| message(&DataFusionError::Plan(text.to_string()));
        for (text, expected) in [
            (
                "Schema error: No field named login.\nValid fields are r.time, r.service.",
                "there is no column login; a text stands in single quotes: 'login'\ncolumns: time, service",
            ),
            (
                "Schema error: No field named servce. Did you mean 'r.service'?\nValid fields are r.time, r.service.",
                "there is no column servce; did you mean service?\ncolumns: time, service",
            ),
            (
                "Schema error: No field named b.x. Did you mean 'a.x'?\nValid fields are a.x, c.y.",
                "there is no column b.x; did you mean a.x?\ncolumns: a.x, c.y",
            ),
            (
                "Schema error: No field named \"Login\".",
                "there is no column \"Login\"; a text stands in single quotes: 'Login'",
            ),
        ] {
            assert_eq!(said(text), expected);
        }
        assert!(
            said("Cannot coerce arithmetic expression Duration(µs) / Int64 to valid types")
                .contains("extract(epoch FROM")
        );
        assert!(
            said("Cannot coerce arithmetic expression Timestamp(µs, \"UTC\") + Int64 to valid types")
                .contains("INTERVAL '5 minutes'")
        );
        assert_eq!(
            said("Parser error: Error parsing timestamp from '2026-10-01 03:00': error parsing time"),
            "'2026-10-01 03:00' is no time; write it as '2026-10-01', '2026-10-01 12:30:00' or '2026-10-01T12:30:00Z'"
        );
        let bug = message(&DataFusionError::Internal(
            "a\nThis issue was likely caused by a bug in DataFusion's code.".to_string(),
        ));
        assert_eq!(bug, "a. This is a mistake in nines, not in the statement; please report it, with the statement");
    }

    #[test]
    fn names_that_are_not_there_are_said_with_those_that_are() {
        let names = || Names {
            tables: vec!["requests".to_string()],
            functions: vec!["pow".to_string(), "histogram_quantile".to_string()],
            windows: vec!["increase".to_string()],
            table_functions: vec!["report".to_string(), "slices".to_string()],
        };
        let said = |text: &str| message(&named(DataFusionError::Plan(text.to_string()), names));
        assert_eq!(said("table 'nines.public.request' not found"), "there is no table request; did you mean requests?");
        assert_eq!(
            said("table 'nines.public.x' not found"),
            "there is no table x; SHOW TABLES lists those that there are"
        );
        assert_eq!(
            said("Invalid function 'increase'.\nDid you mean 'increase'?"),
            "increase is a function of a window: increase(…) OVER (PARTITION BY … ORDER BY time)"
        );
        assert_eq!(
            said("table function 'reprot' not found"),
            "there is no table function reprot; did you mean report?"
        );
        assert_eq!(said("table function 'x' not found"), "there is no table function x; there are report or slices");
        assert_eq!(
            said("Invalid function 'p999'.\nDid you mean 'pow'?"),
            "there is no function p999; of latencies it is histogram_quantile(histogram_merge(latency), 0.999)"
        );
        assert_eq!(
            said("Invalid function 'histogram_quantil'.\nDid you mean 'x'?"),
            "there is no function histogram_quantil; did you mean histogram_quantile?"
        );
        assert_eq!(said("anything else"), "anything else");
    }
}
