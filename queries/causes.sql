-- Who is to blame: the failed requests of one service in a range by endpoint, status and cause, most first.
-- Parameters: service, from, to.
SELECT endpoint,
       status,
       cause,
       sum(requests)                                                           AS requests,
       round(100.0 * sum(requests) / sum(sum(requests)) OVER (PARTITION BY business), 2) AS percent,
       min(time)                                                               AS first,
       max(time)                                                               AS last,
       business
FROM requests
WHERE service = $service AND time >= $from AND time < $to AND status >= 400
GROUP BY business, endpoint, status, cause
ORDER BY requests DESC, business, endpoint, status, cause;
