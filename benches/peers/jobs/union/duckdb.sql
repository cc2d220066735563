-- Plainly: sum per endpoint and minute; a minute is lost if any endpoint lost it. A failure begins where the minute with requests before
-- was not lost.
WITH counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests GROUP BY service, endpoint, time),
     minutes AS (SELECT service, time, max(CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END) AS error
                 FROM counts WHERE total > 0 GROUP BY service, time),
     runs AS (SELECT service, error, lag(error) OVER (PARTITION BY service ORDER BY time) AS before FROM minutes),
     figures AS (SELECT service, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND coalesce(before, 0) = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service)
SELECT service, 1 - CAST(errors AS DOUBLE) / minutes, 60 * errors, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0),
       60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
