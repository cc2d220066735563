-- How fast each endpoint of a service answers, day by day: quantiles in seconds, from merged histograms.
-- Parameters: service, from, to.
SELECT date_trunc('day', time)                                  AS day,
       endpoint,
       sum(requests)                                            AS requests,
       histogram_quantile(0.50, histogram_merge(latency))       AS p50,
       histogram_quantile(0.90, histogram_merge(latency))       AS p90,
       histogram_quantile(0.99, histogram_merge(latency))       AS p99,
       business
FROM requests
WHERE service = $service AND time >= $from AND time < $to AND status < 400
GROUP BY day, business, endpoint
ORDER BY day, business, endpoint;
