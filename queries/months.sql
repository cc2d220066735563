-- One service month by month, all its objectives together: the share of time in which every one of them was met, and the change
-- against the month before. Each month says what report() says of it.
-- Parameters: service, from, to (the first days of months).
SELECT month,
       availability(t)                                                 AS slo,
       availability(t) - lag(availability(t)) OVER (ORDER BY month)    AS change,
       error_seconds(t)                                                AS error_seconds
FROM (SELECT month, clip(t, month, month + INTERVAL '1 month') AS t
      FROM (SELECT error_union(timeline) AS t FROM timelines($from, $to) WHERE service = $service) AS service
      CROSS JOIN (SELECT unnest(generate_series(date_trunc('month', CAST($from AS TIMESTAMP)),
                                                CAST($to AS TIMESTAMP) - INTERVAL '1 day', INTERVAL '1 month')) AS month) AS calendar
     ) AS months
ORDER BY month;
