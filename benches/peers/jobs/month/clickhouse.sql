WITH counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests
                WHERE service = $service AND time >= parseDateTime64BestEffort($begin, 6, 'UTC')
                    AND time < parseDateTime64BestEffort($end, 6, 'UTC')
                GROUP BY service, endpoint, time),
     minutes AS (SELECT service, time, max(CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END) AS error
                 FROM counts WHERE total > 0 GROUP BY service, time),
     runs AS (SELECT service, error, lagInFrame(error) OVER (PARTITION BY service ORDER BY time
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM minutes),
     figures AS (SELECT service, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND before = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service)
SELECT service, 1 - CAST(errors AS Float64) / minutes, 60 * errors, 60 * CAST(minutes - errors AS Float64) / nullif(failures, 0),
       60 * CAST(errors AS Float64) / nullif(failures, 0)
FROM figures
