SELECT service, CAST(day AS VARCHAR) AS day, histogram_quantile(0.9, h) AS p90
FROM (SELECT service, CAST(time AS DATE) AS day, histogram_merge(latency) AS h FROM requests GROUP BY service, CAST(time AS DATE))
