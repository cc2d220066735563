-- An endpoint without a failure loses no minute: only the minutes of the others are counted, found by a semi-join. The folders of the
-- days are known by their names. All other minutes since the first data are ok.
WITH failing AS (SELECT DISTINCT business, service, endpoint FROM requests WHERE date >= CAST(substr($begin, 1, 10) AS DATE)
                    AND date < CAST(substr($until, 1, 10) AS DATE) AND status >= 500 AND requests > 0),
     counts AS (SELECT business, service, endpoint, time, sum(CASE WHEN status <= 299 THEN requests ELSE 0 END) AS good, sum(requests) AS total
                FROM requests LEFT SEMI JOIN failing USING (business, service, endpoint)
                WHERE date >= CAST(substr($begin, 1, 10) AS DATE) AND date < CAST(substr($until, 1, 10) AS DATE)
                    AND (status BETWEEN 200 AND 299 OR status >= 500)
                GROUP BY business, service, endpoint, time),
     errors AS (SELECT DISTINCT business, time FROM counts JOIN objectives USING (service, endpoint)
                WHERE good * 1000 < slice_target * total),
     runs AS (SELECT business, date_part('epoch', time) AS moment, lag(date_part('epoch', time))
                    OVER (PARTITION BY business ORDER BY time) AS before FROM errors),
     figures AS (SELECT business, count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY business),
     spans AS (SELECT business, (date_part('epoch', arrow_cast($until, 'Timestamp(Microsecond, Some("UTC"))')) - date_part('epoch', min(time))) / 60 AS minutes
               FROM requests WHERE date >= CAST(substr($begin, 1, 10) AS DATE) AND date < CAST(substr($until, 1, 10) AS DATE)
                    AND (status BETWEEN 200 AND 299 OR status >= 500) AND requests > 0 GROUP BY business)
SELECT business, 1 - CAST(coalesce(errors, 0) AS DOUBLE) / minutes, 60 * coalesce(errors, 0),
       60 * CAST(minutes - errors AS DOUBLE) / failures, 60 * CAST(errors AS DOUBLE) / failures
FROM spans LEFT JOIN figures USING (business)
