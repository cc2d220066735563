-- A failure begins where the minute with requests before was not lost, of an endpoint by itself, or of the service by any endpoint.
WITH counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests GROUP BY service, endpoint, time),
     endpoints AS (SELECT service, endpoint, time, CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END AS error
                   FROM counts WHERE total > 0),
     minutes AS (SELECT service, endpoint, time, error FROM endpoints
                 UNION ALL SELECT service, '' AS endpoint, time, max(error) AS error FROM endpoints GROUP BY service, time),
     runs AS (SELECT service, endpoint, error, lag(error) OVER (PARTITION BY service, endpoint ORDER BY time) AS before
                    FROM minutes),
     figures AS (SELECT service, endpoint, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND coalesce(before, 0) = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service, endpoint)
SELECT service, endpoint, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0), 60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
