-- Bucket -65 ends at 250 ms. A minute of an endpoint is lost if less than nine in ten requests are in buckets up to it.
WITH buckets AS (SELECT service, endpoint, time, latency.zero AS zero, arrayJoin(latency.buckets) AS b FROM requests),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN b.bucket <= -65 THEN b.count ELSE 0 END) + any(zero) AS good,
                       sum(b.count) + any(zero) AS total
                FROM buckets GROUP BY service, endpoint, time),
     minutes AS (SELECT service, time, max(CASE WHEN good * 10 < 9 * total THEN 1 ELSE 0 END) AS error
                 FROM counts WHERE total > 0 GROUP BY service, time),
     runs AS (SELECT service, error, lagInFrame(error) OVER (PARTITION BY service ORDER BY time
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM minutes),
     figures AS (SELECT service, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND before = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service)
SELECT service, 1 - CAST(errors AS Float64) / minutes, 60 * errors, 60 * CAST(minutes - errors AS Float64) / nullif(failures, 0),
       60 * CAST(errors AS Float64) / nullif(failures, 0)
FROM figures
