-- 250 ms is a bound of the histograms' buckets, so the counts are exact.
SELECT service, availability(t) AS slo, error_seconds(t) AS error_seconds, mtbf(t) AS mtbf, mttr(t) AS mttr
FROM (SELECT service, error_union(t) AS t
      FROM (SELECT service, endpoint, ratio_timeline(time, histogram_count_le(latency, 0.25), histogram_count(latency), 0.9) AS t
            FROM requests GROUP BY service, endpoint)
      GROUP BY service)
