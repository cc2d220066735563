-- The minutes that objectives lost were kept, as an analyst would keep them; all other minutes of the range are ok.
WITH errors AS (SELECT DISTINCT time FROM lost WHERE time >= arrow_cast($begin, 'Timestamp(Microsecond, Some("UTC"))')
                    AND time < arrow_cast($until, 'Timestamp(Microsecond, Some("UTC"))')),
     runs AS (SELECT date_part('epoch', time) AS moment, lag(date_part('epoch', time)) OVER (ORDER BY time) AS before FROM errors),
     figures AS (SELECT count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures,
                        (date_part('epoch', arrow_cast($until, 'Timestamp(Microsecond, Some("UTC"))')) - date_part('epoch', arrow_cast($begin, 'Timestamp(Microsecond, Some("UTC"))'))) / 60 AS minutes
                 FROM runs)
SELECT 'chat', 1 - CAST(errors AS DOUBLE) / minutes, 60 * errors, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0),
       60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
