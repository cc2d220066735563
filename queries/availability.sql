-- Availability of each service by time over any range, with the failures in it: a minute that two objectives lost is lost once,
-- and a failure has ended once all were met for five minutes.
-- Parameters: from, to (instants or dates).
SELECT service,
       availability(t)                        AS availability,
       error_seconds(t)                       AS error_seconds,
       measured_seconds(t)                    AS measured_seconds,
       failure_count(t, 300)                  AS failures,
       mtbf(t, 300)                           AS mtbf,
       mttr(t, 300)                           AS mttr,
       business,
       approximate
FROM (SELECT business, service, error_union(timeline) AS t, bool_or(approximate) AS approximate
      FROM timelines($from, $to)
      GROUP BY business, service) AS services
ORDER BY availability, business, service;
