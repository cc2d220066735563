-- Each service's SLO over a range, and which objective cost it when.
-- Parameters: from, to.
--
-- The same figures as those of report(), put together from timelines: the way to any other grouping.
SELECT service,
       availability(t)   AS slo,
       error_seconds(t)  AS slo_error_time,
       sources           AS slo_error_time_info,
       mtbf(t)           AS mtbf,
       mttr(t)           AS mttr,
       business,
       approximate
FROM (SELECT business, service, bool_or(approximate) AS approximate, error_union(timeline) AS t, error_sources(objective, timeline) AS sources
      FROM timelines($from, $to)
      GROUP BY business, service) AS services
ORDER BY slo, business, service;
