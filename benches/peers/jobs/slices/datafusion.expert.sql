-- An endpoint without a bad request loses no minute: only the minutes of the others are counted, found by a semi-join.
WITH failing AS (SELECT DISTINCT service, endpoint FROM requests WHERE status >= 500 AND requests > 0),
     counts AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests LEFT SEMI JOIN failing USING (service, endpoint)
                GROUP BY service, endpoint, time),
     judged AS (SELECT service, endpoint, count(*) AS minutes, sum(CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END) AS errors
                FROM counts WHERE total > 0 GROUP BY service, endpoint),
     everyone AS (SELECT DISTINCT service, endpoint FROM requests WHERE requests > 0)
SELECT service, endpoint, 1 - CAST(coalesce(errors, 0) AS DOUBLE) / coalesce(nullif(minutes, 0), 1), 60 * coalesce(errors, 0)
FROM everyone LEFT JOIN judged USING (service, endpoint)
