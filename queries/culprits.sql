-- Which endpoint and which cause lost the minutes of a service, the worst first.
-- Parameters: service, from, to.
--
-- Decisive are slices that would have met the target without this endpoint and cause.
SELECT objective,
       endpoint,
       cause,
       sum(bad)                          AS bad,
       count(*)                          AS failures,
       sum(error_slices)                 AS error_slices,
       sum(decisive_slices)              AS decisive_slices,
       business
FROM culprits($from, $to)
WHERE service = $service
GROUP BY business, objective, endpoint, cause
ORDER BY decisive_slices DESC, bad DESC, objective, endpoint, cause;
