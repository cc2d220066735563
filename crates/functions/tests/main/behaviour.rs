//! What the functions do with NULLs, filters, odd widths, time zones and bad arguments.

use datafusion::prelude::ParquetReadOptions;

use crate::{query, session, shown};

async fn one(sql: &str) -> String {
    let shown = shown(&session("UTC", 2), sql).await;
    let lines = shown.lines().filter(|line| line.starts_with('|')).skip(1);
    let cells = lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect::<Vec<_>>().join(","));
    let cells = cells.collect::<Vec<_>>().join(";");
    if cells.is_empty() { shown } else { cells }
}

const ROWS: &str = "(VALUES ('a', '2026-10-01T00:00:00Z', true, 1, 1), ('a', '2026-10-01T00:01:00Z', false, 0, 1),
    ('b', '2026-10-01T00:05:00Z', true, 1, 1), ('b', NULL, false, 0, 1), ('c', '2026-10-01T00:05:00Z', NULL, NULL, 3))
    AS v(name, time, ok, good, total)";

#[tokio::test]
async fn nulls_count_nothing_but_extend_the_span() {
    let sql = format!(
        "SELECT measured_seconds(timeline(time, ok, 60)), measured_seconds(ratio_timeline(time, good, total, 1, 60)),
                timeline(time, ok, 60)['ended'] = ratio_timeline(time, good, total, 1, 60)['ended']
         FROM {ROWS} GROUP BY name ORDER BY name"
    );
    assert_eq!(one(&sql).await, "120.0,120.0,true;60.0,60.0,true;0.0,0.0,true");
}

#[tokio::test]
async fn filter_keeps_rows_out() {
    let sql = format!(
        "SELECT error_seconds(timeline(time, ok, 60) FILTER (WHERE ok)) FROM {ROWS} GROUP BY name ORDER BY name"
    );
    assert_eq!(one(&sql).await, "0.0;0.0;");
    let sql = format!("SELECT error_seconds(timeline(time, ok, 60) FILTER (WHERE name = 'a')) FROM {ROWS}");
    assert_eq!(one(&sql).await, "60.0");
}

#[tokio::test]
async fn nothing_is_null_unless_a_span_is_given() {
    let none = format!("FROM {ROWS} WHERE false");
    assert_eq!(one(&format!("SELECT timeline(time, ok, 60) IS NULL {none}")).await, "true");
    let nested = one(&format!("SELECT error_union(timeline(time, ok, 60)) IS NULL {none}")).await;
    assert!(nested.contains("nested"), "{nested}");
    let span = format!("SELECT timeline(time, ok, 60, '2026-10-01', '2026-10-02')['slice_seconds'] {none}");
    assert_eq!(one(&span).await, "60");
    let union =
        "SELECT error_union(t) IS NULL, error_sources('a', t) IS NULL FROM (SELECT timeline(time, ok, 60) AS t ";
    assert_eq!(one(&format!("{union} {none})")).await, "true,true");
}

#[tokio::test]
async fn the_finest_width_wins_in_a_union() {
    let sql = "SELECT error_seconds(u), measured_seconds(u), u['slice_seconds'] FROM (SELECT error_union(t) AS u FROM (
        SELECT timeline(time, ok, 60) AS t FROM (VALUES ('2026-10-01T00:00:00Z', true)) AS v(time, ok) UNION ALL
        SELECT timeline(time, ok, 15) FROM (VALUES ('2026-10-01T00:00:15Z', false)) AS v(time, ok)))";
    assert_eq!(one(sql).await, "15.0,60.0,15");
}

#[tokio::test]
async fn zoneless_text_is_read_in_the_sessions_zone() {
    let sql = "SELECT t['started'] FROM (SELECT timeline(time, ok, 60, '2026-10-01', '2026-10-02') AS t
               FROM (VALUES ('2026-10-01 00:00:00', true)) AS v(time, ok))";
    let shanghai = shown(&session("Asia/Shanghai", 1), sql).await;
    assert!(shanghai.contains("| 2026-09-30T16:00:00Z"), "{shanghai}");
    let sql = "SELECT measured_seconds(clip(timeline(time, ok, 60), '2026-10-01', DATE '2026-10-02'))
               FROM (VALUES (TIMESTAMP '2026-10-01 00:00:00', true), (TIMESTAMP '2026-09-30 23:59:00', true)) AS v(time, ok)";
    let new_york = shown(&session("America/New_York", 1), sql).await;
    assert!(new_york.contains("| 60.0 "), "{new_york}");
}

#[tokio::test]
async fn targets_are_exact_whatever_their_type() {
    for target in ["0.999", "CAST(0.999 AS DECIMAL(5,3))", "CAST('0.999' AS FLOAT)", "CAST(0.999 AS DECIMAL(38,18))"] {
        let sql =
            format!("SELECT slice_ok(999, 1000, {target}), slice_ok(998, 1000, {target}), slice_ok(0, 0, {target})");
        assert_eq!(one(&sql).await, "true,false,", "{target}");
    }
}

