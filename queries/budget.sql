-- How much of the error budget each service has spent against a target, and how fast.
-- Parameters: target (as 0.999), from, to.
SELECT service,
       availability(t)                  AS slo,
       burn_rate(t, $target)            AS burn_rate,
       budget_remaining(t, $target)     AS budget_remaining
FROM (SELECT service,
             ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
      FROM requests
      WHERE time >= $from AND time < $to
      GROUP BY service) AS services
ORDER BY budget_remaining, service;
