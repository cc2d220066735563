//! What a session sets changes nothing that is kept: neither figures nor the keys under which days are kept.

use std::path::Path;

use datafusion::arrow::array::AsArray;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;

use super::{asked, cells, said, session, shown};
use crate::Session;

const SLO: &str = "
apiVersion: openslo/v1
kind: SLO
metadata: {name: NAME}
spec:
  service: web
  indicator: {metadata: {name: i}, spec: {ratioMetric: {rawType: success, raw: {metricSource: METRIC}}}}
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.9, timeSliceTarget: 0.99, timeSliceWindow: 1m}]
";

const AGREEMENT: &str = "
apiVersion: nines/v1
kind: Agreement
metadata: {name: a}
spec:
  service: web
  party: service
  period: {duration: 1M, timeZone: Asia/Shanghai}
  slice: 1m
  measure: MeanErrorRate
  commitment: 99.90%
  credits: [{below: 99.90%, percent: 10}]
";

/// What an expression says differs with the dialect of numbers and text, with NULLs, with time.
const SQL: [(&str, &str); 5] = [
    ("decimals", "CASE WHEN 0.1 + 0.2 = 0.3 THEN requests ELSE 0 END"),
    ("division", "CASE WHEN 1 / 2 = 0 AND 1.0 / 2 > 0.4 THEN requests ELSE 0 END"),
    ("text", "CASE WHEN CAST(status AS VARCHAR) || '.' || service = '200.web' THEN requests ELSE 0 END"),
    ("days", "CASE WHEN date_part('hour', time) < 12 THEN requests ELSE 0 END"),
    ("zoneless", "CASE WHEN time < '2026-10-01 08:01:00' THEN requests ELSE 0 END"),
];

/// Options that SET is refused for, or after which no question can be asked: the reason behind each.
const UNASKABLE: [(&str, &str); 3] = [
    ("datafusion.catalog.information_schema", "SHOW itself needs it"),
    ("datafusion.runtime.temp_directory", "a folder that is made"),
    ("datafusion.execution.parquet.crypto_factory", "nothing is encrypted"),
];

/// Figures and keys. None depends on how the session shows times.
const QUESTIONS: [&str; 4] = [
    "SELECT objective, slo, slo_error_time, mtbf, mttr, availability, burn_rate, failures
     FROM report('2026-10-01T00:00:00Z', '2026-10-03T00:00:00Z') ORDER BY objective",
    "SELECT objective, good, total, error_seconds(timeline) AS e, measured_seconds(timeline) AS m
     FROM timelines('2026-10-01T00:00:00Z', '2026-10-03T00:00:00Z') ORDER BY objective",
    "SELECT agreement, valid, failed, availability_exact, credit_percent, amount FROM credits('2026-10')",
    "SELECT objective, key, good, total FROM nines.public.slo_days ORDER BY objective, key",
];

async fn answers(session: &Session) -> Result<Vec<String>, String> {
    let mut all = Vec::new();
    for question in QUESTIONS {
        all.push(shown(session, question).await.map_err(|error| format!("{question}: {error}"))?);
    }
    Ok(all)
}

pub(super) async fn filled(folder: &Path) {
    let session = session(&folder.display().to_string(), "UTC").await;
    asked(
        &session,
        "INSERT INTO requests (time, service, customer, status, requests) VALUES
        ('2026-10-01 00:00', 'web', 'acme', 200, 10), ('2026-10-01 00:01', 'web', 'acme', 200, 10),
        ('2026-10-01 08:01', 'web', 'acme', 503, 1), ('2026-10-01 08:01', 'web', 'acme', 200, 10),
        ('2026-10-02 12:00', 'web', 'acme', 200, 7), ('2026-10-03 00:01', 'web', 'acme', 200, 10)",
    )
    .await
    .unwrap();
    asked(
        &session,
        "INSERT INTO fees (period, customer, service, currency, amount) VALUES ('2026-10', 'acme', 'web', 'EUR', 100)",
    )
    .await
    .unwrap();
    let slo = |name: &str, metric: &str| SLO.replace("NAME", name).replace("METRIC", metric);
    let sql = SQL.iter().map(|(name, good)| {
        slo(name, &format!("{{type: nines/sql, spec: {{from: requests, good: \"{good}\", total: requests}}}}"))
    });
    let builtin = slo("availability", "{type: nines/availability, spec: {party: service}}");
    let files = sql.chain([builtin, AGREEMENT.to_string()]).enumerate();
    let files: Vec<(String, String)> = files.map(|(at, text)| (format!("{at}.yaml"), text)).collect();
    session.apply(&files).await.unwrap();
}

fn copied(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copied(&entry.path(), &target),
            false => std::fs::copy(entry.path(), target).map(drop).unwrap(),
        }
    }
}

