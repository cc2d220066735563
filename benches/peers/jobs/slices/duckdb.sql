-- A minute without requests is no data: it is in neither number.
WITH slices AS (SELECT service, endpoint, time, sum(CASE WHEN status < 500 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests GROUP BY service, endpoint, time)
SELECT service, endpoint, 1 - CAST(sum(CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END) AS DOUBLE) / count(*),
       60 * sum(CASE WHEN good * 100 < 99 * total THEN 1 ELSE 0 END)
FROM slices WHERE total > 0 GROUP BY service, endpoint
