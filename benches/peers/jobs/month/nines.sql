-- Error time, MTBF and MTTR of one service in one month.
SELECT service, availability(t) AS slo, error_seconds(t) AS error_seconds, mtbf(t) AS mtbf, mttr(t) AS mttr
FROM (SELECT service, error_union(t) AS t
      FROM (SELECT service, endpoint, ratio_timeline(time, CASE WHEN status < 500 THEN requests ELSE 0 END, requests, 0.99) AS t
            FROM requests WHERE service = $service AND time >= $begin AND time < $end
            GROUP BY service, endpoint)
      GROUP BY service)
