-- An endpoint without a failure loses no minute: only the minutes of the others are counted, found by a semi-join. The folders of the
-- days are known by their names. All other minutes since the first data are ok.
WITH failing AS (SELECT DISTINCT business, service, endpoint FROM requests WHERE date >= toDate(substring($begin, 1, 10))
                    AND date < toDate(substring($until, 1, 10)) AND status >= 500 AND requests > 0),
     counts AS (SELECT business, service, endpoint, time, sum(CASE WHEN status <= 299 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests
                WHERE (business, service, endpoint) IN (SELECT business, service, endpoint FROM failing)
                    AND date >= toDate(substring($begin, 1, 10)) AND date < toDate(substring($until, 1, 10))
                    AND (status BETWEEN 200 AND 299 OR status >= 500)
                GROUP BY business, service, endpoint, time),
     errors AS (SELECT DISTINCT business, time FROM counts JOIN objectives USING (service, endpoint)
                WHERE good * 1000 < slice_target * total),
     runs AS (SELECT business, toUnixTimestamp(time) AS moment, lagInFrame(toUnixTimestamp(time))
                    OVER (PARTITION BY business ORDER BY time ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
                    FROM errors),
     figures AS (SELECT business, count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY business),
     spans AS (SELECT business, (toUnixTimestamp(parseDateTime64BestEffort($until, 6, 'UTC')) - toUnixTimestamp(min(time))) / 60 AS minutes
               FROM requests WHERE date >= toDate(substring($begin, 1, 10)) AND date < toDate(substring($until, 1, 10))
                    AND (status BETWEEN 200 AND 299 OR status >= 500) AND requests > 0 GROUP BY business)
SELECT business, 1 - CAST(coalesce(errors, 0) AS Float64) / minutes, 60 * coalesce(errors, 0),
       60 * CAST(minutes - errors AS Float64) / failures, 60 * CAST(errors AS Float64) / failures
FROM spans LEFT JOIN figures USING (business)
