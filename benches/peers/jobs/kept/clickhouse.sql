-- The minutes that objectives lost were kept, as an analyst would keep them; all other minutes of the range are ok.
WITH errors AS (SELECT DISTINCT time FROM lost WHERE time >= parseDateTime64BestEffort($begin, 6, 'UTC')
                    AND time < parseDateTime64BestEffort($until, 6, 'UTC')),
     runs AS (SELECT toUnixTimestamp(time) AS moment, lagInFrame(toUnixTimestamp(time)) OVER (ORDER BY time
                    ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before FROM errors),
     figures AS (SELECT count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures,
                        (toUnixTimestamp(parseDateTime64BestEffort($until, 6, 'UTC')) - toUnixTimestamp(parseDateTime64BestEffort($begin, 6, 'UTC'))) / 60 AS minutes
                 FROM runs)
SELECT 'chat', 1 - CAST(errors AS Float64) / minutes, 60 * errors, 60 * CAST(minutes - errors AS Float64) / nullif(failures, 0),
       60 * CAST(errors AS Float64) / nullif(failures, 0)
FROM figures
