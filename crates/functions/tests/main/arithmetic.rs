//! Integers never wrap: what does not fit is an error, while a statement runs and while its constants are folded.

use datafusion::arrow::util::display::array_value_to_string;
use datafusion::prelude::SessionContext;

use crate::{query, session};

/// The one value of a statement, or the error.
async fn one(context: &SessionContext, sql: &str) -> String {
    match query(context, sql).await {
        Ok(batches) => {
            let batch = batches.iter().find(|batch| batch.num_rows() > 0).unwrap();
            array_value_to_string(batch.column(0), 0).unwrap()
        }
        Err(error) => error.strip_backtrace(),
    }
}

const MOST: &str = "9223372036854775807";
const LEAST: &str = "-9223372036854775808";

#[tokio::test]
async fn a_result_that_does_not_fit_is_an_error() {
    let context = session("UTC", 2);
    let columns = format!(
        "CREATE VIEW v AS SELECT * FROM (VALUES ({MOST}, {LEAST}, 1, -1, 2, CAST(200 AS TINYINT UNSIGNED), CAST(100 AS TINYINT),
            CAST(2000000000 AS INT), CAST(1 AS BIGINT UNSIGNED), CAST(2 AS BIGINT UNSIGNED)))
         AS v(most, least, one, minus, two, byte, tiny, int, big1, big2)"
    );
    query(&context, &columns).await.unwrap();
    // Over columns, over constants, and over columns that turn out to be constant.
    for sql in [
        "SELECT most + one FROM v",
        "SELECT least - one FROM v",
        "SELECT most * two FROM v",
        "SELECT least * minus FROM v",
        "SELECT - least FROM v",
        "SELECT abs(least) FROM v",
        "SELECT least / minus FROM v",
        "SELECT most + 1 FROM v",
        "SELECT 2 * most FROM v",
        "SELECT tiny + tiny FROM v",
        "SELECT - (tiny - tiny - tiny - CAST(28 AS TINYINT)) FROM v",
        "SELECT byte + byte FROM v",
        "SELECT int * int FROM v WHERE int + int > 0",
        "SELECT big1 - big2 FROM v",
        "SELECT one FROM v WHERE most + one > 0",
        "SELECT count(*) FROM v GROUP BY most + one",
        "SELECT one FROM v ORDER BY most + one",
        "SELECT sum(most + one) FROM v",
        "SELECT one FROM v AS w WHERE EXISTS (SELECT 1 FROM v WHERE v.most + w.one > v.minus)",
        "SELECT v.one FROM v JOIN v AS w ON v.most + v.one = w.least",
        "SELECT sum(most + one) OVER (ORDER BY one) FROM v",
        "SELECT 9223372036854775807 + 1",
        "SELECT -9223372036854775808 - 1",
        "SELECT 9223372036854775807 * 2",
        "SELECT - (-9223372036854775808)",
        "SELECT a + 1 FROM (SELECT 9223372036854775807 AS a)",
        "SELECT - a FROM (SELECT -9223372036854775808 AS a)",
        "SELECT count(*) FROM generate_series(1, 9223372036854775807 + 1)",
        "SELECT CASE WHEN one = 1 THEN most + one ELSE 0 END FROM v",
        "WITH RECURSIVE r AS (SELECT most AS n FROM v UNION ALL SELECT n + 1 FROM r WHERE n > 0) SELECT n FROM r",
        "SELECT d * 2 FROM (VALUES (CAST('60000000000000000000000000000000000000' AS DECIMAL(38, 0)))) AS v(d)",
        "SELECT d + d FROM (VALUES (CAST('60000000.000000000000000000000000000000' AS DECIMAL(38, 30)))) AS v(d)",
        "SELECT d + 1 FROM (VALUES (CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)))) AS v(d)",
        "SELECT - d - 1 FROM (VALUES (CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)))) AS v(d)",
        "SELECT d / CAST(0.001 AS DECIMAL(4, 3)) FROM (VALUES (CAST('99999999999999999999999999999999999' AS DECIMAL(38, 0)))) AS v(d)",
        "SELECT CAST('99999999999999999999999999999999999999' AS DECIMAL(38, 0)) + CAST(1 AS DECIMAL(38, 0))",
    ] {
        let answer = one(&context, sql).await;
        // A table function takes what could be folded, and nothing else.
        let unfolded = sql.contains("generate_series") && answer.contains("must be an INTEGER");
        let refused = unfolded || answer.contains("does not fit") || answer.to_lowercase().contains("overflow");
        assert!(refused, "{sql}: {answer}");
    }
}

