-- The minutes that objectives lost were kept, as an analyst would keep them; all other minutes of the range are ok.
WITH errors AS (SELECT DISTINCT time FROM lost WHERE time >= $begin::TIMESTAMPTZ AND time < $until::TIMESTAMPTZ),
     runs AS (SELECT epoch(time) AS moment, lag(epoch(time)) OVER (ORDER BY time) AS before FROM errors),
     figures AS (SELECT count(*) AS errors, sum(CASE WHEN before IS NULL OR before < moment - 60 THEN 1 ELSE 0 END) AS failures,
                        (epoch($until::TIMESTAMPTZ) - epoch($begin::TIMESTAMPTZ)) / 60 AS minutes
                 FROM runs)
SELECT 'chat', 1 - CAST(errors AS DOUBLE) / minutes, 60 * errors, 60 * CAST(minutes - errors AS DOUBLE) / nullif(failures, 0),
       60 * CAST(errors AS DOUBLE) / nullif(failures, 0)
FROM figures
