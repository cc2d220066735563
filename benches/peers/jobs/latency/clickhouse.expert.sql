-- Bucket -65 ends at 250 ms. A minute of an endpoint is lost if less than nine in ten requests are in buckets up to it.
-- A row's buckets are added up as arrays, before rows are grouped: nothing is joined out.
WITH counts AS (SELECT service, endpoint, time,
                       sum(latency.zero + arraySum(b -> if(assumeNotNull(b.bucket) <= -65, assumeNotNull(b.count), 0),
                                                   latency.buckets)) AS good,
                       sum(latency.zero + arraySum(b -> assumeNotNull(b.count), latency.buckets)) AS total
                FROM requests GROUP BY service, endpoint, time),
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
