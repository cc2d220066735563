//! An instant is one in every zone and through every function; what names no zone is in the session's.

use chrono::{NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use nines_store::TableKind;

use super::{asked, cells, loaded, said, session};

const ZONES: [&str; 3] = ["UTC", "Asia/Shanghai", "America/New_York"];

/// An instant, in UTC, or what the session's clock shows.
#[derive(Clone, Copy)]
enum Is {
    At(&'static str),
    Here(&'static str),
}
use Is::{At, Here};

impl Is {
    /// In µs; of a time that clocks show twice the first.
    fn micros(self, zone: &str) -> i64 {
        let (text, zone) = match self {
            At(text) => (text, Tz::UTC),
            Here(text) => (text, zone.parse::<Tz>().unwrap()),
        };
        let local = NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M").unwrap();
        zone.from_local_datetime(&local).earliest().unwrap().timestamp_micros()
    }
}

/// Columns of the row: `z` and `o` text with an offset, `l` text without one, `n` seconds, `m` ms since the epoch, `d` text of a day,
/// all but `l` and `d` of 2026-10-14 04:00 UTC.
const ROW: &str = "(VALUES ('2026-10-14T04:00:00Z', '2026-10-14T13:00:00+09:00', '2026-10-14 12:00:00', 1791950400, \
                   1791950400000, '2026-10-14')) AS v(z, o, l, n, m, d)";

const Z: Is = At("2026-10-14 04:00");
const L: Is = Here("2026-10-14 12:00");

const TIMES: [(&str, Is); 72] = [
    ("to_timestamp(z)", Z),
    ("to_timestamp(o)", Z),
    ("to_timestamp(l)", L),
    ("to_timestamp('2026-10-14T04:00:00Z')", Z),
    ("to_timestamp('2026-10-14 12:00:00')", L),
    ("to_timestamp(l, '%Y-%m-%d %H:%M:%S')", L),
    ("to_timestamp(z, '%Y-%m-%dT%H:%M:%S%#z')", Z),
    ("to_timestamp(n)", Z),
    ("to_timestamp(1791950400)", Z),
    ("to_timestamp(1791950400.0)", Z),
    ("to_timestamp(CAST(n AS DOUBLE))", Z),
    ("to_timestamp(CAST(n AS DECIMAL(20, 3)))", Z),
    ("to_timestamp(CAST(n AS INT))", Z),
    ("to_timestamp_seconds(n)", Z),
    ("to_timestamp_seconds(z)", Z),
    ("to_timestamp_seconds(l)", L),
    ("to_timestamp_millis(m)", Z),
    ("to_timestamp_millis(z)", Z),
    ("to_timestamp_micros(m * 1000)", Z),
    ("to_timestamp_micros(o)", Z),
    ("to_timestamp_nanos(m * 1000000)", Z),
    ("to_timestamp_nanos(l)", L),
    ("from_unixtime(n)", Z),
    ("from_unixtime(1791950400)", Z),
    ("from_unixtime(n, 'Asia/Tokyo')", Z),
    ("CAST(z AS TIMESTAMP)", Z),
    ("CAST(o AS TIMESTAMP)", Z),
    ("CAST(l AS TIMESTAMP)", L),
    ("CAST(z AS TIMESTAMPTZ)", Z),
    ("CAST(l AS TIMESTAMPTZ)", L),
    ("CAST(n AS TIMESTAMP)", Z),
    ("CAST(n AS TIMESTAMPTZ)", Z),
    ("TRY_CAST(z AS TIMESTAMP)", Z),
    ("z::timestamp", Z),
    ("l::timestamptz", L),
    ("CAST(z AS TIMESTAMP WITHOUT TIME ZONE)", Z),
    ("CAST(l AS TIMESTAMP WITHOUT TIME ZONE)", L),
    ("CAST(to_timestamp(z) AS TIMESTAMP WITHOUT TIME ZONE)", Z),
    ("CAST(to_timestamp(z) AS TIMESTAMP)", Z),
    ("CAST(CAST(to_timestamp(z) AS VARCHAR) AS TIMESTAMP)", Z),
    ("CAST(CAST(to_timestamp(z) AS VARCHAR) AS TIMESTAMPTZ)", Z),
    ("TIMESTAMP '2026-10-14T04:00:00Z'", Z),
    ("TIMESTAMP '2026-10-14 12:00:00'", L),
    ("TIMESTAMPTZ '2026-10-14 12:00:00+08:00'", Z),
    ("arrow_cast(z, 'Timestamp(Microsecond, Some(\"UTC\"))')", Z),
    ("to_local_time(to_timestamp(z))", Z),
    ("CAST(to_local_time(to_timestamp(z)) AS TIMESTAMPTZ)", Z),
    ("to_timestamp(to_unixtime(z))", Z),
    ("to_timestamp(to_unixtime(l))", L),
    ("to_timestamp(to_unixtime(to_timestamp(z)))", Z),
    ("to_timestamp(to_unixtime(CAST(d AS DATE)))", Here("2026-10-14 00:00")),
    ("to_timestamp(CAST(date_part('epoch', z) AS BIGINT))", Z),
    ("to_timestamp(CAST(date_part('epoch', CAST(l AS TIMESTAMP)) AS BIGINT))", L),
    ("to_timestamp(CAST(extract(epoch FROM z) AS BIGINT))", Z),
    ("date_trunc('day', l)", Here("2026-10-14 00:00")),
    ("date_trunc('day', to_timestamp(l))", Here("2026-10-14 00:00")),
    ("date_trunc('hour', z)", Z),
    ("date_trunc('hour', CAST(o AS TIMESTAMP))", Z),
    ("date_bin(INTERVAL '1 hour', z)", Z),
    ("date_bin(INTERVAL '1 day', CAST(l AS TIMESTAMP), TIMESTAMP '2026-10-01 00:00:00')", Here("2026-10-14 00:00")),
    ("CAST(CAST(d AS DATE) AS TIMESTAMP)", Here("2026-10-14 00:00")),
    ("CAST(DATE '2026-10-14' AS TIMESTAMPTZ)", Here("2026-10-14 00:00")),
    ("CAST(make_date(2026, 10, 14) AS TIMESTAMP)", Here("2026-10-14 00:00")),
    ("CAST(to_date(l) AS TIMESTAMP)", Here("2026-10-14 00:00")),
    ("CAST(d AS TIMESTAMP)", Here("2026-10-14 00:00")),
    ("COALESCE(NULL, CAST(z AS TIMESTAMP), now())", Z),
    ("COALESCE(NULL, CAST(z AS TIMESTAMP))", Z),
    ("CASE WHEN n > 0 THEN CAST(z AS TIMESTAMP WITHOUT TIME ZONE) ELSE now() END", Z),
    ("greatest(CAST(z AS TIMESTAMP), to_timestamp('2026-10-14T03:00:00Z'))", Z),
    ("TIMESTAMP '2026-10-31 12:00:00' + INTERVAL '1 day'", Here("2026-11-01 12:00")),
    ("to_timestamp('2026-11-01T05:30:00Z') + INTERVAL '1 hour'", At("2026-11-01 06:30")),
    ("TIMESTAMP '2026-10-14 12:00:00' AT TIME ZONE 'Asia/Tokyo'", At("2026-10-14 03:00")),
];

/// What must be true in each zone: texts, days, comparisons.
const TRUE: [&str; 17] = [
    "to_timestamp(z) = z",
    "to_timestamp(z) BETWEEN o AND '2026-10-14T04:00:00Z'",
    "to_timestamp(z) IN ('2026-10-14T04:00:00Z')",
    "CAST(z AS TIMESTAMP) = CAST(z AS TIMESTAMPTZ)",
    "from_unixtime(n) = to_timestamp(CAST(n AS DOUBLE))",
    "to_timestamp(l) = l",
    "to_date(z) = CAST(to_timestamp(z) AS DATE)",
    "CAST(z AS DATE) = CAST(to_timestamp(z) AS DATE)",
    "CAST('2026-10-13T20:00:00Z' AS DATE) = CAST(to_timestamp('2026-10-13T20:00:00Z') AS DATE)",
    "to_date('2026-10-13T20:00:00Z') = CAST(to_timestamp('2026-10-13T20:00:00Z') AS DATE)",
    "date_part('hour', l) = 12 AND extract(hour FROM l) = 12",
    "date_part('hour', z) = date_part('hour', to_timestamp(z))",
    "to_char(to_timestamp(l), '%H:%M') = '12:00' AND to_char(CAST(l AS TIMESTAMP), '%H:%M') = '12:00'",
    "CAST(arrow_cast(z, 'Timestamp(Microsecond, Some(\"Asia/Tokyo\"))') AS TIMESTAMP WITHOUT TIME ZONE) = \
     CAST(to_timestamp('2026-10-14T04:00:00Z') AS TIMESTAMP WITHOUT TIME ZONE)",
    "CAST(l AS TIMESTAMP WITHOUT TIME ZONE) IN (TIMESTAMP '2026-10-14 12:00:00') AND \
     CAST(l AS TIMESTAMP WITHOUT TIME ZONE) >= TIMESTAMPTZ '2026-10-14 12:00:00'",
    "current_date = CAST(now() AS DATE)",
    "to_timestamp('2026-10-01T00:00:00Z') < '2026-11' AND TIMESTAMP '2026-10-01 00:00:00' >= '2026-10'",
];

/// Whether each expression yields what it should.
fn checks(zone: &str) -> Vec<String> {
    let times = TIMES.iter().map(|(expr, is)| {
        // What a clock shows is compared as that of the other side's zone.
        let clock = expr.ends_with("WITHOUT TIME ZONE)") || expr.starts_with("to_local_time");
        let of = if clock { zone } else { "UTC" };
        format!("{expr} = arrow_cast({}, 'Timestamp(Microsecond, Some(\"{of}\"))')", is.micros(zone))
    });
    times.chain(TRUE.iter().map(|expr| (*expr).to_string())).collect()
}

#[tokio::test]
async fn in_every_zone_an_instant_is_one() {
    for zone in ZONES {
        let given = session(&format!("memory://given_{}", zone.replace('/', "_")), zone).await;
        let set = session(&format!("memory://set_{}", zone.replace('/', "_")), "Asia/Kolkata").await;
        asked(&set, &format!("SET TIME ZONE '{zone}'")).await.unwrap();
        for session in [&given, &set] {
            let mut wrong = Vec::new();
            for check in checks(zone) {
                let found = said(session, &format!("SELECT {check} FROM {ROW}")).await;
                if found.lines().nth(3).is_none_or(|row| !row.contains("true")) {
                    wrong.push(format!("{check}: {found}"));
                }
            }
            assert!(wrong.is_empty(), "{zone}: {}", wrong.join("\n"));
        }
    }
}

#[tokio::test]
async fn so_it_is_where_files_are_selected_from() {
    for zone in ZONES {
        let session = session(&format!("memory://selected_{}", zone.replace('/', "_")), zone).await;
        asked(&session, "INSERT INTO events (time, name, good, total) VALUES ('2026-01-01', 'x', 1, 1)").await.unwrap();
        let cases =
            TIMES.iter().enumerate().map(|(at, (expr, _))| format!("WHEN {at} THEN CAST({expr} AS TIMESTAMPTZ)"));
        let column = |(name, value): (&str, &str)| format!("CASE WHEN at >= 0 THEN {value} END AS {name}");
        let (values, names) = ROW.strip_prefix("(VALUES (").and_then(|row| row.split_once(")) AS v(")).unwrap();
        let columns = names.trim_end_matches(')').split(", ").zip(values.split(", ")).map(column);
        let select = format!(
            "SELECT CASE at {} END AS time, CAST(at AS VARCHAR) AS name, 1 AS good, 1 AS total FROM (SELECT at, {} FROM input) AS v",
            cases.collect::<Vec<_>>().join(" "),
            columns.collect::<Vec<_>>().join(", ")
        );
        let input: String = (0..TIMES.len()).map(|at| format!("{at}\n")).collect();
        loaded(&session, TableKind::Events, &format!("at\n{input}"), &select).await.unwrap();
        for (at, (expr, is)) in TIMES.iter().enumerate() {
            let stored = format!("SELECT to_unixtime(time) FROM events WHERE name = '{at}'");
            let right = (is.micros(zone) / 1_000_000).to_string();
            assert_eq!(cells(&session, &stored).await.unwrap(), [right], "{zone}: {expr}");
        }
    }
}

#[tokio::test]
async fn so_it_is_in_definitions_whoever_asks() {
    for zone in ZONES {
        let session = session(&format!("memory://defined_{}", zone.replace('/', "_")), zone).await;
        asked(
            &session,
            "INSERT INTO requests (time, service, endpoint, cause, status, requests) VALUES
            ('2026-10-14T04:00:00Z', 'web', '2026-10-14T04:00:00Z', '2026-10-14 12:00:00', 200, 1),
            ('2026-10-15T04:00:00Z', 'web', '', '', 200, 1)",
        )
        .await
        .unwrap();
        let of = |expr: &str| {
            let column = |expr: String, from: &str, to: &str| {
                expr.split_inclusive(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .map(|word| match word.trim_end_matches(|c: char| !c.is_ascii_alphanumeric() && c != '_') {
                        name if name == from => word.replacen(from, to, 1),
                        _ => word.to_string(),
                    })
                    .collect::<String>()
            };
            let expr = column(expr.to_string(), "z", "endpoint");
            let expr = column(expr, "l", "cause");
            let expr = column(expr, "o", "'2026-10-14T13:00:00+09:00'");
            let expr = column(expr, "n", "(1791950399 + requests)");
            let expr = column(expr, "m", "((1791950399 + requests) * 1000)");
            column(expr, "d", "'2026-10-14'")
        };
        let fixed = TIMES.iter().filter(|(expr, _)| !expr.contains("now()") && !expr.contains("'%Y"));
        let checks: Vec<String> = fixed
            .map(|(expr, is)| {
                let at = is.micros("UTC");
                format!("({} = arrow_cast({at}, 'Timestamp(Microsecond, Some(\"UTC\"))'))", of(expr))
            })
            .collect();
        let slo = |at: usize, check: &str| {
            let check = check.replace('\\', "\\\\").replace('"', "\\\"");
            let text = format!(
                "apiVersion: openslo/v1\nkind: SLO\nmetadata: {{name: s{at}}}\nspec:\n  service: web\n  indicator: {{metadata: \
                 {{name: i}}, spec: {{ratioMetric: {{rawType: success, raw: {{metricSource: {{type: nines/sql, spec: {{from: \
                 requests, where: \"endpoint <> ''\", good: \"{check}\", total: requests}}}}}}}}}}}}\n  timeWindow: [{{duration: \
                 28d, isRolling: true}}]\n  budgetingMethod: Occurrences\n  objectives: [{{target: 0.9}}]\n"
            );
            (format!("{at}.yaml"), text)
        };
        let files: Vec<(String, String)> = checks.iter().enumerate().map(|(at, check)| slo(at, check)).collect();
        session.apply(&files).await.unwrap();
        let found = "SELECT objective, good = total AND total = 1 AS as_it_should FROM timelines('2026-10-14T00:00:00Z', '2026-10-15T00:00:00Z')";
        let found = said(&session, found).await;
        for (at, check) in checks.iter().enumerate() {
            let mut rows = found.lines().map(|row| row.split('|').map(str::trim).collect::<Vec<_>>());
            let row = rows.find(|row| row.get(1).is_some_and(|objective| *objective == format!("s{at}")));
            assert!(row.as_ref().is_some_and(|row| row[2] == "true"), "{zone}: {check}: {row:?} in {found}");
        }
    }
}

#[tokio::test]
async fn a_zone_that_is_set_is_that_of_tables_functions_and_words() {
    let session = session("memory://set", "UTC").await;
    asked(&session, "INSERT INTO requests (time, service, status, requests) VALUES
        ('2026-10-01T00:00:00Z', 'web', 200, 1), ('2026-10-01T00:01:00Z', 'web', 200, 1), ('2026-09-30T16:00:00Z', 'web', 200, 1)")
        .await
        .unwrap();
    let count = "SELECT count(*) FROM requests WHERE time < '2026-10-01 08:01:00'";
    assert_eq!(cells(&session, count).await.unwrap(), ["3"]);
    asked(&session, "CREATE TABLE kept AS SELECT * FROM requests").await.unwrap();
    asked(&session, "SET TIME ZONE 'Asia/Shanghai'").await.unwrap();
    assert_eq!(session.time_zone().name(), "Asia/Shanghai");
    assert_eq!(cells(&session, count).await.unwrap(), ["2"]);
    assert_eq!(cells(&session, "SELECT count(DISTINCT date_trunc('day', time)) FROM requests").await.unwrap(), ["1"]);
    // What was kept keeps its zone, in which its days are.
    assert_eq!(cells(&session, "SELECT count(DISTINCT date_trunc('day', time)) FROM kept").await.unwrap(), ["2"]);
    assert_eq!(
        cells(&session, "SELECT arrow_typeof(time) FROM kept LIMIT 1").await.unwrap(),
        ["Timestamp(µs, \"UTC\")"]
    );
    let span = "SELECT measured_seconds(timeline('2026-10-01 00:00:00', true, 60, '2026-10-01T00:00:00+08:00', '2026-10-01 00:01:00'))";
    assert_eq!(cells(&session, span).await.unwrap(), ["60.0"]);
    assert_eq!(cells(&session, "SELECT to_unixtime(TIMESTAMP '2026-10-01 08:00:00')").await.unwrap(), ["1790812800"]);
    assert!(said(&session, "SET TIME ZONE 'Shanghai'").await.contains("did you mean Asia/Shanghai?"));
    asked(&session, "RESET timezone").await.unwrap();
    assert_eq!(cells(&session, count).await.unwrap(), ["3"]);
}
