-- Each service over a range: how much of the time was every objective of it met, which of them cost it when, how often does it
-- fail, how fast does it recover, and how much of it was measured at all?
-- Parameters: from, to (instants or dates).
--
-- A minute that two objectives lost counts once. Assumed is time without data that noData calls ok or in error.
SELECT business,
       service,
       slo,
       slo_error_time,
       slo_error_time_info,
       mtbf,
       mttr,
       measured_seconds,
       assumed_seconds,
       lost_seconds,
       last_data,
       approximate
FROM report($from, $to, 'service')
ORDER BY slo, business, service;
