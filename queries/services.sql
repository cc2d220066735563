-- Each service: how much of the time was it within its objective, who cost it, how often does it fail,
-- how fast does it recover?
--
-- Every endpoint of a service is an objective here: 99 % of its requests succeed in each minute. A minute that
-- two endpoints lost counts once. Bad is what the service answers for: a 5xx without a cause, or a cause that is
-- charged to the service; what the gateway, the client or nobody is to blame for is left out.
SELECT business,
       service,
       availability(t)  AS slo,
       error_seconds(t) AS slo_error_time,
       sources          AS slo_error_time_info,
       mtbf(t, 300)     AS mtbf,
       mttr(t, 300)     AS mttr
FROM (SELECT business, service, error_union(t) AS t, error_sources(endpoint, t) AS sources
      FROM (SELECT business, service, endpoint, ratio_timeline(time, good, good + bad, 0.99) AS t
            FROM (SELECT time, business, service, endpoint,
                         CASE WHEN status BETWEEN 200 AND 299 THEN requests ELSE 0 END AS good,
                         CASE WHEN (status >= 500 AND cause = '')
                                OR cause IN ('upstream_timeout', 'route_misconfigured',
                                             'request_too_large', 'response_too_large')
                              THEN requests ELSE 0 END AS bad
                  FROM requests) AS counts
            GROUP BY business, service, endpoint) AS objectives
      GROUP BY business, service) AS services
ORDER BY slo, business, service;
