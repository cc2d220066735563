SELECT service, coalesce(endpoint, '') AS endpoint, mtbf(t) AS mtbf, mttr(t) AS mttr
FROM (SELECT service, endpoint, error_union(t) AS t
      FROM (SELECT service, endpoint, ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
            FROM requests GROUP BY service, endpoint)
      GROUP BY GROUPING SETS ((service, endpoint), (service)))
