-- One service month by month, all its objectives together: the share of time in which every one of them was met, and the change
-- against the month before. Services of the same name in several businesses have rows of their own.
-- Parameters: service, from, to (the first days of months).
--
-- Months are those of the session's time zone. A month's figures are those of report(…, 'service') for that month, unless a slice
-- wider than another objective's crosses its end: that is cut here, and report() counts it in the month in which it begins.
-- The first month has no change, as the month before it is not read.
SELECT month,
       availability(t)                                                                       AS slo,
       availability(t) - lag(availability(t)) OVER (PARTITION BY business ORDER BY month)    AS change,
       error_seconds(t)                                                                      AS error_seconds,
       business,
       approximate
FROM (SELECT month, business, approximate, clip(t, month, month + INTERVAL '1 month') AS t
      FROM (SELECT business, error_union(timeline) AS t, bool_or(approximate) AS approximate
            FROM timelines($from, $to) WHERE service = $service GROUP BY business) AS service
      CROSS JOIN (SELECT unnest(generate_series(date_trunc('month', CAST($from AS TIMESTAMP)),
                                                CAST($to AS TIMESTAMP) - INTERVAL '1 day', INTERVAL '1 month')) AS month) AS calendar
     ) AS months
ORDER BY business, month;