#[tokio::test]
async fn what_fits_is_what_it_was() {
    let context = session("UTC", 2);
    for (sql, expected) in [
        ("SELECT 9223372036854775806 + 1", MOST),
        ("SELECT -9223372036854775807 - 1", LEAST),
        ("SELECT a % -1 FROM (VALUES (-9223372036854775808)) AS v(a)", "0"),
        ("SELECT - a FROM (VALUES (9223372036854775807)) AS v(a)", "-9223372036854775807"),
        ("SELECT a + b FROM (VALUES (1, NULL)) AS v(a, b)", ""),
        (
            "SELECT CASE WHEN a < 9 THEN a + 9223372036854775000 ELSE 0 END FROM (VALUES (9223372036854775000)) AS v(a)",
            "0",
        ),
        ("SELECT a + 0.5 FROM (VALUES (1)) AS v(a)", "1.5"),
        ("SELECT d * d - d / d + d FROM (VALUES (CAST(1.5 AS DECIMAL(3, 1)))) AS v(d)", "2.75000"),
        ("SELECT arrow_typeof(d * d) FROM (VALUES (CAST(1.5 AS DECIMAL(3, 1)))) AS v(d)", "Decimal128(7, 2)"),
        ("SELECT d + 1 FROM (VALUES (CAST(NULL AS DECIMAL(38, 0)))) AS v(d)", ""),
        ("SELECT TIMESTAMP '2026-10-01' + INTERVAL '1 day'", "2026-10-02T00:00:00"),
        ("SELECT DATE '2026-10-02' - INTERVAL '1 day' < DATE '2026-10-02'", "true"),
        ("SELECT arrow_typeof(CAST(1 AS INT) + CAST(1 AS INT))", "Int32"),
        ("SELECT arrow_typeof(CAST(1 AS INT) * 2)", "Int64"),
        ("SELECT count(*) FROM generate_series(1, 2 + 3 * 4)", "14"),
        ("SELECT a FROM (VALUES (1), (2), (3)) AS v(a) ORDER BY a LIMIT 1 + 1 OFFSET 2 - 1", "2"),
    ] {
        assert_eq!(one(&context, sql).await, expected, "{sql}");
    }
}

/// A column is named as it was written, whatever it is planned as.
#[tokio::test]
async fn columns_keep_their_names() {
    let context = session("UTC", 2);
    let sql = "SELECT a + b, a * (b - 1), -a, sum(a + b) FROM (VALUES (1, 2)) AS v(a, b) GROUP BY a, b";
    let batches = query(&context, sql).await.unwrap();
    let schema = batches[0].schema();
    let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
    assert_eq!(names, ["v.a + v.b", "v.a * v.b - Int64(1)", "(- v.a)", "sum(v.a + v.b)"]);
}

#[tokio::test]
async fn sums_that_do_not_fit_are_errors_and_only_those() {
    let context = session("UTC", 3);
    let over = [
        "SELECT sum(x) FROM (VALUES (9223372036854775807), (1)) AS v(x)",
        "SELECT sum(x) FROM (VALUES (1, 9223372036854775807), (1, 1)) AS v(g, x) GROUP BY g",
        "SELECT sum(x) OVER (ORDER BY x) FROM (VALUES (9223372036854775807), (1)) AS v(x)",
        "SELECT sum(x) OVER (ORDER BY x ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM (VALUES (9223372036854775807), (9223372036854775806)) AS v(x)",
        "SELECT sum(DISTINCT x) FROM (VALUES (9223372036854775807), (1)) AS v(x)",
        "SELECT sum(DISTINCT x), count(*) FROM (VALUES (9223372036854775807), (1)) AS v(x)",
        "SELECT sum(x) FROM (VALUES (-9223372036854775808), (-1)) AS v(x)",
        "SELECT sum(CAST(x AS BIGINT UNSIGNED)) FROM (VALUES (18446744073709551615), (1)) AS v(x)",
        "SELECT sum(CAST(x AS DECIMAL(38, 0))) FROM (VALUES ('99999999999999999999999999999999999999'), ('1')) AS v(x)",
        "SELECT sum(x + 1) FROM (VALUES (9223372036854775807)) AS v(x)",
        "SELECT error_seconds(ratio_timeline(time, good, total, 0.99, 60)) FROM (VALUES ('2026-10-01T00:00:00Z', 9223372036854775807, 9223372036854775807), ('2026-10-01T00:00:10Z', 0, 9223372036854775807)) AS v(time, good, total)",
        "SELECT histogram_count(histogram_merge(h)) FROM (SELECT named_struct('zero', 9223372036854775807, 'buckets', make_array(named_struct('bucket', 1, 'count', 1))) AS h FROM (VALUES (1),(2)) AS v(n))",
        "SELECT histogram_count(named_struct('zero', 9223372036854775807, 'buckets', make_array(named_struct('bucket', 1, 'count', 1))))",
        "SELECT histogram_quantile(0.5, named_struct('zero', 9223372036854775807, 'buckets', make_array(named_struct('bucket', 1, 'count', 1))))",
        "SELECT histogram_count_le(named_struct('zero', 9223372036854775807, 'buckets', make_array(named_struct('bucket', 1, 'count', 1))), 9)",
    ];
    for sql in over {
        let answer = one(&context, sql).await;
        let refused = answer.contains("does not fit") || answer.contains("64-bit integer holds");
        assert!(refused, "{sql}: {answer}");
    }
    // The parts do not fit, but the sum does: whatever the order and the partitions.
    for (sql, expected) in [
        ("SELECT sum(x) FROM (VALUES (9223372036854775807), (1), (-1)) AS v(x)", MOST),
        ("SELECT sum(x) FROM (VALUES (1, 9223372036854775807), (1, 1), (1, -1)) AS v(g, x) GROUP BY g", MOST),
        ("SELECT avg(x) FROM (VALUES (9223372036854775807), (9223372036854775807)) AS v(x)", "9.223372036854776e18"),
        (
            "SELECT sum(CAST(x AS DECIMAL(38, 0))) FROM (VALUES ('99999999999999999999999999999999999999'), ('1'), ('-1')) AS v(x)",
            "99999999999999999999999999999999999999",
        ),
    ] {
        assert_eq!(one(&context, sql).await, expected, "{sql}");
    }
}
