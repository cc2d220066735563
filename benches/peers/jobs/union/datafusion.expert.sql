-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests LEFT SEMI JOIN failing USING (service, endpoint)
                GROUP BY service, endpoint, time),
     errors AS (SELECT DISTINCT service, time, 1 AS error FROM counts WHERE good * 100 < 99 * total),
     minutes AS (SELECT DISTINCT service, time FROM requests WHERE requests > 0),
     runs AS (SELECT minutes.service, coalesce(error, 0) AS error,
                     lag(coalesce(error, 0)) OVER (PARTITION BY minutes.service ORDER BY minutes.time) AS before
              FROM minutes LEFT JOIN errors ON minutes.service = errors.service AND minutes.time = errors.time),
     figures AS (SELECT service, count(*) AS minutes, sum(error) AS errors,
                        sum(CASE WHEN error = 1 AND coalesce(before, 0) = 0 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY service)
SELECT service, 1 - CAST(errors AS DOUBLE) / minutes, 60 * errors, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0),
       60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
