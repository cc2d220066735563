-- One service month by month: availability, and the change against the month before.
-- Parameters: service.
SELECT month,
       availability                                              AS slo,
       availability - lag(availability) OVER (ORDER BY month)    AS change,
       error_seconds
FROM (SELECT month, availability(t) AS availability, error_seconds(t) AS error_seconds
      FROM (SELECT date_trunc('month', time) AS month,
                   ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
            FROM requests
            WHERE service = $service
            GROUP BY month) AS months) AS figures
ORDER BY month;
