-- Each business over a range, every objective of its services together, beside the period before.
-- Parameters: from, to (instants or dates; whole months compare with as many months before).
SELECT business,
       slo,
       slo_before,
       slo_error_time,
       slo_error_time_before,
       round(mtbf)  AS mtbf,
       round(mttr)  AS mttr,
       failures,
       incidents,
       approximate
FROM report($from, $to, 'business')
ORDER BY business;
