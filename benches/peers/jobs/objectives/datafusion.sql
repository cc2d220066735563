-- Plainly: good and total per endpoint and minute, judged by every objective of the endpoint; a minute is lost if any of them lost it.
-- Minutes without data are ok: all that is not lost since the first data is.
WITH counts AS (SELECT business, service, endpoint, time,
                       sum(CASE WHEN status BETWEEN 200 AND 299 THEN requests ELSE 0 END) AS good,
                       sum(CASE WHEN status BETWEEN 200 AND 299 OR status >= 500 THEN requests ELSE 0 END) AS total
                FROM requests WHERE time >= arrow_cast($begin, 'Timestamp(Microsecond, Some("UTC"))')
                    AND time < arrow_cast($until, 'Timestamp(Microsecond, Some("UTC"))')
                    GROUP BY business, service, endpoint, time),
     errors AS (SELECT DISTINCT business, time FROM counts JOIN objectives USING (service, endpoint)
                WHERE good * 1000 < slice_target * total),
     runs AS (SELECT business, date_part('epoch', time) AS moment, lag(date_part('epoch', time))
                    OVER (PARTITION BY business ORDER BY time) AS before FROM errors),
     figures AS (SELECT business, count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures
                 FROM runs GROUP BY business),
     spans AS (SELECT business, (date_part('epoch', arrow_cast($until, 'Timestamp(Microsecond, Some("UTC"))')) - date_part('epoch', min(time))) / 60 AS minutes FROM counts WHERE total > 0 GROUP BY business)
SELECT business, 1 - CAST(coalesce(errors, 0) AS DOUBLE) / minutes, 60 * coalesce(errors, 0),
       60 * CAST(minutes - errors AS DOUBLE) / failures, 60 * CAST(errors AS DOUBLE) / failures
FROM spans LEFT JOIN figures USING (business)
