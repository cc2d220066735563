-- Plainly: good and total per endpoint and minute, judged by every objective of the endpoint; a minute is lost if any of them lost it.
-- Minutes without data are ok: all that is not lost since the first data is.
WITH counts AS (SELECT business, service, endpoint, time,
                       sum(CASE WHEN status BETWEEN 200 AND 299 THEN requests ELSE 0 END) AS good,
                       sum(CASE WHEN status BETWEEN 200 AND 299 OR status >= 500 THEN requests ELSE 0 END) AS total
                FROM requests WHERE time >= parseDateTime64BestEffort($begin, 6, 'UTC')
                    AND time < parseDateTime64BestEffort($until, 6, 'UTC') GROUP BY business, service, endpoint, time),
     errors AS (SELECT DISTINCT business, time FROM counts JOIN objectives USING (service, endpoint)
                WHERE good * 1000 < slice_target * total),
     runs AS (SELECT business, toUnixTimestamp(time) AS moment, lagInFrame(toUnixTimestamp(time))
                    OVER (PARTITION BY business ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
                    FROM errors),
     figures AS (SELECT business, count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY business),
     spans AS (SELECT business, (toUnixTimestamp(parseDateTime64BestEffort($until, 6, 'UTC')) - toUnixTimestamp(min(time))) / 60 AS minutes FROM counts WHERE total > 0 GROUP BY business)
SELECT business, 1 - CAST(coalesce(errors, 0) AS Float64) / minutes, 60 * coalesce(errors, 0),
       60 * CAST(minutes - errors AS Float64) / failures, 60 * CAST(errors AS Float64) / failures
FROM spans LEFT JOIN figures USING (business)
