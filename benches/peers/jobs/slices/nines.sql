SELECT service, endpoint, availability(t) AS slo, error_seconds(t) AS error_seconds
FROM (SELECT service, endpoint, ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
      FROM requests GROUP BY service, endpoint)
