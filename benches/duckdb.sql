-- The answer of union.sql in DuckDB, plainly: sum per series and minute, a minute is lost if any endpoint lost it.
WITH counts AS (SELECT service, endpoint, time,
                       sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM read_parquet('bench/requests/date=*/*.parquet', hive_partitioning = false) GROUP BY ALL),
     minutes AS (SELECT service, time, bool_or(total > 0 AND good * 100 < 99 * total) AS error,
                        bool_or(total > 0) AS measured FROM counts GROUP BY ALL)
SELECT service, 1 - sum(error::INT)::DOUBLE / sum(measured::INT) AS slo, sum(error::INT) * 60 AS error_seconds
FROM minutes GROUP BY service ORDER BY service;
