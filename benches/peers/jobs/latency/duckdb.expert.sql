-- Bucket -65 ends at 250 ms. A minute of an endpoint is lost if less than nine in ten requests are in buckets up to it.
-- A row's buckets are added up as lists, before rows are grouped: nothing is unnested.
WITH counts AS (SELECT service, endpoint, time,
                       sum(latency.zero + list_sum([CASE WHEN b.bucket <= -65 THEN b.count ELSE 0 END FOR b IN latency.buckets])) AS good,
                       sum(latency.zero + list_sum([b.count FOR b IN latency.buckets])) AS total
                FROM requests GROUP BY service, endpoint, time),
     minutes AS (SELECT service, time, max(CASE WHEN good * 10 < 9 * total THEN 1 ELSE 0 END) AS error
                 FROM counts WHERE total > 0 GROUP BY service, time),
     runs AS (SELECT service, error, lag(error) OVER (PARTITION BY service ORDER BY time) AS before FROM minutes),
     figures AS (SELECT service, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND coalesce(before, 0) = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service)
SELECT service, 1 - CAST(errors AS DOUBLE) / minutes, 60 * errors, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0),
       60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