/// Other values to try, the likeliest first.
fn others(name: &str, value: &str) -> Vec<&'static str> {
    match value {
        // What is none of its values is found out where it is used.
        _ if name == "datafusion.execution.parquet.coerce_int96" => vec!["ms"],
        "true" => vec!["false"],
        "false" => vec!["true"],
        number if number.parse::<f64>().is_ok() => vec!["7", "0.5", "1", "2"],
        _ => vec![
            "Asia/Shanghai",
            "MySQL",
            "zstd(5)",
            "none",
            "tree",
            "newlines",
            "ansi",
            "7",
            "true",
            "1G",
            "elsewhere",
        ],
    }
}

/// Sets other values, as far as there are such; how many are set, and what then differs.
async fn with_other_values(origin: &Path, options: &[(String, String)], right: &[String]) -> (usize, Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    copied(origin, folder.path());
    let session = session(&folder.path().display().to_string(), "UTC").await;
    let mut set = Vec::new();
    for (name, value) in options {
        for other in others(name, value).into_iter().filter(|other| other != value) {
            if asked(&session, &format!("SET {name} = '{other}'")).await.is_ok() {
                set.push(format!("{name} = {other}"));
                break;
            }
        }
    }
    let wrong = match answers(&session).await {
        Ok(found) if found == right => None,
        Ok(found) => found.iter().zip(right).find(|(a, b)| a != b).map(|(a, b)| format!("{a}\ninstead of\n{b}")),
        Err(error) => Some(error),
    };
    (set.len(), wrong.map(|wrong| format!("{}: {wrong}", set.join(", "))))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_setting_changes_what_is_kept() {
    let origin = tempfile::tempdir().unwrap();
    filled(origin.path()).await;
    let folder = tempfile::tempdir().unwrap();
    copied(origin.path(), folder.path());
    let unset = session(&folder.path().display().to_string(), "UTC").await;
    let right = answers(&unset).await.unwrap();
    assert!(right[0].contains("| decimals ") && right[3].lines().count() > 10, "{right:?}");
    let mut options = Vec::new();
    for batch in asked(&unset, "SHOW ALL").await.unwrap() {
        let text = |at: usize| cast(batch.column(at), &DataType::Utf8).unwrap();
        let (names, values) = (text(0), text(1));
        let pairs = names.as_string::<i32>().iter().zip(values.as_string::<i32>());
        options.extend(pairs.map(|(name, value)| (name.unwrap().to_string(), value.unwrap_or_default().to_string())));
    }
    options.retain(|(name, _)| UNASKABLE.iter().all(|(known, _)| known != name));
    let (mut changed, mut wrong) = (0, Vec::new());
    // Several in one session; where they change something, one by one.
    for some in options.chunks(12) {
        let (set, together) = with_other_values(origin.path(), some, &right).await;
        changed += set;
        let Some(together) = together else { continue };
        let before = wrong.len();
        for one in some {
            wrong.extend(with_other_values(origin.path(), std::slice::from_ref(one), &right).await.1);
        }
        if wrong.len() == before {
            wrong.push(together);
        }
    }
    assert!(wrong.is_empty(), "{} of {changed} settings:\n{}", wrong.len(), wrong.join("\n\n"));
    assert!(changed > 100, "only {changed} of {} settings could be set", options.len());
}

#[tokio::test]
async fn a_function_of_the_session_is_no_part_of_a_definition() {
    let folder = tempfile::tempdir().unwrap();
    filled(folder.path()).await;
    let session = session(&folder.path().display().to_string(), "UTC").await;
    let right = answers(&session).await.unwrap();
    session.context().deregister_udf("date_part");
    assert!(said(&session, "SELECT date_part('hour', now())").await.contains("date_part"));
    asked(&session, "INSERT INTO requests (time, service, status, requests) VALUES ('2026-10-05', 'web', 200, 1)")
        .await
        .unwrap();
    let after = cells(&session, "SELECT count(*) FROM report('2026-10-01', '2026-10-03')").await.unwrap();
    assert_eq!(after, ["6"]);
    assert_eq!(answers(&session).await.unwrap()[..2], right[..2]);
}

#[tokio::test]
async fn a_setting_goes_back_to_what_it_was() {
    let session = session("memory://reset", "Asia/Shanghai").await;
    let shown = async |session: &Session| cells(session, "SHOW timezone").await.unwrap();
    asked(&session, "SET TIME ZONE 'UTC'").await.unwrap();
    assert!(shown(&session).await.contains(&"UTC".to_string()));
    asked(&session, "RESET timezone").await.unwrap();
    assert!(shown(&session).await.contains(&"Asia/Shanghai".to_string()));
}
