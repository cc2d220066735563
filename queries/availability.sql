-- Availability of each service over any range, with the failures in it.
-- Parameters: from, to (instants or dates).
--
-- The whole service is one objective: of all its requests in a minute, 99 % succeed.
SELECT service,
       availability(t)                        AS availability,
       error_seconds(t)                       AS error_seconds,
       measured_seconds(t)                    AS measured_seconds,
       failure_count(t, 300)                  AS failures,
       mtbf(t, 300)                           AS mtbf,
       mttr(t, 300)                           AS mttr
FROM (SELECT service, ratio_timeline(time, good, total, 0.99) AS t
      FROM (SELECT time, service,
                   CASE WHEN status < 500 THEN requests ELSE 0 END AS good,
                   CASE WHEN cause IN ('', 'upstream_timeout', 'route_misconfigured') THEN requests ELSE 0 END AS total
            FROM requests
            WHERE time >= $from AND time < $to) AS counts
      GROUP BY service) AS services
ORDER BY availability, service;
