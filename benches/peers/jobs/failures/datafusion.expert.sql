-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests LEFT SEMI JOIN failing USING (service, endpoint)
                GROUP BY service, endpoint, time),
     endpoints AS (SELECT service, endpoint, time, CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END AS error FROM counts
                    WHERE total > 0),
     errors AS (SELECT DISTINCT service, time, 1 AS error FROM endpoints WHERE error = 1),
     services AS (SELECT DISTINCT service, time FROM requests WHERE requests > 0),
     minutes AS (SELECT service, endpoint, time, error FROM endpoints
                 UNION ALL SELECT s.service, '' AS endpoint, s.time, coalesce(error, 0) AS error
                           FROM services s LEFT JOIN errors e ON s.service = e.service AND s.time = e.time),
     runs AS (SELECT service, endpoint, error, lag(error) OVER (PARTITION BY service, endpoint ORDER BY time) AS before
                    FROM minutes),
     figures AS (SELECT service, endpoint, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND coalesce(before, 0) = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service, endpoint),
     everyone AS (SELECT DISTINCT service, endpoint FROM requests WHERE requests > 0
                  UNION ALL SELECT DISTINCT service, '' AS endpoint FROM services)
SELECT service, endpoint, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0), 60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM everyone LEFT JOIN figures USING (service, endpoint)
