-- Each service's SLO in a month and in the month before, and what changed most.
-- Parameters: month (its first day, as 2026-10-01).
SELECT business,
       service,
       slo_before,
       slo,
       slo_change,
       slo_error_time_before,
       slo_error_time,
       approximate
FROM report($month, CAST($month AS date) + INTERVAL '1 month', 'service')
ORDER BY slo_change NULLS LAST, business, service;