#[tokio::test]
async fn a_timeline_survives_a_parquet_file() {
    let context = session("UTC", 2);
    let folder = std::env::temp_dir().join(format!("nines-timeline-{}", std::process::id()));
    let path = folder.join("t.parquet");
    std::fs::create_dir_all(&folder).unwrap();
    let sql = format!("CREATE TABLE t AS SELECT name, timeline(time, ok, 60) AS t FROM {ROWS} GROUP BY name");
    query(&context, &sql).await.unwrap();
    query(&context, &format!("COPY t TO '{}' STORED AS PARQUET", path.display())).await.unwrap();
    context.register_parquet("stored", path.to_str().unwrap(), ParquetReadOptions::default()).await.unwrap();
    let sql = |table| {
        format!("SELECT availability(u), mttr(u), error_intervals(u) FROM (SELECT error_union(t) AS u FROM {table})")
    };
    assert_eq!(shown(&context, &sql("stored")).await, shown(&context, &sql("t")).await);
    assert!(shown(&context, &sql("stored")).await.contains("| 60.0"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn partial_states_merge_to_the_single_pass() {
    let rows = "(SELECT value % 7 AS name, to_timestamp(value * 37) AS time, value % 11 <> 0 AS ok,
                 CASE WHEN value % 11 = 0 THEN 3 ELSE 10 END AS good, 10 AS total FROM generate_series(1, 5000))";
    let sql = format!(
        "SELECT name, error_union(t), error_sources(CAST(part AS VARCHAR), t), sum(error_seconds(t)) FROM (
           SELECT name, part, ratio_timeline(time, good, total, 0.5, 60) AS t
           FROM (SELECT *, date_part('hour', time) AS part FROM {rows}) GROUP BY name, part) GROUP BY name ORDER BY name"
    );
    let single = shown(&session("UTC", 1), &sql).await;
    assert_eq!(shown(&session("UTC", 4), &sql).await, single);
    assert!(single.contains("errors: [{started:"), "{single}");
}

#[tokio::test]
async fn bad_arguments_say_what_was_expected() {
    let rows = format!("FROM {ROWS}");
    let cases = [
        (
            "availability(0.5)",
            "availability: timeline must be a timeline, as timeline(), ratio_timeline() and error_union() make, got Float64",
        ),
        ("timeline(time)", "timeline(time, ok, [slice_seconds], [from], [to]) takes 2 to 5 arguments, got 1"),
        (
            "timeline(CAST(time AS TIMESTAMP), ok)",
            "timeline: the slice width is unknown, because time is not a stored time column as it is; give it in seconds: timeline(…, 60)",
        ),
        ("timeline(time, ok, 0)", "timeline: slice_seconds must be between 1 and a year, got 0"),
        ("timeline(time, ok, 60, '2026-10-01')", "timeline: from and to go together"),
        ("timeline(time, ok, total)", "slice_seconds, from and to must be constants, got"),
        (
            "ratio_timeline(time, good, total, 99.9, 60)",
            "ratio_timeline: expected a share between 0 and 1, got 99.9; write 99.9 % as 0.999",
        ),
        (
            "ratio_timeline(time, good, total, total / 2.0, 60)",
            "ratio_timeline: expected a share between 0 and 1, got 1.5",
        ),
        (
            "ratio_timeline(time, -good, total, 0.5, 60)",
            "ratio_timeline: counts must not be negative, got good = -1, total = 1",
        ),
        (
            "ratio_timeline(time, good, total, CASE name WHEN 'a' THEN 0.5 ELSE 0.6 END, 60)",
            "ratio_timeline: slice_target must be the same in all rows of a group, got 0.5 and 0.6; add it to GROUP BY",
        ),
        ("mttr(timeline(time, ok, 60), -1)", "mttr: expected a duration of at least 0 seconds, got -1"),
        (
            "exclude(timeline(time, ok, 60), make_array(1))",
            "exclude: intervals must be a list of intervals: structs with the fields started and ended, got List",
        ),
    ];
    for (call, expected) in cases {
        let shown = shown(&session("UTC", 2), &format!("SELECT {call} {rows}")).await;
        assert!(shown.contains(expected), "{call}: {shown}");
    }
}

/// A row whose `ok` is NULL extends the span, except with IGNORE NULLS.
#[tokio::test]
async fn nulls_can_be_ignored() {
    let rows = "(VALUES (1, '2026-10-01T00:00:00Z', true), (2, '2026-10-01T00:01:00Z', NULL)) AS v(k, time, ok)";
    for (call, ended) in [
        ("timeline(time, ok, 60)", "2026-10-01T00:02:00Z"),
        ("timeline(time, ok, 60) RESPECT NULLS", "2026-10-01T00:02:00Z"),
        ("timeline(time, ok, 60) IGNORE NULLS", "2026-10-01T00:01:00Z"),
    ] {
        for window in ["", " OVER ()", " OVER (ORDER BY k ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING)"] {
            let sql = format!("SELECT t['ended'] FROM (SELECT {call}{window} AS t FROM {rows})");
            let shown = one(&sql).await;
            assert!(shown.split(';').all(|cell| cell == ended), "{sql}: {shown}");
        }
    }
}

/// Clauses that mean nothing to an aggregate are refused while planning.
#[tokio::test]
async fn what_means_nothing_is_refused_while_planning() {
    let context = session("UTC", 1);
    let timelines = "(SELECT name, timeline(time, ok, 60) AS t FROM";
    for sql in [
        "SELECT sum(n) IGNORE NULLS FROM (VALUES (1)) AS v(n)".to_string(),
        format!("SELECT error_union(t) WITHIN GROUP (ORDER BY name) FROM {timelines} {ROWS} GROUP BY name)"),
        format!("SELECT error_union(DISTINCT) FROM {timelines} {ROWS} GROUP BY name)"),
    ] {
        assert!(context.sql(&sql).await.is_err(), "{sql}");
    }
}
